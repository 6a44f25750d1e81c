#include "op/build.h"
#include "ops/linalg.h"

// Eigenvalues and eigenvectors.
namespace fb {

static auto not_converged(std::string_view) {
  return [](int info) {
    return text("no convergence (code ", info, "); too many eigenvalues coincide, or the matrix is "
                "ill-conditioned");
  };
}
static bool is_upper(std::string_view op, const std::string& uplo) {
  check(uplo.size() == 1 && std::string_view("LlUu").find(uplo[0]) != std::string_view::npos, op,
        ": UPLO must be 'L' or 'U', not '", uplo, "'");
  return uplo[0] == 'U' || uplo[0] == 'u';
}
// Differences of eigenvalues, l[j] - l[i] at (i, j), with 1 on the diagonal.
static Tensor gaps(const Tensor& l) {
  return unsqueeze(l, -2) - unsqueeze(l, -1) + identity(l.size(-1), l.size(-1), l.dtype());
}

// Eigenvectors are known up to a phase: a loss that feels it has no gradient.
static void check_phase(std::string_view op, const Tensor& vhg) {
  if (!is_complex(vhg.dtype()) || vhg.numel() == 0) return;
  GradOff off;
  const Tensor worst = amax(abs(imaginary_part(diagonal_of(vhg))));
  check(!(to_dtype(worst, DType::f64).data<double>()[0] > 1e-2), op,
        ": the gradient depends on the phases of complex eigenvectors, which are arbitrary; use a loss that "
        "does not change when an eigenvector is multiplied by e^{i phi}");
}

struct LinalgEighFull {
  static constexpr auto schema =
      "_linalg_eigh(Tensor A, str UPLO=\"L\", bool compute_v=True) -> (Tensor eigenvalues, Tensor "
          "eigenvectors)";
  static constexpr auto doc = "Eigenvalues, and eigenvectors if wanted, of Hermitian matrices.";
  using kind = Opaque;
  static constexpr auto grad_name = "LinalgEighBackward0";
  static Outputs<2> kernel(Tensor A, std::string uplo, bool vectors) {
    check_square("linalg.eigh", A);
    check_floating("linalg.eigh", A);
    const bool upper = is_upper("linalg.eigh", uplo);
    const int64_t n = A.size(-1);
    const Dims batch = batch_of(A);
    const Tensor a = copied_columns(A), values = empty(with_size(batch, n), real_of(A.dtype()));
    const Tensor info = zeros(batch, DType::i32);
    int32_t* broken = info.data<int32_t>();
    if (n) with_matrix_type(A.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* p = a.data<T>();
      auto* l = values.data<lapack::RealOf<T>>();
      for_matrices(batch.product(), (vectors ? 9.0 : 1.5) * double(n) * n * n, [&](int64_t i) {
        broken[i] = lapack::hermitian_eigen(vectors, upper, int(n), p + i * n * n, leading(n), l + i * n);
      });
    });
    check_info("linalg.eigh", info, not_converged("eigh"));
    return {values, vectors ? a : empty({0}, A.dtype())};
  }
  // V (diag(g) + (Vᴴ gV) / E) Vᴴ with E[i, j] = l[j] - l[i] (Giles, An extended collection of matrix
  // derivative results, 2008).
  static Tensor vjp(Tensor gl, Tensor gv, In<0>, Out l, OutAt<1> v, Arg<2, bool> vectors) {
    check(vectors, "linalg.eigh: the derivative needs the eigenvectors");
    const Tensor vh = adjoint(v), vhg = product(vh, gv);
    check_phase("linalg_eigh_backward", vhg);
    const Tensor inner = ratio(off_diagonal(vhg), gaps(l)) + diagonal_matrix(gl);
    return product(v, product(inner, vh));
  }
};

struct LinalgEigh {
  static constexpr auto schema = "linalg_eigh(Tensor self, str UPLO=\"L\") -> (Tensor eigenvalues, Tensor "
      "eigenvectors)";
  static constexpr auto doc = R"(
    Ascending eigenvalues and orthonormal eigenvectors of Hermitian matrices, of which one triangle is read:
    UPLO "L" or "U".

    Shapes: self (*, n, n) → (*, n), (*, n, n).   Dtypes: floating, complex; eigenvalues real.
    Errors: LinAlgError if the iteration does not end.   Limits: eigenvectors are known up to sign, or phase.

    >>> fb.linalg.eigh(fb.tensor([[2., 0.], [0., 1.]])).eigenvalues
    tensor([1., 2.])
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor a, std::string uplo) {
    return call_outputs<2, LinalgEighFull>(a, uplo, true);
  }
};

