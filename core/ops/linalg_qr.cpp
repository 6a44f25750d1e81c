#include <algorithm>

#include "op/build.h"
#include "ops/linalg.h"

// QR factors and Householder reflectors.
namespace fb {

struct Qr; struct Orgqr; struct Ormqr;

// The gradient of A (m×n, m ≥ n) from those of A = Q R (Walter & Lehmann, Algorithmic differentiation of
// linear algebra functions, 2010): (gQ + Q copyltu(R gRᴴ - gQᴴ Q)) R⁻ᴴ.
static Tensor tall_qr_vjp(const Tensor& gq, const Tensor& gr, const Tensor& q, const Tensor& r) {
  const Tensor m = tril(product(r, adjoint(gr)) - product(adjoint(gq), q));
  const Tensor both = m + adjoint(m) - diagonal_matrix(real_part(diagonal_of(m)));
  return solve_triangular(adjoint(r), gq + product(q, both), false, false);
}

struct LinalgQr {
  static constexpr auto schema = "linalg_qr(Tensor A, str mode=\"reduced\") -> (Tensor Q, Tensor R)";
  static constexpr auto doc = R"(
    A = Q R with orthonormal columns in Q and an upper triangle R, by Householder reflections. mode "reduced"
    gives k = min(m, n) columns, "complete" m, "r" no Q.

    Shapes: A (*, m, n) → (*, m, k), (*, k, n); complete (*, m, m), (*, m, n).   Dtypes: floating, complex.
    Errors: RuntimeError for another mode; in backward for mode "r", and for "complete" with m > n.

    >>> fb.linalg.qr(fb.tensor([[3., 1.], [4., 2.]])).R
    tensor([[-5.0000, -2.2000],
            [ 0.0000,  0.4000]])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor A, std::string mode) {
    check_matrix("linalg.qr", A);
    check_floating("linalg.qr", A);
    check(mode == "reduced" || mode == "complete" || mode == "r", "linalg.qr: unknown mode='", mode,
          "', choose 'reduced', 'complete' or 'r'");
    const int64_t m = A.size(-2), n = A.size(-1), k = std::min(m, n), columns = mode == "complete" ? m : k;
    const Dims batch = batch_of(A);
    const Tensor a = copied_columns(A), tau = empty(with_size(batch, k), A.dtype());
    const Tensor q = mode == "r" ? empty({0}, A.dtype()) : empty_columns(batch, m, columns, A.dtype());
    with_matrix_type(A.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T *p = a.data<T>(), *t = tau.data<T>(), *to = q.data<T>();
      for_matrices(batch.product(), 4.0 * double(m) * n * k, [&](int64_t i) {
        if (k) lapack::qr(int(m), int(n), p + i * m * n, leading(m), t + i * k);
        if (mode == "r" || !columns || !m) return;
        T* x = to + i * m * columns;
        std::copy_n(p + i * m * n, m * std::min(n, columns), x);
        lapack::form_q(int(m), int(columns), int(k), x, leading(m), t + i * k);
      });
    });
    return {q, triu(first_rows(a, columns))};
  }
  static Tensor vjp(Tensor gq, Tensor gr, In<0> a, Out q, OutAt<1> r, Arg<1, std::string> mode) {
    const int64_t m = a.size(-2), n = a.size(-1);
    check(mode.value != "r", "linalg.qr: mode='r' keeps no Q, which the gradient needs; use mode='reduced'");
    check(mode.value != "complete" || m <= n,
          "linalg.qr: with mode='complete' a tall matrix, here ", m, " x ", n, ", has no gradient; use "
          "mode='reduced'");
    if (m >= n) return tall_qr_vjp(gq, gr, q, r);
    // A = [X Y], Y = Q R₂
    const Tensor rest = narrow(a, -1, m, n - m), gr_rest = narrow(gr, -1, m, n - m);
    return cat({tall_qr_vjp(gq + product(rest, adjoint(gr_rest)), first_columns(gr, m), q, first_columns(r,
          m)), product(q, gr_rest)},
               -1);
  }
};

struct Qr {
  static constexpr auto schema = "qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)";
  static constexpr auto doc = R"(
    QR factors: linalg.qr with mode "reduced", or "complete" unless `some`.

    >>> fb.qr(fb.tensor([[2.]])).R
    tensor([[2.]])
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor a, bool some) {
    return call_outputs<2, LinalgQr>(a, std::string(some ? "reduced" : "complete"));
  }
};

