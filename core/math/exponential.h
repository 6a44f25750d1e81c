#pragma once
#include "math/logarithm.h"

// Exponential family. Accuracy: at most 2 ulp in float and double, subnormal results included.
namespace fb::math {

// e^x = mantissa · 2^exponent with mantissa in [0.7, 1.42]; the caller keeps |x| below 2^20.
// Source: range reduction after Cody & Waite, Software Manual for the Elementary Functions (1980);
// polynomial: Chebyshev interpolation of (e^r - 1 - r) / r² on |r| ≤ ln(2)/2, error 1e-9 (float), 1e-18.
template <class T> struct Exponential { T mantissa; Bits<T> exponent; };

template <class T> struct Reduced { T rest; T count; Bits<T> exponent; };

// x = count · ln 2 + rest with |rest| ≤ ln(2)/2. ln 2 is split so that count · (first part) is exact.
template <class T> Reduced<T> reduce_by_log2(T x) {
  constexpr double magic = round_magic<T>;
  T shifted = x * T(1.4426950408889634) + T(magic);
  T count = shifted - T(magic);
  T rest;
  if constexpr (single<T>) rest = x - count * T(0.693359375) - count * T(-2.12194440e-4);  // Moshier, Cephes
  else rest = x - count * T(0x1.62e42feep-1) - count * T(0x1.a39ef35793c76p-33);           // Sun, fdlibm
  return {rest, count, bits(shifted) - Bits<T>(bits(Scalar<T>(magic)))};
}

// (e^r - 1 - r) / r²
template <class T> T exp_tail(T r) {
  if constexpr (single<T>) {
    return poly(r, 0.00019891030654370328, 0.0013933685862617174, 0.0083333108895820772, 0.041666464602026542,
                0.16666666681659179, 0.50000000134981779);
  } else {
    return poly(r, 2.0914717341716376e-9, 2.5105259538448493e-8, 2.7557273570102140e-7, 2.7557255297969644e-6,
                2.4801587325605323e-5, 0.00019841269874901259, 0.0013888888888883732, 0.0083333333333261121,
                0.041666666666666670, 0.16666666666666671, 0.5);
  }
}

template <class T> Exponential<T> exp_parts(T x) {
  auto [r, count, exponent] = reduce_by_log2(x);
  return {(exp_tail(r) * (r * r) + r) + T(1.0), exponent};
}

// Beyond these, e^x overflows or is less than half the smallest subnormal.
template <class T> inline constexpr double exp_high = single<T> ? 89.0 : 710.0;
template <class T> inline constexpr double exp_low = single<T> ? -104.5 : -745.5;

template <class T> T exp(T x) {
  auto [mantissa, exponent] = exp_parts(clip(x, exp_low<T>, exp_high<T>));
  return scale2_bits(mantissa, exponent);
}

// e^x / 2, which overflows later than e^x: for sinh and cosh.
template <class T> T half_exp(T x) {
  auto [mantissa, exponent] = exp_parts(clip(x, exp_low<T>, exp_high<T> + 1.0));
  return scale2_bits(mantissa, exponent - Bits<T>(1));
}

template <class T> T exp2(T x) {
  T limited = clip(x, single<T> ? -151.0 : -1076.0, single<T> ? 129.0 : 1025.0);
  constexpr double magic = round_magic<T>;
  T shifted = limited + T(magic);
  T f = limited - (shifted - T(magic));
  // ln 2 in two parts: f · ln 2 rounded would cost half an ulp
  T r = f * T(0.6931471805599453);
  T correction = f * T(single<T> ? -1.9046542e-9 : 2.3190468138462996e-17);
  T mantissa = (exp_tail(r) * (r * r) + (r + correction)) + T(1.0);
  return scale2_bits(mantissa, bits(shifted) - Bits<T>(bits(Scalar<T>(magic))));
}

template <class T> T expm1(T x) {
  // Below -50 the result is -1; above exp_high it is inf. The scale is 2^(k-1), since 2^k may overflow.
  auto [r, count, exponent] = reduce_by_log2(clip(x, -50.0, exp_high<T>));
  T p = exp_tail(r) * (r * r) + r;
  T scale = power_of_two<T>(exponent - Bits<T>(1));
  T y = (scale * p + (scale - T(0.5))) * T(2.0);
  return select(x == T(0.0), x, y);
}

// With e = e^-|x|: 1 / (1 + e), or e / (1 + e) = e - e² / (1 + e), which rounds less.
template <class T> T sigmoid(T x) {
  T below = -fabs(x);
  auto [mantissa, exponent] = exp_parts(select(below < T(exp_low<T>), T(exp_low<T>), below));
  T e = scale2_bits(mantissa, exponent);
  T upper = T(1.0) / (T(1.0) + e);
  return select(x < T(0.0), e - e * (e * upper), upper);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|)
template <class T> T log1p_exp(T x) {
  return select(x < T(0.0), T(0.0), x) + log1p(exp(-fabs(x)));
}

template <class T> T log_sigmoid(T x) { return -log1p_exp(-x); }

// log(e^x + e^y); equal infinities give themselves.
template <class T> T logaddexp(T x, T y) {
  T larger = select((x > y) | (x != x), x, y);
  T distance = select(x == y, T(0.0), -fabs(x - y));
  return larger + log1p(exp(distance));
}

// log2(2^x + 2^y)
template <class T> T logaddexp2(T x, T y) {
  T larger = select((x > y) | (x != x), x, y);
  T distance = select(x == y, T(0.0), -fabs(x - y));
  return larger + log1p(exp2(distance)) * T(1.4426950408889634);
}

}  // namespace fb::math
