#include "op/build.h"
#include "ops/linalg.h"

// Linear systems and inverses.
namespace fb {

struct LinalgLdlSolve; struct CholeskySolve;

// The common batch of a matrix and right sides, whose sizes meet: A X = B, or X A = B.
static Dims solvable(std::string_view op, const Tensor& a, const Tensor& b, bool left) {
  check_same_dtype(op, a, b);
  check_square(op, a);
  check_matrix(op, b, "B");
  check<ShapeError>(a.size(-2) == b.size(left ? -2 : -1), op, ": Incompatible shapes of A and B for the equation ",
                    left ? "AX = B" : "XA = B", " (", a.size(-2), "x", a.size(-1), " and ", b.size(-2), "x", b.size(-1), ")");
  check_floating(op, a);
  return broadcast_shapes(op, batch_of(a), batch_of(b));
}

struct LinalgSolveTriangular {
  static constexpr auto schema = "linalg_solve_triangular(Tensor A, Tensor B, *, bool upper, bool left=True, "
                                 "bool unitriangular=False) -> Tensor";
  static constexpr auto doc = R"(
    Solves A X = B, or X A = B if not left, for triangular A; the other triangle is not read, nor the diagonal if
    unitriangular.

    Shapes: A (*, n, n), B (*, n, k), or (*, k, n) if not left → like B, batches broadcast.   Dtypes: floating, complex.
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
        lapack::solve_triangle(left, upper, lapack::Apply::plain, unit, int(m), int(n), p + i * k * k, leading(k), q + i * m * n,
                               leading(m));
      });
    });
    return x;
  }
  static Outputs<2> vjp_all(Tensor g, In<0> A, Out x, Shape<0> a_shape, Shape<1> b_shape, Arg<2, bool> upper, Arg<3, bool> left,
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
  static constexpr auto schema = "triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, "
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
    return {solve_triangular(a, b, upper != transposed, true, unit), clone(expand(A, with_matrix(batch, A.size(-2), A.size(-1))))};
  }
};

