// Attention without the matrix of all weights: a block of query rows at a time, whose scores stay in the cache. The
// backward pass computes the weights again from the logarithm of each row's sum.
// Source: Dao et al., arXiv:2205.14135, with whole rows of scores in place of blocks of columns.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/rows.h"
#include "math/exponential.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct FusedAttention; struct FusedAttentionBackward; struct Softmax; struct Logsumexp; struct Tril;

namespace {

constexpr int64_t scores_at_once = 65536, most_rows = 128, fewest_rows = 16;   // elements; rows of queries

// The scores of a block of rows, after the products: masked, then turned into weights.
template <class T> struct Block {
  T* scores;                                           // rows × columns, packed
  int64_t rows, columns;
  int64_t first;                                       // the block's first row within its matrix
  bool causal;                                         // row i counts up to column i
  const void* mask;                                    // of the block's first row, or null
  bool choice;                                         // the mask holds bools, not numbers to add
  int64_t mask_row, mask_column;                       // its strides in elements
};

template <class T> int64_t seen_columns(const Block<T>& k, int64_t r) {
  return k.causal ? std::min(k.columns, k.first + r + 1) : k.columns;
}

template <class T> [[gnu::always_inline]] inline void apply_mask(const Block<T>& k, int64_t r, int64_t n) {
  T* s = k.scores + r * k.columns;
  if (k.choice) {
    const uint8_t* m = static_cast<const uint8_t*>(k.mask) + r * k.mask_row;
    for (int64_t i = 0; i < n; ++i) s[i] = m[i * k.mask_column] ? s[i] : -std::numeric_limits<T>::infinity();
  } else {
    const T* m = static_cast<const T*>(k.mask) + r * k.mask_row;
    if (k.mask_column == 1) for (int64_t i = 0; i < n; ++i) s[i] += m[i];
    else for (int64_t i = 0; i < n; ++i) s[i] += m[i * k.mask_column];
  }
}

// Scores become exp(score - largest); `scale` the reciprocal sums and `logsumexp` their logarithms. A row that may see
// nothing gets zeros.
template <class T> inline void weigh(const Block<T>& k, T* scale, T* logsumexp) {
  for (int64_t r = 0; r < k.rows; ++r) {
    T* s = k.scores + r * k.columns;
    const int64_t n = seen_columns(k, r);
    if (k.mask) apply_mask(k, r, n);
    const T top = fold_lanes(n, -std::numeric_limits<T>::infinity(), [=](int64_t i) { return s[i]; },
                             [](T p, T q) { return p > q || p != p ? p : q; });
    if (top == -std::numeric_limits<T>::infinity()) {
      std::fill_n(s, k.columns, T(0));
      scale[r] = 0;
      logsumexp[r] = top;
      continue;
    }
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) s[i] = math::exp(s[i] - top);
    const T total = sum_lanes<T>(n, [=](int64_t i) { return s[i]; });
    std::fill_n(s + n, k.columns - n, T(0));
    scale[r] = T(1) / total;
    logsumexp[r] = top + math::log(total);
  }
}

// Scores become the weights again.
template <class T> inline void weigh_again(const Block<T>& k, const T* logsumexp) {
  for (int64_t r = 0; r < k.rows; ++r) {
    T* s = k.scores + r * k.columns;
    const T shift = logsumexp[r];
    const int64_t n = shift == -std::numeric_limits<T>::infinity() ? 0 : seen_columns(k, r);
    if (k.mask) apply_mask(k, r, n);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) s[i] = math::exp(s[i] - shift);
    std::fill_n(s + n, k.columns - n, T(0));
  }
}

// out = values * scale, row by row, into a matrix of another row stride.
template <class T> inline void scale_rows(const T* values, const T* scale, T* out, int64_t rows, int64_t n, int64_t stride) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *a = values + r * n, c = scale[r];
    T* o = out + r * stride;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = a[i] * c;
  }
}

// The gradient of the scores, in place of that of the weights: weight * (g - Σ g weight), where the sum is that of
// grad * output over the row.
template <class T>
inline void grade_scores(const Block<T>& k, T* g, const T* grad, const T* output, int64_t n, int64_t grad_row, int64_t output_row, T factor) {
  for (int64_t r = 0; r < k.rows; ++r) {
    const T *a = grad + r * grad_row, *b = output + r * output_row, *w = k.scores + r * k.columns;
    const T level = sum_lanes<T>(n, [=](int64_t i) { return a[i] * b[i]; });
    T* o = g + r * k.columns;
#pragma GCC ivdep
    for (int64_t i = 0; i < k.columns; ++i) o[i] = w[i] * (o[i] - level) * factor;
  }
}

