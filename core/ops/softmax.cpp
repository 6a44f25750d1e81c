#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/rows.h"
#include "math/exponential.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct SoftmaxBackward; struct LogSoftmaxBackward; struct Softmax; struct LogSoftmax;

static constexpr int64_t columns = 64;                 // inner elements handled together, so that they vectorise

// A row of n: o = softmax(a) or, if `logs`, log(softmax(a)).
template <class T, bool logs> inline void softmax_row(const T* a, T* o, int64_t n) {
  const T top = fold_lanes(n, -std::numeric_limits<T>::infinity(), [=](int64_t i) { return a[i]; },
                           [](T p, T q) { return p > q ? p : q; });
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) o[i] = math::exp(a[i] - top);
  const T total = sum_lanes<T>(n, [=](int64_t i) { return o[i]; });
  const T shift = math::log(total), scale = T(1) / total;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) o[i] = logs ? a[i] - top - shift : o[i] * scale;
}
template <class T, bool logs> inline void softmax_rows(const T* x, T* y, int64_t n, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) softmax_row<T, logs>(x + r * n, y + r * n, n);
}
// Matrices of `rows` rows, of which row i counts up to its element i.
template <class T> inline void causal_rows(const T* x, T* y, int64_t rows, int64_t n, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t seen = std::min(n, r % rows + 1);
    softmax_row<T, false>(x + r * n, y + r * n, seen);
    std::fill_n(y + r * n + seen, n - seen, T(0));
  }
}

// The same along a dim with `inner` elements between neighbours: `columns` of them at a time.
template <class T, bool logs>
inline void softmax_columns(const T* x, T* y, int64_t n, int64_t inner, int64_t begin, int64_t end) {
  const int64_t blocks = (inner + columns - 1) / columns;
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = b % blocks * columns, w = std::min(columns, inner - first);
    const T* a = x + b / blocks * n * inner + first;
    T* o = y + b / blocks * n * inner + first;
    T top[columns], total[columns];
    for (int64_t j = 0; j < w; ++j) top[j] = -std::numeric_limits<T>::infinity(), total[j] = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < w; ++j) top[j] = a[i * inner + j] > top[j] ? a[i * inner + j] : top[j];
    for (int64_t i = 0; i < n; ++i)
#pragma GCC ivdep
      for (int64_t j = 0; j < w; ++j) total[j] += o[i * inner + j] = math::exp(a[i * inner + j] - top[j]);
    for (int64_t j = 0; j < w; ++j) total[j] = logs ? math::log(total[j]) : T(1) / total[j];
    for (int64_t i = 0; i < n; ++i)
#pragma GCC ivdep
      for (int64_t j = 0; j < w; ++j)
        o[i * inner + j] = logs ? a[i * inner + j] - top[j] - total[j] : o[i * inner + j] * total[j];
  }
}

template <class T, bool logs>
inline void backward_rows(const T* g, const T* y, T* gx, int64_t n, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T *a = g + r * n, *p = y + r * n;
    T* o = gx + r * n;
    const T s = sum_lanes<T>(n, [=](int64_t i) { return logs ? a[i] : a[i] * p[i]; });
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = logs ? a[i] - math::exp(p[i]) * s : p[i] * (a[i] - s);
  }
}

template <class T, bool logs>
inline void backward_columns(const T* g, const T* y, T* gx, int64_t n, int64_t inner, int64_t begin, int64_t end) {
  const int64_t blocks = (inner + columns - 1) / columns;
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = b % blocks * columns, w = std::min(columns, inner - first);
    const int64_t at = b / blocks * n * inner + first;
    const T *a = g + at, *p = y + at;
    T* o = gx + at;
    T s[columns] = {};
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < w; ++j) s[j] += logs ? a[i * inner + j] : a[i * inner + j] * p[i * inner + j];
    for (int64_t i = 0; i < n; ++i)
#pragma GCC ivdep
      for (int64_t j = 0; j < w; ++j) {
        const int64_t k = i * inner + j;
        o[k] = logs ? a[k] - math::exp(p[k]) * s[j] : p[k] * (a[k] - s[j]);
      }
  }
}

