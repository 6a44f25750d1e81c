#pragma once
#include <cmath>
#include <cstdint>

#include "math/words.h"

// Orthogonal polynomials of degree n at x by their three-term recurrences (Abramowitz & Stegun 22.7):
// ordinary functions of numbers (namespace scalar). A negative degree gives 0.
namespace fb::math::scalar {

// p(n) from p(0), p(1) and p(k + 1) = next(k, p(k), p(k - 1)).
template <class T, class Next> T by_recurrence(int64_t n, T zeroth, T first, Next next) {
  if (n < 0) return T(0);
  if (n == 0) return zeroth;
  T before = zeroth, now = first;
  for (int64_t k = 1; k < n && now == now; ++k) {
    const T after = next(T(k), now, before);
    before = now;
    now = after;
  }
  return now;
}

// All four kinds of Chebyshev polynomials share p(k + 1) = 2x p(k) - p(k - 1); between -1 and 1 higher
// degrees have closed forms in θ = arccos x. `sign` is (-1)^n, their value at -1 apart from a factor.
inline double degree_sign(int64_t n) { return n % 2 ? -1.0 : 1.0; }

template <class T> T chebyshev(int64_t n, T x, T first) {
  return by_recurrence<T>(n, T(1), first, [x](T, T now, T before) { return 2 * x * now - before; });
}

template <class T> T chebyshev_polynomial_t(T x, int64_t n) {
  if (n < 0) return T(0);
  if (std::fabs(x) == 1) return T(x > 0 ? 1.0 : degree_sign(n));
  if (n > 6 && std::fabs(x) < 1) return T(std::cos(double(n) * std::acos(double(x))));
  return chebyshev(n, x, x);
}

template <class T> T chebyshev_polynomial_u(T x, int64_t n) {
  if (n < 0) return T(0);
  if (std::fabs(x) == 1) return T((x > 0 ? 1.0 : degree_sign(n)) * double(n + 1));
  if (n > 8 && std::fabs(x) < 1) {
    const double angle = std::acos(double(x));
    return T(std::sin(double(n + 1) * angle) / std::sin(angle));
  }
  return chebyshev(n, x, 2 * x);
}

template <class T> T chebyshev_polynomial_v(T x, int64_t n) {
  if (n < 0) return T(0);
  if (std::fabs(x) == 1) return T(x > 0 ? 1.0 : degree_sign(n) * double(2 * n + 1));
  if (n > 8 && std::fabs(x) < 1) {
    const double half = 0.5 * std::acos(double(x));
    return T(std::cos(double(2 * n + 1) * half) / std::cos(half));
  }
  return chebyshev(n, x, 2 * x - 1);
}

template <class T> T chebyshev_polynomial_w(T x, int64_t n) {
  if (n < 0) return T(0);
  if (std::fabs(x) == 1) return T(x > 0 ? double(2 * n + 1) : degree_sign(n));
  if (n > 8 && std::fabs(x) < 1) {
    const double half = 0.5 * std::acos(double(x));
    return T(std::sin(double(2 * n + 1) * half) / std::sin(half));
  }
  return chebyshev(n, x, 2 * x + 1);
}

// Shifted to [0, 1].
template <class T> T shifted_chebyshev_polynomial_t(T x, int64_t n) {
  return chebyshev_polynomial_t(2 * x - 1, n);
}
template <class T> T shifted_chebyshev_polynomial_u(T x, int64_t n) {
  return chebyshev_polynomial_u(2 * x - 1, n);
}
template <class T> T shifted_chebyshev_polynomial_v(T x, int64_t n) {
  return chebyshev_polynomial_v(2 * x - 1, n);
}
template <class T> T shifted_chebyshev_polynomial_w(T x, int64_t n) {
  return chebyshev_polynomial_w(2 * x - 1, n);
}

// Physicists' and probabilists' Hermite polynomials.
template <class T> T hermite_polynomial_h(T x, int64_t n) {
  return by_recurrence<T>(n, T(1), 2 * x, [x](T k, T now, T before) { return 2 * (x * now - k * before); });
}
template <class T> T hermite_polynomial_he(T x, int64_t n) {
  return by_recurrence<T>(n, T(1), x, [x](T k, T now, T before) { return x * now - k * before; });
}

template <class T> T laguerre_polynomial_l(T x, int64_t n) {
  if (x == 0) return T(n < 0 ? 0 : 1);
  return by_recurrence<T>(n, T(1), 1 - x, [x](T k, T now, T before) {
    return ((2 * k + 1 - x) * now - k * before) / (k + 1);
  });
}

template <class T> T legendre_polynomial_p(T x, int64_t n) {
  if (n >= 0 && std::fabs(x) == 1) return T(x > 0 ? 1.0 : degree_sign(n));
  return by_recurrence<T>(n, T(1), x, [x](T k, T now, T before) {
    return ((2 * k + 1) * x * now - k * before) / (k + 1);
  });
}

}  // namespace fb::math::scalar
