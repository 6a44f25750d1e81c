#include "autograd/node.h"
#include "op/build.h"
#include "ops.h"

// Views that rename, merge and move dims, and their in-place forms.
namespace fb {

struct TOp;
struct Movedim;
struct ExpandAs;
struct Squeeze;
struct SqueezeDims;

struct TOp {
  static constexpr auto schema = "t(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = R"(
    The transpose of a matrix, as a view; tensors of fewer dims come back as they are.

    Shapes: self (m, n) → (n, m), (n) → (n), () → ().   Dtypes: all.   Errors: RuntimeError for more than 2 dims.

    >>> fb.t(fb.tensor([[1, 2]])).shape
    torch.Size([2, 1])
  )";
  using kind = View;
  static constexpr auto grad_name = "TBackward0";
  static Layout forward(const Layout& x) {
    check(x.dim() <= 2, "t: self has ", x.dim(), " dims, at most 2 can be swapped; use .mT or .transpose()");
    if (x.dim() < 2) return x;
    return {{x.shape[1], x.shape[0]}, {x.strides[1], x.strides[0]}, x.offset};
  }
  static Tensor vjp(Tensor g) { return call_op<TOp>(g); }
};

struct Adjoint {
  static constexpr auto schema = "adjoint(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The last two dims swapped and complex elements conjugated.

    Shapes: self (*, m, n) → (*, n, m).   Dtypes: all.   Errors: RuntimeError for 1-d tensors.

    >>> fb.adjoint(fb.tensor([[1, 2]])).shape
    torch.Size([2, 1])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) {
    check(x.dim() != 1, "adjoint: a vector has no rows and columns to swap; the input must be a matrix or a "
          "batch of them");
    return x.dim() ? conj(transpose(x, -2, -1)) : conj(x);
  }
};

struct Swapaxes {
  static constexpr auto schema = "swapaxes(Tensor self, int axis0, int axis1) -> Tensor";
  static constexpr auto doc = R"(
    Two dims swapped, as a view: NumPy's name for transpose.

    Shapes: self (…, m, …, n, …) → (…, n, …, m, …).   Dtypes: all.

    >>> fb.swapaxes(fb.ones(2, 3), 0, 1).shape
    torch.Size([3, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t axis0, int64_t axis1) { return transpose(x, axis0, axis1); }
};

struct Swapdims {
  static constexpr auto schema = "swapdims(Tensor self, int dim0, int dim1) -> Tensor";
  static constexpr auto doc = Swapaxes::doc;
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t dim0, int64_t dim1) { return transpose(x, dim0, dim1); }
};

static Dims wrapped(const Dims& dims, int count, std::string_view what) {
  Dims r;
  for (int64_t d : dims) {
    const int i = wrap_dim(d, count);
    check(!r.contains(i), "movedim: repeated dim in `", what, "` (", dims.list(), ")");
    r.push(i);
  }
  return r;
}

struct Movedim {
  static constexpr auto schema = "movedim(Tensor self, int[] source, int[] destination) -> Tensor";
  static constexpr auto doc = R"(
    Dims moved to other places, the rest keeping their order; a view.

    Shapes: dim source[i] of self becomes dim destination[i].   Dtypes: all.

    >>> fb.movedim(fb.ones(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims source, Dims destination) {
    check(source.size() == destination.size(), "movedim: source ", source.list(), " and destination ",
          destination.list(), " differ in length");
    const Dims from = wrapped(source, x.dim(), "source"), to = wrapped(destination, x.dim(), "destination");
    if (x.dim() == 0) return call_op<Alias>(x);
    Dims order = Dims::filled(x.dim(), -1);
    for (int i = 0; i < from.size(); ++i) order[int(to[i])] = from[i];
    int next = 0;
    for (int i = 0; i < x.dim(); ++i) {
      if (order[i] >= 0) continue;
      while (from.contains(next)) ++next;
      order[i] = next++;
    }
    return permute(x, order);
  }
};

struct Moveaxis {
  static constexpr auto schema = "moveaxis(Tensor self, int[] source, int[] destination) -> Tensor";
  static constexpr auto doc = Movedim::doc;
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims source, Dims destination) { return Movedim::decompose(x, source, destination); }
};

struct Flatten {
  static constexpr auto schema = "flatten(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor";
  static constexpr auto doc = R"(
    The dims from start_dim to end_dim merged into one: a view where strides allow it.

