#include "op/build.h"
#include "ops/linalg.h"

// Linear systems and inverses.
namespace fb {

struct LinalgSolveTriangular {
  static constexpr auto schema = "linalg_solve_triangular(Tensor A, Tensor B, *, bool upper, bool left=True, "
                                 "bool unitriangular=False) -> Tensor";
  static constexpr auto doc = R"(
    Solves A X = B, or X A = B if not left, for triangular A; the other triangle is not read, nor the diagonal
    if unitriangular.

    Shapes: A (*, n, n), B (*, n, k), or (*, k, n) if not left → like B, batches broadcast.   Dtypes:
    floating, complex.
    Limits: a zero on the diagonal gives inf or nan.

    >>> fb.linalg.solve_triangular(fb.tensor([[2., 0.], [1., 1.]]), fb.tensor([[2.], [3.]]), upper=False)
    tensor([[1.],
            [2.]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor A, Tensor B, bool upper, bool left, bool unit) {
    const Dims batch = solvable("linalg.solve_triangular", A, B, left);
    const int64_t m = B.size(-2), n = B.size(-1), k = A.size(-1);
    const Tensor x = copied_columns(B, batch), a = as_columns(A, batch);
    if (x.numel()) with_matrix_type(A.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* p = a.data<T>();
      T* q = x.data<T>();
      for_matrices(batch.product(), double(m) * n * k, [&](int64_t i) {
        lapack::solve_triangle(left, upper, lapack::Apply::plain, unit, int(m), int(n), p + i * k * k,
                               leading(k), q + i * m * n,
                               leading(m));
      });
    });
    return x;
  }
  static Outputs<2> vjp_all(Tensor g, In<0> A, Out x, Shape<0> a_shape, Shape<1> b_shape, Arg<2, bool> upper,
                            Arg<3, bool> left,
                            Arg<4, bool> unit, Needs needs) {
    const Tensor gb = call_op<LinalgSolveTriangular>(adjoint(A), g, !upper, left.value, unit.value);
    Tensor ga;
    if (needs[0]) {
      const Tensor full = left ? -product(gb, adjoint(x)) : -product(adjoint(x), gb);
      ga = sum_to_shape(upper ? triu(full, unit ? 1 : 0) : tril(full, unit ? -1 : 0), a_shape);
    }
    return {ga, sum_to_shape(gb, b_shape)};
  }
};

struct TriangularSolve {
  static constexpr auto schema = "triangular_solve(Tensor self, Tensor A, bool upper=True, bool "
      "transpose=False, "
                                 "bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)";
  static constexpr auto doc = R"(
    Solves A X = self, or Aᵀ X = self, for triangular A: linalg.solve_triangular, and a copy of A.

    >>> fb.triangular_solve(fb.tensor([[2.]]), fb.tensor([[4.]])).solution
    tensor([[0.5000]])
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor b, Tensor A, bool upper, bool transposed, bool unit) {
    const Dims batch = solvable("triangular_solve", A, b, true);
    const Tensor a = transposed ? transpose(A, -2, -1) : A;
    return {solve_triangular(a, b, upper != transposed, true, unit),
            clone(expand(A, with_matrix(batch, A.size(-2), A.size(-1))))};
  }
};

template <class T> static void solve_one(int n, int columns, const T* lu, const int32_t* swaps, T* x,
                                         lapack::Apply op) {
  auto exchange = [&](int i) {
    const int p = swaps[i] - 1;
    if (p != i) for (int64_t c = 0; c < columns; ++c) std::swap(x[i + c * n], x[p + c * n]);
  };
  const bool plain = op == lapack::Apply::plain;
  if (plain) for (int i = 0; i < n; ++i) exchange(i);
  lapack::solve_triangle(true, !plain, op, plain, n, columns, lu, n, x, n);
  lapack::solve_triangle(true, plain, op, !plain, n, columns, lu, n, x, n);
  if (!plain) for (int i = n; i-- > 0;) exchange(i);
}
void solve_with_lu(const Tensor& lu, const Tensor& pivots, const Tensor& x, const Dims& batch,
                   lapack::Apply op) {
  const int64_t n = lu.size(-1), columns = x.size(-1);
  if (x.numel() == 0) return;
  const int32_t* swaps = pivots.data<int32_t>();
  with_matrix_type(lu.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* p = lu.data<T>();
    T* q = x.data<T>();
    for_matrices(batch.product(), 2.0 * double(n) * n * columns, [&](int64_t i) {
      solve_one(int(n), int(columns), p + i * n * n, swaps + i * n, q + i * n * columns, op);
    });
  });
}

