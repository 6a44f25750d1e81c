#include <algorithm>
#include <cmath>

#include "kernels/lines.h"
#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"

// Reading by index along a dim.
namespace fb {

struct Gather;
struct ScatterAdd;
struct IndexSelect;
struct IndexAdd;
struct Take;
struct Put;
struct Embedding;
struct EmbeddingBackward;

struct Gather {
  static constexpr auto schema = "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor";
  static constexpr auto doc = R"(
    Elements picked along a dim: result[i][j] = self[index[i][j]][j] for dim 0, and so on.

    Shapes: self (*), index of the same rank, no larger but along dim → shape of index.   Dtypes: all; index int64, int32.
    Errors: RuntimeError if an index is out of bounds; negative ones are.

    >>> fb.gather(fb.tensor([[1, 2], [3, 4]]), 1, fb.tensor([[1], [0]]))
    tensor([[2],
            [3]])
  )";
  using kind = Opaque;
  static constexpr bool out_apart = true, out_exact = true;
  static Tensor kernel(Tensor self, int64_t dim, Tensor index, bool) {
    const int d = wrap_dim(dim, self.dim());
    Tensor r = empty(index.shape(), self.dtype());
    if (index.numel() == 0) return r;
    const Tensor x = at_least_1d(self), i = at_least_1d(index);
    check(x.dim() == i.dim(), "gather: index has ", i.dim(), " dims, the input ", x.dim());
    for (int k = 0; k < x.dim(); ++k)
      check(k == d || i.shape()[k] <= x.shape()[k], "gather: index ", i.shape().list(), " exceeds the input ",
            x.shape().list(), " in dim ", k, "; only in dim ", d, " may it be larger");
    if (names_slices(i, x, d)) return call_op<IndexSelect>(x, d, plain_rows(slice_names(i, d), x.shape()[d], d));
    const Tensor rows = plain_rows(i, x.shape()[d], d);
    const IndexedLines lines(i.shape(), x.layout(), d);
    with_bytes(bytes_of(x.dtype()), [&](auto w) {
      using W = decltype(w);
      W* out = r.data<W>();
      const W* in = x.data<W>();
      each_indexed(lines, rows.data<int64_t>(), false, [&](int64_t at, int64_t from) { out[at] = in[from]; });
    });
    return r;
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<1, int64_t> dim, In<2> index) {
    return call_op<ScatterAdd>(zeros(shape, g.dtype()), dim.value, index, g);
  }
};

struct TakeAlongDim {
  static constexpr auto schema = "take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor";
  static constexpr auto doc = R"(
    gather with self and indices broadcast against each other; without dim, from the flattened tensor.

    Shapes: self (*), indices broadcastable but along dim → broadcast shape.   Dtypes: all; indices int64.

    >>> fb.take_along_dim(fb.tensor([[3, 1]]), fb.tensor([[1, 0]]), 1)
    tensor([[1, 3]])
  )";
  using kind = Composite;
  static Tensor wrapped(const Tensor& indices, int64_t size) {       // modulo the size
    if (!indices.numel() || !size) return indices;
    const Tensor packed = contiguous(indices);
    const int64_t* in = packed.data<int64_t>();
    const auto [least, most] = range_of(in, packed.numel());
    if (least >= 0 && most < size) return indices;
    Tensor r = empty(indices.shape(), DType::i64);
    int64_t* out = r.data<int64_t>();
    for (int64_t i = 0; i < r.numel(); ++i) out[i] = ((in[i] % size) + size) % size;
    return r;
  }
  static Tensor decompose(Tensor self, Tensor indices, std::optional<int64_t> dim) {
    check(indices.dtype() == DType::i64, "take_along_dim: indices must be int64, they are ",
          row(indices.dtype()).legacy);
    if (!dim) return call_op<Gather>(reshape(self, {-1}), 0, reshape(indices, {-1}), false);
    check(self.dim() == indices.dim(), "take_along_dim: input has ", self.dim(), " dims, indices ",
          indices.dim());
    const int d = wrap_dim(*dim, self.dim());
    Dims a = self.shape(), b = indices.shape();
    if (a.empty()) return call_op<Gather>(self, 0, indices, false);
    b[d] = a[d];
    Dims wide = broadcast_shapes("take_along_dim", a, b);
    const Tensor x = expand(self, wide);
    wide[d] = indices.shape()[d];
    return call_op<Gather>(x, d, expand(wrapped(indices, x.shape()[d]), wide), false);
  }
};

