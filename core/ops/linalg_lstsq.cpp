#include "op/build.h"
#include "ops/linalg.h"

// Least squares.
namespace fb {

struct LinalgLstsqSolution;

static Tensor by_qr(const Tensor& a, const Tensor& b) {
  const bool tall = a.size(-2) >= a.size(-1);
  const auto f = call_outputs<2, LinalgQr>(tall ? a : adjoint(a), std::string("reduced"));
  if (tall) return solve_triangular(f[1], product(adjoint(f[0]), b), true);
  return product(f[0], solve_triangular(adjoint(f[1]), b, false));
}

struct LinalgLstsqSolution {
  static constexpr auto schema = "_linalg_lstsq(Tensor self, Tensor b, float? rcond, str driver) -> "
                                 "(Tensor solution, Tensor rank, Tensor singular_values)";
  static constexpr auto doc = "The X that makes the sum of squares of A X - B least, for matrices B of A's "
      "batch.";
  using kind = Opaque;
  static constexpr auto grad_name = "LinalgLstsqBackward0";
  static Outputs<3> kernel(Tensor a, Tensor b, std::optional<double> rcond, std::string driver) {
    const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
    const Dims batch = batch_of(a);
    const DType real = real_of(a.dtype());
    const bool nothing = a.numel() == 0 || b.numel() == 0;
    Tensor x = nothing ? zeros(with_matrix(batch, n, b.size(-1)), a.dtype()) : Tensor();
    if (driver == "gels") return {nothing ? x : by_qr(a, b), empty({0}, DType::i64), empty({0}, real)};
    const auto f = call_outputs<3, LinalgSvdFull>(a, false, true, Value());
    const double eps = real == DType::f64 ? std::numeric_limits<double>::epsilon()
        : std::numeric_limits<float>::epsilon();
    const double given = rcond.value_or(eps * double(std::max(m, n))), cut = given < 0 ? eps : given;
    Tensor rank = zeros(batch, DType::i64);
    if (k) {
      const Tensor kept = gt(f[1], narrow(f[1], -1, 0, 1) * cut);
      rank = sum(to_dtype(kept, DType::i64), Dims{-1});
      const Tensor inverse = to_dtype(where(kept, 1.0 / f[1], Scalar(0)), a.dtype());
      if (!nothing) x = product(adjoint(f[2]), times_rows(inverse, product(adjoint(f[0]), b)));
    }
    return {x, rank, driver == "gelsy" ? empty({0}, real) : f[1]};
  }
  static Outputs<2> vjp_all(Tensor g, In<0> a, In<1> b) {
    const Tensor p = call_op<LinalgPinvCut>(a, Value(), Value(), false);
    return {pinv_vjp(product(g, adjoint(b)), p, a), product(adjoint(p), g)};
  }
};

struct LinalgLstsq {
  static constexpr auto schema = "linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, "
                                 "str? driver=None) -> (Tensor solution, Tensor residuals, Tensor rank, "
                                 "Tensor singular_values)";
  static constexpr auto doc = R"(
    The X that makes the sum of squares of A X - B least, the shortest one where several do. Driver "gels"
    takes A of full rank, by QR; "gelsy" (default), "gelsd" and "gelss" any, by singular values, those up to
    rcond times the largest being zero.

    Shapes: self (*, m, n), b (*, m, k) or vectors (*, m) → (*, n, k), residuals (*, k), k = 1 for vectors,
    if m > n and the rank is full, rank (*), singular values (*, min(m, n)); what a driver does not give is
    empty.   Dtypes: floating, complex.
    Errors: RuntimeError for another driver.

    >>> fb.linalg.lstsq(fb.tensor([[1.], [1.]]), fb.tensor([[1.], [3.]])).solution
    tensor([[2.0000]])
  )";
  using kind = Composite;
  static bool check_arguments(const Tensor& A, const Tensor& B, const std::string& driver) {
    check<ShapeError>(A.dim() >= 2, "linalg.lstsq: input must be a matrix or a batch of them, its shape is ",
                      A.shape().list());
    check<ShapeError>(B.dim() >= 1, "linalg.lstsq: other is 0-dimensional, it must hold a vector at least");
    check<DTypeError>(A.dtype() == B.dtype(),
                      "linalg.lstsq: input is ", row(A.dtype()).legacy, " and other is ",
                      row(B.dtype()).legacy, "; convert one to the dtype of the other");
    check_floating("linalg.lstsq", A);
    check(driver == "gels" || driver == "gelsy" || driver == "gelsd" || driver == "gelss",
          "linalg.lstsq: unknown driver='", driver, "', choose 'gels', 'gelsy', 'gelsd' or 'gelss'");
    const int missing = A.dim() - B.dim();
    check<ShapeError>(missing >= 0 && missing <= 1,
                      "linalg.lstsq: other needs as many dims as input, or one less; their shapes are ",
                      A.shape().list(), " and ", B.shape().list());
    const bool vectors = missing == 1;
    check<ShapeError>(A.size(-2) == B.size(vectors ? -1 : -2),
                      "linalg.lstsq: input and other differ in their number of rows; their shapes are ",
                      A.shape().list(), " and ", B.shape().list());
    return vectors;
  }
  static Outputs<4> decompose(Tensor A, Tensor B, std::optional<double> rcond, Value driver) {
    const std::string name = driver ? driver.as_string() : "gelsy";
    const bool vectors = check_arguments(A, B, name);
    const Tensor b = vectors ? unsqueeze(B, -1) : B;
    const Dims batch = broadcast_shapes("torch.linalg.lstsq", batch_of(A), batch_of(b));
    const int64_t m = A.size(-2), n = A.size(-1);
    const Tensor a = expand(A, with_matrix(batch, m, n)), right = expand(b, with_matrix(batch, m,
          b.size(-1)));
    const auto r = call_outputs<3, LinalgLstsqSolution>(a, right, Value(rcond), name);
    Tensor residuals = narrow(reshape(real_part(r[0]), {-1}), 0, 0, 0);     // nothing, but part of the graph
    const bool full_rank = name == "gels" || !call_op<Any>(ne(r[1], n), Value(), false).data<bool>()[0];
    if (m > n && name != "gelsy" && full_rank) {
      const Tensor error = abs(product(a, r[0]) - right);
      residuals = sum(error * error, Dims{-2});
    }
    return {vectors ? squeeze(r[0], -1) : r[0], residuals, r[1], detached(r[2])};
  }
};

FB_GROUP(linalg_lstsq, LinalgLstsqSolution, LinalgLstsq)

}  // namespace fb
