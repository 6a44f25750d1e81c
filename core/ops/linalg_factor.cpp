#include "op/build.h"
#include "ops/linalg.h"

// Triangular factorizations: Cholesky, LU, LDL.
namespace fb {

static std::string not_definite(int info) {
  return text("the matrix is not positive-definite, as its leading ", info, " x ", info, " part shows");
}

// The gradient of A from that of its factor, A = L Lᴴ (Murray, arXiv:1602.07527).
static Tensor cholesky_vjp(const Tensor& g, const Tensor& l) {
  const Tensor half = tril(product(adjoint(l), g)), both = half + adjoint(half);
  const Tensor phi = both - diagonal_matrix(real_part(diagonal_of(half)));
  const Tensor inner = solve_triangular(adjoint(l), phi, true);
  return 0.5 * solve_triangular(l, inner, false, false);
}

struct LinalgCholeskyEx {
  static constexpr auto schema =
      "linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor "
          "info)";
  static constexpr auto doc = R"(
    Cholesky factor of Hermitian positive definite matrices, A = L Lᴴ, from their lower triangles, or A = Uᴴ U
    from the upper ones; `info` is the order of the first minor that is not positive, or 0.

    Shapes: self (*, n, n) → (*, n, n), (*).   Dtypes: floating, complex; info int32.
    Errors: LinAlgError if check_errors and a matrix is not positive definite.

    >>> fb.linalg.cholesky_ex(fb.tensor([[4., 2.], [2., 5.]])).L
    tensor([[2., 0.],
            [1., 2.]])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor self, bool upper, bool check_errors) {
    check_square("linalg.cholesky", self);
    check_floating("linalg.cholesky", self);
    const int64_t n = self.size(-1);
    const Dims batch = batch_of(self);
    const Tensor a = copied_columns(upper ? triu(self) : tril(self));
    const Tensor info = zeros(batch, DType::i32);
    int32_t* broken = info.data<int32_t>();
    with_matrix_type(self.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* p = a.data<T>();
      for_matrices(batch.product(), double(n) * n * n / 3, [&](int64_t i) {
        broken[i] = n ? lapack::cholesky(upper, int(n), p + i * n * n, leading(n)) : 0;
      });
    });
    if (check_errors) check_info("linalg.cholesky", info, not_definite);
    return {a, info};
  }
  static Tensor vjp(Tensor g, Out l, Arg<1, bool> upper) {
    return upper ? cholesky_vjp(adjoint(g), adjoint(l)) : cholesky_vjp(g, l);
  }
};

struct LinalgCholesky {
  static constexpr auto schema = "linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor";
  static constexpr auto doc = R"(
    Cholesky factor of Hermitian positive definite matrices: A = L Lᴴ, or A = Uᴴ U.

    Shapes: self (*, n, n) → (*, n, n).   Dtypes: floating, complex.
    Errors: LinAlgError if a matrix is not positive definite.

