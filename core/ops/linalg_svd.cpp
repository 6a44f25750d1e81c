#include "op/build.h"
#include "ops/linalg.h"

// Singular values and what rests on them.
namespace fb {

struct Svd; struct Maximum; struct LinalgPinv; struct Pinverse; struct LinalgMatrixRank;

// Singular vectors are known up to a phase: a loss that feels it has no gradient.
static void check_svd_phase(const Tensor& uhgu, const Tensor& vhgv) {
  if (!is_complex(uhgu.dtype()) || uhgu.numel() == 0) return;
  GradOff off;
  const Tensor worst = amax(abs(imaginary_part(diagonal_of(uhgu + vhgv))));
  check(!(to_dtype(worst, DType::f64).data<double>()[0] > 1e-2),
        "svd: the gradient depends on the phases of complex singular vectors, which are arbitrary; use a "
        "loss that does not change when a pair of them is multiplied by e^{i phi}");
}

// The gradient of A = U diag(s) Vᴴ (Giles 2008; Wan & Zhang, arXiv:1909.02659, for the phases of complex
// vectors), with E[i, j] = s[j]² - s[i]²: U [ (skew(UᴴgU)/E) S + S (skew(VᴴgV)/E) + diag(gs + i Im(UᴴgU)/s) ]
// Vᴴ, and for the sides longer than k the parts of gU and gV outside the spaces of U and V.
static Tensor svd_vjp(const Tensor& gu, const Tensor& gs, const Tensor& gvh, const Tensor& u, const Tensor& s,
                      const Tensor& vh) {
  const Tensor uh = adjoint(u), v = adjoint(vh), gv = adjoint(gvh);
  const Tensor uhgu = product(uh, gu), vhgv = product(vh, gv);
  check_svd_phase(uhgu, vhgv);
  const int64_t k = s.size(-1), m = u.size(-2), n = vh.size(-1);
  const Tensor squares = unsqueeze(s * s, -2) - unsqueeze(s * s, -1) + identity(k, k, s.dtype());
  Tensor inner = times_columns(ratio(off_diagonal(skewed(uhgu)), squares), s) +
                 times_rows(s, ratio(off_diagonal(skewed(vhgv)), squares));
  Tensor middle = gs;
  if (is_complex(u.dtype())) middle = call_op<ComplexOp>(gs, ratio(imaginary_part(diagonal_of(uhgu)), s));
  inner = inner + diagonal_matrix(middle);
  Tensor left = product(u, inner);
  if (m > k) left = left + ratio(gu - product(u, uhgu), unsqueeze(s, -2));
  Tensor g = product(left, vh);
  if (n > k) g = g + product(u, ratio(adjoint(gv - product(v, vhgv)), unsqueeze(s, -1)));
  return g;
}

struct LinalgSvdFull {
  static constexpr auto schema = "_linalg_svd(Tensor A, bool full_matrices=False, bool compute_uv=True, *, "
      "str? driver=None) -> "
                                 "(Tensor U, Tensor S, Tensor Vh)";
  static constexpr auto doc = "Singular values, and vectors if wanted.";
  using kind = Opaque;
  static constexpr auto grad_name = "LinalgSvdBackward0";
  static Outputs<3> kernel(Tensor A, bool full, bool vectors, Value driver) {
    check_matrix("linalg.svd", A);
    check_floating("linalg.svd", A);
    check(!driver, "linalg.svd: driver='", driver ? driver.as_string() : std::string(), "' chooses among "
          "libraries for GPUs; leave it None");
    const bool finite = !call_op<Any>(ne(A - A, 0), Value(), false).data<bool>()[0];
    check<LinAlgError>(finite, "linalg.svd: the input contains inf or nan");
    const int64_t m = A.size(-2), n = A.size(-1), k = std::min(m, n), columns = full ? m : k, rows =
        full ? n : k;
    const Dims batch = batch_of(A);
    const DType d = A.dtype();
    const Tensor a = copied_columns(A), s = empty(with_size(batch, k), real_of(d));
    const Tensor info = zeros(batch, DType::i32);
    const Tensor u = vectors ? empty_columns(batch, m, columns, d) : empty({0}, d);
    const Tensor vh = vectors ? empty_columns(batch, rows, n, d) : empty({0}, d);
    if (!k && vectors) {                               // any orthonormal basis
      copy_(u, identity(m, columns, d));
      copy_(vh, identity(rows, n, d));
    }
    if (k) with_matrix_type(d, [&](auto zero) {
      using T = decltype(zero);
      using R = lapack::RealOf<T>;
      T *p = a.data<T>(), *left = u.data<T>(), *right = vh.data<T>();
      R* values = s.data<R>();
      int32_t* broken = info.data<int32_t>();
      const auto wanted = !vectors ? lapack::Vectors::none : full ? lapack::Vectors::all
          : lapack::Vectors::reduced;
      for_matrices(batch.product(), (vectors ? 20.0 : 3.0) * double(m) * n * k, [&](int64_t i) {
        broken[i] = lapack::svd(wanted, 'd', int(m), int(n), p + i * m * n, leading(m), values + i * k,
                                vectors ? left + i * m * columns : left, leading(m), vectors ? right + i *
                                    rows * n : right,
                                leading(rows));
      });
    });
    check_info("linalg.svd", info, [](int i) {
      return text("no convergence (code ", i, "); too many singular values coincide, or the matrix is "
                  "ill-conditioned");
    });
    return {u, s, vh};
  }
  static Tensor vjp(Tensor gu, Tensor gs, Tensor gvh, In<0>, Out u, OutAt<1> s, OutAt<2> vh,
                    Arg<2, bool> vectors) {
    check(vectors, "linalg.svd: the derivative needs the singular vectors");
    const int64_t k = s.size(-1);
    return svd_vjp(first_columns(gu, k), gs, first_rows(gvh, k), first_columns(u, k), s, first_rows(vh, k));
  }
};

struct LinalgSvd {
  static constexpr auto schema = "linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> "
      "(Tensor U, Tensor S, Tensor Vh)";
  static constexpr auto doc = R"(
    A = U diag(S) Vh with orthonormal columns in U and rows in Vh and descending S ≥ 0. full_matrices
    completes U and Vh to square matrices, whose further columns have no gradient.

