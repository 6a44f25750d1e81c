#pragma once
#include <cmath>

#include "math/words.h"

// Circular functions and their inverses. Accuracy: at most 2 ulp in float and double.
//
// sin, cos, tan and spherical_j0 are straight-line for |x| ≤ largest_angle. A loop over numbers asks
// `needs_slow` of its chunk and calls scalar::sin, … where it answers true; beyond that bound the
// straight-line results are wrong.
namespace fb::math {

// Multiples of π/2 up to this bound have 26 bits, so that their products with 27-bit parts of π/2 are exact.
inline constexpr double largest_angle = 67108864.0;

template <class T> auto needs_slow(T x) { return fabs(x) > T(largest_angle); }

namespace scalar {
inline double sin(double x) { return std::sin(x); }
inline double cos(double x) { return std::cos(x); }
inline double tan(double x) { return std::tan(x); }
inline float sin(float x) { return float(std::sin(double(x))); }
inline float cos(float x) { return float(std::cos(double(x))); }
inline float tan(float x) { return float(std::tan(double(x))); }
}  // namespace scalar

// x = quadrant · π/2 + high + low, |high| ≤ π/4. D is double or its symbol: floats are reduced in double.
template <class D> struct Angle { D high, low; Bits<D> quadrant; };

// π/2 in parts of 27, 27, 27 and 53 bits: digits of π, cut at those places.
inline constexpr double half_pi_1 = 0x1.921fb54p+0, half_pi_2 = 0x1.10b4610p-30, half_pi_3 = 0x1.a626330p-58,
                        half_pi_4 = 0x1.45c06e0e68948p-86;

// Cody & Waite in four exact steps; `fine` keeps the result to twice the precision of double.
template <bool fine, class D> Angle<D> reduce_angle(D x) {
  constexpr double magic = round_magic<D>;
  D shifted = x * D(0.6366197723675814) + D(magic);
  D count = shifted - D(magic);
  D rest = x - count * D(half_pi_1);
  Bits<D> quadrant = bits(shifted);
  if constexpr (!fine) return {(rest - count * D(half_pi_2)) - count * D(half_pi_3), D(0.0), quadrant};
  auto [second, second_error] = two_sum(rest, -(count * D(half_pi_2)));
  auto [third, third_error] = two_sum(second, -(count * D(half_pi_3)));
  auto [high, low] = fast_two_sum(third, (second_error + third_error) - count * D(half_pi_4));
  return {high, low, quadrant};
}

// x = quadrant / 2 + rest / π: the same for angles in half turns.
template <class D> Angle<D> reduce_half_turns(D x) {
  D limited = x - D(2.0) * round_even(x * D(0.5));
  constexpr double magic = round_magic<D>;
  D shifted = limited * D(2.0) + D(magic);
  D rest = limited - (shifted - D(magic)) * D(0.5);
  auto [high, low] = two_product(rest, D(3.141592653589793));
  return {high, low + rest * D(1.2246467991473532e-16), bits(shifted)};
}

// sin and cos of |high| ≤ π/4, as first term and rest. Chebyshev interpolation of (sin r - r) / r³ and
// (cos r - 1 + r²/2) / r⁴ in r², error 3e-11 and 2e-12 (floats), 2e-17 and 1e-18.
template <bool fine, class D> Pair<D> sin_parts(Angle<D> a) {
  D r = a.high, z = r * r;
  if constexpr (!fine) {
    return {r, z * r * poly(z, 2.7249620080075329e-6, -0.00019840084376422703, 0.0083333318703413485,
                            -0.16666666663844049)};
  }
  D p = poly(z, 1.5917988979397433e-10, -2.5051129896450186e-8, 2.7557316093198405e-6,
             -0.00019841269836740532, 0.0083333333333309366, -0.16666666666666665);
  return {r, z * r * p + (a.low - D(0.5) * z * a.low)};
}
template <bool fine, class D> Pair<D> cos_parts(Angle<D> a) {
  D r = a.high, z = r * r, half = D(0.5) * z;
  if constexpr (!fine) {
    return {D(1.0), z * z * poly(z, -2.7300704038086652e-7, 2.4800598408350121e-5, -0.0013888887668370663,
                                 0.041666666664311823) - half};
  }
  D p = poly(z, -1.1382544645349250e-11, 2.0876145049413179e-9, -2.7557317265878080e-7, 2.4801587298754401e-5,
             -0.0013888888888887390, 0.041666666666666665);
  D first = D(1.0) - half;
  return {first, ((D(1.0) - first) - half) + (z * z * p - r * a.low)};
}

// sin(angle + turn · π/2)
template <bool fine, class D> D sin_of(Angle<D> a, int turn) {
  using Field = Bits<D>;
  Field quadrant = a.quadrant + Field(uint64_t(turn));
  auto [s, s_rest] = sin_parts<fine>(a);
  auto [c, c_rest] = cos_parts<fine>(a);
  D y = select((quadrant & Field(1ull)) != Field(0ull), c + c_rest, s + s_rest);
  return from_bits(bits(y) ^ ((quadrant & Field(2ull)) << 62));
}

template <class T> T sin(T x) {
  if constexpr (single<T>) {
    T y = narrow(sin_of<false>(reduce_angle<false>(widen(x)), 0));
    return select(x == T(0.0), x, y);
  } else {
    return select(x == T(0.0), x, sin_of<true>(reduce_angle<true>(x), 0));
  }
}

template <class T> T cos(T x) {
  if constexpr (single<T>) return narrow(sin_of<false>(reduce_angle<false>(widen(x)), 1));
  else return sin_of<true>(reduce_angle<true>(x), 1);
}

template <bool fine, class D> D tan_of(Angle<D> a) {
  using Field = Bits<D>;
  auto odd = (a.quadrant & Field(1ull)) != Field(0ull);
  auto [s, s_rest] = sin_parts<fine>(a);
  auto [c, c_rest] = cos_parts<fine>(a);
  if constexpr (!fine) {
    s = s + s_rest, c = c + c_rest;
    return select(odd, -c, s) / select(odd, s, c);
  }
  auto [s_high, s_low] = fast_two_sum(s, s_rest);
  auto [c_high, c_low] = fast_two_sum(c, c_rest);
  D top = select(odd, -c_high, s_high), top_low = select(odd, -c_low, s_low);
  D bottom = select(odd, s_high, c_high), bottom_low = select(odd, s_low, c_low);
  D quotient = top / bottom;
  auto [product, error] = two_product(quotient, bottom);
  return quotient + (((top - product) - error) + (top_low - quotient * bottom_low)) / bottom;
}

template <class T> T tan(T x) {
  if constexpr (single<T>) {
    T y = narrow(tan_of<false>(reduce_angle<false>(widen(x))));
    return select(x == T(0.0), x, y);
  } else {
    // a denormal quotient times its divisor is not exact, and tan x = x there anyway
    return select(fabs(x) < T(1e-9), x, tan_of<true>(reduce_angle<true>(x)));
  }
}

// sin(πx) / (πx), 1 at 0.
template <class T> T sinc(T x) {
  if constexpr (single<T>) {
    return narrow(sinc(widen(x)));
  } else {
    T y = sin_of<true>(reduce_half_turns(x), 0) / (x * T(3.141592653589793));
    return select(fabs(x) < T(1e-9), T(1.0), y);
  }
}

// sin(x) / x, 1 at 0: the spherical Bessel function of order 0; within largest_angle as sin.
template <class T> T spherical_j0(T x) {
  return select(fabs(x) < T(1e-9), T(1.0), select(is_inf(x), T(0.0), sin(x) / x));
}

// atan of a ≥ 0. Breakpoints and the parts of atan there: Sun, fdlibm s_atan.c (double), Moshier, Cephes
// atanf (float); polynomials: Chebyshev interpolation of (atan t - t) / t³ in t², error 2e-8 and 1e-16.
template <class T> T atan_positive(T a) {
  if constexpr (single<T>) {
    auto steep = a > T(2.414213562373095), middle = a > T(0.4142135623730950);
    T top = select(steep, T(-1.0), select(middle, a - T(1.0), a));
    T bottom = select(steep, a, select(middle, a + T(1.0), T(1.0)));
    T offset = select(steep, T(1.5707963267948966), select(middle, T(0.7853981633974483), T(0.0)));
    T offset_low = select(steep, T(-4.371139e-8), select(middle, T(-2.1855695e-8), T(0.0)));
    T t = top / bottom, z = t * t;
    T p = poly(z, -0.064517188693589581, 0.10743668324830098, -0.14263949753605724, 0.19999540314957969,
               -0.33333331760434556);
    return offset + (t + (t * z * p + offset_low));
  } else {
    auto from_half = a >= T(0.4375), from_one = a >= T(0.6875), from_three_halves = a >= T(1.1875),
         from_infinity = a >= T(2.4375);
    T c = select(from_three_halves, T(1.5), select(from_one, T(1.0), select(from_half, T(0.5), T(0.0))));
    T t = select(from_infinity, T(-1.0), a - c) / select(from_infinity, a, T(1.0) + c * a);
    T high = select(from_half, T(4.63647609000806093515e-01), T(0.0));
    T low = select(from_half, T(2.26987774529616870924e-17), T(0.0));
    high = select(from_one, T(7.85398163397448278999e-01), high);
    low = select(from_one, T(3.06161699786838301793e-17), low);
    high = select(from_three_halves, T(9.82793723247329054082e-01), high);
    low = select(from_three_halves, T(1.39033110312309984516e-17), low);
    high = select(from_infinity, T(1.57079632679489655800e+00), high);
    low = select(from_infinity, T(6.12323399573676603587e-17), low);
    T z = t * t;
    T p = poly(z, -0.017545740588500106, 0.037823856862431884, -0.050338901748429755, 0.058477135033111833,
               -0.066632378580763555, 0.076920872345957886, -0.090909001900751565, 0.11111110900409805,
               -0.14285714283146549, 0.19999999999987757, -0.33333333333333324);
    return high + (t + (t * z * p + low));
  }
}

template <class T> T atan(T x) { return copysign(atan_positive(fabs(x)), x); }

template <class T> T atan2(T y, T x) {
  if constexpr (single<T>) {
    return narrow(atan2(widen(y), widen(x)));
  } else {
    T height = fabs(y), width = fabs(x);
    T ratio = select(height == width, T(1.0), height / width);
    T angle = atan_positive(select(height == T(0.0), select(x == x, T(0.0), x), ratio));
    T left = T(3.141592653589793) - (angle - T(1.2246467991473532e-16));
    T size = select(sign_bit(x), left, angle);
    return copysign(select((x == x) & (y == y), size, x + y), y);
  }
}

// (asin(s) - s) / s³ in z = s² ≤ 1/4: Chebyshev interpolation, error 4e-9 and 2e-17.
template <class T> T asin_tail(T z) {
  if constexpr (single<T>) {
    return poly(z, 0.033690847202830120, 0.017149238357677253, 0.031100662735494568, 0.044599401528512184,
                0.075000945434974235, 0.16666666337430907);
  } else {
    return poly(z, 0.028757851367421565, -0.014851887071247203, 0.017400879442694022, 0.0054575067186403583,
                0.010322814350185779, 0.011479177415184906, 0.013971212973552933, 0.017352392720869973,
                0.022372172942149888, 0.030381944138531247, 0.044642857146355430, 0.074999999999984329,
                0.16666666666666668);
  }
}

// π/2 less its value in T.
template <class T>
inline constexpr double half_pi_rest = single<T> ? -4.371139000186241e-08 : 6.123233995736766e-17;
template <class T> inline constexpr double pi_rest = 2.0 * half_pi_rest<T>;

// For |x| > ½: asin x = π/2 - 2 asin √((1 - x) / 2), acos x = 2 asin √((1 - x) / 2) (Sun, fdlibm e_asin.c).
template <class T> T asin(T x) {
  T a = fabs(x);
  auto steep = a > T(0.5);
  T z = select(steep, (T(1.0) - a) * T(0.5), a * a);
  T s = select(steep, sqrt(z), a);
  T tail = s * z * asin_tail(z);
  T far = (T(1.5707963267948966) - T(2.0) * s) - (T(2.0) * tail - T(half_pi_rest<T>));
  return copysign(select(steep, far, s + tail), x);
}

template <class T> T acos(T x) {
  T a = fabs(x);
  auto steep = a > T(0.5);
  T z = select(steep, (T(1.0) - a) * T(0.5), a * a);
  T s = select(steep, sqrt(z), x);
  T tail = s * z * asin_tail(z);
  T near_zero = T(1.5707963267948966) - (s + (tail - T(half_pi_rest<T>)));
  T right = T(2.0) * (s + tail);
  T left = T(3.141592653589793) - (right - T(pi_rest<T>));
  return select(steep, select(x < T(0.0), left, right), near_zero);
}

// √(x² + y²) without overflow; infinite if either is, even beside nan (C99).
template <class T> T hypot(T x, T y) {
  T size;
  if constexpr (single<T>) {
    auto a = widen(x), b = widen(y);
    size = narrow(sqrt(a * a + b * b));
  } else {
    T a = fabs(x), b = fabs(y);
    T larger = select(a > b, a, b);
    // scale by powers of two, exactly
    auto large = larger > T(0x1p+500), small = larger < T(0x1p-500);
    T down = select(large, T(0x1p-600), select(small, T(0x1p+600), T(1.0)));
    T up = select(large, T(0x1p+600), select(small, T(0x1p-600), T(1.0)));
    T p = a * down, q = b * down;
    size = sqrt(p * p + q * q) * up;
  }
  return select(is_inf(x) | is_inf(y), T(infinity<T>), size);
}

}  // namespace fb::math
