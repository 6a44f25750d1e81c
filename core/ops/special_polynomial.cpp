#include "math/polynomials.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

template <class T> inline constexpr int64_t hermite_limit = math::single<T> ? 128 : 512;

struct OfDegree {                                      // what all of them are
  using kind = Scalarwise<Result::floating>;
  static constexpr bool in_place = false, takes_only_numbers = false;
  static constexpr bool differentiable = false;
};

struct ChebyshevPolynomialT : OfDegree {
  static constexpr auto schema = "special_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the first kind of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.chebyshev_polynomial_t(fb.tensor([0.5, 2.]), 3)
    tensor([-1., 26.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::chebyshev_polynomial_t(x, int64_t(n));
  }
};

struct ChebyshevPolynomialU : OfDegree {
  static constexpr auto schema = "special_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the second kind of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.chebyshev_polynomial_u(fb.tensor([0.5, 2.]), 3)
    tensor([-1., 56.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::chebyshev_polynomial_u(x, int64_t(n));
  }
};

struct ChebyshevPolynomialV : OfDegree {
  static constexpr auto schema = "special_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the third kind of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.chebyshev_polynomial_v(fb.tensor([0.5, 2.]), 3)
    tensor([-1., 41.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::chebyshev_polynomial_v(x, int64_t(n));
  }
};

struct ChebyshevPolynomialW : OfDegree {
  static constexpr auto schema = "special_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the fourth kind of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.chebyshev_polynomial_w(fb.tensor([0.5, 2.]), 3)
    tensor([-1., 71.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::chebyshev_polynomial_w(x, int64_t(n));
  }
};

struct ShiftedChebyshevPolynomialT : OfDegree {
  static constexpr auto schema = "special_shifted_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the first kind shifted to [0, 1], of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.shifted_chebyshev_polynomial_t(fb.tensor([0.5, 2.]), 3)
    tensor([-0., 99.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::shifted_chebyshev_polynomial_t(x, int64_t(n));
  }
};

struct ShiftedChebyshevPolynomialU : OfDegree {
  static constexpr auto schema = "special_shifted_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the second kind shifted to [0, 1], of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.shifted_chebyshev_polynomial_u(fb.tensor([0.5, 2.]), 3)
    tensor([ -0., 204.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::shifted_chebyshev_polynomial_u(x, int64_t(n));
  }
};

struct ShiftedChebyshevPolynomialV : OfDegree {
  static constexpr auto schema = "special_shifted_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the third kind shifted to [0, 1], of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.shifted_chebyshev_polynomial_v(fb.tensor([0.5, 2.]), 3)
    tensor([  1., 169.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::shifted_chebyshev_polynomial_v(x, int64_t(n));
  }
};

struct ShiftedChebyshevPolynomialW : OfDegree {
  static constexpr auto schema = "special_shifted_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Chebyshev polynomial of the fourth kind shifted to [0, 1], of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.shifted_chebyshev_polynomial_w(fb.tensor([0.5, 2.]), 3)
    tensor([ -1., 239.])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::shifted_chebyshev_polynomial_w(x, int64_t(n));
  }
};

struct HermitePolynomialH : OfDegree {
  static constexpr auto schema = "special_hermite_polynomial_h(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Physicists' Hermite polynomial of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0; above 128 (float32) and 512 (float64) nan.

    >>> fb.special.hermite_polynomial_h(fb.tensor([0.5, 2.]), 3)
    tensor([-5., 40.])
  )";
  template <class T> static T forward(T x, T n) {
    const int64_t degree = int64_t(n);
    return degree > hermite_limit<T> ? T(math::nan<T>) : math::scalar::hermite_polynomial_h(x, degree);
  }
};

struct HermitePolynomialHe : OfDegree {
  static constexpr auto schema = "special_hermite_polynomial_he(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Probabilists' Hermite polynomial of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0; above 128 (float32) and 512 (float64) nan.

    >>> fb.special.hermite_polynomial_he(fb.tensor([0.5, 2.]), 3)
    tensor([-1.3750,  2.0000])
  )";
  template <class T> static T forward(T x, T n) {
    const int64_t degree = int64_t(n);
    return degree > hermite_limit<T> ? T(math::nan<T>) : math::scalar::hermite_polynomial_he(x, degree);
  }
};

struct LaguerrePolynomialL : OfDegree {
  static constexpr auto schema = "special_laguerre_polynomial_l(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Laguerre polynomial of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.laguerre_polynomial_l(fb.tensor([0.5, 2.]), 3)
    tensor([-0.1458, -0.3333])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::laguerre_polynomial_l(x, int64_t(n));
  }
};

struct LegendrePolynomialP : OfDegree {
  static constexpr auto schema = "special_legendre_polynomial_p(Tensor x, Tensor n) -> Tensor";
  static constexpr auto doc = R"(
    Legendre polynomial of degree n at x, broadcast.

    Shapes: x (*), n (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: a negative degree gives 0.

    >>> fb.special.legendre_polynomial_p(fb.tensor([0.5, 2.]), 3)
    tensor([-0.4375, 17.0000])
  )";
  template <class T> static T forward(T x, T n) {
    return math::scalar::legendre_polynomial_p(x, int64_t(n));
  }
};

FB_GROUP(special_polynomial, ChebyshevPolynomialT, ChebyshevPolynomialU, ChebyshevPolynomialV,
         ChebyshevPolynomialW,
         ShiftedChebyshevPolynomialT, ShiftedChebyshevPolynomialU, ShiftedChebyshevPolynomialV,
         ShiftedChebyshevPolynomialW, HermitePolynomialH, HermitePolynomialHe, LaguerrePolynomialL,
         LegendrePolynomialP)

}  // namespace fb