struct IndexSelect {
  static constexpr auto schema = "index_select(Tensor self, int dim, Tensor index) -> Tensor";
  static constexpr auto doc = R"(
    The slices along a dim that a vector of indices names.

    Shapes: self (…, n, …), index (k) or () → (…, k, …).   Dtypes: all; index int64, int32.
    Errors: IndexError if an index is out of bounds; negative ones are.

    >>> fb.index_select(fb.tensor([[1, 2], [3, 4]]), 1, fb.tensor([1]))
    tensor([[2],
            [4]])
  )";
  using kind = Opaque;
  static constexpr bool out_apart = true, out_exact = true;
  static Tensor kernel(Tensor self, int64_t dim, Tensor index) {
    const int d = wrap_dim(dim, self.dim());
    check<IndexError>(index.dim() <= 1, "index_select: index must be a vector, its shape is ",
                      index.shape().list());
    check(index.dtype() == DType::i64 || index.dtype() == DType::i32, "index_select: index must be int32 or "
          "int64, it is ", row(index.dtype()).legacy);
    const Tensor x = at_least_1d(self), rows = contiguous(to_dtype(at_least_1d(index), DType::i64));
    if (rows.numel()) {
      const auto [least, most] = range_of(rows.data<int64_t>(), rows.numel());
      const bool inside = least >= 0 && most < x.shape()[d];
      const int64_t wrong = least < 0 ? least : most;
      check(inside || d != 1, "index_select: index ", wrong, " is out of range in dim ", d, " of size ",
            x.shape()[d]);   // PyTorch's class for dim 1
      check<IndexError>(inside, "index_select: index ", wrong, " is out of range in dim ", d, " of size ",
                        x.shape()[d]);
    }
    Tensors indices(static_cast<size_t>(d));
    indices.push_back(rows);
    const IndexPlan plan = plan_index(x, indices);
    Tensor r = empty(self.dim() ? plan.shape : Dims(), self.dtype());
    check(self.dim() || rows.numel() == 1, "index_select(): index must name one element of a 0-dim tensor");
    read_indexed(plan, x, r);
    return r;
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<1, int64_t> dim, In<2> index) {
    return call_op<IndexAdd>(zeros(shape, g.dtype()), dim.value, index, g, 1);
  }
};

struct Take {
  static constexpr auto schema = "take(Tensor self, Tensor index) -> Tensor";
  static constexpr auto doc = R"(
    Elements by their position in the flattened tensor.

    Shapes: self (*), index (…) → (…).   Dtypes: all; index int64.   Errors: IndexError if an index is out of bounds.

    >>> fb.take(fb.tensor([[1, 2], [3, 4]]), fb.tensor([3, -4]))
    tensor([4, 1])
  )";
  using kind = Opaque;
  static constexpr bool out_apart = true, out_exact = true;
  static Tensor kernel(Tensor self, Tensor index) {
    check(index.dtype() == DType::i64, "take: index must be int64, it is ", row(index.dtype()).legacy);
    Tensor r = empty(index.shape(), self.dtype());
    if (index.numel() == 0) return r;
    check<IndexError>(self.numel() > 0, "take: self is empty, every index is out of range");
    const Tensor flat = reshape(self, {-1});
    const IndexPlan plan = plan_index(flat, {index});
    read_indexed(plan, flat, r);
    return r;
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Shape<0> shape, In<1> index) { return call_op<Put>(zeros(shape, g.dtype()), index, g, true); }
};

struct Embedding {
  static constexpr auto schema =
      "embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor";
  static constexpr auto doc = R"(
    Rows of a table, one per index. The row padding_idx, if not negative, gets no gradient; scale_grad_by_freq divides
    the gradient of a row by how often it was named. Gradients are dense whatever `sparse` says.