struct Geqrf {
  static constexpr auto schema = "geqrf(Tensor self) -> (Tensor a, Tensor tau)";
  static constexpr auto doc = R"(
    QR factors in Householder form: R above the diagonal and the reflectors I - tau v vᴴ below it.

    Shapes: self (*, m, n) → (*, m, n), (*, min(m, n)).   Dtypes: floating, complex.

    >>> fb.geqrf(fb.tensor([[3.], [4.]])).a
    tensor([[-5.0000],
            [ 0.5000]])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Outputs<2> kernel(Tensor self) {
    check_matrix("torch.geqrf", self, "input");
    check_floating("torch.geqrf", self);
    const int64_t m = self.size(-2), n = self.size(-1), k = std::min(m, n);
    const Dims batch = batch_of(self);
    const Tensor a = copied_columns(self), tau = empty(with_size(batch, k), self.dtype());
    if (k) with_matrix_type(self.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T *p = a.data<T>(), *t = tau.data<T>();
      for_matrices(batch.product(), 2.0 * double(m) * n * k, [&](int64_t i) {
        lapack::qr(int(m), int(n), p + i * m * n, leading(m), t + i * k);
      });
    });
    return {a, tau};
  }
};

// Reflector j of Householder form: column j below the diagonal, with 1 on it and 0 above.
static Tensor reflector(const Tensor& a, int64_t j) {
  const int64_t m = a.size(-2);
  const Tensor column = narrow(a, -1, j, 1), unit = narrow(identity(m, m, a.dtype()), -1, j, 1);
  if (j + 1 == m) return expand(unit, column.shape());
  return cat({expand(narrow(unit, -2, 0, j + 1), with_matrix(batch_of(a), j + 1, 1)), narrow(column, -2, j +
        1, m - j - 1)}, -2);
}
static Tensor factor_at(const Tensor& tau, int64_t j) { return unsqueeze(narrow(tau, -1, j, 1), -1); }

static void check_reflectors(std::string_view op, const Tensor& a, const Tensor& tau) {
  check_matrix(op, a, "input");
  check<ShapeError>(a.size(-2) >= a.size(-1), op,
                    ": input must have at least as many rows as columns, its shape is ", a.shape().list());
  check<ShapeError>(tau.dim() == a.dim() - 1, op,
                    ": tau must have ", a.dim() - 1, " dims, one less than input; it has ", tau.dim());
  check<ShapeError>(a.size(-1) >= tau.size(-1), op,
                    ": input of shape ", a.shape().list(), " has fewer columns than tau, of shape ",
                    tau.shape().list(), ", has numbers");
  for (int d = 0; d < a.dim() - 2; ++d)
    check<ShapeError>(a.shape()[d] == tau.shape()[d], op,
                      ": tau of shape ", tau.shape().list(), " and input of shape ", a.shape().list(),
                      " differ in their batch");
  check_same_dtype(op, a, tau);
  check_floating(op, a);
}

struct LinalgHouseholderProduct {
  static constexpr auto schema = "linalg_householder_product(Tensor input, Tensor tau) -> Tensor";
  static constexpr auto doc = R"(
    The reflectors that geqrf gives, multiplied out; n columns of the product.

    Shapes: input (*, m, n), m ≥ n, tau (*, k), k ≤ n → (*, m, n).   Dtypes: floating, complex.

    >>> fb.linalg.householder_product(*fb.geqrf(fb.tensor([[3.], [4.]])))
    tensor([[-0.6000],
            [-0.8000]])
  )";
  using kind = Fused;
  static Tensor kernel(Tensor input, Tensor tau) {
    check_reflectors("torch.linalg.householder_product", input, tau);
    const int64_t m = input.size(-2), n = input.size(-1), k = tau.size(-1);
    const Tensor q = copied_columns(input), t = contiguous(tau);
    if (q.numel()) with_matrix_type(input.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* p = q.data<T>();
      const T* factors = t.data<T>();
      for_matrices(batch_of(input).product(), 2.0 * double(m) * n * k, [&](int64_t i) {
        lapack::form_q(int(m), int(n), int(k), p + i * m * n, leading(m), factors + i * k);
      });
    });
    return q;
  }
  static Tensor decompose(Tensor input, Tensor tau) {
    const int64_t m = input.size(-2), n = input.size(-1);
    Tensor q = expand(identity(m, n, input.dtype()), input.shape());
    for (int64_t j = tau.size(-1); j-- > 0;) {
      const Tensor v = reflector(input, j);
      q = q - factor_at(tau, j) * product(v, product(adjoint(v), q));
    }
    return q;
  }
};

