// Data from Python lists and arrays, memory shared with NumPy, DLPack and buffers.
#include <nanobind/stl/string.h>

#include <memory>

#include "base/crc32.h"
#include "bind/python.h"
#include "ops.h"
#include "tensor/convert.h"

namespace fb {

void check_within(const Dims& shape, const Dims& strides, int64_t offset, size_t bytes, int item);

namespace {

// ---- nested lists
struct Inferred {
  Dims shape;
  Category category = Category::boolean;
  int dtype = -1;                                      // of NumPy scalars and tensors inside, which say more
  bool any = false;
  int leaf = -1;                                       // how deep the numbers lie
};

bool is_list(PyObject* o) { return PyList_Check(o) || PyTuple_Check(o); }
bool is_array_like(PyObject* o) { return !is_tensor(o) && PyObject_HasAttrString(o, "__array_interface__"); }

void raise_category(Inferred& f, Category c) {
  f.category = f.any ? std::max(f.category, c) : c;
  f.any = true;
}
void raise_dtype(Inferred& f, DType d) {
  f.dtype = f.dtype < 0 ? static_cast<int>(d) : static_cast<int>(promote(static_cast<DType>(f.dtype), d));
}

void infer(PyObject* o, int depth, Inferred& f) {
  if (is_list(o)) {
    if (f.leaf >= 0 && depth >= f.leaf) throw TypeError(text("a number was expected at depth ", depth, " of nested data, but got a ", Py_TYPE(o)->tp_name));
    check<ValueError>(depth < Dims::max_count, "too many dimensions in nested data");
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    if (f.shape.size() == depth) f.shape.push(n);
    else check<ValueError>(f.shape[depth] == n, "tensor: the lists at depth ", depth, " differ in length, ",
                           f.shape[depth], " and ", n);
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* item = PySequence_Fast_GET_ITEM(o, i);
      infer(item, depth + 1, f);
    }
    return;
  }
  const bool first = f.leaf < 0 && f.shape.size() == depth;
  if (first) f.leaf = depth;
  if (f.leaf != depth && !PyUnicode_Check(o) && (PyNumber_Check(o) || !PySequence_Check(o)) && !is_array_like(o))
    throw TypeError(text("a sequence was expected at depth ", depth, " of nested data, but got ", Py_TYPE(o)->tp_name));
  if (PyFloat_Check(o)) return raise_category(f, Category::floating);
  if (PyBool_Check(o)) return raise_category(f, Category::boolean);
  if (PyLong_Check(o)) return raise_category(f, Category::integral);
  if (PyComplex_Check(o)) return raise_category(f, Category::complex);
  Scalar s;
  if (is_tensor(o) && body_of(o)->layout.numel == 1) return raise_dtype(f, body_of(o)->dtype);
  if (is_array_like(o)) {
    nb::object dt = nb::handle(o).attr("dtype");
    if (nb::len(nb::object(nb::handle(o).attr("shape"))) == 0) {   // a NumPy scalar
      const std::string name = nb::cast<std::string>(nb::str(dt));
      for (int i = 0; i < dtype_count; ++i) if (name == dtype_rows[i].name) return raise_dtype(f, static_cast<DType>(i));
    }
  }
  if (PyUnicode_Check(o) || PyBytes_Check(o)) {
    if (first && depth > 0 && PyUnicode_Check(o)) throw ValueError("too many dimensions: strings are no numbers, invalid data type 'str'");
    throw TypeError(text("invalid data type '", Py_TYPE(o)->tp_name, "'"));
  }
  if (PySequence_Check(o) && !is_tensor(o)) {
    f.leaf = f.leaf == depth ? -1 : f.leaf;
    nb::object list = nb::steal(PySequence_List(o));
    if (list.is_valid()) return infer(list.ptr(), depth, f);
    throw nb::python_error();
  }
  if (to_scalar(o, s)) return raise_category(f, s.category());
  if (is_tensor(o)) throw ValueError(not_one);
  throw Error(text("no dtype fits a value of type ", Py_TYPE(o)->tp_name));
}

int64_t whole_number(PyObject* o) {
  int overflow = 0;
  const int64_t v = PyLong_AsLongLongAndOverflow(o, &overflow);
  check<ValueError>(!overflow, "Overflow when unpacking long long: the number does not fit into int64");
  return v;
}

void check_real(bool real, DType d) {
  if (!real) throw TypeError(text("must be real number, not complex: the dtype asked for is ", name_of(d)));
}

template <class T> T number_of(PyObject* o) {
  if constexpr (std::is_same_v<T, double>) if (PyFloat_Check(o)) return PyFloat_AS_DOUBLE(o);
  Scalar s;
  if (is_tensor(o)) s = item_of(tensor_of(o));
  else if (PyLong_Check(o)) s = Scalar(whole_number(o));
  else if (!to_scalar(o, s)) throw TypeError(text("expected a number, got ", Py_TYPE(o)->tp_name));
  return s.to<T>();
}
template <class T> void flatten(PyObject* o, T*& out) {
  if (is_list(o)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) flatten(PySequence_Fast_GET_ITEM(o, i), out);
  } else if (PySequence_Check(o) && !is_tensor(o) && !(is_array_like(o) && nb::len(nb::object(nb::handle(o).attr("shape"))) == 0)) {
    nb::object list = nb::steal(PySequence_List(o));
    flatten(list.ptr(), out);
  } else *out++ = number_of<T>(o);
}