    Shapes: A (*, m, n) → (*, m, k), (*, k), (*, k, n), k = min(m, n); full: (*, m, m), (*, k), (*, n, n).
    Dtypes: floating, complex; S real.   Errors: LinAlgError for inf or nan; RuntimeError for a driver: a CPU
    has one.
    Limits: vectors are known up to sign, or phase.

    >>> fb.linalg.svd(fb.tensor([[3., 0.], [0., 4.]])).S
    tensor([4., 3.])
  )";
  using kind = Composite;
  static Outputs<3> decompose(Tensor A, bool full, Value driver) {
    return call_outputs<3, LinalgSvdFull>(A, full, true, driver);
  }
};

struct LinalgSvdvals {
  static constexpr auto schema = "linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor";
  static constexpr auto doc = R"(
    Singular values, descending.

    Shapes: A (*, m, n) → (*, min(m, n)).   Dtypes: floating, complex; real.   Errors: LinAlgError for inf or
    nan.

    >>> fb.linalg.svdvals(fb.tensor([[3., 0.], [0., 4.]]))
    tensor([4., 3.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor A, Value driver) {
    return call_outputs<3, LinalgSvdFull>(A, false, mode.grad && requires_grad(A.body()), driver)[1];
  }
};

struct Svd {
  static constexpr auto schema = "svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, "
      "Tensor S, Tensor V)";
  static constexpr auto doc = R"(
    A = U diag(S) Vᴴ. Unless `some`, U and V are square; without compute_uv they are zeros. linalg.svd gives
    Vᴴ.

    Shapes: self (*, m, n) → (*, m, k), (*, k), (*, n, k), k = min(m, n).   Dtypes: floating, complex; S real.

