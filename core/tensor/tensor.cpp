#include "tensor/tensor.h"

#include "autograd/modes.h"
#include "autograd/node.h"
#include "func/interceptor.h"

namespace fb {

PythonObjects python_objects;

TensorExtra::~TensorExtra() {
  delete view;
  delete wrapper;
}

Body::~Body() {
  if (extra && extra->retains_grad && node) node->forget_retained(this);
}

void destroy(Body* b) { delete b; }

static Tensor new_tensor(bool inference = mode.inference) {
  Tensor t(Ref<Body>::adopt(mode.for_python ? python_objects.new_body() : new Body));
  if (inference) [[unlikely]] t->more().inference = true;
  return t;
}

Tensor empty(const Dims& shape, DType dtype) {
  Tensor t = new_tensor();
  t->layout = Layout(shape);
  t->dtype = dtype;
  t->storage = Storage::make(static_cast<size_t>(t->layout.numel) * bytes_of(dtype));
  return t;
}

Tensor empty_strided(const Dims& shape, const Dims& strides, DType dtype) {
  Tensor t = new_tensor();
  t->layout = Layout(shape, strides, 0);
  t->dtype = dtype;
  const int64_t span = t->layout.numel ? t->layout.last_element() + 1 : 0;
  t->storage = Storage::make(static_cast<size_t>(span) * bytes_of(dtype));
  return t;
}

Tensor empty_like(const Tensor& t, DType dtype) {
  if (t.is_contiguous()) return empty(t.shape(), dtype);
  if (is_dense(t.layout())) return empty_strided(t.shape(), t.strides(), dtype);
  return empty_strided(t.shape(), dense_strides_like(t.layout()), dtype);
}

Tensor alias(const Tensor& t, const Layout& layout) {
  Tensor r = new_tensor(t->inference());               // a view is what its base is
  r->layout = layout;
  r->dtype = t.dtype();
  r->storage = t->storage;
  if (t->extra && t->extra->own_version) r->more().own_version = t->extra->own_version;
  if (t->wrapper()) r->more().wrapper = new Wrapper(*t->wrapper());
  return r;
}

Tensor with_own_version(const Tensor& t) {
  Tensor r = alias(t, t.layout());
  r->more().own_version = Ref<Version>(new Version);
  return r;
}

void resize_tensor(const Tensor& t, const Dims& shape) {
  const Layout packed(shape, packed_strides(shape), t.layout().offset);
  const size_t bytes = static_cast<size_t>(packed.numel ? packed.numel + packed.offset : 0) * bytes_of(t.dtype());
  if (bytes > t->storage->bytes()) t->storage->resize(bytes);
  t->layout = packed;
}

bool share_memory(const Tensor& a, const Tensor& b) {
  if (a->storage.get() != b->storage.get() || !a->storage || !a.numel() || !b.numel()) return false;
  const int64_t ea = bytes_of(a.dtype()), eb = bytes_of(b.dtype());
  const int64_t a0 = a.layout().offset * ea, a1 = a0 + (a.layout().last_element() + 1) * ea;
  const int64_t b0 = b.layout().offset * eb, b1 = b0 + (b.layout().last_element() + 1) * eb;
  return a0 < b1 && b0 < a1;
}

void check_each_written_once(std::string_view call, const Tensor& target) {
  check(!may_overlap_itself(target.layout()), call, ": unsupported operation: several indices of the tensor to write reach a single "
        "memory location (shape ", target.shape().list(), ", strides ", target.strides().list(), "): write to its clone()");
}

void check_no_partial_overlap(std::string_view call, const Tensor& target, const Tensor& input) {
  if (!share_memory(target, input) || !is_dense(target.layout()) || !is_dense(input.layout())) return;
  const auto begin = [](const Tensor& t) { return t.layout().offset * bytes_of(t.dtype()); };
  const auto bytes = [](const Tensor& t) { return t.numel() * bytes_of(t.dtype()); };
  const bool same = begin(target) == begin(input) && bytes(target) == bytes(input) && target.strides() == input.strides();
  check(same, call, ": unsupported operation: the tensor to write shares part of its memory with an input, so that elements would "
        "be read from a single memory location after they were written: pass the clone() of the input");
}

}  // namespace fb