// The solution by LU, with the factors; the factors' gradients are not asked for.
struct LinalgSolveWithFactors {
  static constexpr auto schema = "_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool "
      "check_errors=False) -> "
                                 "(Tensor result, Tensor LU, Tensor pivots, Tensor info)";
  static constexpr auto doc = "The solution of A X = B or X A = B, and the LU factors that gave it.";
  using kind = Opaque;
  static constexpr auto grad_name = "LinalgSolveExBackward0";
  static Outputs<4> kernel(Tensor A, Tensor B, bool left, bool check_errors) {
    const Dims batch = solvable("linalg.solve", A, B, left);
    const int64_t n = A.size(-1);
    const auto f = call_outputs<3, LinalgLuFactorEx>(expand(A, with_matrix(batch, n, n)), true, false);
    // X A = B is Aᵀ Xᵀ = Bᵀ; `x` holds right sides as columns.
    const Tensor x = copied_columns(left ? B : transpose(B, -2, -1), batch);
    solve_with_lu(f[0], f[1], x, batch, left ? lapack::Apply::plain : lapack::Apply::transposed);
    if (check_errors) check_info("torch.linalg.solve", f[2],
                                 [](int) { return std::string("the matrix A is singular, so there is no "
                                     "unique solution"); });
    return {left ? x : transpose(x, -2, -1), f[0], f[1], f[2]};
  }
  static Outputs<2> vjp_all(Tensor g, In<0> A, Out x, OutAt<1> lu, OutAt<2> pivots, Shape<0> a_shape,
                            Shape<1> b_shape,
                            Arg<2, bool> left, Needs needs) {
    const Tensor gb = mode.grad ? call_outputs<4, LinalgSolveWithFactors>(adjoint(A), g, left.value, false)[0]
                                : call_op<LinalgLuSolve>(lu, pivots, g, left.value, true);
    Tensor ga;
    if (needs[0]) ga = sum_to_shape(left ? -product(gb, adjoint(x)) : -product(adjoint(x), gb), a_shape);
    return {ga, sum_to_shape(gb, b_shape)};
  }
};

struct LinalgSolveExNamed {
  static constexpr auto schema =
      "linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, "
          "Tensor info)";
  static constexpr auto doc = R"(
    The solution of A X = B, or X A = B if not left, and where U has its first zero pivot, or 0.

    Shapes: A (*, n, n), B (*, n, k) or vectors (*, n) → like B, (*).   Dtypes: floating, complex; info int32.
    Errors: LinAlgError if check_errors and a matrix is singular.

    >>> fb.linalg.solve_ex(fb.tensor([[2.]]), fb.tensor([4.])).result
    tensor([2.])
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor A, Tensor B, bool left, bool check_errors) {
    check_square("linalg.solve", A);
    const bool vectors = holds_vectors(A, B);
    check(left || !vectors, "linalg.solve: with left=False, B cannot hold vectors; add a dim with "
          "B.unsqueeze(-1)");
    auto r = call_outputs<4, LinalgSolveWithFactors>(A, vectors ? unsqueeze(B, -1) : B, left, check_errors);
    return {vectors ? squeeze(r[0], -1) : r[0], r[3]};
  }
};

struct LinalgSolve {
  static constexpr auto schema = "linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor";
  static constexpr auto doc = R"(
    The solution of A X = B, or X A = B if not left.

    Shapes: A (*, n, n), B (*, n, k) or vectors (*, n) → like B.   Dtypes: floating, complex.
    Errors: LinAlgError if a matrix is singular.

    >>> fb.linalg.solve(fb.tensor([[2., 1.], [1., 1.]]), fb.tensor([3., 2.]))
    tensor([1., 1.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor A, Tensor B, bool left) {
    return call_outputs<2, LinalgSolveExNamed>(A, B, left, true)[0];
  }
};

struct LinalgInvEx {
  static constexpr auto schema = "linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, "
      "Tensor info)";
  static constexpr auto doc = R"(
    Inverses of square matrices, and where U has its first zero pivot, or 0.

    Shapes: A (*, n, n) → (*, n, n), (*).   Dtypes: floating, complex; info int32.
    Errors: LinAlgError if check_errors and a matrix is singular.

    >>> fb.linalg.inv_ex(fb.tensor([[4.]])).inverse
    tensor([[0.2500]])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor A, bool check_errors) {
    check_square("linalg.inv", A);
    check_floating("linalg.inv", A);
    const auto f = call_outputs<3, LinalgLuFactorEx>(A, true, false);
    const Dims batch = batch_of(A);
    const Tensor x = empty_columns(batch, A.size(-1), A.size(-1), A.dtype());
    copy_(x, eye_like(A));
    if (check_errors) check_info("linalg.inv", f[2], is_singular("inversion"));
    solve_with_lu(f[0], f[1], x, batch, lapack::Apply::plain);
    return {x, f[2]};
  }
  static Tensor vjp(Tensor g, Out y) { return -product(adjoint(y), product(g, adjoint(y))); }
};

struct LinalgInv {
  static constexpr auto schema = "linalg_inv(Tensor A) -> Tensor";
  static constexpr auto doc = R"(
    Inverses of square matrices.

    Shapes: A (*, n, n) → (*, n, n).   Dtypes: floating, complex.   Errors: LinAlgError if a matrix is
    singular.

    >>> fb.linalg.inv(fb.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor A) { return call_outputs<2, LinalgInvEx>(A, true)[0]; }
};

struct Inverse {
  static constexpr auto schema = "inverse(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverses of square matrices: linalg.inv.

    >>> fb.inverse(fb.tensor([[4.]]))
    tensor([[0.2500]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a) { return call_op<LinalgInv>(a); }
};

FB_GROUP(linalg_solve, LinalgSolveTriangular, TriangularSolve, LinalgSolveWithFactors, LinalgSolveExNamed,
         LinalgSolve,
         LinalgInvEx, LinalgInv, Inverse)

}  // namespace fb