template <bool logs> Tensor softmax_of(const Tensor& self, int64_t dim, std::optional<DType> dtype) {
  const int d = wrap_dim(dim, self.dim());
  const DType wanted = dtype.value_or(self.dtype()), type = computed_as(wanted);
  check<UnsupportedError>(is_floating(wanted), "\"", logs ? "log_softmax" : "softmax", d == self.dim() - 1 || self.dim() == 0 ? "_lastdim" : "",
                          "_kernel_impl\" not implemented for '",
                          row(wanted).legacy, "'");
  const Tensor x = contiguous(to_dtype(self, type));
  Tensor y = empty(x.shape(), type);
  const Around a(x.shape(), d);
  by_real(type, [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    if (a.inner == 1) {
      const auto rows = Clones<&softmax_rows<T, logs>>::pick();
      parallel_for(a.outer, row_grain(a.n), [=](int64_t b, int64_t e) { rows(from, to, a.n, b, e); });
    } else {
      const auto strips = Clones<&softmax_columns<T, logs>>::pick();
      const int64_t count = a.outer * ((a.inner + columns - 1) / columns);
      parallel_for(count, row_grain(a.n * columns), [=](int64_t b, int64_t e) { strips(from, to, a.n, a.inner, b, e); });
    }
  });
  return to_dtype(y, wanted);
}

template <bool logs> Tensor softmax_backward_of(const Tensor& grad, const Tensor& output, int64_t dim) {
  const int d = wrap_dim(dim, output.dim());
  const DType type = computed_as(output.dtype());
  const Tensor g = contiguous(to_dtype(grad, type)), y = contiguous(to_dtype(output, type));
  Tensor gx = empty(y.shape(), type);
  const Around a(y.shape(), d);
  by_real(type, [&]<class T>(T) {
    const T *from = g.data<T>(), *result = y.data<T>();
    T* to = gx.data<T>();
    if (a.inner == 1) {
      const auto rows = Clones<&backward_rows<T, logs>>::pick();
      parallel_for(a.outer, row_grain(a.n), [=](int64_t b, int64_t e) { rows(from, result, to, a.n, b, e); });
    } else {
      const auto strips = Clones<&backward_columns<T, logs>>::pick();
      const int64_t count = a.outer * ((a.inner + columns - 1) / columns);
      parallel_for(count, row_grain(a.n * columns),
                   [=](int64_t b, int64_t e) { strips(from, result, to, a.n, a.inner, b, e); });
    }
  });
  return to_dtype(gx, output.dtype());
}

struct Softmax {
  static constexpr auto schema = "softmax(Tensor self, int dim, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    exp(x) / sum(exp(x)) along `dim`, computed stably; positive numbers that add up to one.

    Shapes: self (*) → (*).   Dtypes: floating; others if `dtype`, to which self is first converted, is.

    >>> fb.softmax(fb.tensor([0., 0.]), 0)
    tensor([0.5000, 0.5000])
  )";
  using kind = Fused;
  static Tensor kernel(Tensor self, int64_t dim, std::optional<DType> dtype) { return softmax_of<false>(self, dim, dtype); }
  static Tensor decompose(Tensor self, int64_t dim, std::optional<DType> dtype) {
    const Tensor x = to_dtype(self, dtype.value_or(self.dtype()));
    const Tensor e = exp(x - amax(x, Dims{dim}, true));
    return e / sum(e, Dims{dim}, true);
  }
  static Tensor vjp(Tensor g, Out y, Arg<1, int64_t> dim) { return call_op<SoftmaxBackward>(g, y, dim.value, y.dtype()); }
};

