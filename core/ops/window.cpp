#include <algorithm>
#include <limits>

#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"

// Views that may show an element more than once, and the sums their gradients need.
namespace fb {

struct StridedView;
struct StridedAdd;
struct Unfold;
struct Diagonal;
struct EmbedDiagonal;

static void check_strided(const Dims& size, const Dims& stride, int64_t offset) {
  check(size.size() == stride.size(), "as_strided: each size needs one stride; the shape is ", size.list(),
        ", the strides are ", stride.list());
  for (int64_t n : stride) check(n >= 0, "as_strided: a stride must not be negative, got ", stride.list());
  check_sizes(size);
  check(offset >= 0, "as_strided: the storage offset must not be negative, got ", offset);
}

// One past the last element that x reaches in its storage; without bound if that overflows.
static int64_t end_of(const Layout& x) {
  constexpr int64_t unbounded = std::numeric_limits<int64_t>::max() / 16;
  if (x.numel == 0) return 0;
  int64_t last = x.offset;
  for (int i = 0; i < x.dim(); ++i) {
    int64_t along;
    if (__builtin_mul_overflow(x.shape[i] - 1, x.strides[i], &along) || __builtin_add_overflow(last, along, &last)) return unbounded;
  }
  return std::min(last, unbounded - 1) + 1;
}

struct AsStrided {
  static constexpr auto schema = "as_strided(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor";
  static constexpr auto doc = R"(
    A view of self's storage with any sizes, strides and offset, counted in elements.

    Shapes: → size.   Dtypes: all.   Errors: RuntimeError if it reaches outside the storage.

    >>> fb.as_strided(fb.arange(6), (2, 2), (1, 2))
    tensor([[0, 2],
            [1, 3]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims size, Dims stride, std::optional<int64_t> offset) {
    const int64_t first = offset.value_or(x.layout().offset);
    return call_op<StridedView>(x, size, stride, first, x.strides(), x.layout().offset);
  }
};

// The layout of self is an argument, since the gradient is one of its storage.
struct StridedView {
  static constexpr auto schema =
      "_as_strided(Tensor(a) self, int[] size, int[] stride, int offset, int[] own_stride, int own_offset) -> Tensor(a)";
  static constexpr auto doc = "as_strided with its input's strides and offset spelled out.";
  using kind = View;
  static constexpr auto grad_name = "AsStridedBackward0";
  static void examine(const Args& args) {
    const Tensor& x = args[0].as_tensor();
    const Dims &size = unbox<Dims>(args[1]), &stride = unbox<Dims>(args[2]);
    const int64_t first = unbox<int64_t>(args[3]);
    check_strided(size, stride, first);
    const int64_t bytes = bytes_of(x.dtype()), end = end_of(Layout(size, stride, first)) * bytes;
    check(end <= static_cast<int64_t>(x->storage->bytes()), "as_strided: sizes ", size.list(), " and "
          "strides ", stride.list(), " from offset ", first, ", with elements of ", bytes, " bytes, reach to "
          "byte ", end, " of a storage of ", x->storage->bytes(), " bytes, out of bounds");
    check_strided(x.shape(), unbox<Dims>(args[4]), unbox<int64_t>(args[5]));
  }
  static Layout forward(const Layout&, Dims size, Dims stride, int64_t offset, Dims, int64_t) { return {size, stride, offset}; }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, Dims> size, Arg<2, Dims> stride, Arg<3, int64_t> offset, Arg<4, Dims> own_stride,
                    Arg<5, int64_t> own_offset) {
    const int64_t first = std::min(offset.value, own_offset.value);
    const Layout in(shape, own_stride, own_offset - first), out(size, stride, offset - first);
    if (in.numel == 0) return zeros(shape, g.dtype());
    const int64_t count = std::max(end_of(in), end_of(out));
    Tensor storage = call_op<StridedAdd>(g, count, stride.value, out.offset);
    if (may_overlap_itself(in)) {                      // elements shown several times share their gradient
      const Tensor shown = call_op<StridedAdd>(ones(shape, g.dtype()), count, own_stride.value, in.offset);
      storage = storage / where(eq(shown, 0), Scalar(1), shown);
    }
    return call_op<StridedView>(storage, shape, own_stride.value, in.offset, Dims{1}, int64_t(0));
  }
};

struct StridedAdd {
  static constexpr auto schema = "_strided_add(Tensor self, int count, int[] stride, int offset) -> Tensor";
  static constexpr auto doc = "`count` zeros with self's elements added at the places that strides and offset name.";
  using kind = Opaque;
  template <class T> static void add_all(T* to, const T* from, const Layout& at) {
    const int last = at.dim() - 1;
    const int64_t inner = at.dim() ? at.shape[last] : 1, step = at.dim() ? at.strides[last] : 0;
    Dims c = Dims::filled(at.dim(), 0);
    int64_t place = at.offset;
    for (int64_t done = 0; done < at.numel; done += inner) {
      for (int64_t i = 0; i < inner; ++i) to[place + i * step] = plus(to[place + i * step], from[done + i]);
      for (int k = last - 1; k >= 0; --k) {
        place += at.strides[k];
        if (++c[k] < at.shape[k]) break;
        place -= c[k] * at.strides[k];
        c[k] = 0;
      }
    }
  }
  static Tensor kernel(Tensor g, int64_t count, Dims stride, int64_t offset) {
    check_strided(g.shape(), stride, offset);
    const Layout at(g.shape(), stride, offset);
    check(end_of(at) <= count, "_strided_add: sizes ", g.shape().list(), ", strides ", stride.list(), " and offset ", offset,
          " reach element ", end_of(at) - 1, " of ", count);
    Tensor r = zeros({count}, g.dtype());
    if (!may_overlap_itself(at)) {
      copy_(alias(r, at), g);
      return r;
    }
    const Tensor from = contiguous(g);
    with_number(g.dtype(), [&](auto t) { add_all(r.data<decltype(t)>(), from.data<decltype(t)>(), at); });
    return r;
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<2, Dims> stride, Arg<3, int64_t> offset) {
    return call_op<StridedView>(contiguous(g), shape, stride.value, offset.value, Dims{1}, int64_t(0));
  }
};

struct Unfold {
  static constexpr auto schema = "unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)";
  static constexpr auto doc = R"(
    All windows of `size` along a dim, every `step`, in a new last dim; a view.