    >>> fb.svd(fb.tensor([[3., 0.], [0., 4.]])).S
    tensor([4., 3.])
  )";
  using kind = Composite;
  static Outputs<3> decompose(Tensor a, bool some, bool compute_uv) {
    check_matrix("linalg.svd", a);
    if (compute_uv) {
      const auto f = call_outputs<3, LinalgSvd>(a, !some, Value());
      return {f[0], f[1], adjoint(f[2])};
    }
    const int64_t m = a.size(-2), n = a.size(-1);
    const Dims batch = batch_of(a);
    const Tensor s = call_op<LinalgSvdvals>(a, Value());
    return {zeros(with_matrix(batch, m, m), a.dtype()), s, zeros(with_matrix(batch, n, n), a.dtype())};
  }
};

// ---- tolerances: a number, a tensor that broadcasts to the batch, or none
static Tensor tolerance(std::string_view op, const Value& given, std::string_view name, DType real) {
  if (given.tag != Value::tensor) return full(Dims(), given ? given.as_scalar() : Scalar(0.0), real);
  check(!is_complex(given.as_tensor().dtype()), op, ": ", name, " is a tolerance and must be real, not "
        "complex");
  return given.as_tensor();
}
// The size below which singular values of a (m×n) count as zero, with a last dim of one.
static Tensor cutoff(std::string_view op, const Tensor& a, const Value& atol, const Value& rtol,
                     const Tensor& largest) {
  const DType real = real_of(a.dtype());
  const double eps = real == DType::f64 ? std::numeric_limits<double>::epsilon()
      : std::numeric_limits<float>::epsilon();
  const double usual = eps * double(std::max(a.size(-1), a.size(-2)));
  const Tensor absolute = tolerance(op, atol, "atol", real);
  Tensor relative;
  if (rtol) relative = tolerance(op, rtol, "rtol", real);
  else if (atol) relative = where(gt(absolute, 0), Scalar(0.0), full(Dims(), Scalar(usual), real));
  else relative = full(Dims(), Scalar(usual), real);
  auto column = [](const Tensor& t) { return t.dim() ? unsqueeze(t, -1) : t; };
  return call_op<Maximum>(column(absolute), column(relative) * largest);
}

Tensor pinv_vjp(const Tensor& g, const Tensor& p, const Tensor& a) {
  // d(A⁺) = -A⁺ dA A⁺ + A⁺A⁺ᴴ dAᴴ (I - AA⁺) + (I - A⁺A) dAᴴ A⁺ᴴA⁺ (Golub & Pereyra, SIAM J. Numer. Anal. 10
  // (1973))
  const Tensor ph = adjoint(p), gh = adjoint(g);
  const Tensor x = product(gh, product(p, ph)), y = product(product(ph, p), gh);
  return x - product(a, product(p, x)) + y - product(product(y, p), a) - product(ph, product(g, ph));
}

struct LinalgPinvCut {
  static constexpr auto schema = "_linalg_pinv(Tensor self, Tensor? atol, Tensor? rtol, bool hermitian) -> "
      "Tensor";
  static constexpr auto doc = "Pseudoinverses; singular values up to max(atol, rtol · the largest) count as "
      "zero.";
  using kind = Opaque;
  static constexpr auto grad_name = "LinalgPinvBackward0";
  static Tensor kernel(Tensor a, Value atol, Value rtol, bool hermitian) {
    check_matrix("linalg.pinv", a);
    check_floating("linalg.pinv", a);
    if (a.numel() == 0) return empty(with_matrix(batch_of(a), a.size(-1), a.size(-2)), a.dtype());
    if (hermitian) {
      const auto f = call_outputs<2, LinalgEighFull>(a, std::string("L"), true);
      const Tensor sizes = abs(f[0]), cut = cutoff("torch.linalg.pinv", a, atol, rtol, amax(sizes, Dims{-1},
            true));
      const Tensor inverse = to_dtype(where(gt(sizes, cut), 1.0 / f[0], Scalar(0)), a.dtype());
      return product(times_columns(f[1], inverse), adjoint(f[1]));
    }
    const auto f = call_outputs<3, LinalgSvdFull>(a, false, true, Value());
    const Tensor cut = cutoff("torch.linalg.pinv", a, atol, rtol, narrow(f[1], -1, 0, 1));
    const Tensor inverse = to_dtype(where(gt(f[1], cut), 1.0 / f[1], Scalar(0)), a.dtype());
    return product(times_columns(adjoint(f[2]), inverse), adjoint(f[0]));
  }
  static Outputs<3> vjp_all(Tensor g, In<0> a, Out p) { return {pinv_vjp(g, p, a), Tensor(), Tensor()}; }
};