    >>> fb.linalg.cholesky(fb.tensor([[4., 2.], [2., 5.]]))
    tensor([[2., 0.],
            [1., 2.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, bool upper) {
    return call_outputs<2, LinalgCholeskyEx>(a, upper, true)[0];
  }
};

struct Cholesky {
  static constexpr auto schema = "cholesky(Tensor self, bool upper=False) -> Tensor";
  static constexpr auto doc = R"(
    Cholesky factor of Hermitian positive definite matrices: linalg.cholesky.

    >>> fb.cholesky(fb.tensor([[4.]]))
    tensor([[2.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, bool upper) { return call_op<LinalgCholesky>(a, upper); }
};

// LU of A (m×n), k = min(m, n): solved for the square block, the rest follows from A₂ = L₁ U₂ or L₂ U₁.
static Tensor lu_vjp(const Tensor& gl, const Tensor& gu, const Tensor& l, const Tensor& u) {
  const int64_t m = l.size(-2), k = l.size(-1), n = u.size(-1);
  const Tensor l1 = first_rows(l, k), u1 = first_columns(u, k), l1h = adjoint(l1), u1h = adjoint(u1);
  Tensor lower = product(adjoint(l1), first_rows(gl, k)), upper = product(first_columns(gu, k), u1h);
  Tensor right, below;
  if (n > k) {
    const Tensor gu2 = narrow(gu, -1, k, n - k);
    lower = lower - product(gu2, adjoint(narrow(u, -1, k, n - k)));
    right = solve_triangular(l1h, gu2, true, true, true);
  }
  if (m > k) {
    const Tensor gl2 = narrow(gl, -2, k, m - k);
    upper = upper - product(adjoint(narrow(l, -2, k, m - k)), gl2);
    below = solve_triangular(u1h, gl2, false, false);
  }
  const Tensor inner = solve_triangular(l1h, tril(lower, -1) + triu(upper), true, true, true);
  Tensor g = solve_triangular(u1h, inner, false, false);
  if (right) g = cat({g, right}, -1);
  if (below) g = cat({g, below}, -2);
  return g;
}

// The order of rows that pivots, each a swap with a later row, bring about: row i of PᵀA is row order[i] of
// A.
struct PivotsToOrder {
  static constexpr auto schema = "_pivots_to_order(Tensor self, int rows) -> Tensor";
  static constexpr auto doc = "The order of `rows` rows that the swaps of an LU factorization bring about.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor pivots, int64_t rows) {
    check<DTypeError>(pivots.dtype() == DType::i32, "lu_unpack: LU_pivots must be int32, got ",
                      row(pivots.dtype()).legacy);
    check<ShapeError>(pivots.dim() >= 1, "lu_unpack: LU_pivots must have at least one dimension");
    const Tensor p = contiguous(pivots);
    const int64_t k = p.size(-1), count = rows && k ? p.numel() / k : 0;
    Dims batch = p.shape();
    batch.resize(p.dim() - 1);
    const Tensor r = empty(with_size(batch, rows), DType::i64);
    for (int64_t b = 0; b < batch.product() && rows; ++b) {
      int64_t* order = r.data<int64_t>() + b * rows;
      for (int64_t i = 0; i < rows; ++i) order[i] = i;
      for (int64_t i = 0; i < k && count; ++i) {
        const int64_t other = int64_t(p.data<int32_t>()[b * k + i]) - 1;
        check(other >= 0 && other < rows, "lu_unpack: LU_pivots must be between 1 and ", rows, ", got ",
              other + 1);
        std::swap(order[i], order[other]);
      }
    }
    return r;
  }
};

struct LinalgLuFactorEx {
  static constexpr auto schema =
      "linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, Tensor "
          "pivots, Tensor info)";
  static constexpr auto doc = R"(
    LU factors of matrices in one tensor, L below the diagonal, U from it up; `info` tells the first zero
    pivot, or 0.

    Shapes: A (*, m, n) → (*, m, n), (*, min(m, n)), (*).   Dtypes: floating, complex; pivots and info int32.
    Errors: LinAlgError if check_errors and a pivot is zero; RuntimeError for pivot=False, which a CPU lacks.

    >>> fb.linalg.lu_factor_ex(fb.tensor([[1., 2.], [2., 6.]])).pivots
    tensor([2, 2], dtype=torch.int32)
  )";
  using kind = Opaque;
  static Outputs<3> kernel(Tensor A, bool pivot, bool check_errors) {
    check_matrix("linalg.lu_factor", A);
    check_floating("linalg.lu_factor", A);
    check(pivot, "linalg.lu_factor: pivot=False is for GPUs; leave pivot=True");
    const int64_t m = A.size(-2), n = A.size(-1), k = std::min(m, n);
    const Dims batch = batch_of(A);
    const Tensor a = copied_columns(A), pivots = empty(with_size(batch, k), DType::i32);
    const Tensor info = zeros(batch, DType::i32);
    int32_t *swaps = pivots.data<int32_t>(), *broken = info.data<int32_t>();
    if (k) with_matrix_type(A.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* p = a.data<T>();
      for_matrices(batch.product(), double(m) * n * k, [&](int64_t i) {
        broken[i] = lapack::lu(int(m), int(n), p + i * m * n, leading(m), swaps + i * k);
      });
    });
    if (check_errors) check_info("torch.linalg.lu_factor", info, [](int i) {
      return text("U[", i, ",", i, "] is 0, so systems cannot be solved with these factors; "
                  "linalg.lu_factor_ex returns them without this check");
    });
    return {a, pivots, info};
  }
  static Tensor vjp(Tensor g, Out lu, OutAt<1> pivots) {
    const int64_t m = lu.size(-2), n = lu.size(-1), k = std::min(m, n);
    const auto parts = call_outputs<3, LuUnpack>(lu, pivots, true, true);
    const Tensor gl = tril(first_columns(g, k), -1), gu = triu(first_rows(g, k));
    return product(parts[0], lu_vjp(gl, gu, parts[1], parts[2]));
  }
};

struct LuUnpack {
  static constexpr auto schema =
      "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> "
          "(Tensor P, Tensor L, Tensor U)";
  static constexpr auto doc = R"(
    The factors of A = P L U from what lu_factor gives; what is not wanted comes empty.

