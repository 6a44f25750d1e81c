#include "op/build.h"
#include "autograd/node.h"
#include "ops.h"

namespace fb {

struct Transpose {
  static constexpr auto schema = "transpose(Tensor(a) self, int dim0, int dim1) -> Tensor(a)";
  static constexpr auto doc = R"(
    Two dims swapped, as a view.

    Shapes: self (…, m, …, n, …) → (…, n, …, m, …).   Dtypes: all.

    >>> fb.transpose(fb.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([[1, 3],
            [2, 4]])
  )";
  using kind = View;
  static Layout forward(const Layout& x, int64_t dim0, int64_t dim1) {
    const int i = wrap_dim(dim0, x.dim()), j = wrap_dim(dim1, x.dim());
    if (x.dim() == 0) return x;
    Dims shape = x.shape, strides = x.strides;
    std::swap(shape[i], shape[j]);
    std::swap(strides[i], strides[j]);
    return {shape, strides, x.offset};
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> dim0, Arg<2, int64_t> dim1) { return transpose(g, dim0, dim1); }
};

struct Permute {
  static constexpr auto schema = "permute(Tensor(a) self, int[] dims) -> Tensor(a)";
  static constexpr auto doc = R"(
    Dims in another order, as a view.

    Shapes: self (d0, d1, …) → (d[dims[0]], d[dims[1]], …).   Dtypes: all.

    >>> fb.permute(fb.zeros(2, 3, 4), (2, 0, 1)).shape
    torch.Size([4, 2, 3])
  )";
  using kind = View;
  static Layout forward(const Layout& x, Dims dims) {
    check(dims.size() == x.dim(), "permute: ", x.dim(), " dims need as many numbers in dims, got ",
          dims.size());
    Dims shape, strides, seen;
    for (int64_t d : dims) {
      const int i = wrap_dim(d, x.dim());
      check(!seen.contains(i), "permute: dims names dim ", i, " twice");
      seen.push(i);
      shape.push(x.shape[i]);
      strides.push(x.strides[i]);
    }
    return {shape, strides, x.offset};
  }
  static Tensor vjp(Tensor g, Arg<1, Dims> dims) {
    Dims inverse = dims.value;
    for (int i = 0; i < dims.value.size(); ++i) inverse[wrap_dim(dims.value[i], dims.value.size())] = i;
    return permute(g, inverse);
  }
};

struct Select {
  static constexpr auto schema = "select(Tensor(a) self, int dim, int index) -> Tensor(a)";
  static constexpr auto doc = R"(
    One slice along `dim`, which is dropped; a view.

    Shapes: self (…, n, …) → (…, …).   Dtypes: all.   Errors: IndexError if index is outside [-n, n).

    >>> fb.select(fb.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([3, 4])
  )";
  using kind = View;
  static Layout forward(const Layout& x, int64_t dim, int64_t index) {
    check<IndexError>(x.dim() > 0, "select: a 0-dimensional tensor has no elements to choose from; use "
                      ".item()");
    const int d = wrap_dim(dim, x.dim());
    check<IndexError>(index >= -x.shape[d] && index < x.shape[d], "select: index ", index, " is out of range "
                      "for dim ", d, " of shape ", x.shape.list());
    const int64_t i = index < 0 ? index + x.shape[d] : index;
    return {x.shape.erased(d), x.strides.erased(d), x.offset + x.strides[d] * i};
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, int64_t> index) {
    const int64_t d = wrap_dim(dim, shape.size()), n = shape[int(d)];
    return call_op<Embed>(unsqueeze(g, d), d, index < 0 ? index + n : index.value, int64_t(1), n);
  }
};

struct SliceOp {
  static constexpr auto schema = "slice(Tensor(a) self, int dim, int start, int end, int step) -> Tensor(a)";
  static constexpr auto doc = "Every `step`-th slice of [start, end) along `dim`, already clipped to its size; a view.";
  using kind = View;
  static Layout forward(const Layout& x, int64_t dim, int64_t start, int64_t end, int64_t step) {
    const int d = wrap_dim(dim, x.dim());
    check<ValueError>(step > 0, "slice: step must be positive, got ", step);
    Dims shape = x.shape, strides = x.strides;
    shape[d] = end > start ? (end - start + step - 1) / step : 0;
    strides[d] *= step;
    return {shape, strides, x.offset + (shape[d] ? start * x.strides[d] : 0)};
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, int64_t> start, Arg<4, int64_t> step) {
    const int64_t d = wrap_dim(dim, shape.size());
    return call_op<Embed>(g, d, start.value, step.value, shape[int(d)]);
  }
};

struct Narrow {
  static constexpr auto schema = "narrow(Tensor(a) self, int dim, int start, int length) -> Tensor(a)";
  static constexpr auto doc = R"(
    The range [start, start + length) along `dim`, as a view.

    Shapes: self (…, n, …) → (…, length, …).   Dtypes: all.

