#pragma once
#include <cmath>
#include <complex>

#include "math/words.h"

// Complex numbers of two adjacent T, as PyTorch and C store them. Arithmetic is straight-line; functions that
// have hard special cases come from the C library through std::complex.
namespace fb::math {

template <class T> struct Complex {
  T re, im;

  Complex() = default;
  constexpr Complex(T real, T imaginary = T(0)) : re(real), im(imaginary) {}
  Complex(std::complex<T> z) : re(z.real()), im(z.imag()) {}
  template <class U> requires(!std::is_same_v<U, T>)
  explicit constexpr Complex(Complex<U> z) : re(T(z.re)), im(T(z.im)) {}
  operator std::complex<T>() const { return {re, im}; }

  friend constexpr Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
  friend constexpr Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
  friend constexpr Complex operator-(Complex a) { return {-a.re, -a.im}; }
  friend constexpr Complex operator*(Complex a, Complex b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  // Smith's method (Comm. ACM 5 (1962)): dividing by the larger part first avoids overflow of |b|².
  friend Complex operator/(Complex a, Complex b) {
    const bool wide = fabs(b.re) >= fabs(b.im);
    const T large = wide ? b.re : b.im, small = wide ? b.im : b.re;
    const T ratio = select(large == T(0), small, small / large);
    const T bottom = large + small * ratio;
    const T p = wide ? a.re : a.im, q = wide ? a.im : a.re, sign = wide ? T(1) : T(-1);
    return {(p + q * ratio) / bottom, sign * (q - p * ratio) / bottom};
  }
  Complex& operator+=(Complex b) { return *this = *this + b; }
  Complex& operator-=(Complex b) { return *this = *this - b; }
  Complex& operator*=(Complex b) { return *this = *this * b; }
  Complex& operator/=(Complex b) { return *this = *this / b; }
  friend constexpr bool operator==(Complex a, Complex b) { return (a.re == b.re) & (a.im == b.im); }
  friend constexpr bool operator!=(Complex a, Complex b) { return !(a == b); }
};
static_assert(std::is_trivially_copyable_v<Complex<float>> && sizeof(Complex<double>) == 16);

template <class T> Complex<T> select(bool c, Complex<T> a, Complex<T> b) {
  return {select(c, a.re, b.re), select(c, a.im, b.im)};
}
template <class T> Complex<T> conj(Complex<T> z) { return {z.re, -z.im}; }
// conj for code that serves real numbers and symbols too.
template <class T> T conjugate(T x) { return x; }
template <class T> Complex<T> conjugate(Complex<T> z) { return conj(z); }
template <class T> bool is_nan(Complex<T> z) { return (z.re != z.re) | (z.im != z.im); }
template <class T> bool is_inf(Complex<T> z) { return is_inf(z.re) | is_inf(z.im); }

template <class T> T abs(Complex<T> z) { return std::hypot(z.re, z.im); }
template <class T> T arg(Complex<T> z) { return std::atan2(z.im, z.re); }
template <class T> Complex<T> polar(T size, T angle) {
  return {size * std::cos(angle), size * std::sin(angle)};
}
// z / |z|, 0 at 0.
template <class T> Complex<T> sgn(Complex<T> z) {
  const T size = abs(z);
  return size == T(0) ? Complex<T>(T(0)) : Complex<T>(z.re / size, z.im / size);
}
template <class T> Complex<T> reciprocal(Complex<T> z) { return Complex<T>(T(1)) / z; }

template <class T> Complex<T> exp(Complex<T> z) { return std::exp(std::complex<T>(z)); }
template <class T> Complex<T> log(Complex<T> z) { return std::log(std::complex<T>(z)); }
template <class T> Complex<T> sqrt(Complex<T> z) { return std::sqrt(std::complex<T>(z)); }
template <class T> Complex<T> sin(Complex<T> z) { return std::sin(std::complex<T>(z)); }
template <class T> Complex<T> cos(Complex<T> z) { return std::cos(std::complex<T>(z)); }
template <class T> Complex<T> tan(Complex<T> z) { return std::tan(std::complex<T>(z)); }
template <class T> Complex<T> sinh(Complex<T> z) { return std::sinh(std::complex<T>(z)); }
template <class T> Complex<T> cosh(Complex<T> z) { return std::cosh(std::complex<T>(z)); }
template <class T> Complex<T> tanh(Complex<T> z) { return std::tanh(std::complex<T>(z)); }
template <class T> Complex<T> asin(Complex<T> z) { return std::asin(std::complex<T>(z)); }
template <class T> Complex<T> acos(Complex<T> z) { return std::acos(std::complex<T>(z)); }
template <class T> Complex<T> atan(Complex<T> z) { return std::atan(std::complex<T>(z)); }
template <class T> Complex<T> asinh(Complex<T> z) { return std::asinh(std::complex<T>(z)); }
template <class T> Complex<T> acosh(Complex<T> z) { return std::acosh(std::complex<T>(z)); }
template <class T> Complex<T> atanh(Complex<T> z) { return std::atanh(std::complex<T>(z)); }

template <class T> Complex<T> scaled(Complex<T> z, double factor) {
  return {T(z.re * factor), T(z.im * factor)};
}
template <class T> Complex<T> log2(Complex<T> z) { return scaled(log(z), 1.4426950408889634); }
template <class T> Complex<T> log10(Complex<T> z) { return scaled(log(z), 0.4342944819032518); }

// e^(z ln 2)
template <class T> Complex<T> exp2(Complex<T> z) {
  if (z.im == T(0)) return {T(std::exp2(z.re)), z.im};
  if (!std::isfinite(z.re) || !std::isfinite(z.im)) return exp(scaled(z, 0.6931471805599453));
  return polar(T(std::exp2(z.re)), T(z.im * 0.6931471805599453));
}

// e^z - 1 without cancellation: its real part is expm1(x) cos y - 2 sin²(y/2).
template <class T> Complex<T> expm1(Complex<T> z) {
  if (z.im == T(0)) return {std::expm1(z.re), z.im};
  const T half = std::sin(z.im / 2);
  return {std::expm1(z.re) * std::cos(z.im) - 2 * half * half, std::exp(z.re) * std::sin(z.im)};
}

// log(1 + z). Near 0 its real part is log1p(|1 + z|² - 1) / 2, with |1 + z|² - 1 = 2x + x² + y² in pairs.
template <class T> Complex<T> log1p(Complex<T> z) {
  const T angle = std::atan2(z.im, T(1) + z.re);
  if (!(fabs(z.re) < T(0.5) && fabs(z.im) < T(1))) {
    const T size = std::hypot(T(1) + z.re, z.im);
    return {std::log(size), angle};
  }
  const auto x2 = two_product(z.re, z.re), y2 = two_product(z.im, z.im);
  const auto first = two_sum(2 * z.re, x2.high), second = two_sum(first.high, y2.high);
  const T size = second.high + (second.low + first.low + x2.low + y2.low);
  return {std::log1p(size) / 2, angle};
}

// 1 / (1 + e^-z), taken as e^z / (1 + e^z) on the left, where e^-z overflows.
template <class T> Complex<T> sigmoid(Complex<T> z) {
  const Complex<T> one(T(1));
  if (z.re >= T(0)) return one / (one + exp(-z));
  const Complex<T> e = exp(z);
  return e / (one + e);
}

// e^(b log a); 0^0 = 1, 0^b = 0 for b with positive real part.
template <class T> Complex<T> pow(Complex<T> a, Complex<T> b) {
  if (b == Complex<T>(T(0))) return T(1);
  if (a == Complex<T>(T(0)) && b.re > T(0)) return T(0);
  if (b == Complex<T>(T(1))) return a;
  if (b == Complex<T>(T(2))) return a * a;
  return std::pow(std::complex<T>(a), std::complex<T>(b));
}

}  // namespace fb::math