struct CausalSoftmax {
  static constexpr auto schema = "_causal_softmax(Tensor self) -> Tensor";
  static constexpr auto doc = "Softmax along the last dim of matrices (…, L, S), in which row i counts up to column i; zero beyond.";
  using kind = Fused;
  static constexpr auto grad_name = "SoftmaxBackward0";
  static void examine(const Args& args) {
    check<ShapeError>(args[0].as_tensor().dim() >= 2, "_causal_softmax: expected matrices (…, L, S), but got shape ", args[0].as_tensor().shape());
    check<UnsupportedError>(is_floating(args[0].as_tensor().dtype()), "\"softmax\" not implemented for '",
                            row(args[0].as_tensor().dtype()).legacy, "'");
  }
  static Tensor kernel(Tensor self) {
    const DType type = computed_as(self.dtype());
    const Tensor x = contiguous(to_dtype(self, type));
    const Tensor y = empty(x.shape(), type);
    const int64_t rows = x.size(-2), n = x.size(-1);
    by_real(type, [&]<class T>(T) {
      const T* from = x.data<T>();
      T* to = y.data<T>();
      const auto loop = Clones<&causal_rows<T>>::pick();
      if (n) parallel_for(x.numel() / n, row_grain(n), [=](int64_t b, int64_t e) { loop(from, to, rows, n, b, e); });
    });
    return to_dtype(y, self.dtype());
  }
  static Tensor decompose(Tensor self) {
    const int64_t rows = self.size(-2), n = self.size(-1);
    Tensor seen = empty({rows, n}, DType::boolean);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < n; ++j) seen.data<bool>()[i * n + j] = j <= i;
    return call_op<Softmax>(where(seen, self, full(Dims(), Scalar(-INFINITY), self.dtype())), -1, Value());
  }
  static Tensor vjp(Tensor g, Out y) { return call_op<SoftmaxBackward>(g, y, -1, y.dtype()); }
};

struct LogSoftmax {
  static constexpr auto schema = "log_softmax(Tensor self, int dim, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    log(softmax(x)) along `dim`, computed stably.

    Shapes: self (*) → (*).   Dtypes: floating; others if `dtype`, to which self is first converted, is.

    >>> fb.log_softmax(fb.tensor([0., 0.]), 0)
    tensor([-0.6931, -0.6931])
  )";
  using kind = Fused;
  static Tensor kernel(Tensor self, int64_t dim, std::optional<DType> dtype) { return softmax_of<true>(self, dim, dtype); }
  static Tensor decompose(Tensor self, int64_t dim, std::optional<DType> dtype) {
    const Tensor x = to_dtype(self, dtype.value_or(self.dtype()));
    const Tensor below = x - amax(x, Dims{dim}, true);
    return below - log(sum(exp(below), Dims{dim}, true));
  }
  static Tensor vjp(Tensor g, Out y, Arg<1, int64_t> dim) {
    return call_op<LogSoftmaxBackward>(g, y, dim.value, y.dtype());
  }
};

struct SoftmaxBackward {
  static constexpr auto schema =
      "_softmax_backward_data(Tensor grad, Tensor output, int dim, dtype input_dtype) -> Tensor";
  static constexpr auto doc = "Gradient of softmax from its output y: y * (g - sum(g * y)).";
  using kind = Fused;
  static Tensor kernel(Tensor grad, Tensor output, int64_t dim, DType dtype) {
    return to_dtype(softmax_backward_of<false>(grad, output, dim), dtype);
  }
  static Tensor decompose(Tensor grad, Tensor output, int64_t dim, DType dtype) {
    const Tensor gy = grad * output;
    return to_dtype(gy - output * sum(gy, Dims{dim}, true), dtype);
  }
};

struct LogSoftmaxBackward {
  static constexpr auto schema =
      "_log_softmax_backward_data(Tensor grad, Tensor output, int dim, dtype input_dtype) -> Tensor";
  static constexpr auto doc = "Gradient of log_softmax from its output y: g - exp(y) * sum(g).";
  using kind = Fused;
  static Tensor kernel(Tensor grad, Tensor output, int64_t dim, DType dtype) {
    return to_dtype(softmax_backward_of<true>(grad, output, dim), dtype);
  }
  static Tensor decompose(Tensor grad, Tensor output, int64_t dim, DType dtype) {
    return to_dtype(grad - exp(output) * sum(grad, Dims{dim}, true), dtype);
  }
};

FB_GROUP(softmax, Softmax, CausalSoftmax, LogSoftmax, SoftmaxBackward, LogSoftmaxBackward)

}  // namespace fb
