#pragma once
#include "base/parallel.h"
#include "autograd/node.h"
#include "kernels/lapack.h"
#include "op/call.h"
#include "ops/products.h"

// What the ops on matrices share: checks of arguments, matrices in LAPACK's order, batches.
namespace fb {

struct Tril; struct Triu; struct Diagonal; struct DiagEmbed; struct Eye; struct Sgn; struct Imag; struct Prod;
struct LinalgVectorNorm; struct Any;
struct LinalgCholeskyEx; struct LinalgLuFactorEx; struct LinalgLu; struct LuUnpack; struct PivotsToOrder;
struct LinalgSolveTriangular; struct LinalgSolveWithFactors; struct LinalgSolve; struct LinalgInvEx;
    struct LinalgInv;
struct LinalgLuSolve; struct LinalgDetWithFactors; struct LinalgQr; struct LinalgEighFull; struct LinalgEigh;
struct LinalgEig; struct LinalgEigvals; struct LinalgEigvalsOnly; struct LinalgSvdFull; struct LinalgSvd;
    struct LinalgSvdvals; struct LinalgPinvCut;
struct LinalgMatrixExp; struct LinalgHouseholderProduct; struct LinalgMatrixNorm;
    struct LinalgMatrixNormNamed;
struct LinalgNormOp; struct LinalgCholesky; struct LinalgEigvalsh; struct LinalgLuFactor;
    struct LinalgLdlFactorEx;
struct ComplexOp;

// ---- checks, in the order in which PyTorch makes them
inline void check_matrix(std::string_view op, const Tensor& a, std::string_view name = "A") {
  check<ShapeError>(a.dim() >= 2, op, ": ", name, " must be a matrix, or have more dims than 2; its shape is ",
                    a.shape().list());
}
inline void check_square(std::string_view op, const Tensor& a, std::string_view name = "A") {
  check_matrix(op, a, name);
  check<ShapeError>(a.size(-1) == a.size(-2), op, ": ", name, " must be square, its matrices are ",
                    a.size(-2), " x ", a.size(-1));
}
inline void check_floating(std::string_view op, const Tensor& a, bool halves = false) {
  const DType d = a.dtype();
  check(is_differentiable(d), op, ": the input must be of floating or complex numbers, it is ",
        row(d).legacy);
  check(halves || (d != DType::f16 && d != DType::bf16), op, ": ", row(d).legacy, " is too coarse for this; "
        "convert the input with .float()");
}
inline void check_same_dtype(std::string_view op, const Tensor& a, const Tensor& b) {
  check<DTypeError>(a.dtype() == b.dtype(), op, ": the inputs are ", row(a.dtype()).legacy, " and ",
                    row(b.dtype()).legacy, "; convert one to the dtype of the other");
}

// Is B a batch of vectors for A? One vector, or a batch of exactly A's shape without its last dim.
inline bool holds_vectors(const Tensor& a, const Tensor& b) {
  if (b.dim() == 1) return true;
  if (a.dim() - 1 != b.dim()) return false;
  for (int d = 0; d < b.dim(); ++d) if (a.shape()[d] != b.shape()[d]) return false;
  return true;
}

// ---- shapes
inline Dims batch_of(const Tensor& a) {
  Dims d = a.shape();
  d.resize(a.dim() - 2);
  return d;
}
inline Dims with_matrix(Dims batch, int64_t rows, int64_t cols) {
  batch.push(rows);
  batch.push(cols);
  return batch;
}
inline Dims with_size(Dims batch, int64_t n) {
  batch.push(n);
  return batch;
}

// ---- memory: a result is made transposed, so that its matrices lie in column-major order
// An uninitialised tensor of matrices in column-major order.
inline Tensor empty_columns(const Dims& batch, int64_t rows, int64_t cols, DType d) {
  return transpose(empty(with_matrix(batch, cols, rows), d), -2, -1);
}
// A copy of `a`, its batch expanded, in column-major order.
inline Tensor copied_columns(const Tensor& a, const Dims& batch) {
  Tensor r = empty_columns(batch, a.size(-2), a.size(-1), a.dtype());
  copy_(r, a);
  return r;
}
inline Tensor copied_columns(const Tensor& a) { return copied_columns(a, batch_of(a)); }
// `a` itself if its matrices are in column-major order, one after the other, else a copy.
inline Tensor as_columns(const Tensor& a, const Dims& batch) {
  if (batch_of(a) == batch && transpose(a, -2, -1).is_contiguous()) return a;
  return copied_columns(a, batch);
}
inline int leading(int64_t rows) { return static_cast<int>(std::max<int64_t>(rows, 1)); }

// Calls f(T()) for the type of the elements.
template <class F> void with_matrix_type(DType d, const F& f) {
  switch (d) {
    case DType::f32: return f(float());
    case DType::f64: return f(double());
    case DType::c64: return f(lapack::C64());
    default: return f(lapack::C128());
  }
}
// Runs body(i) for each matrix of a batch; `work` is about the operations one takes.
template <class F> void for_matrices(int64_t count, double work, const F& body) {
  Unlocked unlocked(work * double(count) > 1e5);
  const int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(5e5 / std::max(work, 1.0)));
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

// The common batch of a matrix and right sides, whose sizes meet: A X = B, or X A = B.
inline Dims solvable(std::string_view op, const Tensor& a, const Tensor& b, bool left) {
  check_same_dtype(op, a, b);
  check_square(op, a);
  check_matrix(op, b, "B");
  check<ShapeError>(a.size(-2) == b.size(left ? -2 : -1), op,
                    ": no solution of ", left ? "AX = B" : "XA = B", " has fitting shapes when A is ",
                    a.size(-2), "x", a.size(-1), " and B is ", b.size(-2), "x", b.size(-1));
  check_floating(op, a);
  return broadcast_shapes(op, batch_of(a), batch_of(b));
}
// x := op(P L U)⁻¹ x, all in column-major order.
void solve_with_lu(const Tensor& lu, const Tensor& pivots, const Tensor& x, const Dims& batch,
                   lapack::Apply op);

// ---- small words
inline Tensor product(const Tensor& a, const Tensor& b) { return matmul(a, b); }
inline Tensor tril(const Tensor& a, int64_t k = 0) { return call_op<Tril>(a, k); }
inline Tensor triu(const Tensor& a, int64_t k = 0) { return call_op<Triu>(a, k); }
inline Tensor diagonal_of(const Tensor& a) { return call_op<Diagonal>(a, 0, -2, -1); }
inline Tensor diagonal_matrix(const Tensor& d) { return call_op<DiagEmbed>(d, 0, -2, -1); }
inline Tensor identity(int64_t rows, int64_t cols, DType d) { return call_op<Eye>(rows, cols, d); }
inline Tensor eye_like(const Tensor& a) { return identity(a.size(-2), a.size(-1), a.dtype()); }
// a diag(d)
inline Tensor times_columns(const Tensor& a, const Tensor& d) { return a * unsqueeze(d, -2); }
// diag(d) a
inline Tensor times_rows(const Tensor& d, const Tensor& a) { return unsqueeze(d, -1) * a; }
inline Tensor imaginary_part(const Tensor& a) { return call_op<Imag>(a); }
inline Tensor off_diagonal(const Tensor& a) { return tril(a, -1) + triu(a, 1); }
// a - a.H
inline Tensor skewed(const Tensor& a) { return a - adjoint(a); }
// x / e where a zero over a zero counts as zero: no gradient came along that direction.
inline Tensor ratio(const Tensor& x, const Tensor& e) {
  const Tensor idle = eq(x, 0);
  return where(idle, Scalar(0), x / where(idle, Scalar(1), e));
}
inline Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left = true, bool unit =
                               false) {
  return call_op<LinalgSolveTriangular>(a, b, upper, left, unit);
}
inline Tensor first_columns(const Tensor& a, int64_t n) { return a.size(-1) == n ? a : narrow(a, -1, 0, n); }
inline Tensor first_rows(const Tensor& a, int64_t n) { return a.size(-2) == n ? a : narrow(a, -2, 0, n); }

// The gradient of a from that of its pseudoinverse p.
Tensor pinv_vjp(const Tensor& g, const Tensor& p, const Tensor& a);

// Raises LinAlgError for the first matrix whose info is not zero: what(info) says what went wrong.
template <class F> void check_info(std::string_view op, const Tensor& info, const F& what) {
  const Tensor all = contiguous(info);
  const int32_t* p = all.data<int32_t>();
  for (int64_t i = 0; i < all.numel(); ++i)
    if (p[i] != 0) throw LinAlgError(text(op, ": ", info.dim() ? text("(Batch element ", i, "): ")
                                          : std::string(), what(p[i])));
}
inline auto is_singular(std::string_view what) {
  return [what](int info) {
    return text("the matrix is singular, which rules out ", what, "; pivot ", info, " is 0");
  };
}

}  // namespace fb
