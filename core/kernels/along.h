#pragma once
#include <algorithm>

#include "base/parallel.h"
#include "ops.h"

namespace fb {

// A contiguous tensor seen from one of its dims: `outer` blocks of `n` rows of `inner` elements. A line is
// the n elements, `inner` apart, that differ in this dim only.
struct Along {
  int64_t outer = 1, n = 1, inner = 1;
  int dim;
  Along(const Dims& shape, int64_t d) : dim(wrap_dim(d, shape.size())) {
    if (shape.empty()) return;
    n = shape[dim];
    for (int i = 0; i < shape.size(); ++i) (i < dim ? outer : inner) *= i == dim ? 1 : shape[i];
  }
  int64_t lines() const { return outer * inner; }
  int64_t start(int64_t line) const { return line / inner * n * inner + line % inner; }
};

// `shape` with another size at `dim`; a 0-d shape stays.
inline Dims resized_at(const Dims& shape, int dim, int64_t n) {
  Dims r = shape;
  if (!r.empty()) r[dim] = n;
  return r;
}
inline Dims reduced_at(const Dims& shape, int dim, bool keepdim) {
  return keepdim || shape.empty() ? resized_at(shape, dim, 1) : shape.erased(dim);
}
// A tensor that lost `dim` gets it back with size one.
inline Tensor restored_at(const Tensor& t, const Dims& shape, int64_t dim, bool keepdim) {
  return keepdim || shape.empty() ? t : unsqueeze(t, wrap_dim(dim, shape.size()));
}

// Calls f with a value of the real type that kernels compute elements of `dtype` in.
template <class F> void for_real_type(DType dtype, F&& f) {
  switch (compute_of(dtype)) {
    case Compute::f32: return f(float());
    case Compute::f64: return f(double());
    default: return f(int64_t());
  }
}
template <class F> void for_any_type(DType dtype, F&& f) {
  switch (compute_of(dtype)) {
    case Compute::c64: return f(math::Complex<float>());
    case Compute::c128: return f(math::Complex<double>());
    default: return for_real_type(dtype, f);
  }
}
// x packed, in the type that kernels compute its elements in.
inline Tensor computable(const Tensor& x) {
  return contiguous(to_dtype(x, storage_of(compute_of(x.dtype()))));
}

// Runs body(line) for every line, several to a thread.
template <class F> void for_lines(const Along& a, const F& body) {
  const int64_t grain = std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(a.n, 1));
  parallel_for(a.lines(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) body(line);
  });
}

// Elements of self along dim at `index` (sizes equal but there), and the transpose of that.
struct TakeAlong; struct PutAlong;
inline Tensor take_along(const Tensor& x, const Tensor& index, int64_t dim) {
  return call_op<TakeAlong>(x, index, dim);
}
inline Tensor put_along(const Tensor& x, const Tensor& index, int64_t dim, int64_t length) {
  return call_op<PutAlong>(x, index, dim, length);
}
// The gradient of a result that picked element `index` of each line of a tensor of `shape`.
inline Tensor picked_vjp(const Tensor& g, const Tensor& index, const Dims& shape, int64_t dim, bool keepdim) {
  const int64_t n = shape.empty() ? 1 : shape[wrap_dim(dim, shape.size())];
  return put_along(restored_at(g, shape, dim, keepdim), restored_at(index, shape, dim, keepdim), dim, n);
}
// The gradient of an extreme value goes to the elements that reach it, in equal shares.
Tensor shared_vjp(const Tensor& g, const Tensor& x, const Tensor& y, const Value& dim, bool keepdim);

inline void check_real(std::string_view op, DType d) {
  check<UnsupportedError>(!is_complex(d), "\"", op, "\" not implemented for '", row(d).legacy, "'");
}
inline void check_line(std::string_view op, const Tensor& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim());
  check<IndexError>(x.dim() == 0 || x.shape()[d] != 0, op, ": dim ", d, " has size 0, along which there is "
                    "nothing to choose from");
}

}  // namespace fb