struct LinalgPinv {
  static constexpr auto schema =
      "linalg_pinv(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor";
  static constexpr auto doc = R"(
    Pseudoinverses of Moore and Penrose, by singular values; those up to max(atol, rtol · the largest) count
    as zero. rtol is max(m, n) times the dtype's eps unless given, and 0 where atol > 0. hermitian uses
    eigenvalues.

    Shapes: self (*, m, n), atol and rtol numbers or (*) → (*, n, m).   Dtypes: floating, complex.

    >>> fb.linalg.pinv(fb.tensor([[2., 0.], [0., 0.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Value atol, Value rtol, bool hermitian) {
    return call_op<LinalgPinvCut>(a, atol, rtol, hermitian);
  }
};

struct LinalgPinvRcond {
  static constexpr auto schema = "linalg_pinv.rcond(Tensor self, Tensor rcond, bool hermitian=False) -> "
      "Tensor";
  static constexpr auto doc = "Pseudoinverses; rcond is an old name of rtol.";
  using kind = Composite;
  static Tensor decompose(Tensor a, Value rcond, bool hermitian) {
    return call_op<LinalgPinvCut>(a, 0.0, rcond, hermitian);
  }
};

struct Pinverse {
  static constexpr auto schema = "pinverse(Tensor self, float rcond=1e-15) -> Tensor";
  static constexpr auto doc = R"(
    Pseudoinverses; singular values up to rcond times the largest count as zero. linalg.pinv has a default for
    the dtype.

    >>> fb.pinverse(fb.tensor([[4.]]))
    tensor([[0.2500]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, double rcond) { return call_op<LinalgPinvCut>(a, 0.0, rcond, false); }
};

static Tensor matrix_rank(const Tensor& a, const Value& atol, const Value& rtol, bool hermitian) {
  check_matrix("linalg.matrix_rank", a);
  check_floating("linalg.matrix_rank", a);
  GradOff off;
  if (a.numel() == 0) return zeros(batch_of(a), DType::i64);
  const Tensor s = hermitian ? abs(call_op<LinalgEigvalsh>(a, std::string("L"))) : call_op<LinalgSvdvals>(a,
        Value());
  const Tensor cut = cutoff("torch.linalg.matrix_rank", a, atol, rtol, amax(s, Dims{-1}, true));
  return sum(to_dtype(gt(s, cut), DType::i64), Dims{-1});
}

struct LinalgMatrixRank {
  static constexpr auto schema =
      "linalg_matrix_rank(Tensor A, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> Tensor";
  static constexpr auto doc = R"(
    How many singular values are above max(atol, rtol · the largest); the defaults are those of linalg.pinv.

    Shapes: A (*, m, n), atol and rtol numbers or (*) → (*).   Dtypes: floating, complex; int64.

    >>> fb.linalg.matrix_rank(fb.ones(3, 3))
    tensor(1)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Value atol, Value rtol, bool hermitian) {
    return matrix_rank(a, atol, rtol, hermitian);
  }
};

struct LinalgMatrixRankTol {
  static constexpr auto schema = "linalg_matrix_rank.tol(Tensor A, Tensor tol, bool hermitian=False) -> "
      "Tensor";
  static constexpr auto doc = "How many singular values are above tol.";
  using kind = Composite;
  static Tensor decompose(Tensor a, Value tol, bool hermitian) { return matrix_rank(a, tol, 0.0, hermitian); }
};

FB_GROUP(linalg_svd, LinalgSvdFull, LinalgSvd, LinalgSvdvals, Svd, LinalgPinvCut, LinalgPinv, LinalgPinvRcond,
         Pinverse,
         LinalgMatrixRank, LinalgMatrixRankTol)

}  // namespace fb