    Shapes: LU_data (*, m, n), LU_pivots (*, k), k = min(m, n) → (*, m, m), (*, m, k), (*, k, n).
    Dtypes: floating, complex; LU_pivots int32.

    >>> LU, pivots = fb.linalg.lu_factor(fb.tensor([[1., 2.], [2., 6.]]))
    >>> fb.lu_unpack(LU, pivots).U
    tensor([[ 2.,  6.],
            [ 0., -1.]])
  )";
  using kind = Composite;
  static Outputs<3> decompose(Tensor lu, Tensor pivots, bool unpack_data, bool unpack_pivots) {
    check_matrix("lu_unpack", lu, "LU_data");
    check<DTypeError>(!unpack_pivots || pivots.dtype() == DType::i32,
                      "lu_unpack: LU_pivots must be int32, as lu_factor returns them; they are ",
                      row(pivots.dtype()).legacy);
    const int64_t m = lu.size(-2), n = lu.size(-1), k = std::min(m, n);
    const Tensor none = empty({0}, lu.dtype());
    Outputs<3> r = {none, none, none};
    if (unpack_pivots) {
      const Tensor order = call_op<PivotsToOrder>(pivots, m);
      r[0] = to_dtype(eq(unsqueeze(index_of_rows(m), -1), unsqueeze(order, -2)), lu.dtype());
    }
    if (unpack_data) {
      r[1] = tril(first_columns(lu, k), -1) + identity(m, k, lu.dtype());
      r[2] = triu(first_rows(lu, k));
    }
    return r;
  }
  static Tensor index_of_rows(int64_t m) {
    const Tensor r = empty({m}, DType::i64);
    for (int64_t i = 0; i < m; ++i) r.data<int64_t>()[i] = i;
    return r;
  }
};

struct LinalgLuFactor {
  static constexpr auto schema = "linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor "
      "pivots)";
  static constexpr auto doc = R"(
    LU factors of matrices in one tensor, and the swaps of rows, for lu_solve and lu_unpack.

    Shapes: A (*, m, n) → (*, m, n), (*, min(m, n)).   Dtypes: floating, complex; pivots int32.
    Errors: LinAlgError if a pivot is zero.

    >>> fb.linalg.lu_factor(fb.tensor([[1., 2.], [2., 6.]])).LU
    tensor([[ 2.0000,  6.0000],
            [ 0.5000, -1.0000]])
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor A, bool pivot) {
    auto r = call_outputs<3, LinalgLuFactorEx>(A, pivot, true);
    return {r[0], r[1]};
  }
};

struct LuWithInfo {
  static constexpr auto schema =
      "_lu_with_info(Tensor self, bool pivot=True, bool check_errors=True) -> (Tensor LU, Tensor pivots, "
          "Tensor info)";
  static constexpr auto doc = "What torch.lu calls: lu_factor_ex.";
  using kind = Composite;
  static Outputs<3> decompose(Tensor a, bool pivot, bool check_errors) {
    return call_outputs<3, LinalgLuFactorEx>(a, pivot, check_errors);
  }
};

