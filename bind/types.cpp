// torch.dtype, torch.Size and torch.device.
#include <nanobind/stl/string.h>

#include "bind/python.h"

#include <structmember.h>

namespace fb {
namespace {

struct DTypeObject {
  PyObject_HEAD
  DType value;
};
struct DeviceObject {
  PyObject_HEAD
  PyObject* type;
  int index;                                           // -1: none given
};

PyTypeObject *dtype_type, *size_type, *device_type;
PyObject* dtype_objects[dtype_count];

DType value_of(PyObject* o) { return reinterpret_cast<DTypeObject*>(o)->value; }
std::string full_name(DType d) { return text("torch.", name_of(d)); }

PyObject* dtype_repr(PyObject* o) { return PyUnicode_FromString(full_name(value_of(o)).c_str()); }
PyObject* dtype_reduce(PyObject* o, PyObject*) { return PyUnicode_FromString(std::string(name_of(value_of(o))).c_str()); }
PyObject* dtype_is_floating(PyObject* o, void*) { return PyBool_FromLong(is_floating(value_of(o))); }
PyObject* dtype_is_complex(PyObject* o, void*) { return PyBool_FromLong(is_complex(value_of(o))); }
PyObject* dtype_is_signed(PyObject* o, void*) { return PyBool_FromLong(value_of(o) != DType::u8 && value_of(o) != DType::boolean); }
PyObject* dtype_itemsize(PyObject* o, void*) { return PyLong_FromLong(bytes_of(value_of(o))); }
PyObject* dtype_to_real(PyObject* o, PyObject*) { return Py_NewRef(dtype_object(real_of(value_of(o)))); }
PyObject* dtype_to_complex(PyObject* o, PyObject*) { return Py_NewRef(dtype_object(complex_of(value_of(o)))); }
PyObject* same_object(PyObject* o, PyObject*) { return Py_NewRef(o); }

void make_dtypes(nb::module_& m) {
  static PyGetSetDef getset[] = {{"is_floating_point", dtype_is_floating, nullptr, nullptr, nullptr}, {"is_complex", dtype_is_complex, nullptr, nullptr, nullptr},
                                 {"is_signed", dtype_is_signed, nullptr, nullptr, nullptr}, {"itemsize", dtype_itemsize, nullptr, nullptr, nullptr}, {}};
  static PyMethodDef methods[] = {{"__reduce__", dtype_reduce, METH_NOARGS, nullptr}, {"to_real", dtype_to_real, METH_NOARGS, nullptr},
                                  {"to_complex", dtype_to_complex, METH_NOARGS, nullptr}, {"__copy__", same_object, METH_NOARGS, nullptr},
                                  {"__deepcopy__", same_object, METH_O, nullptr}, {}};
  static PyType_Slot slots[] = {{Py_tp_repr, reinterpret_cast<void*>(dtype_repr)}, {Py_tp_str, reinterpret_cast<void*>(dtype_repr)}, {Py_tp_getset, getset}, {Py_tp_methods, methods}, {0, nullptr}};
  static PyType_Spec spec = {"flambeau.dtype", sizeof(DTypeObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  dtype_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  m.attr("dtype") = nb::handle(reinterpret_cast<PyObject*>(dtype_type));
  constexpr struct { const char* name; DType d; } second_names[] = {
      {"float", DType::f32}, {"double", DType::f64}, {"half", DType::f16}, {"long", DType::i64}, {"int", DType::i32},
      {"short", DType::i16}, {"cfloat", DType::c64}, {"cdouble", DType::c128}};
  for (int i = 0; i < dtype_count; ++i) {
    auto* o = PyObject_New(DTypeObject, dtype_type);
    o->value = static_cast<DType>(i);
    dtype_objects[i] = reinterpret_cast<PyObject*>(o);
    m.attr(std::string(name_of(o->value)).c_str()) = nb::handle(dtype_objects[i]);
  }
  for (const auto& n : second_names) m.attr(n.name) = nb::handle(dtype_objects[int(n.d)]);
}

// ---- Size: a tuple that prints as torch.Size([2, 3])
PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  nb::object made = nb::steal(PyTuple_Type.tp_new(type, args, kwargs));
  if (!made.is_valid()) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(made.ptr()); ++i) {
    PyObject* item = PyTuple_GET_ITEM(made.ptr(), i);
    if (PyLong_Check(item)) continue;
    int64_t v;
    if (!to_int(item, v)) return PyErr_Format(PyExc_TypeError, "torch.Size: each size must be an int, item "
                                              "%zd is %s", i, Py_TYPE(item)->tp_name);
    PyTuple_SET_ITEM(made.ptr(), i, PyLong_FromLongLong(v));
    Py_DECREF(item);
  }
  return made.release().ptr();
}
PyObject* size_repr(PyObject* o) {
  std::string s = "torch.Size([";
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) {
    nb::object r = nb::steal(PyObject_Repr(PyTuple_GET_ITEM(o, i)));
    s += std::string(i ? ", " : "") + PyUnicode_AsUTF8(r.ptr());
  }
  return PyUnicode_FromString((s + "])").c_str());
}
PyObject* as_size(PyObject* tuple) {                   // steals
  if (!tuple || !PyTuple_CheckExact(tuple)) return tuple;
  PyObject* r = PyObject_CallOneArg(reinterpret_cast<PyObject*>(size_type), tuple);
  Py_DECREF(tuple);
  return r;
}
PyObject* size_add(PyObject* a, PyObject* b) {
  if (!PyTuple_Check(a) || !PyTuple_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  const Py_ssize_t n = PyTuple_GET_SIZE(a), m = PyTuple_GET_SIZE(b);
  PyObject* r = PyTuple_New(n + m);
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(r, i, Py_NewRef(PyTuple_GET_ITEM(a, i)));
  for (Py_ssize_t i = 0; i < m; ++i) PyTuple_SET_ITEM(r, n + i, Py_NewRef(PyTuple_GET_ITEM(b, i)));
  return as_size(r);
}
PyObject* size_repeat(PyObject* o, Py_ssize_t n) { return as_size(PyTuple_Type.tp_as_sequence->sq_repeat(o, n)); }
PyObject* size_subscript(PyObject* o, PyObject* key) {
  PyObject* r = PyTuple_Type.tp_as_mapping->mp_subscript(o, key);
  return PySlice_Check(key) ? as_size(r) : r;
}
PyObject* size_numel(PyObject* o, PyObject*) {
  int64_t n = 1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) n *= PyLong_AsLongLong(PyTuple_GET_ITEM(o, i));
  return PyLong_FromLongLong(n);
}
PyObject* size_reduce(PyObject* o, PyObject*) {
  nb::object plain = nb::steal(PySequence_List(o));
  return Py_BuildValue("(O(O))", reinterpret_cast<PyObject*>(size_type), plain.ptr());
}

void make_size(nb::module_& m) {
  static PyMethodDef methods[] = {{"numel", size_numel, METH_NOARGS, "The product of the sizes."}, {"__reduce__", size_reduce, METH_NOARGS, nullptr}, {}};
  static PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(size_new)}, {Py_tp_repr, reinterpret_cast<void*>(size_repr)}, {Py_tp_str, reinterpret_cast<void*>(size_repr)},
                                {Py_sq_concat, reinterpret_cast<void*>(size_add)}, {Py_nb_add, reinterpret_cast<void*>(size_add)}, {Py_sq_repeat, reinterpret_cast<void*>(size_repeat)},
                                {Py_mp_subscript, reinterpret_cast<void*>(size_subscript)}, {Py_tp_methods, methods}, {0, nullptr}};
  static PyType_Spec spec = {"flambeau.Size", 0, 0, Py_TPFLAGS_DEFAULT, slots};
  nb::object bases = nb::steal(PyTuple_Pack(1, reinterpret_cast<PyObject*>(&PyTuple_Type)));
  size_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&spec, bases.ptr()));
  m.attr("Size") = nb::handle(reinterpret_cast<PyObject*>(size_type));
}

