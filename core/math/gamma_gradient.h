#pragma once
#include "math/gamma.h"

// How a gamma or beta random number moves with its shape parameter at a fixed level u of its distribution function F:
// dx/da = -(∂F/∂a) / density. Source: Figurnov, Mohamed and Mnih, Implicit reparameterization gradients, NeurIPS 2018.
namespace fb::math::scalar {

// A value and its derivative with respect to the shape parameter.
struct Dual {
  double value, slope;
  friend Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
  friend Dual operator*(Dual a, Dual b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
  friend Dual operator/(Dual a, Dual b) {
    const double q = a.value / b.value;
    return {q, (a.slope - q * b.slope) / b.value};
  }
};

// b(0) + a(1) / (b(1) + a(2) / (b(2) + …)) by Lentz's method, Thompson and Barnett, J. Comput. Phys. 64 (1986).
template <class Numerator, class Denominator>
Dual continued_fraction(Numerator&& a, Denominator&& b) {
  Dual h = b(0), c = h, d{0.0, 0.0};
  for (int64_t n = 1; n < 1000000; ++n) {
    const Dual top = a(n), bottom = b(n);
    d = Dual{1.0, 0.0} / (bottom + top * d);
    c = bottom + top / c;
    const Dual step = c * d;
    h = h * step;
    if (std::fabs(step.value - 1.0) < 1e-16 && std::fabs(step.slope) < 1e-15 * (std::fabs(h.slope / h.value) + 1.0)) break;
  }
  return h;
}

// Γ(a) numbers by their Cornish-Fisher expansion, in which the normal number stays the same: for large a. Where no draw
// comes, Wilson and Hilferty's cube root of a normal number will do.
inline double gamma_slope_large(double a, double x) {
  const double root = std::sqrt(a), cube_root = std::cbrt(x / a);
  if (std::fabs(x - a) > 50.0 * root) return cube_root * cube_root * (1.5 - 0.5 * cube_root);
  double z = (x - a) / root;
  for (int i = 0; i < 20; ++i) {                           // solve a + √a z + (z² - 1)/3 + (z³ - 7z)/(36 √a) = x
    const double error = a + root * z + (z * z - 1.0) / 3.0 + (z * z * z - 7.0 * z) / (36.0 * root) - x;
    z -= error / (root + 2.0 * z / 3.0 + (3.0 * z * z - 7.0) / (36.0 * root));
    if (std::fabs(error) < 1e-13 * a) break;
  }
  return 1.0 + z / (2.0 * root) - (z * z * z - 7.0 * z) / (72.0 * a * root);
}

// dx/da for x drawn from Γ(a) with rate 1.
inline double gamma_slope(double a, double x) {
  if (!(a > 0.0) || !(x >= 0.0) || a == inf || x == inf) return not_a_number;
  if (x == 0.0) return 0.0;
  if (a > 1e5) return gamma_slope_large(a, x);
  if (x < a + 1.0) {                                       // P / density = x/a · Σ xⁿ / ((a+1) … (a+n))
    double sum = 1.0, slope = 0.0, term = 1.0, harmonic = 0.0;
    for (double n = a + 1.0; term > 1e-18 * sum; n += 1.0) {
      term *= x / n;
      harmonic += 1.0 / n;
      sum += term;
      slope -= term * harmonic;
    }
    return -x / a * (sum * (std::log(x) - digamma(a + 1.0)) + slope);
  }
  const Dual fraction = Dual{1.0, 0.0} / continued_fraction([&](int64_t n) { return Dual{-double(n) * (double(n) - a), double(n)}; },
                                                            [&](int64_t n) { return Dual{x + 2.0 * double(n) + 1.0 - a, -1.0}; });
  return x * (fraction.value * (std::log(x) - digamma(a)) + fraction.slope);
}

// The continued fraction of the incomplete beta function, DLMF 8.17.22, times a B(a, b) / (xᵃ (1-x)ᵇ).
inline Dual beta_fraction(Dual a, Dual b, double x) {
  const auto number = [](double v) { return Dual{v, 0.0}; };
  return number(1.0) / continued_fraction(
                           [&](int64_t n) {
                             const double m = double(n / 2);
                             const Dual from = a + number(double(n) - 1.0), to = a + number(double(n));
                             if (n % 2 == 0) return number(m * x) * (b + number(-m)) / (from * to);
                             return number(-x) * (a + number(m)) * (a + b + number(m)) / (from * to);
                           },
                           [&](int64_t) { return number(1.0); });
}

// dx/da / (1 - x) for x drawn from Beta(a, total - a), total - a fixed: what the gradient of Dirichlet numbers needs.
inline double dirichlet_slope(double x, double a, double total) {
  const double b = total - a;
  if (!(a > 0.0) || !(b > 0.0) || !(x >= 0.0) || !(x <= 1.0) || total == inf) return not_a_number;
  if (x == 0.0 || x == 1.0) return 0.0;
  if (a > 1e10 && b > 1e10) {                              // normal, with mean a/t and variance ab/t³
    const double mean = a / total;
    return (b / total / total + (x - mean) * (0.5 / a - 1.5 / total)) / (1.0 - x);
  }
  const double log_scale = std::log(x) - digamma(a) + digamma(total);
  if (x < (a + 1.0) / (total + 2.0)) {
    const Dual f = beta_fraction({a, 1.0}, {b, 0.0}, x);
    return -x / a * (f.value * (log_scale - 1.0 / a) + f.slope);
  }
  const Dual g = beta_fraction({b, 0.0}, {a, 1.0}, 1.0 - x);     // 1 - F
  return x / b * (g.value * log_scale + g.slope);
}

inline float gamma_slope(float a, float x) { return float(gamma_slope(double(a), double(x))); }
inline float dirichlet_slope(float x, float a, float total) { return float(dirichlet_slope(double(x), double(a), double(total))); }

}  // namespace fb::math::scalar
