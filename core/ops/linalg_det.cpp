#include "op/build.h"
#include "ops/linalg.h"

// Determinants.
namespace fb {

struct LinalgSlogdet; struct LinalgDet;

// The sign that the swaps of rows bring to a determinant, 1 or -1, for each matrix.
static Tensor parity(const Tensor& pivots, DType d) {
  const Tensor p = contiguous(pivots);
  const int64_t n = p.size(-1);
  Dims batch = p.shape();
  batch.resize(p.dim() - 1);
  const Tensor sign = ones(batch, real_of(d));
  with_matrix_type(real_of(d), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < sign.numel(); ++i) {
      bool odd = false;
      for (int64_t k = 0; k < n; ++k) odd ^= p.data<int32_t>()[i * n + k] != k + 1;
      if (odd) sign.data<T>()[i] = T(-1);
    }
  });
  return sign;
}

static bool any_zero(const Tensor& t) { return call_op<Any>(eq(t, 0), Value(), false).data<bool>()[0]; }

// The gradient of det A by A over g: the cofactors, conjugated. A singular matrix goes through its singular
// values: det A = det U · det Vᴴ · Π s, so that the cofactors are U diag(Π of the other s) Vᴴ.
static Tensor cofactors(const Tensor& a, const Tensor& det, const Tensor& lu) {
  if (a.numel() == 0) return zeros_like(a);
  if (!any_zero(diagonal_of(lu))) return unsqueeze(unsqueeze(conj(det), -1), -1) *
      adjoint(call_outputs<2, LinalgInvEx>(a, false)[0]);
  const auto f = call_outputs<3, LinalgSvd>(a, false, Value());
  const int64_t n = a.size(-1);
  const Tensor mask = to_dtype(expand(identity(n, n, f[1].dtype()), with_matrix(batch_of(a), n, n)),
                               DType::boolean);
  const Tensor others = call_op<Prod>(where(mask, Scalar(1), unsqueeze(f[1], -2)), int64_t(-1), false,
                                      Value());
  const Tensor phase = conj(call_op<LinalgDet>(f[0]) * call_op<LinalgDet>(f[2]));
  return unsqueeze(unsqueeze(phase, -1), -1) * product(times_columns(f[0], others), f[2]);
}

struct LinalgDetWithFactors {
  static constexpr auto schema = "_linalg_det(Tensor A) -> (Tensor result, Tensor LU, Tensor pivots)";
  static constexpr auto doc = "Determinants, and the LU factors that gave them.";
  using kind = Opaque;
  static Outputs<3> kernel(Tensor A) {
    check_square("linalg.det", A);
    check_floating("linalg.det", A);
    const auto f = call_outputs<3, LinalgLuFactorEx>(A, true, false);
    const Tensor diagonal = call_op<Prod>(diagonal_of(f[0]), int64_t(-1), false, Value());
    return {diagonal * parity(f[1], A.dtype()), f[0], f[1]};
  }
  static Tensor vjp(Tensor g, In<0> a, Out det, OutAt<1> lu) {
    return unsqueeze(unsqueeze(g, -1), -1) * cofactors(a, det, lu);
  }
};

struct LinalgDet {
  static constexpr auto schema = "linalg_det(Tensor A) -> Tensor";
  static constexpr auto doc = R"(
    Determinants of square matrices, by LU factors.

    Shapes: A (*, n, n) → (*).   Dtypes: floating, complex.

    >>> fb.linalg.det(fb.tensor([[2., 1.], [1., 2.]]))
    tensor(3.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor A) { return call_outputs<3, LinalgDetWithFactors>(A)[0]; }
};

struct Det {
  static constexpr auto schema = "det(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Determinants of square matrices: linalg.det.

    >>> fb.det(fb.tensor([[2.]]))
    tensor(2.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a) { return call_op<LinalgDet>(a); }
};

struct LinalgSlogdetWithFactors {
  static constexpr auto schema = "_linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet, Tensor LU, "
      "Tensor pivots)";
  static constexpr auto doc = "Signs and logarithms of determinants, and the LU factors that gave them.";
  using kind = Opaque;
  static Outputs<4> kernel(Tensor A) {
    check_square("linalg.slogdet", A);
    check_floating("linalg.slogdet", A);
    const auto f = call_outputs<3, LinalgLuFactorEx>(A, true, false);
    const Tensor d = diagonal_of(f[0]);
    const Tensor sign = call_op<Prod>(call_op<Sgn>(d), int64_t(-1), false, Value()) * parity(f[1], A.dtype());
    return {sign, sum(log(abs(d)), Dims{-1}), f[0], f[1]};
  }
  // d log|det| = Re tr(A⁻¹ dA); the sign of a complex determinant turns by Im tr(A⁻¹ dA).
  static Tensor vjp(Tensor g_sign, Tensor g_log, In<0> a, Out sign) {
    if (a.numel() == 0) return zeros_like(a);
    Tensor g = g_log;
    if (is_complex(a.dtype())) {
      const Tensor turn = imaginary_part(conj(sign) * g_sign);
      g = call_op<ComplexOp>(g_log, turn);
    }
    const Tensor gd = diagonal_matrix(expand(unsqueeze(g, -1), with_size(batch_of(a), a.size(-1))));
    return call_outputs<4, LinalgSolveWithFactors>(adjoint(a), gd, true, false)[0];
  }
};

struct LinalgSlogdet {
  static constexpr auto schema = "linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)";
  static constexpr auto doc = R"(
    Determinants of square matrices as sign, or phase, and logarithm of the absolute value.

    Shapes: A (*, n, n) → (*), (*).   Dtypes: floating, complex; logabsdet real.
    Limits: a singular matrix gives 0 and -inf.

    >>> fb.linalg.slogdet(fb.tensor([[1., 0.], [0., -1.]]))
    torch.return_types.linalg_slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(0.))
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor A) {
    auto r = call_outputs<4, LinalgSlogdetWithFactors>(A);
    return {r[0], r[1]};
  }
};

struct Slogdet {
  static constexpr auto schema = "slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)";
  static constexpr auto doc = R"(
    Determinants as sign and logarithm of the absolute value: linalg.slogdet.

    >>> fb.slogdet(fb.tensor([[-1.]])).sign
    tensor(-1.)
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor a) { return call_outputs<2, LinalgSlogdet>(a); }
};

struct Logdet {
  static constexpr auto schema = "logdet(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Logarithms of determinants; nan for negative ones, -inf for zero.

    Shapes: self (*, n, n) → (*).   Dtypes: floating, complex.

    >>> fb.logdet(fb.eye(2))
    tensor(0.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a) {
    check_square("logdet", a);
    check_floating("logdet", a);
    const auto r = call_outputs<2, LinalgSlogdet>(a);
    if (is_complex(a.dtype())) return r[1] + log(r[0]);
    return where(eq(r[0], -1), Scalar(std::numeric_limits<double>::quiet_NaN()), r[1]);
  }
};

FB_GROUP(linalg_det, LinalgDetWithFactors, LinalgDet, Det, LinalgSlogdetWithFactors, LinalgSlogdet, Slogdet,
         Logdet)

}  // namespace fb
