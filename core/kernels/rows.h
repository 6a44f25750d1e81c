#pragma once
#include <cstdint>

#include "base/parallel.h"
#include "tensor/tensor.h"

// Loops shared by kernels that handle a tensor as rows or as (outer, n, inner). They are inlined into the clones
// of their callers, so that they are compiled for each CPU level.
namespace fb {

inline constexpr int row_lanes = 32;                   // independent chains, so that additions overlap

// Folds map(0) … map(n - 1) with combine, in 32 chains merged pairwise.
template <class A, class Map, class Combine>
[[gnu::always_inline]] inline A fold_lanes(int64_t n, A start, const Map& map, const Combine& combine) {
  A s[row_lanes];
  int64_t i = 0;
  if (n >= row_lanes) {
    for (int j = 0; j < row_lanes; ++j) s[j] = start;
    for (; i + row_lanes <= n; i += row_lanes)
      for (int j = 0; j < row_lanes; ++j) s[j] = combine(s[j], map(i + j));
    for (int w = row_lanes / 2; w; w /= 2)
      for (int j = 0; j < w; ++j) s[j] = combine(s[j], s[j + w]);
  } else s[0] = start;
  A r = s[0];
  for (; i < n; ++i) r = combine(r, map(i));
  return r;
}
template <class A, class Map> [[gnu::always_inline]] inline A sum_lanes(int64_t n, const Map& map) {
  return fold_lanes(n, A(0), map, [](A a, A b) { return a + b; });
}

// The sizes around one dim of a packed tensor.
struct Around {
  int64_t outer = 1, n = 1, inner = 1;
  Around(const Dims& shape, int dim) {
    for (int i = 0; i < shape.size(); ++i) (i < dim ? outer : i == dim ? n : inner) *= shape[i];
  }
};

// How many rows of `n` elements a thread should have before another is woken.
inline int64_t row_grain(int64_t n, int64_t elements = elementwise_grain / 4) {
  return n >= elements ? 1 : elements / (n ? n : 1);
}

// The type a kernel computes a floating dtype in.
inline DType computed_as(DType d) { return d == DType::f16 || d == DType::bf16 ? DType::f32 : d; }

// Calls body(float()) or body(double()) for a dtype that kernels compute in.
template <class Body> decltype(auto) by_real(DType d, const Body& body) {
  check<UnsupportedError>(d == DType::f32 || d == DType::f64, "this operation is not implemented for '", row(d).legacy, "'");
  return d == DType::f64 ? body(double()) : body(float());
}

}  // namespace fb