struct LinalgEigvalsh {
  static constexpr auto schema = "linalg_eigvalsh(Tensor self, str UPLO=\"L\") -> Tensor";
  static constexpr auto doc = R"(
    Ascending eigenvalues of Hermitian matrices, of which one triangle is read: UPLO "L" or "U".

    Shapes: self (*, n, n) → (*, n).   Dtypes: floating, complex; real.

    >>> fb.linalg.eigvalsh(fb.tensor([[2., 0.], [0., 1.]]))
    tensor([1., 2.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, std::string uplo) {
    return call_outputs<2, LinalgEighFull>(a, uplo, mode.grad && requires_grad(a.body()))[0];
  }
};

struct LinalgEig {
  static constexpr auto schema = "linalg_eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)";
  static constexpr auto doc = R"(
    Eigenvalues and eigenvectors of length one of square matrices.

    Shapes: self (*, n, n) → (*, n), (*, n, n).   Dtypes: floating, complex; complex.
    Errors: RuntimeError for inf or nan, LinAlgError if the iteration does not end.
    Limits: in no order; eigenvectors are known up to a phase.

    >>> fb.linalg.eig(fb.tensor([[2., 0.], [0., 1.]])).eigenvalues
    tensor([2.+0.j, 1.+0.j])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor self) { return compute("linalg.eig", self, true); }
  static Outputs<2> compute(std::string_view op, const Tensor& A, bool vectors) {
    check_square(op, A);
    check_floating(op, A);
    const Tensor finite = call_op<Any>(ne(A - A, 0), Value(), false);
    check(!finite.data<bool>()[0], op, ": the input contains inf or nan");
    const int64_t n = A.size(-1);
    const Dims batch = batch_of(A);
    const DType complex = complex_of(A.dtype());
    const Tensor a = copied_columns(A), values = empty(with_size(batch, n), complex);
    const Tensor info = zeros(batch, DType::i32);
    const Tensor v = vectors ? empty_columns(batch, n, n, complex) : empty({0}, complex);
    int32_t* broken = info.data<int32_t>();
    if (n) with_matrix_type(A.dtype(), [&](auto zero) {
      using T = decltype(zero);
      using C = math::Complex<lapack::RealOf<T>>;
      for (int64_t i = 0; i < batch.product(); ++i)
        broken[i] = lapack::eigen(int(n), a.data<T>() + i * n * n, leading(n), values.data<C>() + i * n,
                                  vectors ? v.data<C>() + i * n * n : nullptr);
    });
    check_info(op, info, not_converged("eig"));
    return {values, v};
  }
  // V⁻ᴴ (diag(g) + (Vᴴ gV - Vᴴ V diag(Re(Vᴴ gV))) / conj(E)) Vᴴ: the second term keeps columns at length one.
  static Tensor vjp(Tensor gl, Tensor gv, Out l, OutAt<1> v) {
    const Tensor vh = adjoint(v), vhg = product(vh, gv);
    check_phase("linalg_eig_backward", vhg);
    const Tensor kept = vhg - times_columns(product(vh, v), real_part(diagonal_of(vhg)));
    const Tensor inner = ratio(off_diagonal(kept), conj(gaps(l))) + diagonal_matrix(gl);
    return call_outputs<4, LinalgSolveWithFactors>(vh, product(inner, vh), true, false)[0];
  }
};

struct LinalgEigvals {
  static constexpr auto schema = "linalg_eigvals(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Eigenvalues of square matrices.

    Shapes: self (*, n, n) → (*, n).   Dtypes: floating, complex; complex.

    >>> fb.linalg.eigvals(fb.tensor([[2., 0.], [0., 1.]]))
    tensor([2.+0.j, 1.+0.j])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a) {
    return mode.grad && requires_grad(a.body()) ? call_outputs<2, LinalgEig>(a)[0]
        : call_op<LinalgEigvalsOnly>(a);
  }
};

struct LinalgEigvalsOnly {
  static constexpr auto schema = "_linalg_eigvals(Tensor self) -> Tensor";
  static constexpr auto doc = "Eigenvalues of square matrices, without the eigenvectors.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor self) { return LinalgEig::compute("linalg.eigvals", self, false)[0]; }
};

FB_GROUP(linalg_eigen, LinalgEighFull, LinalgEigh, LinalgEigvalsh, LinalgEig, LinalgEigvals,
         LinalgEigvalsOnly)

}  // namespace fb