// Tensors (*, L, E), (*, S, E), (*, S, V) of one batch shape, whose rows lie packed.
Tensor with_packed_rows(const Tensor& t) {
  const bool packed = t.size(-1) == 1 || t.strides().back() == 1;
  return packed && t.strides()[t.dim() - 2] >= t.size(-1) ? t : contiguous(t);
}

struct Sizes {
  int64_t batches, rows, columns, features, values, block;
  static int64_t batches_of(Dims shape) {
    shape.resize(shape.size() - 2);
    return shape.product();
  }
  Sizes(const Tensor& q, const Tensor& k, const Tensor& v)
      : batches(batches_of(q.shape())), rows(q.size(-2)), columns(k.size(-2)), features(q.size(-1)),
        values(v.size(-1)),
        block(std::min(rows, std::clamp(scores_at_once / std::max<int64_t>(1, columns), fewest_rows, most_rows))) {}
  int64_t columns_for(int64_t last_row, bool causal) const { return causal ? std::min(columns, last_row) : columns; }
};

// Offset in elements of matrix number `index` of a batch.
int64_t matrix_offset(const Tensor& t, int64_t index) {
  int64_t offset = 0;
  for (int d = t.dim() - 3; d >= 0; --d) {
    offset += index % t.shape()[d] * t.strides()[d];
    index /= t.shape()[d];
  }
  return offset;
}

template <class T> struct Rows {                       // of one matrix of a batch
  T* data;
  int64_t stride;
  Rows(const Tensor& t, int64_t index) : data(t.data<T>() + matrix_offset(t, index)), stride(t.strides()[t.dim() - 2]) {}
  Matrix block(int64_t first, int64_t count, int64_t columns) const {
    return {reinterpret_cast<char*>(data + first * stride), count, columns, stride, 1};
  }
  Matrix transposed(int64_t count, int64_t columns) const {
    return {reinterpret_cast<char*>(data), columns, count, 1, stride};
  }
};
template <class T> Matrix packed(T* data, int64_t rows, int64_t columns) {
  return {reinterpret_cast<char*>(data), rows, columns, columns, 1};
}
template <class T> Matrix packed_transposed(T* data, int64_t rows, int64_t columns) {
  return {reinterpret_cast<char*>(data), columns, rows, 1, columns};
}
template <class T> void multiply(const Matrix& a, const Matrix& b, const Matrix& out, double alpha = 1, double beta = 0) {
  Product p{compute_for<T>, a, b, out};
  p.alpha = alpha;
  p.beta = beta;
  gemm(p);
}

template <class T> Block<T> block_of(const Sizes& k, T* scores, int64_t first, bool causal, const Tensor& mask, int64_t index) {
  const int64_t rows = std::min(k.block, k.rows - first);
  Block<T> b{scores, rows, k.columns_for(first + rows, causal), first, causal, nullptr, false, 0, 0};
  if (mask) {
    b.choice = mask.dtype() == DType::boolean;
    b.mask_row = mask.strides()[mask.dim() - 2];
    b.mask_column = mask.strides().back();
    b.mask = mask.data() + (matrix_offset(mask, index) + first * b.mask_row) * bytes_of(mask.dtype());
  }
  return b;
}

void check_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
  auto batch = [](const Tensor& t) {
    Dims d = t.shape();
    d.resize(d.size() - 2);
    return d;
  };
  const bool shapes = q.dim() >= 2 && k.dim() == q.dim() && v.dim() == q.dim() && batch(k) == batch(q) && batch(v) == batch(q) &&
                      k.size(-1) == q.size(-1) && v.size(-2) == k.size(-2);
  check<ShapeError>(shapes, "_fused_attention: expected query (*, L, E), key (*, S, E) and value (*, S, V), but got shapes ", q.shape(), ", ",
                    k.shape(), " and ", v.shape());
  check<DTypeError>((q.dtype() == DType::f32 || q.dtype() == DType::f64) && k.dtype() == q.dtype() && v.dtype() == q.dtype() &&
                    (!mask || mask.dtype() == q.dtype() || mask.dtype() == DType::boolean),
                    "_fused_attention: expected tensors of float32 or of float64, and a mask of that dtype or bool");
}

Tensor spread_mask(const Tensor& mask, const Tensor& q, const Tensor& k) {
  if (!mask) return mask;
  Dims shape = q.shape();
  shape[shape.size() - 1] = k.size(-2);
  return expand(mask, shape);
}