    Shapes: self (…, a, …, b, …) → (…, a·…·b, …); a 0-d self gives (1,).   Dtypes: all.

    >>> fb.flatten(fb.ones(2, 3, 4), 1).shape
    torch.Size([2, 12])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t start_dim, int64_t end_dim) {
    const int first = wrap_dim(start_dim, x.dim()), last = wrap_dim(end_dim, x.dim());
    check(first <= last, "flatten: start_dim=", start_dim, " lies behind end_dim=", end_dim);
    if (x.dim() == 0) return reshape(x, {1});
    if (first == last) return x;
    Dims shape;
    int64_t merged = 1;
    for (int k = 0; k < x.dim(); ++k) {
      if (k >= first && k <= last) merged *= x.shape()[k];
      if (k == last) shape.push(merged);
      if (k < first || k > last) shape.push(x.shape()[k]);
    }
    return reshape(x, shape);
  }
};

struct Ravel {
  static constexpr auto schema = "ravel(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    All elements in one dim, packed: a view if the tensor is packed already.

    Shapes: self (*) → (n,).   Dtypes: all.

    >>> fb.ravel(fb.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return view(contiguous(x), {-1}); }
};

struct Unflatten {
  static constexpr auto schema = "unflatten(Tensor self, int dim, int[] sizes) -> Tensor";
  static constexpr auto doc = R"(
    One dim split into several; one of the sizes may be -1.

    Shapes: self (…, n, …) → (…, sizes, …) of product n.   Dtypes: all.

    >>> fb.unflatten(fb.ones(2, 6), 1, (3, -1)).shape
    torch.Size([2, 3, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t dim, Dims sizes) {
    const int d = wrap_dim(dim, x.dim());
    check(!sizes.empty(), "unflatten: sizes is empty");
    check<IndexError>(x.dim() > 0, "unflatten: a 0-dim tensor has no dimension to split");
    int64_t known = 1, holes = 0;
    for (int64_t s : sizes) {
      if (s == -1) ++holes;
      else known *= s;
    }
    check(holes <= 1, "unflatten: only one size can be -1, to be worked out from the others; got ",
          sizes.list());
    const bool fits = holes ? known > 0 && x.shape()[d] % known == 0 : known == x.shape()[d];
    check(fits, "unflatten: the product of ", sizes.list(), " is not the size of dim ", d, ", which is ",
          x.shape()[d]);
    Dims shape;
    for (int k = 0; k < x.dim(); ++k) {
      if (k != d) shape.push(x.shape()[k]);
      else for (int64_t s : sizes) shape.push(s == -1 ? x.shape()[d] / known : s);
    }
    return view(x, shape);
  }
};

struct ExpandAs {
  static constexpr auto schema = "expand_as(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    self expanded to the shape of other, as a view.

    Shapes: self broadcastable to other (*) → (*).   Dtypes: all.

    >>> fb.tensor([[1], [2]]).expand_as(fb.ones(2, 2))
    tensor([[1, 1],
            [2, 2]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor other) { return expand(x, other.shape()); }
};

struct ViewAs {
  static constexpr auto schema = "view_as(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    self viewed in the shape of other.

    Shapes: self (*), other (…) of as many elements → (…).   Dtypes: all.

    >>> fb.arange(4).view_as(fb.ones(2, 2)).shape
    torch.Size([2, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor other) { return view(x, other.shape()); }
};

struct ReshapeAs {
  static constexpr auto schema = "reshape_as(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    self in the shape of other: a view where strides allow it, a copy elsewhere.

    Shapes: self (*), other (…) of as many elements → (…).   Dtypes: all.

    >>> fb.arange(4).reshape_as(fb.ones(2, 2)).shape
    torch.Size([2, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor other) { return reshape(x, other.shape()); }
};

struct BroadcastTo {
  static constexpr auto schema = "broadcast_to(Tensor self, int[] size) -> Tensor";
  static constexpr auto doc = R"(
    self expanded to `size`, as a view.

    Shapes: self broadcastable to size → size.   Dtypes: all.

    >>> fb.broadcast_to(fb.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims size) { return expand(x, size); }
};

struct BroadcastTensors {
  static constexpr auto schema = "broadcast_tensors(Tensor[] tensors) -> Tensor[]";
  static constexpr auto doc = R"(
    Tensors expanded to the shape they broadcast to, as views.

