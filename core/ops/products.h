#pragma once
#include "kernels/gemm.h"
#include "ops.h"

// What the matrix products share.
namespace fb {

struct Dot; struct Mv; struct MatmulBatched; struct Linear; struct Tensordot; struct LinalgCross;

inline Tensor adjoint(const Tensor& t) { return conj(transpose(t, -2, -1)); }

// A gradient times the conjugate of a number, which leaves it alone when it is one.
inline Tensor scaled_gradient(const Tensor& g, const Scalar& by) {
  if (by.equals(1)) return g;
  if (!by.is_complex()) return mul(g, Value(by));
  const auto c = by.to<math::Complex<double>>();
  return mul(g, Value(math::Complex<double>{c.re, -c.im}));
}

// A view that is no part of the graph: size 1 inserted at `dim`.
inline Tensor with_dim(const Tensor& t, int dim) {
  return alias(t, Layout(t.shape().inserted(dim, 1), t.strides().inserted(dim, 1), t.layout().offset));
}

inline void check_number_type(DType d, std::string_view kernel) {
  check<UnsupportedError>(d != DType::boolean, "\"", kernel, "\" not implemented for 'Bool'");
}

// The word PyTorch's messages use for a dtype: float, double, …
std::string_view c_name(DType d);

inline void check_matrices(const Tensor& a, const Tensor& b) {
  check<ShapeError>(a.shape()[1] == b.shape()[0], "a matrix of ", a.shape()[0], "x", a.shape()[1], " cannot "
                    "be multiplied by one of ", b.shape()[0], "x", b.shape()[1]);
}

}  // namespace fb