// ---- device
constexpr const char* device_words[] = {"cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla",
                                        "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone"};
PyObject* new_device(const std::string& type, int index) {
  auto* o = PyObject_New(DeviceObject, device_type);
  o->type = PyUnicode_InternFromString(type.c_str());
  o->index = index;
  return reinterpret_cast<PyObject*>(o);
}
PyObject* parse_device(const std::string& s, int index) {
  const auto colon = s.find(':');
  const std::string type = s.substr(0, colon);
  bool known = false;
  for (const char* w : device_words) known |= type == w;
  if (!known) {
    std::string list;
    for (const char* w : device_words) list += std::string(list.empty() ? "" : ", ") + w;
    return PyErr_Format(PyExc_RuntimeError, "device: '%s' names no type of device; the types are %s",
                        s.c_str(), list.c_str());
  }
  if (colon != s.npos) {
    const std::string number = s.substr(colon + 1);
    if (number.empty() || number.find_first_not_of("0123456789") != number.npos || number.size() > 4)
      return PyErr_Format(PyExc_RuntimeError, "Invalid device string: '%s'", s.c_str());
    index = std::stoi(number);
  }
  return new_device(type, index);
}
PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"type", "index", nullptr};
  PyObject *type = nullptr, *index = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names), &type, &index)) return nullptr;
  if (Py_TYPE(type) == device_type) return Py_NewRef(type);
  if (PyLong_Check(type) && PyLong_AsLong(type) >= 0) return new_device("cuda", static_cast<int>(PyLong_AsLong(type)));
  PyObject* number = PyLong_Check(type) ? type : index;
  if (number != Py_None && (!PyLong_Check(number) || PyLong_AsLong(number) < 0)) {
    PyErr_Clear();
    if (!PyLong_Check(number)) return PyErr_Format(PyExc_TypeError, "device: index must be int, not %s",
                                                   Py_TYPE(number)->tp_name);
    return PyErr_Format(PyExc_RuntimeError, "device: %S is negative and no index", number);
  }
  if (!PyUnicode_Check(type)) return PyErr_Format(PyExc_TypeError, "device(): argument 'type' (position 1) must be str, not %s", Py_TYPE(type)->tp_name);
  return parse_device(PyUnicode_AsUTF8(type), index == Py_None ? -1 : static_cast<int>(PyLong_AsLong(index)));
}
std::string device_text(PyObject* o) {
  auto* d = reinterpret_cast<DeviceObject*>(o);
  const std::string type = PyUnicode_AsUTF8(d->type);
  return d->index < 0 ? type : text(type, ":", d->index);
}
PyObject* device_str(PyObject* o) { return PyUnicode_FromString(device_text(o).c_str()); }
PyObject* device_repr(PyObject* o) {
  auto* d = reinterpret_cast<DeviceObject*>(o);
  return d->index < 0 ? PyUnicode_FromFormat("device(type='%U')", d->type) : PyUnicode_FromFormat("device(type='%U', index=%d)", d->type, d->index);
}
PyObject* device_compare(PyObject* a, PyObject* b, int how) {
  if ((how != Py_EQ && how != Py_NE) || Py_TYPE(b) != device_type) Py_RETURN_NOTIMPLEMENTED;
  auto *x = reinterpret_cast<DeviceObject*>(a), *y = reinterpret_cast<DeviceObject*>(b);
  const bool same = x->index == y->index && PyUnicode_Compare(x->type, y->type) == 0;
  return PyBool_FromLong(same == (how == Py_EQ));
}
Py_hash_t device_hash(PyObject* o) { return PyObject_Hash(reinterpret_cast<DeviceObject*>(o)->type) ^ (reinterpret_cast<DeviceObject*>(o)->index + 1); }
PyObject* device_get_type(PyObject* o, void*) { return Py_NewRef(reinterpret_cast<DeviceObject*>(o)->type); }
PyObject* device_get_index(PyObject* o, void*) {
  const int i = reinterpret_cast<DeviceObject*>(o)->index;
  if (i < 0) Py_RETURN_NONE;
  return PyLong_FromLong(i);
}
PyObject* device_reduce(PyObject* o, PyObject*) { return Py_BuildValue("(O(s))", reinterpret_cast<PyObject*>(device_type), device_text(o).c_str()); }
PyObject* device_enter(PyObject* o, PyObject*) { return Py_NewRef(o); }
PyObject* device_exit(PyObject*, PyObject*) { Py_RETURN_NONE; }
void device_free(PyObject* o) {
  Py_DECREF(reinterpret_cast<DeviceObject*>(o)->type);
  PyObject_Free(o);
}

