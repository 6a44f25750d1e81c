#include <algorithm>

#include "base/parallel.h"
#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"

// Triangles and diagonals, and copies of a tensor with a region replaced.
namespace fb {

struct Diagonal;
struct EmbedDiagonal;
struct DiagEmbed;
struct Tril;
struct Triu;
struct SelectScatter;
struct SliceScatter;
struct DiagonalScatter;
struct AsStridedScatter;

// Keeps columns [from, to) of every row: j ≤ i + k below, j ≥ i + k above.
static Tensor triangle(std::string_view op, const Tensor& given, int64_t k, bool lower) {
  check(given.dim() >= 2, op, ": the input must be a matrix, or have more dims than 2; it has ", given.dim());
  const Tensor x = contiguous(given);
  Tensor r = empty(x.shape(), x.dtype());
  const int64_t rows = x.size(-2), columns = x.size(-1), bytes = bytes_of(x.dtype());
  if (r.numel() == 0) return r;
  const char* in = x.data();
  char* out = r.data();
  parallel_for(r.numel() / columns, std::max<int64_t>(1, 65536 / columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t edge = std::clamp<int64_t>(i % rows + k + (lower ? 1 : 0), 0, columns), at = i * columns * bytes, cut = edge * bytes;
      const int64_t width = columns * bytes;
      if (lower) {
        memcpy(out + at, in + at, size_t(cut));
        memset(out + at + cut, 0, size_t(width - cut));
      } else {
        memset(out + at, 0, size_t(cut));
        memcpy(out + at + cut, in + at + cut, size_t(width - cut));
      }
    }
  });
  return r;
}

struct Tril {
  static constexpr auto schema = "tril(Tensor self, int diagonal=0) -> Tensor";
  static constexpr auto doc = R"(
    The lower triangle of matrices, zeros above the given diagonal.

    Shapes: self (*, m, n) → (*, m, n).   Dtypes: all.

    >>> fb.tril(fb.tensor([[1, 2], [3, 4]]))
    tensor([[1, 0],
            [3, 4]])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor x, int64_t k) { return triangle("tril", x, k, true); }
  static Tensor vjp(Tensor g, Arg<1, int64_t> k) { return call_op<Tril>(g, k.value); }
};

struct Triu {
  static constexpr auto schema = "triu(Tensor self, int diagonal=0) -> Tensor";
  static constexpr auto doc = R"(
    The upper triangle of matrices, zeros below the given diagonal.

    Shapes: self (*, m, n) → (*, m, n).   Dtypes: all.

    >>> fb.triu(fb.tensor([[1, 2], [3, 4]]))
    tensor([[1, 2],
            [0, 4]])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor x, int64_t k) { return triangle("triu", x, k, false); }
  static Tensor vjp(Tensor g, Arg<1, int64_t> k) { return call_op<Triu>(g, k.value); }
};

// Coordinates of a triangle's elements, row by row: first row of the result i, second j.
static Tensor triangle_indices(int64_t rows, int64_t columns, int64_t offset, std::optional<DType> dtype, bool lower) {
  check(rows >= 0, "row must not be negative, got ", rows);
  check(columns >= 0, "col must not be negative, got ", columns);
  auto first = [&](int64_t i) { return lower ? int64_t(0) : std::clamp<int64_t>(i + offset, 0, columns); };
  auto end = [&](int64_t i) { return lower ? std::clamp<int64_t>(i + offset + 1, 0, columns) : columns; };
  int64_t n = 0;
  for (int64_t i = 0; i < rows; ++i) n += end(i) - first(i);
  Tensor r = empty({2, n}, DType::i64);
  int64_t *a = r.data<int64_t>(), *b = a + n;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = first(i); j < end(i); ++j) {
      *a++ = i;
      *b++ = j;
    }
  return to_dtype(r, dtype.value_or(DType::i64));
}

struct TrilIndices {
  static constexpr auto schema = "tril_indices(int row, int col, int offset=0, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Coordinates of the lower triangle of a row × col matrix, row by row.

    Shapes: → (2, n).   Dtypes: int64 unless given.

    >>> fb.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
  )";
  using kind = Factory;
  static Tensor kernel(int64_t row, int64_t col, int64_t offset, std::optional<DType> dtype) {
    return triangle_indices(row, col, offset, dtype, true);
  }
};

struct TriuIndices {
  static constexpr auto schema = "triu_indices(int row, int col, int offset=0, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Coordinates of the upper triangle of a row × col matrix, row by row.

    Shapes: → (2, n).   Dtypes: int64 unless given.

    >>> fb.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
  )";
  using kind = Factory;
  static Tensor kernel(int64_t row, int64_t col, int64_t offset, std::optional<DType> dtype) {
    return triangle_indices(row, col, offset, dtype, false);
  }
};

struct DiagEmbed {
  static constexpr auto schema = "diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor";
  static constexpr auto doc = R"(
    Matrices with the last dim of self on a diagonal of two new dims, zeros elsewhere.

    Shapes: self (*, n) → (*, n + |offset|, n + |offset|), with the new dims at dim1 and dim2.   Dtypes: all.