// Numbers are read as the widest type of their category, then converted.
Tensor from_list(PyObject* data, PyObject* dtype) {
  Inferred f;
  infer(data, 0, f);
  DType d = default_dtype();
  if (f.any) d = f.category == Category::boolean ? DType::boolean : f.category == Category::integral ? DType::i64
                 : f.category == Category::floating ? default_dtype() : complex_of(default_dtype());
  if (f.dtype >= 0) d = f.any ? promote(d, static_cast<DType>(f.dtype)) : static_cast<DType>(f.dtype);
  if (dtype) d = dtype_of_object(dtype);
  Tensor r = empty(f.shape, d);
  const int64_t n = r.numel();
  const Category read = std::max(f.any ? f.category : Category::boolean, f.dtype >= 0 ? category_of(static_cast<DType>(f.dtype)) : Category::boolean);
  if (n == 0) return r;
  check_real(read != Category::complex || is_complex(d) || d == DType::boolean, d);
  auto fill = [&](auto zero, DType packed) {
    using T = decltype(zero);
    if (packed == d) {
      T* out = r.data<T>();
      return flatten(data, out);
    }
    std::vector<T> values(static_cast<size_t>(n));
    T* out = values.data();
    flatten(data, out);
    if constexpr (std::is_same_v<T, double> || std::is_same_v<T, int64_t>)
      if (is_integral(d)) for (const T v : values) check_holds(d, Scalar(v));
    convert_packed(packed, d, r.data(), values.data(), n);
  };
  if (read == Category::complex) fill(math::Complex<double>{}, DType::c128);
  else if (read == Category::floating) fill(double(), DType::f64);
  else fill(int64_t(), DType::i64);
  return r;
}

// ---- NumPy, through its array interface
bool dtype_from_typestr(const std::string& t, DType& d) {
  if (t.size() < 3 || t[0] == '>') return false;
  constexpr struct { const char* code; DType d; } codes[] = {
      {"b1", DType::boolean}, {"u1", DType::u8}, {"i1", DType::i8}, {"i2", DType::i16}, {"i4", DType::i32}, {"i8", DType::i64},
      {"f2", DType::f16}, {"f4", DType::f32}, {"f8", DType::f64}, {"c8", DType::c64}, {"c16", DType::c128}};
  for (const auto& c : codes) if (t.substr(1) == c.code) {
    d = c.d;
    return true;
  }
  return false;
}

void let_go_of_object(void* o) {
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(static_cast<PyObject*>(o));
  PyGILState_Release(state);
}