    Shapes: weight (V, D), indices (*) → (*, D).   Dtypes: weight all; indices int64, int32.
    Errors: IndexError if an index is out of bounds.

    >>> fb.embedding(fb.tensor([[1., 2.], [3., 4.]]), fb.tensor([1]))
    tensor([[3., 4.]])
  )";
  using kind = Opaque;
  static void examine(const Args& args) {
    const Tensor &weight = args[0].as_tensor(), &indices = args[1].as_tensor();
    check(weight.dim() == 2, "'weight' must be 2-D, but got shape ", weight.shape().list());
    check(indices.dtype() == DType::i64 || indices.dtype() == DType::i32, "embedding: indices, argument 1, "
          "must be Long or Int, they are ", row(indices.dtype()).legacy);
  }
  static Tensor kernel(Tensor weight, Tensor indices, int64_t, bool, bool) {
    Dims shape = indices.shape();
    shape.push(weight.shape()[1]);
    return reshape(call_op<IndexSelect>(weight, 0, reshape(indices, {-1})), shape);
  }
  static NoGrad vjp_indices();
  static Tensor vjp_weight(Tensor g, Shape<0> shape, In<1> indices, Arg<2, int64_t> padding, Arg<3, bool> scaled) {
    return call_op<EmbeddingBackward>(g, indices, shape[0], padding.value, scaled.value);
  }
};

struct EmbeddingBackward {
  static constexpr auto schema =
      "embedding_dense_backward(Tensor self, Tensor indices, int num_weights, int padding_idx, bool scale_grad_by_freq) -> Tensor";
  static constexpr auto doc = "The gradient of an embedding table: every row of self added to the row its index names.";
  using kind = Opaque;
  // Each thread owns a range of table rows and goes through all indices.
  template <class T>
  static void add_rows(T* to, const T* g, const int64_t* index, int64_t n, int64_t width, int64_t first, int64_t end, int64_t padding) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t r = index[i];
      if (r < first || r >= end || r == padding) continue;
      T* o = to + r * width;
      const T* in = g + i * width;
#pragma GCC ivdep
      for (int64_t k = 0; k < width; ++k) o[k] = plus(o[k], in[k]);
    }
  }
  static Tensor frequency_scale(const Tensor& index, int64_t rows, DType dtype) {
    std::vector<int64_t> count(static_cast<size_t>(rows));
    const int64_t* i = index.data<int64_t>();
    for (int64_t k = 0; k < index.numel(); ++k) ++count[static_cast<size_t>(i[k])];
    Tensor r = empty({index.numel(), 1}, DType::f64);
    for (int64_t k = 0; k < index.numel(); ++k) r.data<double>()[k] = 1.0 / double(count[static_cast<size_t>(i[k])]);
    return to_dtype(r, dtype);
  }
  static Tensor kernel(Tensor self, Tensor indices, int64_t rows, int64_t padding, bool scaled) {
    const int64_t n = indices.numel(), width = self.shape()[self.dim() - 1];
    const Tensor index = reshape(contiguous(to_dtype(indices, DType::i64)), {n});
    Tensor g = reshape(contiguous(self), {n, width});
    if (scaled) g = g * frequency_scale(index, rows, g.dtype());
    Tensor r = zeros({rows, width}, g.dtype());
    with_number(g.dtype(), [&](auto t) {
      using T = decltype(t);
      T* to = r.data<T>();
      const T* from = g.data<T>();
      const int64_t* i = index.data<int64_t>();
      const int64_t grain = n * width < 65536 ? rows : (rows + 7) / 8;
      parallel_for(rows, std::max<int64_t>(1, grain), [&](int64_t begin, int64_t end) {
        if constexpr (is_complex_value<T>) add_rows<T>(to, from, i, n, width, begin, end, padding);
        else Clones<&add_rows<T>>::pick()(to, from, i, n, width, begin, end, padding);
      });
    });
    return r;
  }
  static NoGrad vjp_indices();
  static Tensor vjp_self(Tensor g, In<1> indices, Arg<2, int64_t> rows, Arg<3, int64_t> padding, Arg<4, bool> scaled) {
    Tensor r = call_op<Embedding>(g, indices, padding.value, false, false);
    if (padding >= 0) r = where(unsqueeze(eq(indices, padding.value), -1), Scalar(0), r);
    if (!scaled) return r;
    Dims shape = indices.shape();
    shape.push(1);
    const Tensor index = reshape(contiguous(to_dtype(indices, DType::i64)), {-1});
    return r * view(frequency_scale(index, rows, r.dtype()), shape);
  }
};

