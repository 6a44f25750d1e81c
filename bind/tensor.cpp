// The Tensor class: identity between handles and Python objects, number slots, attributes.
#include "bind/python.h"

#include <nanobind/stl/string.h>

#include "autograd/node.h"
#include "ops.h"
#include "tensor/convert.h"

namespace fb {

PyTypeObject* tensor_type = nullptr;
PyTypeObject* parameter_type = nullptr;

namespace {

// The count moves into the Python object once there is one.
Body* body_in_python() {
  PyObject* o = nb::inst_alloc(nb::handle(reinterpret_cast<PyObject*>(tensor_type))).release().ptr();
  Body* b = nb::inst_ptr<Body>(o);
  new (b) Body;
  b->count = reinterpret_cast<uintptr_t>(o);
  nb::inst_mark_ready(o);
  return b;
}

bool operand(Args& args, PyObject* o) {
  if (is_tensor(o)) {
    args.push(tensor_of(o));
    return true;
  }
  if (PyFloat_Check(o)) args.push(PyFloat_AS_DOUBLE(o));
  else if (PyBool_Check(o)) args.push(o == Py_True);
  else {
    Scalar s;
    if (!to_scalar(o, s)) return false;
    args.push(Value(s));
  }
  return true;
}
bool overrides(PyObject* o) { return is_tensor(o) && Py_TYPE(o) != tensor_type && Py_TYPE(o) != parameter_type; }

// The hot binary operators: both sides boxed, NotImplemented for strangers.
template <class S> PyObject* binary_slot(const char* name, PyObject* x, PyObject* y, bool alpha) {
  if (overrides(x) || overrides(y)) [[unlikely]] {
    PyObject* both[] = {x, y};
    return call_by_name(name, both, 2);
  }
  try {
    Args args;
    if (!operand(args, x) || !operand(args, y)) Py_RETURN_NOTIMPLEMENTED;
    if (alpha) args.push(1);
    Tensor out[Schema::max_outputs];
    {
      Scoped python(mode.for_python, true);
      call(*op_row<S>, args, out);
    }
    return to_python(std::move(out[0]));
  } catch (...) {
    return raise_current();
  }
}
template <class S> PyObject* in_place_slot(const char* name, PyObject* x, PyObject* y, bool alpha) {
  if (overrides(x) || overrides(y)) [[unlikely]] {
    PyObject* both[] = {x, y};
    return call_by_name(name, both, 2);
  }
  try {
    Args args;
    if (!operand(args, x) || !operand(args, y)) Py_RETURN_NOTIMPLEMENTED;
    if (alpha) args.push(1);
    Tensor out[Schema::max_outputs] = {args[0].as_tensor()};
    call(*op_row<S>, args, out, Form::in_place);
    return Py_NewRef(x);
  } catch (...) {
    return raise_current();
  }
}

PyObject* slot_add(PyObject* x, PyObject* y) { return binary_slot<Add>("add", x, y, true); }
PyObject* slot_sub(PyObject* x, PyObject* y) { return binary_slot<Sub>("sub", x, y, true); }
PyObject* slot_mul(PyObject* x, PyObject* y) { return binary_slot<Mul>("mul", x, y, false); }
PyObject* slot_iadd(PyObject* x, PyObject* y) { return in_place_slot<Add>("add_", x, y, true); }
PyObject* slot_isub(PyObject* x, PyObject* y) { return in_place_slot<Sub>("sub_", x, y, true); }
PyObject* slot_imul(PyObject* x, PyObject* y) { return in_place_slot<Mul>("mul_", x, y, false); }
PyObject* slot_idiv(PyObject* x, PyObject* y) { return in_place_slot<Div>("div_", x, y, false); }
PyObject* slot_div(PyObject* x, PyObject* y) {
  if (!is_tensor(x)) {                                 // PyTorch multiplies by the reciprocal here, and rounds twice
    Scalar s;
    if (!to_scalar(x, s)) Py_RETURN_NOTIMPLEMENTED;
    nb::object r = nb::steal(call_by_name("reciprocal", &y, 1));
    return r.is_valid() ? slot_mul(r.ptr(), x) : nullptr;
  }
  return binary_slot<Div>("div", x, y, false);
}

// Every other operator goes through the generic callable of its op.
bool arithmetic_operand(PyObject* o) {
  Scalar s;
  return is_tensor(o) || to_scalar(o, s);
}
#define FB_BINARY_SLOT(slot, op)                                                                  \
  PyObject* slot(PyObject* x, PyObject* y) {                                                      \
    if (!arithmetic_operand(x) || !arithmetic_operand(y)) Py_RETURN_NOTIMPLEMENTED;               \
    PyObject* both[] = {x, y};                                                                    \
    return call_by_name(op, both, 2);                                                             \
  }
FB_BINARY_SLOT(slot_floordiv, "floor_divide")
FB_BINARY_SLOT(slot_mod, "remainder")
FB_BINARY_SLOT(slot_and, "bitwise_and")
FB_BINARY_SLOT(slot_or, "bitwise_or")
FB_BINARY_SLOT(slot_xor, "bitwise_xor")
FB_BINARY_SLOT(slot_lshift, "bitwise_left_shift")
FB_BINARY_SLOT(slot_rshift, "bitwise_right_shift")
FB_BINARY_SLOT(slot_ifloordiv, "floor_divide_")
FB_BINARY_SLOT(slot_imod, "remainder_")
FB_BINARY_SLOT(slot_iand, "bitwise_and_")
FB_BINARY_SLOT(slot_ior, "bitwise_or_")
FB_BINARY_SLOT(slot_ixor, "bitwise_xor_")
FB_BINARY_SLOT(slot_ilshift, "bitwise_left_shift_")
FB_BINARY_SLOT(slot_irshift, "bitwise_right_shift_")
#undef FB_BINARY_SLOT
PyObject* slot_matmul(PyObject* x, PyObject* y) {
  if (!is_tensor(x) || !is_tensor(y)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* both[] = {x, y};
  return call_by_name("matmul", both, 2);
}
PyObject* slot_pow(PyObject* x, PyObject* y, PyObject*) {
  if (!arithmetic_operand(x) || !arithmetic_operand(y)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* both[] = {x, y};
  return call_by_name("pow", both, 2);
}
PyObject* slot_ipow(PyObject* x, PyObject* y, PyObject*) {
  if (!arithmetic_operand(y)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* both[] = {x, y};
  return call_by_name("pow_", both, 2);
}
PyObject* slot_neg(PyObject* x) { return call_by_name("neg", &x, 1); }
PyObject* slot_pos(PyObject* x) { return Py_NewRef(x); }
PyObject* slot_abs(PyObject* x) { return call_by_name("abs", &x, 1); }
PyObject* slot_invert(PyObject* x) {
  const DType d = body_of(x)->dtype;
  if (category_of(d) > Category::integral)
    return PyErr_Format(PyExc_TypeError, "~ (operator.invert) takes integer and Boolean-type tensors, not %s", std::string(name_of(d)).c_str());
  return call_by_name("bitwise_not", &x, 1);
}

template <class E = Error> Scalar the_item(PyObject* o, const char* what) {
  const Tensor t = tensor_of(o);
  check<E>(t.numel() == 1, what);
  check(bool(t->storage), "a tensor inside a transform has no value of its own here");
  return item_of(t);
}
int slot_bool(PyObject* x) {
  try {
    const Tensor t = tensor_of(x);
    check(t.numel() != 0, "bool(): the truth of an empty tensor is ambiguous; test x.numel()");
    return the_item(x, "bool(): the truth of several elements is ambiguous; use .any() or "
                    ".all()").to<bool>();
  } catch (...) {
    raise_current();
    return -1;
  }
}
PyObject* slot_int(PyObject* x) {
  try {
    const Scalar s = the_item<ValueError>(x, not_one);
    if (s.is_floating()) return PyLong_FromDouble(s.real());
    if (s.is_complex()) throw Error("int(): a complex number has no integer value; take .real");
    return PyLong_FromLongLong(s.integer());
  } catch (...) {
    return raise_current();
  }
}
PyObject* slot_float(PyObject* x) {
  try {
    const Scalar s = the_item<ValueError>(x, not_one);
    check(!s.is_complex() || s.to<math::Complex<double>>().im == 0, "float(): a complex number has no float "
          "value; take .real");
    return PyFloat_FromDouble(s.real());
  } catch (...) {
    return raise_current();
  }
}
PyObject* slot_index(PyObject* x) {
  try {
    const Tensor t = tensor_of(x);
    if (t.numel() != 1 || category_of(t.dtype()) > Category::integral) throw TypeError("__index__: only a "
        "tensor that holds a single integer can be an index or count");
    return PyLong_FromLongLong(item_of(t).integer());
  } catch (...) {
    return raise_current();
  }
}

PyObject* slot_compare(PyObject* x, PyObject* y, int how) {
  static const char* names[] = {"lt", "le", "eq", "ne", "gt", "ge"};
  nb::object converted;
  if (!arithmetic_operand(y)) {
    if ((how != Py_EQ && how != Py_NE) || !PyObject_HasAttrString(y, "__array_interface__")) Py_RETURN_NOTIMPLEMENTED;
    try {                                              // a NumPy array, which leaves the comparison to us
      converted = give(tensor_from_data(y, nullptr, false));
    } catch (...) {
      return raise_current();
    }
    y = converted.ptr();
  }
  PyObject* both[] = {x, y};
  return call_by_name(names[how], both, 2);
}
Py_hash_t slot_hash(PyObject* x) { return static_cast<Py_hash_t>(reinterpret_cast<uintptr_t>(x) >> 4); }
Py_ssize_t slot_length(PyObject* x) {
  const Tensor t = tensor_of(x);
  if (t.dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "len: a 0-dimensional tensor has no length");
    return -1;
  }
  return t.shape()[0];
}
PyObject* slot_iter(PyObject* x) {
  const Tensor t = tensor_of(x);
  if (t.dim() == 0) return PyErr_Format(PyExc_TypeError, "iter: a 0-dimensional tensor has nothing to go "
                                        "through");
  nb::object parts = nb::steal(call_by_name("unbind", &x, 1));
  return parts.is_valid() ? PyObject_GetIter(parts.ptr()) : nullptr;
}

int tensor_traverse(PyObject* o, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(o));
  (void)visit;
  (void)arg;
  return 0;
}

// One row of real numbers, converted all at once.
nb::object listed_row(const Tensor& t, int64_t offset) {
  const int64_t n = t.shape().back(), step = t.strides().back();
  const DType d = t.dtype(), wide = is_floating(d) ? DType::f64 : DType::i64;
  const int bytes = bytes_of(d);
  std::vector<char> packed(static_cast<size_t>(n) * bytes), values(static_cast<size_t>(n) * 8);
  copy_strided(bytes, packed.data(), bytes, static_cast<const char*>(t->storage->data()) + offset * bytes, step * bytes, n);
  convert_packed(d, wide, values.data(), packed.data(), n);
  nb::object list = nb::steal(PyList_New(n));
  for (int64_t i = 0; i < n; ++i) {
    const char* v = values.data() + 8 * i;
    PyObject* o = wide == DType::f64     ? PyFloat_FromDouble(*reinterpret_cast<const double*>(v))
                  : d == DType::boolean ? PyBool_FromLong(*reinterpret_cast<const int64_t*>(v) != 0)
                                         : PyLong_FromLongLong(*reinterpret_cast<const int64_t*>(v));
    if (!o) throw nb::python_error();
    PyList_SET_ITEM(list.ptr(), i, o);
  }
  return list;
}

nb::object listed(const Tensor& t, int dim, int64_t offset) {
  if (dim == t.dim() - 1 && !is_complex(t.dtype()) && t.shape()[dim] > 0) return listed_row(t, offset);
  if (dim == t.dim()) return scalar_object(item_of(alias(t, Layout(Dims(), Dims(), offset))));
  nb::object list = nb::steal(PyList_New(t.shape()[dim]));
  for (int64_t i = 0; i < t.shape()[dim]; ++i)
    PyList_SET_ITEM(list.ptr(), i, listed(t, dim + 1, offset + i * t.strides()[dim]).release().ptr());
  return list;
}

}  // namespace

Tensor take(nb::handle h) {
  if (!is_tensor(h.ptr())) throw TypeError(text("expected a Tensor, not ", Py_TYPE(h.ptr())->tp_name));
  return tensor_of(h.ptr());
}

PyObject* to_python(Tensor&& t) {
  if (!t) Py_RETURN_NONE;
  Body* b = t.body();
  if (!(b->count & 1)) {                               // our reference becomes the caller's
    t.ref().detach();
    return reinterpret_cast<PyObject*>(b->count);
  }
  PyObject* o = nb::inst_take_ownership(nb::handle(reinterpret_cast<PyObject*>(tensor_type)), b).release().ptr();
  for (uintptr_t refs = b->count >> 1; refs > 1; --refs) Py_INCREF(o);
  b->count = reinterpret_cast<uintptr_t>(o);
  t.ref().detach();
  return o;
}

static void become(Body* b, const Tensor& data) {
  b->storage = data->storage;
  b->layout = data->layout;
  b->dtype = data->dtype;
  if (data->extra && data->extra->own_version) b->more().own_version = data->extra->own_version;
}

PyObject* make_subclass(PyTypeObject* type, const Tensor& data, bool requires_grad) {
  PyObject* o = nb::inst_alloc(nb::handle(reinterpret_cast<PyObject*>(type))).release().ptr();
  Body* b = nb::inst_ptr<Body>(o);
  new (b) Body;
  b->count = reinterpret_cast<uintptr_t>(o);
  nb::inst_mark_ready(o);
  become(b, data);
  b->requires_grad = requires_grad;
  return o;
}

// torch.Tensor(2, 3), torch.Tensor([1, 2]), torch.Tensor(tensor): the constructor of PyTorch 0.3
static Tensor construct(nb::handle args_tuple, DType dtype) {
  const nb::tuple args = nb::borrow<nb::tuple>(args_tuple);
  if (args.size() == 1) {
    PyObject* o = PyTuple_GET_ITEM(args.ptr(), 0);
    if (is_tensor(o)) {
      const Tensor t = tensor_of(o);
      if (t.dtype() != dtype) throw TypeError(text("expected ", row(dtype).legacy, "Tensor (got ", row(t.dtype()).legacy, "Tensor)"));
      return with_own_version(t);
    }
    const bool is_size = PyTuple_Check(o) && Py_TYPE(o) != &PyTuple_Type;
    if (!PyLong_Check(o) && !is_size) return tensor_from_data(o, dtype_object(dtype), true);
    Dims size;
    to_ints(o, size);
    check_sizes(size);
    return empty(size, dtype);
  }
  Dims size;
  for (nb::handle h : args) {
    int64_t v;
    if (!to_int(h.ptr(), v)) throw TypeError(text("new(): expected ints as sizes, got ", Py_TYPE(h.ptr())->tp_name));
    check(v >= 0, "new: a size must not be negative, got ", v);
    size.push(v);
  }
  return empty(args.size() ? size : Dims{0}, dtype);
}

static void bind_attributes(nb::class_<Body>& t) {
  using Self = nb::handle_t<Body>;
  t.def_prop_rw("requires_grad", [](Self s) { return requires_grad(body_of(s.ptr())); },
    [](Self s, nb::handle flag) {
      check(PyBool_Check(flag.ptr()), "requires_grad must be a bool, not ", Py_TYPE(flag.ptr())->tp_name);
      const bool v = flag.ptr() == Py_True;
      Body* b = body_of(s.ptr());
      check_can_require_grad(v, b->dtype);
      check(!v || mode.inference || !b->inference(), "requires_grad=True cannot be set on an inference tensor outside InferenceMode; clone() it first.");
      check(v || !grad_node(b), "requires_grad can be switched off for leaf tensors only; x.detach() is this "
            "tensor without its graph");
      b->requires_grad = v;
    });
  t.def_prop_ro("shape", [](Self s) { return nb::steal(size_object(body_of(s.ptr())->layout.shape)); });
  t.def_prop_ro("dtype", [](Self s) { return nb::borrow(dtype_object(body_of(s.ptr())->dtype)); });
  t.def_prop_ro("device", [](Self) { return nb::steal(device_object("cpu", -1)); });
  t.def_prop_ro("ndim", [](Self s) { return body_of(s.ptr())->layout.dim(); });
  t.def_prop_ro("itemsize", [](Self s) { return bytes_of(body_of(s.ptr())->dtype); });
  t.def_prop_ro("nbytes", [](Self s) { return body_of(s.ptr())->layout.numel * bytes_of(body_of(s.ptr())->dtype); });
  t.def_prop_ro("_version", [](Self s) {
    check(!body_of(s.ptr())->inference(), "Inference tensors do not track a version counter.");
    return body_of(s.ptr())->version();
  });
  t.def_prop_ro("is_leaf", [](Self s) { return !requires_grad(body_of(s.ptr())) || !body_of(s.ptr())->node; });
  t.def_prop_ro("output_nr", [](Self s) { return body_of(s.ptr())->out_nr; });
  t.def_prop_rw("data", [](Self s) { return give(with_own_version(take(s))); },
    [](Self s, nb::handle v) {
      const Tensor data = take(v);
      Body* b = body_of(s.ptr());
      check(b->dtype == data.dtype() || !b->requires_grad || is_differentiable(data.dtype()), ".data: the "
            "tensor requires gradients, which numbers of ", name_of(data.dtype()), " cannot have");
      const uint32_t before = b->version();
      b->storage = data->storage;
      b->layout = data->layout;
      b->dtype = data->dtype;
      if (b->version() == before) return;              // else the tensor goes on counting for itself
      b->more().own_version = Ref<Version>(new Version);
      b->version() = before;
    });
  t.def("dim", [](Self s) { return body_of(s.ptr())->layout.dim(); });
  t.def("ndimension", [](Self s) { return body_of(s.ptr())->layout.dim(); });
  t.def("numel", [](Self s) { return body_of(s.ptr())->layout.numel; });
  t.def("nelement", [](Self s) { return body_of(s.ptr())->layout.numel; });
  t.def("element_size", [](Self s) { return bytes_of(body_of(s.ptr())->dtype); });
  t.def("storage_offset", [](Self s) { return body_of(s.ptr())->layout.offset; });
  t.def("data_ptr", [](Self s) { return body_of(s.ptr())->layout.numel ? reinterpret_cast<uintptr_t>(take(s).data()) : uintptr_t(0); });
  t.def("is_contiguous", [](Self s, nb::object format) {
    const Layout& l = body_of(s.ptr())->layout;
    if (format.is_none() || nb::cast<std::string>(format.attr("_format_name")) != "channels_last") return l.contiguous;
    return l.dim() == 4 && l.strides[1] == 1 &&
           l.strides[3] == l.shape[1] && l.strides[2] == l.shape[1] * l.shape[3] && l.strides[0] == l.shape[1] * l.shape[2] * l.shape[3];
  }, nb::arg("memory_format") = nb::none());
  auto dim_from = [](nb::handle o, const char* method) {
    int64_t v;
    if (!to_int(o.ptr(), v)) throw TypeError(text(method, "(): argument 'dim' (position 1) must be int, not ", Py_TYPE(o.ptr())->tp_name));
    return v;
  };
  t.def("size", [dim_from](Self s, nb::object dim) -> nb::object {
    const Dims& shape = body_of(s.ptr())->layout.shape;
    if (dim.is_none()) return nb::steal(size_object(shape));
    const int64_t d = dim_from(dim, "size");
    check<IndexError>(shape.size() > 0, "size: a 0-dimensional tensor has no dim ", d);
    return nb::int_(shape[wrap_dim(d, shape.size())]);
  }, nb::arg("dim") = nb::none());
  t.def("stride", [dim_from](Self s, nb::object dim) -> nb::object {
    const Dims& strides = body_of(s.ptr())->layout.strides;
    if (!dim.is_none()) return nb::int_(strides[wrap_dim(dim_from(dim, "stride"), strides.size())]);
    nb::object r = nb::steal(PyTuple_New(strides.size()));
    for (int i = 0; i < strides.size(); ++i) PyTuple_SET_ITEM(r.ptr(), i, PyLong_FromLongLong(strides[i]));
    return r;
  }, nb::arg("dim") = nb::none());
  t.def("item", [](Self s) {
    const Tensor x = take(s);
    check(x.numel() == 1, "item: the tensor has ", x.numel(), " elements, a Python number needs one");
    return scalar_object(item_of(x));
  });
  t.def("tolist", [](Self s) {
    const Tensor x = take(s);
    return listed(x, 0, x.layout().offset);
  });
  t.def("is_inference", [](Self s) {
    const Body* b = body_of(s.ptr());
    return b->extra && b->extra->inference;
  });
  t.def("is_floating_point", [](Self s) { return is_floating(body_of(s.ptr())->dtype); });
  t.def("is_complex", [](Self s) { return is_complex(body_of(s.ptr())->dtype); });
  t.def("is_set_to", [](Self s, nb::handle o) {
    const Tensor a = take(s), b = take(o);
    return a->storage == b->storage && a.layout().offset == b.layout().offset && a.shape() == b.shape() && a.strides() == b.strides();
  });
}

void bind_tensor(nb::module_& m) {
#define FB_SLOT(id, f) {id, reinterpret_cast<void*>(f)}
  static PyType_Slot slots[] = {
      FB_SLOT(Py_nb_add, slot_add), FB_SLOT(Py_nb_subtract, slot_sub), FB_SLOT(Py_nb_multiply, slot_mul), FB_SLOT(Py_nb_true_divide, slot_div),
      FB_SLOT(Py_nb_inplace_add, slot_iadd), FB_SLOT(Py_nb_inplace_subtract, slot_isub), FB_SLOT(Py_nb_inplace_multiply, slot_imul),
      FB_SLOT(Py_nb_inplace_true_divide, slot_idiv), FB_SLOT(Py_nb_floor_divide, slot_floordiv), FB_SLOT(Py_nb_remainder, slot_mod),
      FB_SLOT(Py_nb_and, slot_and), FB_SLOT(Py_nb_or, slot_or), FB_SLOT(Py_nb_xor, slot_xor), FB_SLOT(Py_nb_lshift, slot_lshift),
      FB_SLOT(Py_nb_rshift, slot_rshift), FB_SLOT(Py_nb_inplace_floor_divide, slot_ifloordiv), FB_SLOT(Py_nb_inplace_remainder, slot_imod),
      FB_SLOT(Py_nb_inplace_and, slot_iand), FB_SLOT(Py_nb_inplace_or, slot_ior), FB_SLOT(Py_nb_inplace_xor, slot_ixor),
      FB_SLOT(Py_nb_inplace_lshift, slot_ilshift), FB_SLOT(Py_nb_inplace_rshift, slot_irshift),
      FB_SLOT(Py_nb_matrix_multiply, slot_matmul), FB_SLOT(Py_nb_power, slot_pow), FB_SLOT(Py_nb_inplace_power, slot_ipow),
      FB_SLOT(Py_nb_negative, slot_neg), FB_SLOT(Py_nb_positive, slot_pos), FB_SLOT(Py_nb_absolute, slot_abs), FB_SLOT(Py_nb_invert, slot_invert),
      FB_SLOT(Py_nb_bool, slot_bool), FB_SLOT(Py_nb_int, slot_int), FB_SLOT(Py_nb_float, slot_float), FB_SLOT(Py_nb_index, slot_index),
      FB_SLOT(Py_tp_richcompare, slot_compare), FB_SLOT(Py_tp_hash, slot_hash), FB_SLOT(Py_tp_iter, slot_iter),
      FB_SLOT(Py_mp_length, slot_length), FB_SLOT(Py_mp_subscript, get_item), FB_SLOT(Py_mp_ass_subscript, set_item),
      FB_SLOT(Py_tp_traverse, tensor_traverse), {0, nullptr}};
#undef FB_SLOT
  nb::class_<Body> t(m, "Tensor", nb::dynamic_attr(), nb::is_weak_referenceable(), nb::pooled(256), nb::type_slots(slots));
  tensor_type = reinterpret_cast<PyTypeObject*>(t.ptr());
  t.attr("__module__") = "flambeau";
  python_objects.new_body = body_in_python;
  python_objects.retain = [](void* o) { Py_INCREF(static_cast<PyObject*>(o)); };
  python_objects.release = [](void* o) { Py_DECREF(static_cast<PyObject*>(o)); };
  t.def("__init__", [](nb::handle_t<Body> self, nb::args args, nb::kwargs kwargs) {
    if (nb::inst_ready(self)) return;                  // __new__ made it already, as Parameter's does
    if (kwargs.contains("device")) check_device(nb::object(kwargs["device"]).ptr());
    const Tensor data = kwargs.contains("data") ? construct(nb::make_tuple(kwargs["data"]), default_dtype()) : construct(args, default_dtype());
    Body* b = nb::inst_ptr<Body>(self);
    new (b) Body;
    b->count = reinterpret_cast<uintptr_t>(self.ptr());
    nb::inst_mark_ready(self);
    become(b, data);
  });
  bind_attributes(t);
  t.def("as_subclass", [](nb::handle_t<Body> s, nb::handle type) {
    PyObject* o = make_subclass(reinterpret_cast<PyTypeObject*>(type.ptr()), take(s), false);
    const Tensor x = take(s);
    body_of(o)->requires_grad = requires_grad(x.body());
    body_of(o)->node = x->node;
    body_of(o)->out_nr = x->out_nr;
    return nb::steal(o);
  }, nb::arg("cls"));
  t.def("detach", [](nb::handle_t<Body> s) {
    Scoped python(mode.for_python, true);
    return give(detached(take(s)));
  });
  m.def("_make_subclass", [](nb::handle type, nb::handle data, bool requires_grad) {
    const Tensor t = take(data);
    check_can_require_grad(requires_grad, t.dtype());
    return nb::steal(make_subclass(reinterpret_cast<PyTypeObject*>(type.ptr()), detached(t), requires_grad));
  }, nb::arg("cls"), nb::arg("data"), nb::arg("require_grad") = false);
  m.def("_set_parameter_class", [](nb::handle type) { parameter_type = reinterpret_cast<PyTypeObject*>(type.ptr()); });
  m.def("_construct", [](nb::handle dtype, nb::args args) { return give(construct(args, dtype_of_object(dtype.ptr()))); });
  m.def("_become", [](nb::handle self, nb::handle data) {
    Body* b = body_of(self.ptr());
    become(b, take(data));
  });
}

}  // namespace fb