Tensor over_memory(void* data, size_t bytes, PyObject* owner, const Dims& shape, const Dims& strides, DType d, bool writable) {
  Tensor t = empty({0}, d);
  t->storage = Storage::foreign(data, bytes, let_go_of_object, Py_NewRef(owner), writable);
  t->layout = Layout(shape, strides, 0);
  return t;
}

Tensor from_interface(nb::handle array, const nb::object& interface) {
  const std::string typestr = nb::cast<std::string>(interface["typestr"]);
  DType d;
  if (!dtype_from_typestr(typestr, d)) {
    const nb::object dtype = array.attr("dtype"), name = nb::str(nb::object(dtype.attr("type").attr("__name__")));
    throw TypeError(text("from_numpy: an array of ", nb::cast<std::string>(name), " has no torch dtype; "
                         "convert it with .astype() to a float, complex, int, uint8 or bool type"));
  }
  Dims shape, strides;
  to_ints(nb::object(interface["shape"]).ptr(), shape);
  nb::object given = interface["strides"];
  if (given.is_none()) strides = Layout(shape).strides;
  else for (nb::handle h : nb::borrow<nb::sequence>(given)) {
    const int64_t bytes = nb::cast<int64_t>(h);
    check<ValueError>(bytes >= 0, "from_numpy: a stride of the array is negative, which a tensor cannot "
                      "have; pass array.copy()");
    check<ValueError>(bytes % bytes_of(d) == 0, "from_numpy: a stride of the array, ", bytes, " bytes, is no "
                      "multiple of its elements of ", bytes_of(d), " bytes; pass array.copy()");
    strides.push(bytes / bytes_of(d));
  }
  nb::object data = interface["data"];
  const auto address = nb::cast<uintptr_t>(data[0]);
  const Layout l(shape, strides, 0);
  const size_t bytes = l.numel ? static_cast<size_t>(l.last_element() + 1) * bytes_of(d) : 0;
  return over_memory(reinterpret_cast<void*>(address), bytes, array.ptr(), shape, strides, d, true);
}

Tensor from_array(nb::handle array) { return from_interface(array, array.attr("__array_interface__")); }

bool is_read_only(const nb::object& interface) {
  nb::object data = interface["data"];
  return nb::cast<bool>(data[1]);
}
bool array_is_read_only(nb::handle array) { return is_read_only(array.attr("__array_interface__")); }

const char* typestr_of(DType d) {
  switch (d) {
    case DType::boolean: return "|b1";
    case DType::u8: return "|u1";
    case DType::i8: return "|i1";
    case DType::i16: return "<i2";
    case DType::i32: return "<i4";
    case DType::i64: return "<i8";
    case DType::f16: return "<f2";
    case DType::f32: return "<f4";
    case DType::f64: return "<f8";
    case DType::c64: return "<c8";
    case DType::c128: return "<c16";
    default: throw TypeError(text("Got unsupported ScalarType ", row(d).legacy));
  }
}

// ---- the buffer protocol of a storage
struct StorageHandle {
  Ref<Storage> storage;
};

int storage_get_buffer(PyObject* o, Py_buffer* view, int flags) {
  Storage& s = *nb::inst_ptr<StorageHandle>(o)->storage;
  return PyBuffer_FillInfo(view, o, s.data(), static_cast<Py_ssize_t>(s.bytes()), !s.writable(), flags);
}

// A NumPy array over a tensor's memory, which it keeps alive. Calling ndarray costs a third of what numpy.asarray does.
nb::object as_array(const Tensor& t) {
  static PyObject* ndarray = nb::object(nb::module_::import_("numpy").attr("ndarray")).release().ptr();
  static PyObject* dtypes[dtype_count] = {};
  const char* type = typestr_of(t.dtype());
  PyObject*& dtype = dtypes[static_cast<int>(t.dtype())];
  if (!dtype) dtype = nb::module_::import_("numpy").attr("dtype")(type).release().ptr();
  const int bytes = bytes_of(t.dtype());
  const nb::object shape = nb::steal(PyTuple_New(t.dim())), strides = nb::steal(PyTuple_New(t.dim()));
  for (int i = 0; i < t.dim(); ++i) {
    PyTuple_SET_ITEM(shape.ptr(), i, PyLong_FromLongLong(t.shape()[i]));
    PyTuple_SET_ITEM(strides.ptr(), i, PyLong_FromLongLong(t.strides()[i] * bytes));
  }
  const nb::object buffer = nb::cast(StorageHandle{t->storage}), offset = nb::int_(t.numel() ? t.layout().offset * bytes : 0);
  PyObject* args[] = {shape.ptr(), dtype, buffer.ptr(), offset.ptr(), strides.ptr()};
  nb::object r = nb::steal(PyObject_Vectorcall(ndarray, args, 5, nullptr));
  if (!r.is_valid()) throw nb::python_error();
  return r;
}