struct Orgqr {
  static constexpr auto schema = "orgqr(Tensor self, Tensor input2) -> Tensor";
  static constexpr auto doc = R"(
    The first columns of a product of reflectors: linalg.householder_product.

    >>> fb.orgqr(*fb.geqrf(fb.tensor([[3.], [4.]])))
    tensor([[-0.6000],
            [-0.8000]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor tau) { return call_op<LinalgHouseholderProduct>(a, tau); }
};

struct Ormqr {
  static constexpr auto schema =
      "ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor";
  static constexpr auto doc = R"(
    A matrix times the whole product Q of the reflectors that geqrf gives: Q C, Qᴴ C (transpose), C Q or C Qᴴ.

    Shapes: self (*, mn, k), the reflectors, input2 (*, k), their factors, input3 (*, m, n), C → (*, m, n); mn
    is m, or n if not left.   Dtypes: floating, complex.

    >>> a, tau = fb.geqrf(fb.tensor([[3.], [4.]]))
    >>> fb.ormqr(a, tau, fb.tensor([[5.], [0.]]))
    tensor([[-3.],
            [-4.]])
  )";
  using kind = Fused;
  static void check_arguments(const Tensor& a, const Tensor& tau, const Tensor& c, bool left) {
    check_matrix("torch.ormqr", a, "input");
    check_matrix("torch.ormqr", c, "other");
    const int side = left ? -2 : -1;
    check<ShapeError>(c.size(side) >= tau.size(-1), "ormqr: other of shape ", c.shape().list(), " is too "
                      "small in dim ", side, " for the reflectors of tau, of shape ", tau.shape().list());
    check<ShapeError>(c.size(side) == a.size(-2), "ormqr: dim ", side, " of other, of shape ",
                      c.shape().list(), ", needs the number of rows of input, of shape ", a.shape().list());
    check<ShapeError>(tau.size(-1) <= a.size(-1),
                      "ormqr: tau of shape ", tau.shape().list(), " names more reflectors than input, of "
                      "shape ", a.shape().list(), ", has columns");
    check<ShapeError>(tau.dim() == a.dim() - 1 && c.dim() == a.dim(),
                      "ormqr: with an input of ", a.dim(), " dims, other has as many and tau one less; they "
                      "have ", c.dim(), " and ", tau.dim());
    for (int d = 0; d < a.dim() - 2; ++d)
      check<ShapeError>(a.shape()[d] == tau.shape()[d] && a.shape()[d] == c.shape()[d],
                        "ormqr: the batches of input, tau and other differ; the shapes are ",
                        a.shape().list(), ", ", tau.shape().list(), " and ", c.shape().list());
    check_same_dtype("torch.ormqr", a, tau);
    check_same_dtype("torch.ormqr", a, c);
    check_floating("torch.ormqr", a);
  }
  static Tensor kernel(Tensor a, Tensor tau, Tensor c, bool left, bool transposed) {
    check_arguments(a, tau, c, left);
    const int64_t m = c.size(-2), n = c.size(-1), k = tau.size(-1), rows = a.size(-2), columns = a.size(-1);
    const Dims batch = batch_of(c);
    const Tensor x = copied_columns(c), v = as_columns(a, batch), t = contiguous(tau);
    if (x.numel() && k) with_matrix_type(c.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* to = x.data<T>();
      const T *p = v.data<T>(), *factors = t.data<T>();
      for_matrices(batch.product(), 4.0 * double(m) * n * k, [&](int64_t i) {
        lapack::apply_q(left, transposed, int(m), int(n), int(k), p + i * rows * columns, leading(rows),
                        factors + i * k,
                        to + i * m * n, leading(m));
      });
    });
    return x;
  }
  static Tensor decompose(Tensor a, Tensor tau, Tensor c, bool left, bool transposed) {
    const int64_t k = tau.size(-1);
    for (int64_t step = 0; step < k; ++step) {
      const int64_t j = left == transposed ? step : k - 1 - step;
      const Tensor v = reflector(a, j), t = transposed ? conj(factor_at(tau, j)) : factor_at(tau, j);
      c = left ? c - t * product(v, product(adjoint(v), c)) : c - t * product(product(c, v), adjoint(v));
    }
    return c;
  }
};

FB_GROUP(linalg_qr, LinalgQr, Qr, Geqrf, LinalgHouseholderProduct, Orgqr, Ormqr)

}  // namespace fb
