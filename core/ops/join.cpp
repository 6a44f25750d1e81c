#include "op/build.h"
#include "ops.h"

namespace fb {

struct Cat {
  static constexpr auto schema = "cat(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined along an existing dim.

    Shapes: tensors of equal sizes but for `dim` → their sizes added there.   Dtypes: all, promoted.

    >>> fb.cat((fb.tensor([1, 2]), fb.tensor([3])))
    tensor([1, 2, 3])
  )";
  using kind = Opaque;
  static bool skipped(const Dims& shape) { return shape.size() == 1 && shape[0] == 0; }   // PyTorch's legacy empty tensor
  static Tensor kernel(Tensors tensors, int64_t dim) {
    check(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
    const Tensor* first = nullptr;
    Args all;
    for (size_t i = 0; i < tensors.size(); ++i) {
      check(tensors[i].dim() > 0, "zero-dimensional tensor (at position ", i, ") cannot be concatenated");
      all.push(tensors[i]);
      if (!first && !skipped(tensors[i].shape())) first = &tensors[i];
    }
    const DType dtype = result_type(all, 0, all.size());
    if (!first) return empty({0}, dtype);
    const int d = wrap_dim(dim, first->dim());
    Dims shape = first->shape();
    shape[d] = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const Dims& s = tensors[i].shape();
      if (skipped(s)) continue;
      check(s.size() == shape.size(), "Tensors must have same number of dimensions: got ", shape.size(), " and ", s.size());
      for (int k = 0; k < s.size(); ++k)
        check(k == d || s[k] == shape[k], "Sizes of tensors must match except in dimension ", d, ". Expected size ", shape[k], " but got size ",
              s[k], " for tensor number ", i, " in the list.");
      shape[d] += s[d];
    }
    Tensor r = empty(shape, dtype);
    int64_t start = 0;
    for (const Tensor& t : tensors) {
      if (skipped(t.shape())) continue;
      copy_(alias(r, narrowed(r.layout(), d, start, t.shape()[d])), t);
      start += t.shape()[d];
    }
    return r;
  }
  static Layout narrowed(const Layout& x, int d, int64_t start, int64_t length) {
    Dims shape = x.shape;
    shape[d] = length;
    return {shape, x.strides, x.offset + start * x.strides[d]};
  }
  static Tensors vjp_tensors(Tensor g, Shapes<0> shapes, Arg<1, int64_t> dim) {
    Tensors r;
    int64_t start = 0;
    for (const Dims& s : shapes.list) {
      if (skipped(s)) {
        r.push_back(zeros(s, g.dtype()));
        continue;
      }
      const int d = wrap_dim(dim, s.size());
      r.push_back(narrow(g, d, start, s[d]));
      start += s[d];
    }
    return r;
  }
};

FB_GROUP(join, Cat)

}  // namespace fb