struct BufferOwner { Py_buffer view; };

void let_go_of_buffer(void* p) {
  auto* b = static_cast<BufferOwner*>(p);
  const PyGILState_STATE state = PyGILState_Ensure();
  PyBuffer_Release(&b->view);
  PyGILState_Release(state);
  delete b;
}

Ref<Storage> storage_over_buffer(nb::handle o, bool writable_needed) {
  auto* owner = new BufferOwner;
  bool writable = true;
  if (PyObject_GetBuffer(o.ptr(), &owner->view, PyBUF_WRITABLE | PyBUF_SIMPLE) < 0) {
    if (writable_needed) {
      delete owner;
      throw nb::python_error();
    }
    PyErr_Clear();
    writable = false;
    if (PyObject_GetBuffer(o.ptr(), &owner->view, PyBUF_SIMPLE) < 0) {
      delete owner;
      throw nb::python_error();
    }
  }
  return Storage::foreign(owner->view.buf, static_cast<size_t>(owner->view.len), let_go_of_buffer, owner, writable);
}

void move_into_buffer(Storage& storage, nb::handle o) {
  auto owner = std::make_unique<BufferOwner>();
  if (PyObject_GetBuffer(o.ptr(), &owner->view, PyBUF_WRITABLE | PyBUF_SIMPLE) < 0) throw nb::python_error();
  if (static_cast<size_t>(owner->view.len) != storage.bytes()) {
    PyBuffer_Release(&owner->view);
    throw ValueError(text("_move_into: a storage of ", storage.bytes(), " bytes does not fit the buffer"));
  }
  void* data = owner->view.buf;
  storage.move_into(data, let_go_of_buffer, owner.release());
}

void bind_storage(nb::module_& m) {
  static PyType_Slot slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(storage_get_buffer)}, {0, nullptr}};
  nb::class_<StorageHandle> s(m, "UntypedStorage", nb::type_slots(slots), nb::is_weak_referenceable(), nb::dynamic_attr());
  s.def("__init__", [](StorageHandle* self, size_t bytes) { new (self) StorageHandle{Storage::make(bytes)}; }, nb::arg("size") = 0);
  s.def_prop_ro("device", [](const StorageHandle&) { return nb::steal(device_object("cpu", -1)); });
  s.def("nbytes", [](const StorageHandle& h) { return h.storage->bytes(); });
  s.def("size", [](const StorageHandle& h) { return h.storage->bytes(); });
  s.def("__len__", [](const StorageHandle& h) { return h.storage->bytes(); });
  s.def("data_ptr", [](const StorageHandle& h) { return reinterpret_cast<uintptr_t>(h.storage->data()); });
  s.def("resize_", [](StorageHandle& h, size_t bytes) { h.storage->resize(bytes); });
  s.def("_to_bytes", [](nb::handle h) { return nb::steal(PyMemoryView_FromObject(h.ptr())); });
  s.def("_move_into", [](StorageHandle& h, nb::handle buffer) { move_into_buffer(*h.storage, buffer); });
  s.def("_id", [](const StorageHandle& h) { return reinterpret_cast<uintptr_t>(h.storage.get()); });
  m.def("_untyped_storage", [](nb::handle t) { return StorageHandle{take(t)->storage}; });
  m.def("_crc32", [](nb::handle o) {
    BufferOwner owner;
    if (PyObject_GetBuffer(o.ptr(), &owner.view, PyBUF_SIMPLE) < 0) throw nb::python_error();
    uint32_t c;
    {
      nb::gil_scoped_release others_run;
      c = crc32(owner.view.buf, static_cast<size_t>(owner.view.len));
    }
    PyBuffer_Release(&owner.view);
    return c;
  });
  m.def("_storage_from_buffer", [](nb::handle o) { return StorageHandle{storage_over_buffer(o, false)}; });
  m.def("_tensor_from_storage", [](const StorageHandle& h, nb::handle dtype, int64_t offset, nb::handle size, nb::handle stride) {
    const DType d = dtype_of_object(dtype.ptr());
    Dims shape, strides;
    check<TypeError>(to_ints(size.ptr(), shape) && to_ints(stride.ptr(), strides) && shape.size() == strides.size(), "size and stride must be tuples of ints of one length");
    check_within(shape, strides, offset, h.storage->bytes(), bytes_of(d));
    Tensor t = empty({0}, d);
    t->storage = h.storage;
    t->layout = Layout(shape, strides, offset);
    return give(t);
  });
}

}  // namespace

