#pragma once
#include "math/words.h"

// Logarithms. Accuracy: at most 2 ulp in float and double, subnormal arguments included.
namespace fb::math {

// x = (1 + fraction) · 2^exponent with 1 + fraction in [√½, √2), for finite x > 0.
template <class T> struct Split { T fraction; T exponent; };

// The exponent field is laid into the fraction of a power of two, which converts it to T without a
// conversion of 64-bit integers (vectorises with AVX-512DQ only).
template <class T> T field_to_number(Bits<T> field) {
  constexpr double base = single<T> ? 8388608.0 : 4503599627370496.0;
  return from_bits(field | Bits<T>(bits(Scalar<T>(base)))) - T(base + exponent_bias<T>);
}

template <class T> Split<T> split_normal(T x) {
  constexpr auto one = bits(Scalar<T>(1.0)), root_half = bits(Scalar<T>(0.70710678118654752));
  constexpr int width = fraction_bits<T>;
  Bits<T> field = (bits(x) + Bits<T>(one - root_half)) >> width;
  T mantissa = from_bits(bits(x) - ((field - Bits<T>(exponent_bias<T>)) << width));
  return {mantissa - T(1.0), field_to_number<T>(field)};
}

template <class T> Split<T> split(T x) {
  auto subnormal = x < T(smallest_normal<T>);
  constexpr double lift = single<T> ? 8388608.0 : 4503599627370496.0;
  auto [fraction, exponent] = split_normal(select(subnormal, x * T(lift), x));
  return {fraction, exponent - select(subnormal, T(double(fraction_bits<T>)), T(0.0))};
}

// log(1 + f) - f for 1 + f in [√½, √2).
template <class T> T log_tail(T f) {
  T half_square = T(0.5) * f * f;
  if constexpr (single<T>) {
    // (log(1 + f) - f + f²/2) / f³: Chebyshev interpolation, error 5e-9
    T p = poly(f, -0.062015001190183343, 0.10530864738938345, -0.10646191638199634, 0.11037783359055020,
               -0.12450743320911726, 0.14286524547786642, -0.16668001523071928, 0.20000010039684972,
               -0.24999990275042185, 0.33333333281199244);
    return f * f * (f * p) - half_square;
  } else {
    // Sun, fdlibm e_log.c: log(1 + f) = f - f²/2 + s (f²/2 + R(s²)), s = f / (2 + f), error 2^-58.45
    T s = f / (T(2.0) + f);
    T z = s * s;
    T r = z * poly(z, 1.479819860510658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                   2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                   6.666666666666735130e-01);
    return s * (half_square + r) - half_square;
  }
}

// ln 2 in two parts; the first one times an exponent is exact.
template <class T> inline constexpr double ln2_high = single<T> ? 0.693359375 : 0x1.62e42feep-1;
template <class T> inline constexpr double ln2_low = single<T> ? -2.12194440e-4 : 0x1.a39ef35793c76p-33;

// y, which is right for finite x > 0, with the results for all other x.
template <class T> T with_log_limits(T x, T y) {
  T above = select(x < T(infinity<T>), y, x);
  return select(x > T(0.0), above, select(x == T(0.0), T(-infinity<T>), T(nan<T>)));
}

template <class T> T log(T x) {
  auto [f, k] = split(x);
  return with_log_limits(x, k * T(ln2_high<T>) + (f + (log_tail(f) + k * T(ln2_low<T>))));
}

template <class T> T log2(T x) {
  if constexpr (single<T>) {
    auto [f, k] = split(x);
    // log2(e) = 1 + 0.44…: the part 1 · f is exact
    T tail = log_tail(f);
    return with_log_limits(x, k + (f + (tail * T(1.4426950408889634) + f * T(0.4426950408889634))));
  } else {
    auto [f, k] = split(x);
    // Sun, fdlibm e_log2.c: f + tail as high + low, so that the product with log2(e) keeps its last bits
    T tail = log_tail(f);
    T high = upper_half(f + tail), low = (f - high) + tail;
    constexpr double scale_high = 1.44269504072144627571e+00, scale_low = 1.67517131648865118353e-10;
    T top = high * T(scale_high), rest = (low + high) * T(scale_low) + low * T(scale_high);
    auto [sum, error] = two_sum(k, top);
    return with_log_limits(x, sum + (rest + error));
  }
}

template <class T> T log10(T x) {
  if constexpr (single<T>) {
    return narrow(log10(widen(x)));
  } else {
    auto [f, k] = split(x);
    // Sun, fdlibm e_log10.c: as log2, and log10(2) in two parts
    T tail = log_tail(f);
    T high = upper_half(f + tail), low = (f - high) + tail;
    constexpr double scale_high = 4.34294481878168880939e-01, scale_low = 2.50829467116452752298e-11;
    constexpr double two_high = 3.01029995663611771306e-01, two_low = 3.69423907715893078616e-13;
    T top = high * T(scale_high);
    T rest = k * T(two_low) + (low + high) * T(scale_low) + low * T(scale_high);
    auto [sum, error] = two_sum(k * T(two_high), top);
    return with_log_limits(x, sum + (rest + error));
  }
}

// log(u + lost) for |lost| below u's last bit: log(u) + lost / u.
template <class T> T log_of_sum(T u, T lost) {
  auto [f, k] = split_normal(u);
  return with_log_limits(u, k * T(ln2_high<T>) + (f + (log_tail(f) + (k * T(ln2_low<T>) + lost / u))));
}

// u is 1 + x rounded (Sun, fdlibm s_log1p.c).
template <class T> T log1p(T x) {
  T u = T(1.0) + x;
  T lost = select(x < T(1.0), x - (u - T(1.0)), T(1.0) - (u - x));
  return select(x == T(0.0), x, log_of_sum(u, lost));
}

// x · log(y), 0 where x is 0 and y is not nan.
template <class T> T xlogy(T x, T y) { return select((x == T(0.0)) & (y == y), T(0.0), x * log(y)); }
// x · log(1 + y), 0 where x is 0 and y is not nan.
template <class T> T xlog1py(T x, T y) { return select((x == T(0.0)) & (y == y), T(0.0), x * log1p(y)); }

// Entropy -x · log(x): 0 at 0, -inf below.
template <class T> T entr(T x) {
  return select(x > T(0.0), -x * log(x), select(x == T(0.0), T(0.0), select(x == x, T(-infinity<T>), x)));
}

}  // namespace fb::math