    >>> fb.diag_embed(fb.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t offset, int64_t dim1, int64_t dim2) {
    check(x.dim() > 0, "diag_embed needs a tensor of at least one dimension");
    const int a = wrap_dim(dim1, x.dim() + 1), b = wrap_dim(dim2, x.dim() + 1);
    check(a != b, "diag_embed: dim1=", dim1, " and dim2=", dim2, " are one dim; name two");
    const int64_t n = x.size(-1) + std::abs(offset);
    const Dims shape = x.shape().erased(x.dim() - 1).inserted(std::min(a, b), n).inserted(std::max(a, b), n);
    const Scoped name(mode.grad_name, std::string_view("DiagEmbedBackward0"));
    return call_op<EmbedDiagonal>(x, shape, offset, a, b);
  }
};

struct Diag {
  static constexpr auto schema = "diag(Tensor self, int diagonal=0) -> Tensor";
  static constexpr auto doc = R"(
    A matrix with a vector on its diagonal; or, of a matrix, the diagonal as a new vector.

    Shapes: self (n) → (n + |diagonal|, n + |diagonal|), (m, n) → (k).   Dtypes: all.

    >>> fb.diag(fb.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t diagonal) {
    check(x.dim() == 1 || x.dim() == 2, "diag: the input must be a vector or a matrix, it has ", x.dim(),
          " dims");
    if (x.dim() == 1) return DiagEmbed::decompose(x, diagonal, 0, 1);
    const Tensor d = call_op<Diagonal>(x, diagonal, 0, 1);
    const Scoped name(mode.grad_name, std::string_view("DiagonalBackward0_copy"));
    return call_op<Clone>(d);
  }
};

struct Diagflat {
  static constexpr auto schema = "diagflat(Tensor self, int offset=0) -> Tensor";
  static constexpr auto doc = R"(
    A matrix with all elements of self on a diagonal.

    Shapes: self (*) of n elements → (n + |offset|, n + |offset|).   Dtypes: all.

    >>> fb.diagflat(fb.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t offset) { return DiagEmbed::decompose(reshape(x, {-1}), offset, 0, 1); }
};

struct Trace {
  static constexpr auto schema = "trace(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The sum of the diagonal of a matrix.

    Shapes: self (m, n) → ().   Dtypes: all; integers and bool sum as int64.

    >>> fb.trace(fb.tensor([[1., 2.], [3., 4.]]))
    tensor(5.)
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x) {
    check(x.dim() == 2, "trace: the input must be a matrix, it has ", x.dim(), " dims");
    return sum(call_op<Diagonal>(x, 0, 0, 1));
  }
  static Tensor vjp(Tensor g, Shape<0> shape) {
    return call_op<EmbedDiagonal>(expand(reshape(g, {1}), {std::min(shape[0], shape[1])}), shape, 0, 0, 1);
  }
};

// ---- a copy of self with a region replaced
static Tensor with_region(std::string_view op, const Tensor& r, const Tensor& src, const Layout& region) {
  check(src.shape() == region.shape, op, ": src of shape ", src.shape().list(), " is to be written into a "
        "slice of shape ", region.shape.list());
  copy_(alias(r, region), src);
  return r;
}

struct SelectScatter {
  static constexpr auto schema = "select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor";
  static constexpr auto doc = R"(
    self with one slice along a dim replaced by src.

    Shapes: self (…, n, …), src (…, …) → (…, n, …).   Dtypes: all.

    >>> fb.select_scatter(fb.zeros(2, 2), fb.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor self, Tensor src, int64_t dim, int64_t index) {
    const Tensor r = clone(self);
    return with_region("select_scatter", r, src, select(r, dim, index).layout());
  }
  static Tensor vjp_self(Tensor g, Shape<1> shape, Arg<2, int64_t> dim, Arg<3, int64_t> index) {
    return call_op<SelectScatter>(g, zeros(shape, g.dtype()), dim.value, index.value);
  }
  static Tensor vjp_src(Tensor g, Arg<2, int64_t> dim, Arg<3, int64_t> index) { return select(g, dim, index); }
};

struct SliceScatter {
  static constexpr auto schema = "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor";
  static constexpr auto doc = R"(
    self with every `step`-th slice of [start, end) along a dim replaced by src.

    Shapes: self (…, n, …), src (…, m, …) → (…, n, …).   Dtypes: all.