    >>> fb.narrow(fb.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
  )";
  using kind = View;
  static constexpr auto grad_name = "SliceBackward0";
  static Layout forward(const Layout& x, int64_t dim, int64_t start, int64_t length) {
    check(x.dim() > 0, "narrow: a 0-dimensional tensor has no dim to cut");
    check(length >= 0, "narrow: length must not be negative, got ", length);
    const int d = wrap_dim(dim, x.dim());
    check<IndexError>(start >= -x.shape[d] && start <= x.shape[d], "narrow: start=", start, " is out of "
                      "range for a size of ", x.shape[d], "; it may lie from ", -x.shape[d], " to ",
                      x.shape[d]);
    const int64_t first = start < 0 ? start + x.shape[d] : start;
    check(first + length <= x.shape[d], "start (", first, ") + length (", length, ") exceeds dimension size (", x.shape[d], ").");
    Dims shape = x.shape;
    shape[d] = length;
    return {shape, x.strides, x.offset + (length ? first * x.strides[d] : 0)};
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, int64_t> start) {
    const int64_t d = wrap_dim(dim, shape.size()), n = shape[int(d)];
    return call_op<Embed>(g, d, start < 0 ? start + n : start.value, int64_t(1), n);
  }
};

struct NarrowTensor {
  static constexpr auto schema = "narrow.Tensor(Tensor self, int dim, Tensor start, int length) -> Tensor";
  static constexpr auto doc = Narrow::doc;
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t dim, Tensor start, int64_t length) {
    check(start.dim() == 0 && is_integral(start.dtype()), "narrow: start may be an int, or a 0-dimensional "
          "tensor of ints");
    const Tensor whole = to_dtype(start, DType::i64);
    return narrow(x, dim, *whole.data<int64_t>(), length);
  }
};

struct Expand {
  static constexpr auto schema = "expand(Tensor(a) self, int[] size, *, bool implicit=False) -> Tensor(a)";
  static constexpr auto doc = R"(
    Dims of size 1 repeated without copying, and new leading dims; -1 keeps a size. A view with stride 0.

    Shapes: self broadcastable to size → size.   Dtypes: all.

    >>> fb.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
  )";
  using kind = View;
  static Layout forward(const Layout& x, Dims size, bool) {
    const int lead = size.size() - x.dim();
    check(lead >= 0, "expand: a tensor of shape ", x.shape.list(), " has ", x.dim(), " dims, the size ", size.list(),
          " only ", size.size());
    Dims strides;
    for (int i = 0; i < size.size(); ++i) {
      const int64_t have = i < lead ? 1 : x.shape[i - lead];
      check(size[i] != -1 || i >= lead, "expand: dim ", i, " is new, its size cannot be -1");
      if (size[i] == -1) size[i] = have;
      check(size[i] >= 0 && (size[i] == have || have == 1), "expand: a tensor of shape ", x.shape.list(),
            " cannot become ", size.list(), ": dim ", i, " has size ", have, ", and only size 1 can grow");
      strides.push(i < lead || (have == 1 && size[i] != 1) ? 0 : x.strides[i - lead]);
    }
    return {size, strides, x.offset};
  }
  static Tensor vjp(Tensor g, Shape<0> shape) { return sum_to_shape(g, shape); }
};

struct ViewOp {
  static constexpr auto schema = "view(Tensor(a) self, int[] size) -> Tensor(a)";
  static constexpr auto doc = R"(
    The same elements in another shape, sharing memory; one size may be -1.

    Shapes: self (*) → size, of as many elements.   Dtypes: all.
    Errors: RuntimeError if the strides do not allow it without copying.

    >>> fb.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
  )";
  using kind = View;
  static Layout forward(const Layout& x, Dims size) {
    Layout r;
    const Dims shape = infer_size("view", size, x.numel);
    check(try_view(x, shape, r), "view: a tensor of shape ", x.shape.list(), " with strides ",
          x.strides.list(), " cannot be seen as ", shape.list(), " without a copy; use .reshape()");
    return r;
  }
  static Tensor vjp(Tensor g, Shape<0> shape) { return reshape(g, shape); }
};

struct Reshape {
  static constexpr auto schema = "reshape(Tensor self, int[] shape) -> Tensor";
  static constexpr auto doc = R"(
    The same elements in another shape: a view where strides allow it, a copy elsewhere.

    Shapes: self (*) → shape, of as many elements; one size may be -1.   Dtypes: all.

    >>> fb.reshape(fb.arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims size) {
    const Dims shape = infer_size("reshape", size, x.numel());
    Layout r;
    if (try_view(x.layout(), shape, r)) return view(x, shape);
    const Scoped name(mode.grad_name, std::string_view("UnsafeViewBackward0"));
    return view(contiguous(x), shape);
  }
};

struct Unsqueeze {
  static constexpr auto schema = "unsqueeze(Tensor(a) self, int dim) -> Tensor(a)";
  static constexpr auto doc = R"(
    A new dim of size 1, as a view.

