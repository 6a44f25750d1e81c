// x[key] and x[key] = value: ints, slices, Ellipsis, None, bool and integer tensors, lists, and mixtures.
#include "bind/python.h"
#include "kernels/indexing.h"
#include "ops.h"

namespace fb {
namespace {

bool is_mask(DType d) { return d == DType::boolean || d == DType::u8; }

// A sequence stands for a tuple of indices when PyTorch would read it so: a short list that holds slices,
// tensors, sequences, None or Ellipsis.
bool list_is_tuple(PyObject* key) {
  if (!PyList_Check(key)) return false;
  const Py_ssize_t n = PyList_GET_SIZE(key);
  if (n >= 32) return false;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = PyList_GET_ITEM(key, i);
    if (!PySlice_Check(o) && o != Py_Ellipsis && o != Py_None && !is_tensor(o) && !(PySequence_Check(o) && !PyUnicode_Check(o))) continue;
    if (PyErr_WarnEx(PyExc_UserWarning, "A list that stands for several indices, x[list], may come to mean one index in later versions of "
                     "PyTorch: write x[tuple(list)] for the present meaning, or x[torch.tensor(list)] for the other one.", 1)) throw nb::python_error();
    return true;
  }
  return false;
}

struct Walker {
  Tensor view;
  int dim = 0;                                         // the next dim of `view` to index
  int original = 0, dims = 0;                          // that dim, and their number, in the tensor as given: what messages name
  Tensors indices;                                     // undefined for dims taken whole; a mask stands for all its dims
  int covered = 0;                                     // dims of `view` that `indices` account for
  bool advanced = false;

  void put(const Tensor& index, int covers) {
    for (; covered < dim; ++covered) indices.emplace_back();
    indices.push_back(index);
    covered += covers;
    dim += covers;
    original += covers;
    advanced = true;
  }
  void take_bool(bool on) {                            // a new dim of size one, kept or emptied
    view = unsqueeze(view, dim);
    put(full({1}, Scalar(on), DType::boolean), 1);
    --original;
  }
  void take_int(int64_t v) {
    const int64_t size = view.shape()[dim];
    check_index(v, size, original);
    view = select(view, dim, v);
    ++original;
  }
  void take_tensor(const Tensor& t) {
    const DType d = t.dtype();
    check<IndexError>(category_of(d) <= Category::integral, index_types);
    if (t.dim() == 0 && !is_mask(d)) {
      return take_int(item_of(t).integer());
    }
    if (t.dim() == 0) return take_bool(item_of(t).to<bool>());
    if (!is_mask(d)) return put(t, 1);
    check_mask_fits(t.shape(), view.shape(), dim);
    put(t, t.dim());
  }
  void take_slice(PyObject* o) {
    Py_ssize_t start, stop, step;
    auto* s = reinterpret_cast<PySliceObject*>(o);
    auto plain = [](PyObject* part) {                  // a 0-d tensor may stand for an int
      int64_t v;
      return is_tensor(part) && to_int(part, v) ? nb::object(nb::int_(v)) : nb::borrow(part);
    };
    nb::object fixed = nb::steal(PySlice_New(plain(s->start).ptr(), plain(s->stop).ptr(), plain(s->step).ptr()));
    if (PySlice_Unpack(fixed.ptr(), &start, &stop, &step) < 0) throw nb::python_error();
    check<ValueError>(step > 0, "an index slice cannot step backwards or stand still: step must be positive, "
                      "got ", step, "; use torch.flip");
    const int64_t size = view.size(dim);
    ++original;
    PySlice_AdjustIndices(size, &start, &stop, step);
    if (start == 0 && stop == size && step == 1) {
      ++dim;
      return;
    }
    view = slice(view, dim, start, std::max(start, stop), step);
    ++dim;
  }
  void need_dim() const {
    check<IndexError>(dim < view.dim(), "too many indices: the tensor has ", dims, " dims");
  }
  void take_one(PyObject* o, int after) {              // after: dims that the indices behind this one cover
    int64_t v;
    if (o == Py_None) {
      view = unsqueeze(view, dim);
      ++dim;
    } else if (o == Py_Ellipsis) {
      original += view.dim() - after - dim;
      dim = view.dim() - after;
    } else if (PyBool_Check(o)) {
      take_bool(o == Py_True);
    } else if (is_tensor(o)) {
      const Tensor t = tensor_of(o);
      if (t.dim() > 0 || !is_mask(t.dtype())) need_dim();
      take_tensor(t);
    } else if (PySlice_Check(o)) {
      need_dim();
      take_slice(o);
    } else if (PyLong_Check(o) || (!PySequence_Check(o) && to_int(o, v))) {
      need_dim();
      to_int(o, v);
      take_int(v);
    } else if (PyUnicode_Check(o) || PyBytes_Check(o)) {
      throw TypeError(text("a tensor is not indexed by names: invalid data type '", Py_TYPE(o)->tp_name, "'"));
    } else if (PySequence_Check(o)) {
      need_dim();
      const Tensor t = tensor_from_data(o, nullptr, true);
      take_tensor(t.numel() == 0 ? to_dtype(t, DType::i64) : t);
    } else {
      throw IndexError(text("an index may hold ints, slices, None, '...' and tensors or lists of ints or "
                            "bools, not ", Py_TYPE(o)->tp_name));
    }
  }
};

int dims_covered(PyObject* o) {
  if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o)) return 0;
  if (is_tensor(o)) {
    const Tensor t = tensor_of(o);
    if (is_mask(t.dtype())) return t.dim();
    return 1;
  }
  if (PyList_Check(o) || (PySequence_Check(o) && !PyTuple_Check(o) && !PyUnicode_Check(o))) {
    const Tensor t = tensor_from_data(o, nullptr, true);
    return is_mask(t.dtype()) && t.dim() ? t.dim() : 1;
  }
  return 1;
}