struct LinalgLu {
  static constexpr auto schema = "linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)";
  static constexpr auto doc = R"(
    A = P L U with a permutation P, a unit lower triangle L and an upper triangle U.

    Shapes: A (*, m, n) → (*, m, m), (*, m, k), (*, k, n), k = min(m, n).   Dtypes: floating, complex.

    >>> fb.linalg.lu(fb.tensor([[1., 2.], [2., 6.]])).L
    tensor([[1.0000, 0.0000],
            [0.5000, 1.0000]])
  )";
  using kind = Composite;
  static Outputs<3> decompose(Tensor A, bool pivot) {
    check_matrix("linalg.lu", A);
    const auto r = call_outputs<3, LinalgLuFactorEx>(A, pivot, false);
    return call_outputs<3, LuUnpack>(r[0], r[1], true, true);
  }
};

struct LinalgLdlFactorEx {
  static constexpr auto schema = "linalg_ldl_factor_ex(Tensor self, *, bool hermitian=False, bool "
      "check_errors=False) -> "
                                 "(Tensor LD, Tensor pivots, Tensor info)";
  static constexpr auto doc = R"(
    Factors A = L D Lᵀ (hermitian: L D Lᴴ) of symmetric matrices, from their lower triangles, by Bunch and
    Kaufman; D has blocks of one and two.

    Shapes: self (*, n, n) → (*, n, n), (*, n), (*).   Dtypes: floating, complex; pivots and info int32.

    >>> fb.linalg.ldl_factor_ex(fb.tensor([[4., 2.], [2., 5.]])).LD
    tensor([[4.0000, 0.0000],
            [0.5000, 4.0000]])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Outputs<3> kernel(Tensor self, bool hermitian, bool check_errors) {
    check_square("torch.linalg.ldl_factor_ex", self);
    check_floating("torch.linalg.ldl_factor_ex", self);
    const int64_t n = self.size(-1);
    const Dims batch = batch_of(self);
    const Tensor a = copied_columns(self), pivots = empty(with_size(batch, n), DType::i32);
    const Tensor info = zeros(batch, DType::i32);
    int32_t *swaps = pivots.data<int32_t>(), *broken = info.data<int32_t>();
    if (n) with_matrix_type(self.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < batch.product(); ++i)
        broken[i] = lapack::ldl(hermitian, int(n), a.data<T>() + i * n * n, leading(n), swaps + i * n);
    });
    if (check_errors) check_info("torch.linalg.ldl_factor_ex", info, [](int i) {
      return text("The diagonal block ", i, " of D is zero, so that solving would divide by zero.");
    });
    return {tril(a), pivots, info};
  }
};

struct LinalgLdlFactor {
  static constexpr auto schema = "linalg_ldl_factor(Tensor self, *, bool hermitian=False) -> (Tensor LD, "
      "Tensor pivots)";
  static constexpr auto doc = R"(
    Factors A = L D Lᵀ (hermitian: L D Lᴴ) of symmetric matrices for ldl_solve.

    Shapes: self (*, n, n) → (*, n, n), (*, n).   Dtypes: floating, complex; pivots int32.
    Errors: LinAlgError if D is singular.

    >>> fb.linalg.ldl_factor(fb.tensor([[4., 2.], [2., 5.]])).pivots
    tensor([1, 2], dtype=torch.int32)
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor self, bool hermitian) {
    auto r = call_outputs<3, LinalgLdlFactorEx>(self, hermitian, true);
    return {r[0], r[1]};
  }
};

FB_GROUP(linalg_factor, LinalgCholeskyEx, LinalgCholesky, Cholesky, PivotsToOrder, LinalgLuFactorEx, LuUnpack,
         LinalgLuFactor,
         LuWithInfo, LinalgLu, LinalgLdlFactorEx, LinalgLdlFactor)

}  // namespace fb