// Every element that sizes and strides reach must lie inside the storage.
void check_within(const Dims& shape, const Dims& strides, int64_t offset, size_t bytes, int item) {
  check(offset >= 0, "the storage offset must not be negative, got ", offset);
  unsigned __int128 last = static_cast<uint64_t>(offset);
  for (int i = 0; i < shape.size(); ++i) {
    check(shape[i] >= 0 && strides[i] >= 0, "negative sizes and strides are not supported: sizes ", shape.list(), ", strides ", strides.list());
    if (shape[i] == 0) return;
    last += static_cast<unsigned __int128>(shape[i] - 1) * static_cast<uint64_t>(strides[i]);
    check(last < (static_cast<unsigned __int128>(1) << 62), "setStorage: sizes ", shape.list(), ", strides ", strides.list(), " are out of bounds");
  }
  check((last + 1) * static_cast<unsigned>(item) <= bytes, "the sizes ", shape.list(), " and strides ",
        strides.list(), " from offset ", offset, " reach to byte ",
        static_cast<int64_t>((last + 1) * static_cast<unsigned>(item)), " of a storage of ", bytes, " bytes, "
        "out of bounds");
}

Tensor tensor_from_data(PyObject* data, PyObject* dtype, bool copy) {
  if (dtype == Py_None) dtype = nullptr;
  if (is_tensor(data)) {
    GradOff off;
    const Tensor t = detached(tensor_of(data));
    const DType d = dtype ? dtype_of_object(dtype) : t.dtype();
    if (d != t.dtype()) return to_dtype(t, d);
    return copy ? contiguous_like(t, t.layout()) : tensor_of(data);
  }
  if (PyFloat_Check(data) || PyLong_Check(data) || PyComplex_Check(data)) {
    Scalar s;
    if (PyLong_Check(data) && !PyBool_Check(data)) s = Scalar(whole_number(data));
    else to_scalar(data, s);
    if (dtype) {
      const DType d = dtype_of_object(dtype);
      check_real(!s.is_complex() || is_complex(d) || d == DType::boolean, d);
      if (is_integral(d)) check_holds(d, s);
      Tensor r = empty(Dims(), d);
      fill_packed(d, r.data(), s, 1);
      return r;
    }
    return full(Dims(), s, s.is_bool() ? DType::boolean : s.is_integral() ? DType::i64 : s.is_floating() ? default_dtype() : complex_of(default_dtype()));
  }
  if (is_array_like(data)) {
    nb::object array = nb::borrow(data);
    if (!PyObject_CheckBuffer(data) || !PySequence_Check(data) || array_is_read_only(array)) {
      nb::object np = nb::module_::import_("numpy");
      array = copy ? np.attr("array")(array) : array;
    }
    const Tensor shared = from_array(array);
    const DType d = dtype ? dtype_of_object(dtype) : shared.dtype();
    GradOff off;
    if (!copy && d == shared.dtype()) return shared;
    Tensor r = empty(shared.shape(), d);
    copy_(r, shared);
    return r;
  }
  if (PyUnicode_Check(data) || PyBytes_Check(data)) throw TypeError(text("invalid data type '", Py_TYPE(data)->tp_name, "'"));
  if (!is_list(data) && PyObject_HasAttrString(data, "__array__")) {
    nb::object array = nb::handle(data).attr("__array__")();
    return tensor_from_data(array.ptr(), dtype, copy);
  }
  return from_list(data, dtype);
}