struct EmbeddingRenorm {
  static constexpr auto schema = "embedding_renorm_(Tensor(a!) self, Tensor indices, float max_norm, float norm_type) -> Tensor(a!)";
  static constexpr auto doc = R"(
    Shrinks, in place, the rows that indices name to a p-norm of at most max_norm, p being norm_type.

    Shapes: self (V, D), indices (*) → (V, D).   Dtypes: self floating; indices int64, int32.

    >>> fb.embedding_renorm_(fb.tensor([[3., 4.]]), fb.tensor([0]), 1., 2.)
    tensor([[0.6000, 0.8000]])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static double norm_of(const double* row, int64_t n, double p) {
    double total = 0;
    for (int64_t k = 0; k < n; ++k) {
      const double a = std::abs(row[k]);
      if (std::isinf(p)) total = std::max(total, a);
      else total += p == 2 ? a * a : std::pow(a, p);
    }
    return std::isinf(p) ? total : std::pow(total, 1 / p);
  }
  static void write(Tensor self, Tensor indices, double max_norm, double norm_type) {
    check(self.dim() == 2, "embedding_renorm_: self must be 2-D, but got shape ", self.shape().list());
    check<DTypeError>(is_floating(self.dtype()), "\"embedding_renorm_\" not implemented for '", row(self.dtype()).legacy, "'");
    const Tensor rows = checked_rows(indices, self.shape()[0], 0);
    std::vector<int64_t> named(rows.data<int64_t>(), rows.data<int64_t>() + rows.numel());
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    for (int64_t i : named) {
      const Tensor slice = select(self, 0, i), wide = contiguous(to_dtype(slice, DType::f64));
      const double norm = norm_of(wide.data<double>(), wide.numel(), norm_type);
      if (norm > max_norm) mul_(slice, max_norm / (norm + 1e-7));    // PyTorch's guard against division by zero
    }
  }
};

struct OneHot {
  static constexpr auto schema = "one_hot(Tensor input, int num_classes=-1) -> Tensor";
  static constexpr auto doc = R"(
    A row with a single 1 per class index; without num_classes, as many classes as the largest index needs.

    Shapes: input (*) → (*, num_classes), int64.   Dtypes: int64.

    >>> fb.one_hot(fb.tensor([1, 0]))
    tensor([[0, 1],
            [1, 0]])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor input, int64_t classes) {
    check(input.dtype() == DType::i64, "one_hot: class numbers must be int64, they are ",
          row(input.dtype()).legacy, "; convert them with .long()");
    const Tensor index = contiguous(input);
    const int64_t n = index.numel();
    check(n > 0 || classes > 0, "one_hot: an empty tensor does not tell how many classes there are; pass "
          "num_classes");
    if (n > 0) {
      const auto [least, most] = range_of(index.data<int64_t>(), n);
      check(least >= 0, "one_hot: a class number must not be negative, found ", least);
      if (classes == -1) classes = most + 1;
      check(classes >= 1, "one_hot: num_classes must be positive, got ", classes);
      check(most < classes, "one_hot: class ", most, " does not exist with num_classes=", classes);
    }
    Dims shape = input.shape();
    shape.push(classes);
    Tensor r = zeros(shape, DType::i64);
    int64_t* out = r.data<int64_t>();
    const int64_t* i = index.data<int64_t>();
    for (int64_t k = 0; k < n; ++k) out[k * classes + i[k]] = 1;
    return r;
  }
};

FB_GROUP(gather, Gather, TakeAlongDim, IndexSelect, Take, Embedding, EmbeddingBackward, EmbeddingRenorm, OneHot)

}  // namespace fb
