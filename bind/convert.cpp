// Python object → Value.
#include "bind/python.h"
#include "tensor/convert.h"

namespace fb {

Scalar item_of(const Tensor& t) { return read_number(t.dtype(), t.data()); }

nb::object scalar_object(const Scalar& s) {
  switch (s.category()) {
    case Category::boolean: return nb::bool_(s.to<bool>());
    case Category::integral: return nb::int_(s.integer());
    case Category::floating: return nb::float_(s.real());
    default: {
      const auto c = s.to<math::Complex<double>>();
      return nb::steal(PyComplex_FromDoubles(c.re, c.im));
    }
  }
}

static int64_t long_value(PyObject* o) {
  const int64_t v = PyLong_AsLongLong(o);
  if (v == -1 && PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) throw nb::python_error();
    PyErr_Clear();
    const uint64_t u = PyLong_AsUnsignedLongLong(o);   // values of uint64 wrap, as C casts do
    if (PyErr_Occurred()) {
      PyErr_Clear();
      PyErr_SetString(PyExc_OverflowError, "int too big to convert: it does not fit into 64 bits");
      throw nb::python_error();
    }
    return static_cast<int64_t>(u);
  }
  return v;
}

static bool is_array(PyObject* o) { return PyObject_HasAttrString(o, "__array_interface__") && PySequence_Check(o); }

static bool to_long(PyObject* o, int64_t& v) {
  if (PyLong_Check(o)) {
    v = long_value(o);
    return true;
  }
  if (PyFloat_Check(o) || !PyIndex_Check(o) || is_array(o)) return false;
  PyObject* index = PyNumber_Index(o);
  if (!index) {
    PyErr_Clear();
    return false;
  }
  v = long_value(index);
  Py_DECREF(index);
  return true;
}

bool to_scalar(PyObject* o, Scalar& s) {
  if (PyFloat_Check(o)) s = Scalar(PyFloat_AS_DOUBLE(o));
  else if (PyBool_Check(o)) s = Scalar(o == Py_True);
  else if (PyLong_Check(o)) s = Scalar(long_value(o));
  else if (PyComplex_Check(o)) s = Scalar(math::Complex<double>{PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o)});
  else if (is_tensor(o)) {
    const Tensor t = tensor_of(o);
    if (t.dim() != 0 || t->requires_grad) return false;
    s = item_of(t);
  } else {
    PyNumberMethods* n = Py_TYPE(o)->tp_as_number;
    if (!n || is_array(o)) return false;
    int64_t v;
    const char* name = Py_TYPE(o)->tp_name;
    if (strstr(name, "bool")) {
      s = Scalar(PyObject_IsTrue(o) == 1);
    } else if (n->nb_index && to_long(o, v)) {
      s = Scalar(v);
    } else if (strstr(name, "complex")) {
      const Py_complex c = PyComplex_AsCComplex(o);
      s = Scalar(math::Complex<double>{c.real, c.imag});
    } else if (n->nb_float) {
      const double d = PyFloat_AsDouble(o);
      if (PyErr_Occurred()) {
        PyErr_Clear();
        return false;
      }
      s = Scalar(d);
    } else return false;
  }
  return true;
}

bool to_int(PyObject* o, int64_t& v) {
  if (to_long(o, v)) return true;
  if (!is_tensor(o)) return false;
  const Tensor t = tensor_of(o);
  if (t.numel() != 1 || category_of(t.dtype()) > Category::integral) return false;
  v = item_of(t).integer();
  return true;
}

bool to_ints(PyObject* o, Dims& d) {
  int64_t v;
  if (PyTuple_Check(o) || PyList_Check(o)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
      if (!to_int(PySequence_Fast_GET_ITEM(o, i), v)) return false;
      d.push(v);
    }
    return true;
  }
  if (to_int(o, v)) {
    d.push(v);
    return true;
  }
  if (PyRange_Check(o) || (is_array(o) && !is_tensor(o))) {
    nb::object list = nb::steal(PySequence_List(o));
    return list.is_valid() && to_ints(list.ptr(), d);
  }
  return false;
}

// A tensor of a subclass may override every function; flambeau's own Parameter does not.
static void note_override(PyObject* o, bool& overridden) {
  if (Py_TYPE(o) != tensor_type && Py_TYPE(o) != parameter_type) overridden = true;
}

[[noreturn, gnu::cold]] static bool bad_element(std::string_view op, const char* wanted, Py_ssize_t i, int param, PyObject* item) {
  throw TypeError(text(op, "(): expected ", wanted, " as element ", i, " in argument ", param, ", but got ", Py_TYPE(item)->tp_name));
}

static bool push_tensors(Args& args, std::string_view op, int param, bool optional, PyObject* o, bool& overridden) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  Tensors list;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    if (optional && item == Py_None) {
      list.emplace_back();
      continue;
    }
    if (!is_tensor(item)) return i ? bad_element(op, "Tensor", i, param, item) : false;
    note_override(item, overridden);
    list.push_back(tensor_of(item));
  }
  args.push(list);
  return true;
}

bool push_argument(Args& args, const Op& op, int param, PyObject* o, bool& overridden) {
  const Param& p = op.schema.params[param];
  if (p.type == Type::Tensor && is_tensor(o)) {
    note_override(o, overridden);
    args.push(tensor_of(o));
    return true;
  }
  if (o == Py_None) {
    if (!p.optional) return false;
    args.push(Value());
    return true;
  }
  Scalar s;
  int64_t v;
  switch (p.type) {
    case Type::Tensor:
      if (!(op.number_params >> param & 1) || !to_scalar(o, s)) return false;
      args.push(Value(s));
      return true;
    case Type::Scalar:
      if (!to_scalar(o, s)) return false;
      args.push(Value(s));
      return true;
    case Type::Float:
      if (!to_scalar(o, s) || s.is_complex()) return false;
      args.push(s.real());
      return true;
    case Type::Int:
      if (!to_int(o, v)) return false;
      args.push(v);
      return true;
    case Type::Bool:
      if (PyBool_Check(o)) {
        args.push(o == Py_True);
        return true;
      }
      if (!to_scalar(o, s) || !s.is_bool()) return false;
      args.push(s.to<bool>());
      return true;
    case Type::Ints: {
      Dims d;
      if (!to_ints(o, d)) return false;
      args.push(d);
      return true;
    }
    case Type::Floats: {
      Floats f;
      if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
      for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
        if (!to_scalar(PySequence_Fast_GET_ITEM(o, i), s)) return false;
        f.push_back(s.real());
      }
      args.push(f);
      return true;
    }
    case Type::DType: {
      DType d;
      if (!try_dtype(o, d)) return false;
      args.push(d);
      return true;
    }
    case Type::Str:
      if (PyUnicode_Check(o)) {
        args.push(std::string(PyUnicode_AsUTF8(o)));
        return true;
      }
      if (PyObject_HasAttrString(o, "_format_name")) {   // a memory format
        nb::object name = nb::steal(PyObject_GetAttrString(o, "_format_name"));
        args.push(std::string(PyUnicode_AsUTF8(name.ptr())));
        return true;
      }
      return false;
    case Type::Generator:
      if (Generator* g = generator_of(o)) {
        args.push(g);
        return true;
      }
      return false;
    case Type::Tensors: return push_tensors(args, op.name, param, false, o, overridden);
    case Type::OptionalTensors: return push_tensors(args, op.name, param, true, o, overridden);
    default: return false;
  }
}

}  // namespace fb