    Shapes: self (…, …) → (…, 1, …).   Dtypes: all.

    >>> fb.unsqueeze(fb.tensor([1, 2]), 1)
    tensor([[1],
            [2]])
  )";
  using kind = View;
  static Layout forward(const Layout& x, int64_t dim) {
    const int d = wrap_dim(dim, x.dim() + 1);
    const int64_t stride = d < x.dim() ? x.shape[d] * x.strides[d] : 1;
    return {x.shape.inserted(d, 1), x.strides.inserted(d, stride), x.offset};
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> dim) { return squeeze(g, wrap_dim(dim, shape.size() + 1)); }
};

static Layout without_ones(const Layout& x, const bool* drop) {
  Dims shape, strides;
  for (int i = 0; i < x.dim(); ++i)
    if (x.shape[i] != 1 || !drop[i]) {
      shape.push(x.shape[i]);
      strides.push(x.strides[i]);
    }
  return {shape, strides, x.offset};
}

struct Squeeze {
  static constexpr auto schema = "squeeze(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = R"(
    Dims of size 1 dropped, as a view: all of them, or those named by `dim`.

    Shapes: self (…, 1, …) → (…, …).   Dtypes: all.

    >>> fb.squeeze(fb.ones(1, 2, 1)).shape
    torch.Size([2])
  )";
  using kind = View;
  static Layout forward(const Layout& x) {
    bool drop[Dims::max_count];
    for (bool& d : drop) d = true;
    return without_ones(x, drop);
  }
  static Tensor vjp(Tensor g, Shape<0> shape) { return reshape(g, shape); }
};

struct SqueezeDims {
  static constexpr auto schema = "squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)";
  static constexpr auto doc = Squeeze::doc;
  using kind = View;
  static constexpr auto grad_name = "SqueezeBackward2";
  static Layout forward(const Layout& x, Dims dims) {
    bool drop[Dims::max_count] = {};
    for (int64_t d : dims) {
      const int i = wrap_dim(d, x.dim());
      check(!drop[i], "squeeze: dim ", i, " is named twice");
      drop[i] = true;
    }
    return without_ones(x, drop);
  }
  static Tensor vjp(Tensor g, Shape<0> shape) { return reshape(g, shape); }
};

struct SqueezeDim {
  static constexpr auto schema = "squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)";
  static constexpr auto doc = Squeeze::doc;
  using kind = View;
  static constexpr auto grad_name = "SqueezeBackward1";
  static Layout forward(const Layout& x, int64_t dim) { return SqueezeDims::forward(x, {dim}); }
  static Tensor vjp(Tensor g, Shape<0> shape) { return reshape(g, shape); }
};

struct Alias {
  static constexpr auto schema = "alias(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = "The same tensor under a new handle.";
  using kind = View;
  static Layout forward(const Layout& x) { return x; }
  static Tensor vjp(Tensor g) { return g; }
};

struct Embed {
  static constexpr auto schema = "_embed(Tensor self, int dim, int start, int step, int length) -> Tensor";
  static constexpr auto doc = "Zeros with self placed from `start` on along `dim`, every `step`: the transpose of slicing.";
  using kind = Opaque;
  static Tensor kernel(Tensor x, int64_t dim, int64_t start, int64_t step, int64_t length) {
    const int d = wrap_dim(dim, x.dim());
    Dims shape = x.shape();
    shape[d] = length;
    Tensor r = zeros(shape, x.dtype());
    copy_(slice(r, d, start, start + (x.shape()[d] - 1) * step + 1, step), x);
    return r;
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, int64_t> start, Arg<3, int64_t> step) {
    const int d = wrap_dim(dim, shape.size());
    return slice(g, d, start, start + (shape[d] - 1) * step + 1, step);
  }
};

struct Overwrite {
  static constexpr auto schema = "_overwrite(Tensor self, Tensor other, Steps steps) -> Tensor";
  static constexpr auto doc = "self with the region that view steps reach replaced by other: what writing to a view means for its root.";
  using kind = Opaque;
  static constexpr auto grad_name = "CopySlices";
  static Tensor kernel(Tensor self, Tensor other, Value steps) {
    Tensor r = clone(self);
    copy_(replay(steps_of(steps), r), other);
    return r;
  }
  static Tensor vjp_self(Tensor g, Arg<2, Value> steps) {
    Tensor r = clone(g);
    zero_(replay(steps_of(steps), r));
    return r;
  }
  static Tensor vjp_other(Tensor g, Arg<2, Value> steps) { return replay(steps_of(steps), g); }
};

FB_GROUP(view, Transpose, Permute, Select, SliceOp, NarrowTensor, Narrow, Expand, ViewOp, Reshape, Unsqueeze, Squeeze, SqueezeDim,
         SqueezeDims, Alias, Embed, Overwrite)

}  // namespace fb