    >>> fb.slice_scatter(fb.zeros(3), fb.ones(2), start=1)
    tensor([0., 1., 1.])
  )";
  using kind = Opaque;
  static Tensor region(const Tensor& x, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) {
    check(x.dim() > 0, "slice: a 0-dimensional tensor has no dim to cut");
    const int64_t n = x.size(wrap_dim(dim, x.dim()));
    auto clipped = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
    const int64_t first = clipped(start.value_or(0));
    return slice(x, dim, first, std::max(first, clipped(end.value_or(n))), step);
  }
  static Tensor kernel(Tensor self, Tensor src, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) {
    const Tensor r = clone(self);
    return with_region("slice_scatter", r, src, region(r, dim, start, end, step).layout());
  }
  static Tensor vjp_self(Tensor g, Shape<1> shape, Arg<2, int64_t> dim, Arg<3, std::optional<int64_t>> start,
                         Arg<4, std::optional<int64_t>> end, Arg<5, int64_t> step) {
    return call_op<SliceScatter>(g, zeros(shape, g.dtype()), dim.value, start.value, end.value, step.value);
  }
  static Tensor vjp_src(Tensor g, Arg<2, int64_t> dim, Arg<3, std::optional<int64_t>> start, Arg<4, std::optional<int64_t>> end,
                        Arg<5, int64_t> step) {
    return region(g, dim, start, end, step);
  }
};

struct DiagonalScatter {
  static constexpr auto schema = "diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor";
  static constexpr auto doc = R"(
    self with a diagonal of two dims replaced by src.

    Shapes: self (…, m, …, n, …), src (…, …, …, k) → shape of self.   Dtypes: all.

    >>> fb.diagonal_scatter(fb.zeros(2, 2), fb.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor self, Tensor src, int64_t offset, int64_t dim1, int64_t dim2) {
    const Tensor r = clone(self);
    return with_region("diagonal_scatter", r, src, call_op<Diagonal>(r, offset, dim1, dim2).layout());
  }
  static Tensor vjp_self(Tensor g, Shape<1> shape, Arg<2, int64_t> offset, Arg<3, int64_t> dim1, Arg<4, int64_t> dim2) {
    return call_op<DiagonalScatter>(g, zeros(shape, g.dtype()), offset.value, dim1.value, dim2.value);
  }
  static Tensor vjp_src(Tensor g, Arg<2, int64_t> offset, Arg<3, int64_t> dim1, Arg<4, int64_t> dim2) {
    return call_op<Diagonal>(g, offset.value, dim1.value, dim2.value);
  }
};

struct AsStridedScatter {
  static constexpr auto schema =
      "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None) -> Tensor";
  static constexpr auto doc = R"(
    self with the elements that as_strided would show replaced by src.

    Shapes: self (*), src size → (*).   Dtypes: all.

    >>> fb.as_strided_scatter(fb.zeros(2, 2), fb.ones(2), (2,), (2,))
    tensor([[1., 0.],
            [1., 0.]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor self, Tensor src, Dims size, Dims stride, std::optional<int64_t> offset) {
    const Tensor r = clone(self);
    const int64_t first = offset.value_or(self.layout().offset) - (offset ? 0 : self.layout().offset);
    return with_region("as_strided_scatter", r, src, call_op<AsStrided>(r, size, stride, first).layout());
  }
  static Tensor vjp_self(Tensor g, Shape<1> shape, Arg<2, Dims> size, Arg<3, Dims> stride, Arg<4, std::optional<int64_t>> offset) {
    return call_op<AsStridedScatter>(contiguous(g), zeros(shape, g.dtype()), size.value, stride.value, offset.value);
  }
  static Tensor vjp_src(Tensor g, Arg<2, Dims> size, Arg<3, Dims> stride, Arg<4, std::optional<int64_t>> offset) {
    return contiguous(call_op<AsStrided>(contiguous(g), size.value, stride.value, offset.value));
  }
};

struct FillDiagonal {
  static constexpr auto schema = "fill_diagonal_(Tensor(a!) self, Scalar fill_value, bool wrap=False) -> Tensor(a!)";
  static constexpr auto doc = R"(
    Sets the main diagonal to a number, in place; with wrap, a tall matrix gets one after every n + 1 rows.

    Shapes: self (m, n), or (n, n, …) of equal sizes.   Dtypes: all.

    >>> fb.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
  )";
  using kind = Composite;
  static void write(Tensor self, Scalar value, bool wrap) {
    check(self.dim() >= 2, "fill_diagonal_: self has ", self.dim(), " dims, a diagonal takes two at least");
    for (int64_t s : self.shape()) check(self.dim() == 2 || s == self.shape()[0], "fill_diagonal_: with more "
                                         "than two dims, all sizes must be equal; the shape is ",
                                         self.shape().list());
    const int64_t rows = self.shape()[0], columns = self.shape()[1];
    int64_t n = rows, step = 0;
    for (int64_t s : self.shape()) n = std::min(n, s);
    for (int64_t s : self.strides()) step += s;
    fill_(call_op<AsStrided>(self, Dims{n}, Dims{step}, self.layout().offset), value);
    if (!wrap || self.dim() != 2 || rows <= columns + 1) return;
    for (int64_t start = columns + 1; start < rows; start += columns + 1) {
      const Tensor block = narrow(self, 0, start, std::min(columns, rows - start));
      fill_(call_op<Diagonal>(block, 0, 0, 1), value);
    }
  }
};

FB_GROUP(diagonal, Tril, Triu, TrilIndices, TriuIndices, DiagEmbed, Diag, Diagflat, Trace, SelectScatter, SliceScatter, DiagonalScatter,
         AsStridedScatter, FillDiagonal)

}  // namespace fb