// The solution by LU, with the factors; the factors' gradients are not asked for.
struct LinalgSolveWithFactors {
  static constexpr auto schema = "_linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> "
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
    apply(f[0], f[1], x, batch, left ? lapack::Apply::plain : lapack::Apply::transposed);
    if (check_errors) check_info("torch.linalg.solve", f[2], [](int) { return std::string("The solver failed because the input matrix is singular."); });
    return {left ? x : transpose(x, -2, -1), f[0], f[1], f[2]};
  }
  // x := op(P L U)⁻¹ x, all in column-major order.
  static void apply(const Tensor& lu, const Tensor& pivots, const Tensor& x, const Dims& batch, lapack::Apply op) {
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
  template <class T> static void solve_one(int n, int columns, const T* lu, const int32_t* swaps, T* x, lapack::Apply op) {
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
  static Outputs<2> vjp_all(Tensor g, In<0> A, Out x, OutAt<1> lu, OutAt<2> pivots, Shape<0> a_shape, Shape<1> b_shape,
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
      "linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, Tensor info)";
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
    check(left || !vectors, "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. "
          "In this case linalg.solve is equivalent to B / A.squeeze(-1)");
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
  static constexpr auto schema = "linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)";
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
    LinalgSolveWithFactors::apply(f[0], f[1], x, batch, lapack::Apply::plain);
    return {x, f[2]};
  }
  static Tensor vjp(Tensor g, Out y) { return -product(adjoint(y), product(g, adjoint(y))); }
};

struct LinalgInv {
  static constexpr auto schema = "linalg_inv(Tensor A) -> Tensor";
  static constexpr auto doc = R"(
    Inverses of square matrices.

    Shapes: A (*, n, n) → (*, n, n).   Dtypes: floating, complex.   Errors: LinAlgError if a matrix is singular.

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

struct LinalgLuSolve {
  static constexpr auto schema =
      "linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor";
  static constexpr auto doc = R"(
    The solution of A X = B, X A = B, Aᴴ X = B or X Aᴴ = B from the LU factors of A.

    Shapes: LU (*, n, n), pivots (*, n), B (*, n, k), or (*, k, n) if not left → like B, batches broadcast.
    Dtypes: floating, complex; pivots int32.

    >>> LU, pivots = fb.linalg.lu_factor(fb.tensor([[2., 1.], [1., 1.]]))
    >>> fb.linalg.lu_solve(LU, pivots, fb.tensor([[3.], [2.]]))
    tensor([[1.],
            [1.]])
  )";
  using kind = Fused;
  static Dims check_arguments(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left) {
    check<DTypeError>(pivots.dtype() == DType::i32, "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32, got ",
                      row(pivots.dtype()).legacy);
    const Dims batch = solvable("linalg.lu_solve", lu, b, left);
    check<ShapeError>(pivots.dim() >= 1 && pivots.size(-1) == lu.size(-1), "linalg.lu_solve: Number of pivots per batch should be "
                      "same as the dimension of the matrix, got pivots ", pivots.shape().list(), " and LU ", lu.shape().list());
    check<ShapeError>(pivots.shape() == with_size(batch_of(lu), lu.size(-1)), "linalg.lu_solve: Expected LU.shape[:-1] and "
                      "pivots.shape to be the same, but got pivots with shape ", pivots.shape().list(), " instead");
    return batch;
  }
  static Tensor kernel(Tensor lu, Tensor pivots, Tensor B, bool left, bool adjoint) {
    const Dims batch = check_arguments(lu, pivots, B, left);
    const int64_t n = lu.size(-1);
    const Tensor f = as_columns(lu, batch), p = contiguous(expand(pivots, with_size(batch, n)));
    for (int64_t i = 0; i < p.numel(); ++i) {
      const int32_t v = p.data<int32_t>()[i];
      check(v >= 1 && v <= n, "linalg.lu_solve: pivots must be between 1 and ", n, ", got ", v);
    }
    const bool flips = !left;                          // X A = B is Aᵀ Xᵀ = Bᵀ, X Aᴴ = B is A Xᴴ = Bᴴ
    const Tensor x = copied_columns(!flips ? B : adjoint ? fb::adjoint(B) : transpose(B, -2, -1), batch);
    const auto op = flips ? (adjoint ? lapack::Apply::plain : lapack::Apply::transposed)
                          : (adjoint ? lapack::Apply::adjoint : lapack::Apply::plain);
    LinalgSolveWithFactors::apply(f, p, x, batch, op);
    return !flips ? x : adjoint ? fb::adjoint(x) : transpose(x, -2, -1);
  }
  static Tensor decompose(Tensor lu, Tensor pivots, Tensor B, bool left, bool adjoint) {
    check_arguments(lu, pivots, B, left);
    const auto parts = call_outputs<3, LuUnpack>(lu, pivots, false, true);
    const Tensor &P = parts[0], Pt = transpose(P, -2, -1);
    if (left && !adjoint)
      return solve_triangular(lu, solve_triangular(lu, product(Pt, B), false, true, true), true);
    if (!left && adjoint) return fb::adjoint(decompose(lu, pivots, fb::adjoint(B), true, false));
    if (!left) return product(solve_triangular(lu, solve_triangular(lu, B, true, false), false, false, true), Pt);
    return fb::adjoint(decompose(lu, pivots, fb::adjoint(B), false, false));
  }
};

struct LuSolve {
  static constexpr auto schema = "lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor";
  static constexpr auto doc = R"(
    The solution of A X = self from the LU factors of A: linalg.lu_solve.

    >>> LU, pivots = fb.linalg.lu_factor(fb.tensor([[4.]]))
    >>> fb.lu_solve(fb.tensor([[2.]]), LU, pivots)
    tensor([[0.5000]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor b, Tensor lu, Tensor pivots) { return call_op<LinalgLuSolve>(lu, pivots, b, true, false); }
};

struct LinalgLdlSolve {
  static constexpr auto schema = "linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor";
  static constexpr auto doc = R"(
    The solution of A X = B from what ldl_factor gives. Needs OpenBLAS.

    Shapes: LD (*, n, n), pivots (*, n), B (*, n, k) → like B.   Dtypes: floating, complex; pivots int32.

    >>> LD, pivots = fb.linalg.ldl_factor(fb.tensor([[4., 2.], [2., 5.]]))
    >>> fb.linalg.ldl_solve(LD, pivots, fb.tensor([[6.], [7.]]))
    tensor([[1.],
            [1.]])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor LD, Tensor pivots, Tensor B, bool hermitian) {
    const Dims batch = solvable("torch.linalg.ldl_solve", LD, B, true);
    const int64_t n = LD.size(-1), columns = B.size(-1);
    check<DTypeError>(is_integral(pivots.dtype()), "torch.linalg.ldl_solve: Expected pivots to be integers. Got ",
                      row(pivots.dtype()).legacy);
    check<ShapeError>(pivots.shape() == with_size(batch_of(LD), n), "torch.linalg.ldl_solve: Expected LD.shape[:-1] and "
                      "pivots.shape to be the same, but got pivots with shape ", pivots.shape().list(), " instead");
    const Tensor a = as_columns(LD, batch), x = copied_columns(B, batch);
    const Tensor p = contiguous(expand(to_dtype(pivots, DType::i32), with_size(batch, n)));
    for (int64_t i = 0; i < p.numel(); ++i) {
      const int32_t v = p.data<int32_t>()[i];
      check(v != 0 && v <= n && v >= -n, "torch.linalg.ldl_solve: pivots must be between 1 and ", n, " in size, got ", v);
    }
    if (x.numel()) with_matrix_type(LD.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < batch.product(); ++i)
        lapack::solve_ldl(hermitian, int(n), int(columns), a.data<T>() + i * n * n, leading(n), p.data<int32_t>() + i * n,
                          x.data<T>() + i * n * columns, leading(n));
    });
    return x;
  }
};