    Shapes: tensors (*) → all of the broadcast shape.   Dtypes: all.

    >>> fb.broadcast_tensors(fb.ones(2, 1), fb.ones(3))[0].shape
    torch.Size([2, 3])
  )";
  using kind = Composite;
  static Tensors decompose(Tensors tensors) {
    Dims shape;
    for (const Tensor& t : tensors) shape = broadcast_shapes("broadcast_tensors", shape, t.shape());
    Tensors r;
    for (const Tensor& t : tensors) r.push_back(t.shape() == shape ? t : expand(t, shape));
    return r;
  }
};

struct Atleast1d {
  static constexpr auto schema = "atleast_1d(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    A view with one dim if self has none; else self.

    Shapes: () → (1,), others unchanged.   Dtypes: all.

    >>> fb.atleast_1d(fb.tensor(1))
    tensor([1])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return x.dim() ? x : reshape(x, {1}); }
};

struct Atleast2d {
  static constexpr auto schema = "atleast_2d(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    A view with at least two dims, new ones in front.

    Shapes: () → (1, 1), (n) → (1, n), others unchanged.   Dtypes: all.

    >>> fb.atleast_2d(fb.tensor([1, 2])).shape
    torch.Size([1, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return x.dim() == 0 ? reshape(x, {1, 1}) : x.dim() == 1 ? unsqueeze(x, 0) : x; }
};

struct Atleast3d {
  static constexpr auto schema = "atleast_3d(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    A view with at least three dims: a vector becomes the middle one, a matrix the first two.

    Shapes: () → (1, 1, 1), (n) → (1, n, 1), (m, n) → (m, n, 1), others unchanged.   Dtypes: all.

    >>> fb.atleast_3d(fb.tensor([1, 2])).shape
    torch.Size([1, 2, 1])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) {
    if (x.dim() == 0) return reshape(x, {1, 1, 1});
    return x.dim() == 1 ? unsqueeze(unsqueeze(x, 0), -1) : x.dim() == 2 ? unsqueeze(x, -1) : x;
  }
};

struct ViewDType {
  static constexpr auto schema = "view.dtype(Tensor self, dtype dtype) -> Tensor";
  static constexpr auto doc = R"(
    The same memory read as another dtype; if its elements are smaller or larger, the last dim grows or shrinks.

    Shapes: self (…, n) → (…, n·bytes of self / bytes of dtype).   Dtypes: all.
    Errors: RuntimeError if sizes, strides or offset do not divide.

    >>> fb.tensor([1.]).view(fb.int32)
    tensor([1065353216], dtype=torch.int32)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, DType dtype) {
    if (dtype == x.dtype()) return call_op<Alias>(x);
    Layout l = x.layout();
    const int from = bytes_of(x.dtype()), to = bytes_of(dtype), last = l.dim() - 1;
    if (from != to) {
      check(l.dim() > 0, "view(dtype): a 0-dimensional tensor of ", name_of(x.dtype()), " has no dim() that "
            "could change its size for ", name_of(dtype), ", an element of another size");
      check(l.strides[last] == 1 || l.shape[last] == 1, "view(dtype): elements of ", name_of(x.dtype()),
            " and ", name_of(dtype), " differ in size, so the last stride must be 1; it is ",
            l.strides[last]);
      auto scaled = [&](int64_t n, std::string_view what) {
        check(n * from % to == 0, what, "view(dtype): ", what, " must be a multiple of ", to / from, " for ",
              name_of(x.dtype()), " to become ", name_of(dtype), "; it is ", n);
        return n * from / to;
      };
      Dims shape = l.shape, strides = l.strides;
      shape[last] = scaled(shape[last], "self.size(-1)");
      for (int k = 0; k < last; ++k) strides[k] = shape[k] == 1 && from < to ? 1 : scaled(strides[k], "self.stride");
      strides[last] = 1;
      l = Layout(shape, strides, scaled(l.offset, "self.storage_offset()"));
    }
    Tensor r = alias(x, l);
    r->dtype = dtype;
    return r;
  }
};

FB_GROUP(dims, TOp, Adjoint, Swapaxes, Swapdims, Movedim, Moveaxis, Flatten, Ravel, Unflatten, ExpandAs, ViewAs, ReshapeAs,
         BroadcastTo, BroadcastTensors, Atleast1d, Atleast2d, Atleast3d, ViewDType)

}  // namespace fb