void bind_interop(nb::module_& m) {
  m.def("_as_array", [](nb::handle t) { return as_array(take(t)); });
  m.def("_from_data", [](nb::handle data, nb::object dtype, bool copy) { return give(tensor_from_data(data.ptr(), dtype.ptr(), copy)); },
        nb::arg("data").none(), nb::arg("dtype").none(), nb::arg("copy"));
  m.def("tensor", [](nb::handle data, nb::object dtype, nb::object device, bool requires_grad, bool) {
    if (!device.is_none()) check_device(device.ptr());
    if (is_tensor(data.ptr()))
      if (PyErr_WarnEx(PyExc_UserWarning, "tensor: the data is a tensor already; x.detach().clone() copies "
                       "it, followed by .requires_grad_() if the copy needs gradients",
                       1)) throw nb::python_error();
    Scoped python(mode.for_python, true);
    Tensor t = tensor_from_data(data.ptr(), dtype.ptr(), true);
    check_can_require_grad(requires_grad, t.dtype());
    t->requires_grad = requires_grad;
    return give(std::move(t));
  }, nb::arg("data").none(), nb::kw_only(), nb::arg("dtype") = nb::none(), nb::arg("device") = nb::none(), nb::arg("requires_grad") = false, nb::arg("pin_memory") = false);
  m.def("from_numpy", [](nb::handle array) {
    if (!is_array_like(array.ptr())) throw TypeError(text("from_numpy: an array is needed, not ",
                                                          Py_TYPE(array.ptr())->tp_name));
    const nb::object interface = array.attr("__array_interface__");
    if (is_read_only(interface))
      if (PyErr_WarnEx(PyExc_UserWarning, "from_numpy: the array is read-only, but a write to the tensor "
                       "would change it all the same; pass array.copy() to be safe",
                       1)) throw nb::python_error();
    return give(from_interface(array, interface));
  });
  m.def("frombuffer", [](nb::handle buffer, nb::handle dtype, int64_t count, int64_t offset, bool requires_grad) {
    const DType d = dtype_of_object(dtype.ptr());
    Ref<Storage> s = storage_over_buffer(buffer, false);
    const int64_t item = bytes_of(d), length = static_cast<int64_t>(s->bytes());
    check<ValueError>(length > 0 && count != 0, "frombuffer: nothing to read, the buffer has ", length,
                      " bytes and count=", count);
    check<ValueError>(offset >= 0 && offset < length, "frombuffer: offset=", offset, " lies outside the "
                      "buffer of ", length, " bytes");
    check<ValueError>(count > 0 || (length - offset) % item == 0, "frombuffer: the ", length - offset,
                      " bytes from offset=", offset, " on are no multiple of an element's ", item, " bytes");
    const int64_t n = count < 0 ? (length - offset) / item : count;
    check<ValueError>(offset + n * item <= length, "frombuffer: ", n, " elements of ", item, " bytes from "
                      "offset=", offset, " on do not fit into the buffer of ", length, " bytes");
    Tensor t = empty({0}, d);
    t->storage = Storage::foreign(static_cast<char*>(s->data()) + offset, static_cast<size_t>(n * item), [](void* p) { release(static_cast<Storage*>(p)); }, s.get(), s->writable());
    s.detach();
    t->layout = Layout(Dims{n});
    t->requires_grad = requires_grad;
    return give(t);
  }, nb::arg("buffer"), nb::kw_only(), nb::arg("dtype"), nb::arg("count") = -1, nb::arg("offset") = 0, nb::arg("requires_grad") = false);
  bind_storage(m);
}

}  // namespace fb
