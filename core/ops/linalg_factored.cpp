#include "op/build.h"
#include "ops/linalg.h"

// Systems whose matrix has been factored.
namespace fb {

struct LinalgLdlSolve; struct CholeskySolve;

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
    check<DTypeError>(pivots.dtype() == DType::i32,
                      "linalg.lu_solve: pivots must be int32, as lu_factor returns them; they are ",
                      row(pivots.dtype()).legacy);
    const Dims batch = solvable("linalg.lu_solve", lu, b, left);
    check<ShapeError>(pivots.dim() >= 1 && pivots.size(-1) == lu.size(-1),
                      "linalg.lu_solve: each row of LU needs one pivot; pivots has shape ",
                      pivots.shape().list(), ", LU ", lu.shape().list());
    check<ShapeError>(pivots.shape() == with_size(batch_of(lu), lu.size(-1)),
                      "linalg.lu_solve: LU of shape ", lu.shape().list(), " needs pivots of shape ",
                      with_size(batch_of(lu), lu.size(-1)).list(), ", they have ", pivots.shape().list());
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
    solve_with_lu(f, p, x, batch, op);
    return !flips ? x : adjoint ? fb::adjoint(x) : transpose(x, -2, -1);
  }
  static Tensor decompose(Tensor lu, Tensor pivots, Tensor B, bool left, bool adjoint) {
    check_arguments(lu, pivots, B, left);
    const auto parts = call_outputs<3, LuUnpack>(lu, pivots, false, true);
    const Tensor &P = parts[0], Pt = transpose(P, -2, -1);
    if (left && !adjoint)
      return solve_triangular(lu, solve_triangular(lu, product(Pt, B), false, true, true), true);
    if (!left && adjoint) return fb::adjoint(decompose(lu, pivots, fb::adjoint(B), true, false));
    if (!left) return product(solve_triangular(lu, solve_triangular(lu, B, true, false), false, false, true),
                              Pt);
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
  static Tensor decompose(Tensor b, Tensor lu, Tensor pivots) {
    return call_op<LinalgLuSolve>(lu, pivots, b, true, false);
  }
};

struct LinalgLdlSolve {
  static constexpr auto schema = "linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool "
      "hermitian=False) -> Tensor";
  static constexpr auto doc = R"(
    The solution of A X = B from what ldl_factor gives.

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
    check<DTypeError>(is_integral(pivots.dtype()),
                      "linalg.ldl_solve: pivots must be integers, they are ", row(pivots.dtype()).legacy);
    check<ShapeError>(pivots.shape() == with_size(batch_of(LD), n),
                      "linalg.ldl_solve: LD of shape ", LD.shape().list(), " needs pivots of shape ",
                      with_size(batch_of(LD), n).list(), ", they have ", pivots.shape().list());
    const Tensor a = as_columns(LD, batch), x = copied_columns(B, batch);
    const Tensor p = contiguous(expand(to_dtype(pivots, DType::i32), with_size(batch, n)));
    for (int64_t i = 0; i < p.numel(); ++i) {
      const int32_t v = p.data<int32_t>()[i];
      check(v != 0 && v <= n && v >= -n, "torch.linalg.ldl_solve: pivots must be between 1 and ", n,
            " in size, got ", v);
    }
    if (x.numel()) with_matrix_type(LD.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < batch.product(); ++i)
        lapack::solve_ldl(hermitian, int(n), int(columns), a.data<T>() + i * n * n, leading(n),
                          p.data<int32_t>() + i * n,
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
  static Outputs<2> vjp_all(Tensor g, In<1> l, Out x, Shape<0> b_shape, Shape<1> l_shape, Arg<2, bool> upper,
                            Needs needs) {
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

FB_GROUP(linalg_factored, LinalgLuSolve, LuSolve, LinalgLdlSolve, CholeskySolve, CholeskyInverse)

}  // namespace fb