    Shapes: self (…, n, …) → (…, (n - size) / step + 1, …, size).   Dtypes: all.

    >>> fb.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
  )";
  using kind = View;
  static Layout forward(const Layout& x, int64_t dimension, int64_t size, int64_t step) {
    const int d = wrap_dim(dimension, x.dim());
    const int64_t n = x.dim() ? x.shape[d] : 1;
    check(size >= 0, "unfold: size must not be negative, got ", size);
    check(size <= n, "unfold: a window of ", size, " is larger than dim ", d, ", which has size ", n);
    check(step > 0, "step is ", step, " but must be > 0");
    Dims shape = x.shape, strides = x.strides;
    if (x.dim()) {
      shape[d] = (n - size) / step + 1;
      strides[d] *= step;
    }
    shape.push(size);
    strides.push(x.dim() ? x.strides[d] : 1);
    return {shape, strides, x.offset};
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> dimension, Arg<2, int64_t> size, Arg<3, int64_t> step) {
    const Layout windows = forward(Layout(shape), dimension, size, step);
    return view(call_op<StridedAdd>(g, shape.product(), windows.strides, int64_t(0)), shape);
  }
};

static std::pair<int, int> two_dims(int64_t dim1, int64_t dim2, int count) {
  const int a = wrap_dim(dim1, count), b = wrap_dim(dim2, count);
  check(a != b, "diagonal: dim1=", dim1, " and dim2=", dim2, " are one dim; name two");
  return {a, b};
}

struct Diagonal {
  static constexpr auto schema = "diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)";
  static constexpr auto doc = R"(
    The diagonals of two dims in a new last dim: above the main one if offset > 0, below if < 0. A view.

    Shapes: self (…, m, …, n, …) → (…, …, …, k).   Dtypes: all.

    >>> fb.diagonal(fb.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
  )";
  using kind = View;
  static Layout forward(const Layout& x, int64_t offset, int64_t dim1, int64_t dim2) {
    const auto [a, b] = two_dims(dim1, dim2, x.dim());
    const int64_t rows = x.shape[a], columns = x.shape[b];
    const int64_t n = std::max<int64_t>(0, offset >= 0 ? std::min(rows, columns - offset) : std::min(rows + offset, columns));
    const int64_t skip = n == 0 ? 0 : offset >= 0 ? offset * x.strides[b] : -offset * x.strides[a];
    const int low = std::min(a, b), high = std::max(a, b);
    Dims shape = x.shape.erased(high).erased(low), strides = x.strides.erased(high).erased(low);
    shape.push(n);
    strides.push(x.strides[a] + x.strides[b]);
    return {shape, strides, x.offset + skip};
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> offset, Arg<2, int64_t> dim1, Arg<3, int64_t> dim2) {
    return call_op<EmbedDiagonal>(g, shape, offset.value, dim1.value, dim2.value);
  }
};

struct EmbedDiagonal {
  static constexpr auto schema = "_embed_diagonal(Tensor self, int[] size, int offset, int dim1, int dim2) -> Tensor";
  static constexpr auto doc = "Zeros of `size` with self on a diagonal: the transpose of taking it.";
  using kind = Opaque;
  static Tensor kernel(Tensor g, Dims size, int64_t offset, int64_t dim1, int64_t dim2) {
    Tensor r = zeros(size, g.dtype());
    copy_(alias(r, Diagonal::forward(r.layout(), offset, dim1, dim2)), g);
    return r;
  }
  static Tensor vjp(Tensor g, Arg<2, int64_t> offset, Arg<3, int64_t> dim1, Arg<4, int64_t> dim2) {
    return call_op<Diagonal>(g, offset.value, dim1.value, dim2.value);
  }
};

FB_GROUP(window, AsStrided, StridedView, StridedAdd, Unfold, Diagonal, EmbedDiagonal)

}  // namespace fb