void walk_key(Walker& w, PyObject* key) {
  nb::object as_tuple;
  if (list_is_tuple(key)) {
    as_tuple = nb::steal(PyList_AsTuple(key));
    key = as_tuple.ptr();
  }
  if (!PyTuple_Check(key)) return w.take_one(key, 0);
  const Py_ssize_t n = PyTuple_GET_SIZE(key);
  int ellipses = 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = PyTuple_GET_ITEM(key, i);
    int after = 0;
    if (o == Py_Ellipsis) {
      for (Py_ssize_t k = i + 1; k < n; ++k) after += dims_covered(PyTuple_GET_ITEM(key, k));
      check<IndexError>(++ellipses == 1 || after == 0, "an index with several ellipses ('...') may have nothing behind the last one");
      check<IndexError>(w.view.dim() - after >= w.dim, "too many indices: the tensor has ", w.dims, " dims");
    }
    w.take_one(o, after);
  }
}

bool overrides(PyObject* o) {
  return is_tensor(o) && Py_TYPE(o) != tensor_type && Py_TYPE(o) != parameter_type;
}

Tensor value_tensor(PyObject* value, DType dtype) {
  if (is_tensor(value)) return tensor_of(value);
  if (value == Py_None || PyUnicode_Check(value)) throw TypeError(text("an element of a tensor of ",
      name_of(dtype), " cannot be set to ", Py_TYPE(value)->tp_name));
  return tensor_from_data(value, dtype_object(dtype), true);
}

}  // namespace

// PyTorch 0.3 had no 0-d tensors: `loss.data[0]` is left to flambeau.legacy, which may also refuse.
static PyObject* item_of_0d(PyObject* self, PyObject* key) {
  nb::object legacy = nb::module_::import_("flambeau.legacy");
  return legacy.attr("item_of_0d")(nb::handle(self), nb::handle(key)).release().ptr();
}

PyObject* get_item(PyObject* self, PyObject* key) {
  try {
    if (PyLong_CheckExact(key) && !overrides(self)) {  // the everyday case
      const Tensor x = tensor_of(self);
      if (x.dim() == 0) return item_of_0d(self, key);
      int64_t v;
      to_int(key, v);
      const int64_t size = x.shape()[0];
      check_index(v, size, 0);
      Scoped python(mode.for_python, true);
      return to_python(select(x, 0, v));
    }
    Walker w;
    w.view = tensor_of(self);
    w.dims = w.view.dim();
    {
      Scoped python(mode.for_python, true);
      walk_key(w, key);
    }
    if (w.advanced) {
      nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(w.indices.size())));
      for (size_t i = 0; i < w.indices.size(); ++i) PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), to_python(Tensor(w.indices[i])));
      nb::object view = give(w.view);
      PyObject* both[] = {view.ptr(), list.ptr()};
      return call_by_name("_index", both, 2);
    }
    if (w.view.body() == body_of(self)) {              // x[...], x[:]: a new handle all the same
      Scoped python(mode.for_python, true);
      return to_python(call_op<Alias>(w.view));
    }
    return to_python(std::move(w.view));
  } catch (...) {
    return raise_current();
  }
}

int set_item(PyObject* self, PyObject* key, PyObject* value) {
  try {
    if (!value) throw TypeError("del x[...]: the elements of a tensor cannot be deleted");
    Scoped python(mode.for_python, false);
    Walker w;
    w.view = tensor_of(self);
    w.dims = w.view.dim();
    check<IndexError>(w.view.dim() > 0 || !PyLong_Check(key), "a 0-dimensional tensor has no elements to "
                      "index; write to x[...] or x.fill_()");
    walk_key(w, key);
    Scalar number;
    if (!w.advanced) {
      if (!is_tensor(value) && to_scalar(value, number)) {
        call_in_place<FillScalar>(w.view, number);
        return 0;
      }
      Tensor v = value_tensor(value, w.view.dtype());
      while (v.dim() > w.view.dim() && v.shape()[0] == 1) v = squeeze(v, 0);
      copy_(w.view, v);
      return 0;
    }
    nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(w.indices.size())));
    for (size_t i = 0; i < w.indices.size(); ++i) PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i), to_python(Tensor(w.indices[i])));
    Tensor v = !is_tensor(value) && to_scalar(value, number) ? full(Dims(), number, w.view.dtype()) : value_tensor(value, w.view.dtype());
    if (v.dtype() != w.view.dtype() && (v.dim() == 0 || is_tensor(value) == false)) v = to_dtype(v, w.view.dtype());
    for (int k = 0; v.dim() > 0 && v.shape()[0] == 1 && k < Dims::max_count; ++k) v = squeeze(v, 0);
    nb::object view = give(w.view), values = give(v);
    PyObject* all[] = {view.ptr(), list.ptr(), values.ptr()};
    nb::object done = nb::steal(call_by_name("index_put_", all, 3));
    return done.is_valid() ? 0 : -1;
  } catch (...) {
    raise_current();
    return -1;
  }
}

void bind_indexing(nb::module_&) {}

}  // namespace fb
