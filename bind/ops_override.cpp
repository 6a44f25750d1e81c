// __torch_function__: a class among the arguments that takes the call over.
#include <utility>

#include "bind/callable.h"

namespace fb {
namespace {

PyObject* handler = nullptr;                           // (callable, args, kwargs, types) → result
thread_local bool overrides_off = false;

bool overrides(PyObject* o) {
  return Py_TYPE(o) != tensor_type && Py_TYPE(o) != parameter_type &&
         PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(o)), "__torch_function__");
}

}  // namespace

bool has_override(const Call& c) {
  if (!handler || overrides_off) return false;
  for (Py_ssize_t i = 0; i < c.positional + c.keywords(); ++i) {
    PyObject* o = c.args[i];
    if (PyLong_Check(o) || PyFloat_Check(o) || PyUnicode_Check(o) || o == Py_None) continue;
    if (overrides(o)) return true;
    if (PyTuple_Check(o) || PyList_Check(o))
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(o); ++k)
        if (overrides(PySequence_Fast_GET_ITEM(o, k))) return true;
  }
  return false;
}

PyObject* call_override(PyObject* callable, const Call& c) {
  nb::object args = nb::steal(PyTuple_New(c.positional)), kwargs = nb::steal(PyDict_New());
  for (Py_ssize_t i = 0; i < c.positional; ++i) PyTuple_SET_ITEM(args.ptr(), i, Py_NewRef(c.args[i]));
  for (Py_ssize_t k = 0; k < c.keywords(); ++k)
    PyDict_SetItem(kwargs.ptr(), PyTuple_GET_ITEM(c.kwnames, k), c.keyword(k));
  return PyObject_CallFunctionObjArgs(handler, callable, args.ptr(), kwargs.ptr(), nullptr);
}

void bind_overrides(nb::module_& m) {
  m.def("_set_torch_function_handler", [](nb::object f) { handler = f.release().ptr(); });
  m.def("_set_overrides_off", [](bool off) { return std::exchange(overrides_off, off); });
}

}  // namespace fb