// What the kernels compute, by ops: the scores, -inf where nothing may be seen, and the weights.
struct ByOps {
  Tensor scores, weights;
  ByOps(const Tensor& q, const Tensor& k, const Tensor& mask, bool causal, double scale) {
    const Tensor zero = zeros(Dims(), q.dtype()), never = full(Dims(), Scalar(-INFINITY), q.dtype());
    scores = matmul(q, transpose(k, -2, -1)) * scale;
    if (mask) scores = mask.dtype() == DType::boolean ? where(mask, scores, never) : scores + mask;
    if (causal) scores = where(call_op<Tril>(ones({q.size(-2), k.size(-2)}, DType::boolean), 0), scores, never);
    const Tensor some = ne(amax(scores, Dims{-1}, true), -INFINITY);
    weights = where(some, call_op<Softmax>(where(some, scores, zero), -1, Value()), zero);
  }
};

}  // namespace

struct FusedAttention {
  static constexpr auto schema = "_fused_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask, bool is_causal, float scale) "
                                 "-> (Tensor, Tensor)";
  static constexpr auto doc = "Attention of one batch shape with the logarithms of the rows' sums of exponentials, constants to autograd.";
  using kind = Fused;
  static constexpr uint8_t constant_outputs = 0b10;
  static constexpr auto grad_name = "ScaledDotProductFlashAttentionForCpuBackward0";
  static void examine(const Args& args) {
    check_attention(args[0].as_tensor(), args[1].as_tensor(), args[2].as_tensor(), args[3] ? args[3].as_tensor() : Tensor());
  }
  static Outputs<2> kernel(Tensor query, Tensor key, Tensor value, Tensor attn_mask, bool causal, double scale) {
    const Tensor q = with_packed_rows(query), k = with_packed_rows(key), v = with_packed_rows(value), mask = spread_mask(attn_mask, q, k);
    const Sizes s(q, k, v);
    Dims shape = q.shape(), sums = q.shape();
    shape[shape.size() - 1] = s.values;
    sums.resize(sums.size() - 1);
    // Rows of the heads of one place lie side by side if the query's do: what comes next mostly joins the heads.
    const bool beside = q.dim() >= 3 && q.is_contiguous() == false && transpose(q, -3, -2).is_contiguous();
    Tensor y, logsumexp = empty(sums, q.dtype());
    if (beside) {
      std::swap(shape[shape.size() - 3], shape[shape.size() - 2]);
      y = transpose(empty(shape, q.dtype()), -3, -2);
    } else y = empty(shape, q.dtype());
    if (y.numel() == 0) return {y, logsumexp.numel() ? full(sums, Scalar(-INFINITY), q.dtype()) : logsumexp};
    by_real(q.dtype(), [&]<class T>(T) {
      const auto weigh_block = Clones<&weigh<T>>::pick();
      const auto scale_block = Clones<&scale_rows<T>>::pick();
      const int64_t blocks = (s.rows + s.block - 1) / s.block;
      const int64_t work = s.block * s.columns * (s.features + s.values + 8);
      T* sum = logsumexp.data<T>();
      parallel_for(s.batches * blocks, row_grain(work, elementwise_grain * 8), [&](int64_t begin, int64_t end) {
        std::vector<T> scratch(static_cast<size_t>(s.block * (s.columns + s.values + 1)));
        T *scores = scratch.data(), *values = scores + s.block * s.columns, *factors = values + s.block * s.values;
        for (int64_t task = begin; task < end; ++task) {
          const int64_t b = task / blocks, first = task % blocks * s.block;
          const Block<T> block = block_of(s, scores, first, causal, mask, b);
          multiply<T>(Rows<T>(q, b).block(first, block.rows, s.features), Rows<T>(k, b).transposed(block.columns, s.features),
                      packed(scores, block.rows, block.columns), scale);
          weigh_block(block, factors, sum + b * s.rows + first);
          multiply<T>(packed(scores, block.rows, block.columns), Rows<T>(v, b).block(0, block.columns, s.values),
                      packed(values, block.rows, s.values));
          const Rows<T> out(y, b);
          scale_block(values, factors, out.data + first * out.stride, block.rows, s.values, out.stride);
        }
      });
    });
    return {y, logsumexp};
  }
  static Outputs<2> decompose(Tensor query, Tensor key, Tensor value, Tensor attn_mask, bool causal, double scale) {
    const ByOps by(query, key, attn_mask, causal, scale);
    return {matmul(by.weights, value), call_op<Logsumexp>(by.scores, Dims{-1}, false)};
  }
  static Outputs<4> vjp_all(Tensor g, In<0> q, In<1> k, In<2> v, In<3> mask, OutAt<0> y, OutAt<1> logsumexp, Arg<4, bool> causal,
                            Arg<5, double> scale) {
    const Outputs<3> r = call_outputs<3, FusedAttentionBackward>(g, q, k, v, mask, y, logsumexp, causal.value, scale.value);
    return {r[0], r[1], r[2], Tensor()};
  }
};

