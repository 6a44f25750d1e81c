#pragma once
#include <cmath>
#include <limits>

#include "math/words.h"

// The gamma function's family. These iterate or branch, so they are ordinary functions of numbers (namespace
// scalar) and cannot run on symbols; float versions compute in double.
namespace fb::math::scalar {

inline constexpr double inf = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double pi = 3.141592653589793;

inline double lgamma(double x) {
#if defined(__GLIBC__) || defined(__APPLE__)
  int sign;  // lgamma would write a global that threads share
  return ::lgamma_r(x, &sign);
#else
  return std::lgamma(x);
#endif
}

// tan(πx) and sin(πx), the whole turns taken off exactly.
inline double tan_pi(double x) { return std::tan(pi * (x - std::nearbyint(x))); }
inline double sin_pi(double x) {
  const double nearest = std::nearbyint(x), s = std::sin(pi * (x - nearest));
  return std::fmod(nearest, 2.0) == 0.0 ? s : -s;
}

// ψ(x) = Γ'(x) / Γ(x): ±inf at ±0, nan at negative integers. Accuracy: 3 ulp for x > 0; for x < 0 a few
// 10⁻¹⁶ of max(1, |π cot πx|), because ψ crosses 0 between all poles.
inline double digamma(double x) {
  if (x == 0.0) return std::copysign(inf, -x);
  if (x < 0.0) return x == std::floor(x) ? not_a_number : digamma(1.0 - x) - pi / tan_pi(x);
  if (x >= 10.0) {
    if (x == inf) return x;
    const double z = 1.0 / (x * x);
    // asymptotic series, Abramowitz & Stegun 6.3.18
    return std::log(x) - 0.5 / x -
           z * poly(z, 1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12);
  }
  double shift = 0.0;
  for (; x > 2.0; shift += 1.0 / x) x -= 1.0;
  if (x < 1.0) {
    shift -= 1.0 / x;
    x += 1.0;
  }
  // ψ(x) / (x - root) on [1, 2]: Chebyshev interpolation, error 2e-17; the root in two parts keeps the
  // relative accuracy around it
  const double from_root = (x - 1.4616321449683622) - 9.5499954299656977e-17;
  const double ratio =
      poly(x - 1.5, -0.00017312261802727393, 0.00025968482126430747, -0.00015148586836773366,
           0.00022723316609873759, -0.00048219905305667889, 0.00072332662792875542, -0.0010376374098418605,
           0.0015566317474486839, -0.0023452676325407690, 0.0035190064015022760, -0.0052799648732574042,
           0.0079269446464037960, -0.011908218001568645, 0.017907252439451199, -0.026975796756138249,
           0.040760833812420736, -0.061922133273064532, 0.094988724454941213, -0.14840492305390886,
           0.24054248424077422, -0.42362742128146050, 0.95105587603183289);
  return shift + from_root * ratio;
}

// ψ'(x): inf at 0 and at negative integers.
inline double trigamma(double x) {
  if (x <= 0.0 && x == std::floor(x)) return inf;
  if (x < 0.5) {
    const double s = sin_pi(x);
    return pi * pi / (s * s) - trigamma(1.0 - x);
  }
  if (x == inf) return 0.0;
  double sum = 0.0;
  for (; x < 10.0; x += 1.0) sum += 1.0 / (x * x);
  const double z = 1.0 / (x * x);
  // asymptotic series, Abramowitz & Stegun 6.4.12
  return sum + (1.0 + 0.5 / x + z * poly(z, 7.0 / 6, -691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30,
                                         1.0 / 6)) / x;
}

// Hurwitz zeta, Σ (q + n)^-s over n ≥ 0: inf at s = 1, nan for s < 1; for q ≤ 0 inf at integers, nan unless
// s is an integer. Source: Euler-Maclaurin summation from q + n > 10 + s on, where ten terms suffice
// (Abramowitz & Stegun 23.1.30).
inline double zeta(double s, double q) {
  if (s == 1.0) return inf;
  if (!(s > 1.0) || q != q) return not_a_number;
  if (q <= 0.0) {
    if (q == std::floor(q)) return inf;
    if (s != std::floor(s)) return not_a_number;
  }
  if (s == inf) return q > 1.0 ? 0.0 : q == 1.0 ? 1.0 : inf;
  if (q == inf) return 0.0;
  double sum = 0.0, a = q;
  for (; a <= 10.0 + s; a += 1.0) {
    const double term = std::pow(a, -s);
    sum += term;
    if (a > 0.0 && term < 1e-18 * sum) return sum;
  }
  // B(2j) / (2j)!
  constexpr double weights[] = {1.0 / 12,
                                -1.0 / 720,
                                1.0 / 30240,
                                -1.0 / 1209600,
                                1.0 / 47900160,
                                -691.0 / 1307674368000,
                                1.0 / 74724249600,
                                -3617.0 / 10670622842880000,
                                43867.0 / 5109094217170944000,
                                -174611.0 / 802857662698291200000.0};
  const double power = std::pow(a, -s);
  double tail = a / (s - 1.0) + 0.5;
  double factor = s / a;
  for (int j = 0; j < 10; ++j) {
    const double term = weights[j] * factor;
    tail += term;
    if (std::fabs(term) < 1e-17 * std::fabs(tail)) break;
    factor *= (s + 2 * j + 1) / a * ((s + 2 * j + 2) / a);
  }
  return sum + power * tail;
}

// The n-th derivative of ψ, (-1)^(n + 1) n! ζ(n + 1, x).
inline double polygamma(int64_t n, double x) {
  if (n == 0) return digamma(x);
  if (n == 1) return trigamma(x);
  const double size = std::tgamma(double(n) + 1.0) * zeta(double(n) + 1.0, x);
  return n % 2 ? size : -size;
}

// log Γ(1 + a) for small a: what 1 + a loses comes back through the derivative.
inline double lgamma1p(double a) {
  const double sum = 1.0 + a;
  return lgamma(sum) + (a - (sum - 1.0)) * digamma(sum);
}

// log(1 + u) - u, also for small u, where the terms cancel.
inline double log1p_minus(double u) {
  if (std::fabs(u) > 0.3) return std::log1p(u) - u;
  const double r = u / (2.0 + u), z = r * r;
  const double series = poly(z, 1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9,
                             1.0 / 7, 1.0 / 5, 1.0 / 3);
  return r * (2.0 * z * series - u);
}

// x^a e^-x / Γ(a + 1)
inline double gamma_density(double a, double x) {
  if (a < 10.0) {
    if (x > 700.0 || x < 1e-30) return std::exp(a * std::log(x) - x - lgamma1p(a));
    return std::pow(x, a) * std::exp(-x) / std::tgamma(a + 1.0);
  }
  const double z = 1.0 / (a * a);
  // Stirling's series, Abramowitz & Stegun 6.1.41
  const double series = poly(z, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12);
  return std::exp(a * log1p_minus((x - a) / a) - series / a) / std::sqrt(2.0 * pi * a);
}

// The two incomplete gamma functions, P(a, x) and Q(a, x) = 1 - P(a, x).
struct IncompleteGamma { double lower, upper; };

// P by its series, Abramowitz & Stegun 6.5.29.
inline double lower_series(double a, double x) {
  double sum = 1.0, term = 1.0;
  for (double n = a + 1.0; term > 1e-17 * sum; n += 1.0) {
    term *= x / n;
    sum += term;
  }
  return sum * gamma_density(a, x);
}

// Q by its continued fraction, Abramowitz & Stegun 6.5.31, in Lentz's form.
inline double upper_fraction(double a, double x) {
  double b = x + 1.0 - a, c = 1e300, d = 1.0 / b, h = d;
  for (int64_t n = 1; n < 1000000; ++n) {
    const double numerator = -double(n) * (double(n) - a);
    b += 2.0;
    d = 1.0 / (numerator * d + b);
    c = b + numerator / c;
    h *= c * d;
    if (std::fabs(c * d - 1.0) < 1e-16) break;
  }
  return h * a * gamma_density(a, x);
}

// Q for small a and x ≤ 1.1, where 1 - P would cancel: from Γ(a, x) = Γ(a) - Σ (-1)ⁿ x^(a+n) / (n! (a + n)).
inline double upper_series(double a, double x) {
  double sum = 0.0, factor = 1.0;
  for (int n = 1; n < 200; ++n) {
    factor *= -x / n;
    const double term = factor / (a + n);
    sum += term;
    if (std::fabs(term) <= 1e-17 * std::fabs(sum)) break;
  }
  const double log_scale = a * std::log(x) - lgamma1p(a);
  return -std::expm1(log_scale) - a * std::exp(log_scale) * sum;
}

// Temme's uniform expansion for large a, SIAM J. Math. Anal. 10 (1979), coefficients of DLMF 8.12: two terms
// are exact to double from a = 10⁶ on, where both series need thousands of steps.
inline IncompleteGamma uniform_expansion(double a, double x) {
  const double mu = (x - a) / a;
  const double half_square = -log1p_minus(mu);
  const double eta = std::copysign(std::sqrt(2.0 * half_square), mu);
  const double c0 = std::fabs(eta) < 0.1
                        ? poly(eta, -139.0 / 777600, 1.0 / 2835, 1.0 / 864, -2.0 / 135, 1.0 / 12, -1.0 / 3)
                        : 1.0 / mu - 1.0 / eta;
  const double c1 = poly(eta, -77.0 / 77760, 1.0 / 378, -1.0 / 288, -1.0 / 540);
  const double rest = std::exp(-a * half_square) / std::sqrt(2.0 * pi * a) * (c0 + c1 / a);
  const double root = eta * std::sqrt(0.5 * a);
  return {0.5 * std::erfc(-root) - rest, 0.5 * std::erfc(root) + rest};
}

inline IncompleteGamma incomplete_gamma(double a, double x) {
  if (!(a >= 0.0) || !(x >= 0.0)) return {not_a_number, not_a_number};
  if (a == 0.0) return x > 0.0 ? IncompleteGamma{1.0, 0.0} : IncompleteGamma{not_a_number, not_a_number};
  if (x == 0.0) return {0.0, 1.0};
  if (a == inf) return x == inf ? IncompleteGamma{not_a_number, not_a_number} : IncompleteGamma{0.0, 1.0};
  if (x == inf) return {1.0, 0.0};
  if (a > 1e6 && std::fabs(x - a) < 0.04 * a) return uniform_expansion(a, x);
  if (x <= 1.1 && a <= (x <= 0.5 ? -0.4 / std::log(x) : 1.1 * x)) {
    const double upper = upper_series(a, x);
    return {upper < 0.9 ? 1.0 - upper : lower_series(a, x), upper};
  }
  if (x > 1.1 && x > a) {
    const double upper = upper_fraction(a, x);
    return {1.0 - upper, upper};
  }
  const double lower = lower_series(a, x);
  return {lower, 1.0 - lower};
}

// P(a, x) and Q(a, x): nan for negative arguments, P(0, x) = 1 for x > 0.
inline double igamma(double a, double x) { return incomplete_gamma(a, x).lower; }
inline double igammac(double a, double x) { return incomplete_gamma(a, x).upper; }

inline float lgamma(float x) { return float(lgamma(double(x))); }
inline float digamma(float x) { return float(digamma(double(x))); }
inline float trigamma(float x) { return float(trigamma(double(x))); }
inline float polygamma(int64_t n, float x) { return float(polygamma(n, double(x))); }
inline float zeta(float s, float q) { return float(zeta(double(s), double(q))); }
inline float igamma(float a, float x) { return float(igamma(double(a), double(x))); }
inline float igammac(float a, float x) { return float(igammac(double(a), double(x))); }

}  // namespace fb::math::scalar
