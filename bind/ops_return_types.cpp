// torch.return_types.max(values=…, indices=…): the results of ops that name several.
#include <string>
#include <unordered_map>

#include "bind/callable.h"

#include <structmember.h>

namespace fb {
namespace {

std::unordered_map<const Op*, PyTypeObject*>& return_types() {
  static auto* map = new std::unordered_map<const Op*, PyTypeObject*>;
  return *map;
}

PyObject* return_type_repr(PyObject* o) {
  std::string s = std::string(Py_TYPE(o)->tp_name) + "(\n";
  nb::object fields =
      nb::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(o)), "__match_args__"));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) {
    nb::object r = nb::steal(PyObject_Repr(PyTuple_GET_ITEM(o, i)));
    if (!r.is_valid()) return nullptr;
    s += text(i ? ",\n" : "", PyUnicode_AsUTF8(PyTuple_GET_ITEM(fields.ptr(), i)), "=",
              PyUnicode_AsUTF8(r.ptr()));
  }
  return PyUnicode_FromString((s + ")").c_str());
}

}  // namespace

PyObject* pack_results(const Op& op, Tensor* out) {
  const int n = op.schema.output_count;
  if (n == 0) Py_RETURN_NONE;
  const auto found = return_types().find(&op);
  const bool named = found != return_types().end();
  PyObject* r = named ? PyStructSequence_New(found->second) : PyTuple_New(n);
  if (!r) throw nb::python_error();
  for (int k = 0; k < n; ++k) {
    PyObject* item = to_python(std::move(out[k]));
    if (named) PyStructSequence_SetItem(r, k, item);
    else PyTuple_SET_ITEM(r, k, item);
  }
  return r;
}

void add_return_type(nb::module_& types, const Op* op) {
  auto* fields = new PyStructSequence_Field[Schema::max_outputs + 1]{};
  for (int k = 0; k < op->schema.output_count; ++k)
    fields[k].name = (new std::string(op->schema.outputs[k]))->c_str();
  auto* name = new std::string(text("torch.return_types.", op->name));
  auto* description = new PyStructSequence_Desc{name->c_str(), "", fields, op->schema.output_count};
  PyTypeObject* type = PyStructSequence_NewType(description);
  type->tp_repr = return_type_repr;
  type->tp_str = return_type_repr;
  return_types()[op] = type;
  types.attr(std::string(op->name).c_str()) = nb::handle(reinterpret_cast<PyObject*>(type));
}

}  // namespace fb