struct FusedAttentionBackward {
  static constexpr auto schema = "_fused_attention_backward(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor? attn_mask, "
                                 "Tensor output, Tensor logsumexp, bool is_causal, float scale) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "Gradients of _fused_attention in query, key and value.";
  using kind = Fused;
  static Outputs<3> kernel(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor attn_mask, Tensor output, Tensor logsumexp, bool causal,
                           double scale) {
    check_attention(query, key, value, attn_mask);
    Dims values = query.shape(), row_sums = query.shape();
    values[values.size() - 1] = value.size(-1);
    row_sums.resize(row_sums.size() - 1);
    const DType dtype = query.dtype();
    check<ShapeError>(grad.shape() == values && output.shape() == values && logsumexp.shape() == row_sums && grad.dtype() == dtype &&
                      output.dtype() == dtype && logsumexp.dtype() == dtype,
                      "_fused_attention_backward: the gradient has shape ", grad.shape(), ", the output ", output.shape(), ", the logarithms ",
                      logsumexp.shape());
    const Tensor q = with_packed_rows(query), k = with_packed_rows(key), v = with_packed_rows(value), mask = spread_mask(attn_mask, q, k);
    const Tensor g = with_packed_rows(grad), y = with_packed_rows(output), sums = contiguous(logsumexp);
    const Sizes s(q, k, v);
    Tensor gq = empty(q.shape(), q.dtype()), gk = zeros(k.shape(), k.dtype()), gv = zeros(v.shape(), v.dtype());
    if (g.numel() == 0 || s.columns == 0) return {zeros(q.shape(), q.dtype()), gk, gv};
    by_real(q.dtype(), [&]<class T>(T) {
      const auto weigh_block = Clones<&weigh_again<T>>::pick();
      const auto grade_block = Clones<&grade_scores<T>>::pick();
      const T* sum = sums.data<T>();
      parallel_for(s.batches, row_grain(s.rows * s.columns * (s.features + s.values + 8), elementwise_grain * 8), [&](int64_t begin, int64_t end) {
        std::vector<T> scratch(static_cast<size_t>(2 * s.block * s.columns));
        T *weights = scratch.data(), *slopes = weights + s.block * s.columns;
        for (int64_t b = begin; b < end; ++b) {
          const Rows<T> queries(q, b), keys(k, b), values(v, b), out(y, b), each(g, b), to_q(gq, b), to_k(gk, b), to_v(gv, b);
          for (int64_t first = 0; first < s.rows; first += s.block) {
            const Block<T> block = block_of(s, weights, first, causal, mask, b);
            const int64_t n = block.rows, m = block.columns;
            const Matrix query_rows = queries.block(first, n, s.features), grad_rows = each.block(first, n, s.values);
            multiply<T>(query_rows, keys.transposed(m, s.features), packed(weights, n, m), scale);
            weigh_block(block, sum + b * s.rows + first);
            multiply<T>(packed_transposed(weights, n, m), grad_rows, to_v.block(0, m, s.values), 1, 1);
            multiply<T>(grad_rows, values.transposed(m, s.values), packed(slopes, n, m));
            grade_block(block, slopes, each.data + first * each.stride, out.data + first * out.stride, s.values, each.stride, out.stride,
                        static_cast<T>(scale));
            multiply<T>(packed(slopes, n, m), keys.block(0, m, s.features), to_q.block(first, n, s.features));
            multiply<T>(packed_transposed(slopes, n, m), query_rows, to_k.block(0, m, s.features), 1, 1);
          }
        }
      });
    });
    return {gq, gk, gv};
  }
  static Outputs<3> decompose(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor attn_mask, Tensor, Tensor, bool causal, double scale) {
    const ByOps by(query, key, attn_mask, causal, scale);
    const Tensor slopes = matmul(grad, transpose(value, -2, -1));
    const Tensor graded = by.weights * (slopes - sum(slopes * by.weights, Dims{-1}, true)) * scale;
    return {matmul(graded, key), matmul(transpose(graded, -2, -1), query), matmul(transpose(by.weights, -2, -1), grad)};
  }
};

FB_GROUP(attention_fused, FusedAttention, FusedAttentionBackward)

}  // namespace fb