void make_device(nb::module_& m) {
  static PyGetSetDef getset[] = {{"type", device_get_type, nullptr, nullptr, nullptr}, {"index", device_get_index, nullptr, nullptr, nullptr}, {}};
  static PyMethodDef methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr}, {"__enter__", device_enter, METH_NOARGS, nullptr},
                                  {"__exit__", device_exit, METH_VARARGS, nullptr}, {}};
  static PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(device_new)}, {Py_tp_repr, reinterpret_cast<void*>(device_repr)}, {Py_tp_str, reinterpret_cast<void*>(device_str)},
                                {Py_tp_richcompare, reinterpret_cast<void*>(device_compare)}, {Py_tp_hash, reinterpret_cast<void*>(device_hash)},
                                {Py_tp_getset, getset}, {Py_tp_methods, methods}, {Py_tp_dealloc, reinterpret_cast<void*>(device_free)}, {0, nullptr}};
  static PyType_Spec spec = {"flambeau.device", sizeof(DeviceObject), 0, Py_TPFLAGS_DEFAULT, slots};
  device_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  m.attr("device") = nb::handle(reinterpret_cast<PyObject*>(device_type));
}

}  // namespace

PyObject* dtype_object(DType d) { return dtype_objects[static_cast<int>(d)]; }
bool is_dtype(PyObject* o) { return Py_TYPE(o) == dtype_type; }