struct CholeskySolve {
  static constexpr auto schema = "cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor";
  static constexpr auto doc = R"(
    The solution of A X = self from the Cholesky factor of A.

    Shapes: self (*, n, k), input2 (*, n, n) → like self, batches broadcast.   Dtypes: floating, complex.

    >>> fb.cholesky_solve(fb.tensor([[8.]]), fb.tensor([[2.]]))
    tensor([[2.]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor b, Tensor l, bool upper) {
    check_matrix("cholesky_solve", b, "B");
    check_matrix("cholesky_solve", l, "L");
    solvable("cholesky_solve", l, b, true);
    const Tensor lower = upper ? adjoint(l) : l, higher = upper ? l : adjoint(l);
    return solve_triangular(higher, solve_triangular(lower, b, false), true);
  }
  static Outputs<2> vjp_all(Tensor g, In<1> l, Out x, Shape<0> b_shape, Shape<1> l_shape, Arg<2, bool> upper, Needs needs) {
    const Tensor gb = call_op<CholeskySolve>(g, l, upper.value);
    Tensor gl;
    if (needs[1]) {                                    // of A = L Lᴴ, that of X = A⁻¹ B
      const Tensor half = product(gb, adjoint(x)), both = half + adjoint(half);
      gl = sum_to_shape(upper ? -product(l, both) : -product(both, l), l_shape);
    }
    return {sum_to_shape(gb, b_shape), gl};
  }
};

struct CholeskyInverse {
  static constexpr auto schema = "cholesky_inverse(Tensor self, bool upper=False) -> Tensor";
  static constexpr auto doc = R"(
    The inverse of A from its Cholesky factor.

    Shapes: self (*, n, n) → (*, n, n).   Dtypes: floating, complex.

    >>> fb.cholesky_inverse(fb.tensor([[2.]]))
    tensor([[0.2500]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor l, bool upper) {
    check_square("cholesky_inverse", l);
    check_floating("cholesky_inverse", l);
    const Tensor half = solve_triangular(l, eye_like(l), upper);     // L⁻¹ or U⁻¹
    return upper ? product(half, adjoint(half)) : product(adjoint(half), half);
  }
  static Tensor vjp(Tensor g, In<0> l, Out x, Arg<1, bool> upper) {
    const Tensor both = product(x, product(g + adjoint(g), x));
    return upper ? -product(l, both) : -product(both, l);
  }
};

FB_GROUP(linalg_solve, LinalgSolveTriangular, TriangularSolve, LinalgSolveWithFactors, LinalgSolveExNamed, LinalgSolve,
         LinalgInvEx, LinalgInv, Inverse, LinalgLuSolve, LuSolve, LinalgLdlSolve, CholeskySolve, CholeskyInverse)

}  // namespace fb