bool try_dtype(PyObject* o, DType& d) {
  if (is_dtype(o)) d = value_of(o);
  else if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) d = DType::f64;
  else if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) d = DType::i64;
  else if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) d = DType::boolean;
  else if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) d = DType::c128;
  else return false;
  return true;
}
DType dtype_of_object(PyObject* o) {
  DType d;
  if (!try_dtype(o, d)) throw TypeError(text("expected a torch.dtype, not ", Py_TYPE(o)->tp_name));
  return d;
}

PyObject* size_object(const Dims& d) {
  PyObject* o = size_type->tp_alloc(size_type, d.size());
  if (!o) throw nb::python_error();
  for (int i = 0; i < d.size(); ++i) PyTuple_SET_ITEM(o, i, PyLong_FromLongLong(d[i]));
  return o;
}

PyObject* device_object(const char* type, int index) {
  static PyObject* cpu = new_device("cpu", -1);
  return index < 0 && !strcmp(type, "cpu") ? Py_NewRef(cpu) : new_device(type, index);
}
bool names_device(PyObject* o) { return Py_TYPE(o) == device_type; }

void check_device(PyObject* o) {
  nb::object device = nb::borrow(o);
  if (PyLong_Check(o)) device = nb::steal(new_device("cuda", static_cast<int>(PyLong_AsLong(o))));
  if (PyUnicode_Check(o)) device = nb::steal(parse_device(PyUnicode_AsUTF8(o), -1));
  if (!device.is_valid()) throw nb::python_error();
  if (Py_TYPE(device.ptr()) != device_type) throw TypeError(text("device must be a torch.device, str or int, not ", Py_TYPE(o)->tp_name));
  const char* type = PyUnicode_AsUTF8(reinterpret_cast<DeviceObject*>(device.ptr())->type);
  if (!strcmp(type, "cpu")) return;
  if (!strcmp(type, "cuda")) {
    PyErr_SetString(PyExc_AssertionError, "CUDA is not there: flambeau computes on the CPU. Use "
                    "device='cpu'");
    throw nb::python_error();
  }
  throw UnsupportedError(text("device '", type, "' is not available: flambeau computes on the CPU; use device='cpu'"));
}

void bind_types(nb::module_& m) {
  make_dtypes(m);
  make_size(m);
  make_device(m);
  m.def("_check_device", [](nb::handle o) { check_device(o.ptr()); });
}

}  // namespace fb
