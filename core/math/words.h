#pragma once
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

// The vocabulary in which numeric functions are written, for numbers; words_ir.h has the same for symbols.
// A function built from these words is straight-line code: `select` instead of `if` and `?:`, `&` and `|`
// instead of `&&` and `||`, `poly` instead of a loop. So compilers vectorise it, and symbols can run
// through it.
namespace fb::math {

// What a function may ask about its T. Words for symbols specialise it.
template <class T> struct Number;
template <> struct Number<float> { using Scalar = float; using Bits = uint32_t; };
template <> struct Number<double> { using Scalar = double; using Bits = uint64_t; };

template <class T> using Scalar = typename Number<T>::Scalar;
template <class T> using Bits = typename Number<T>::Bits;
template <class T> inline constexpr bool single = sizeof(Scalar<T>) == 4;
template <class T> inline constexpr double infinity = std::numeric_limits<double>::infinity();
template <class T> inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
template <class T> inline constexpr double smallest_normal = std::numeric_limits<Scalar<T>>::min();
template <class T> inline constexpr int fraction_bits = single<T> ? 23 : 52;
template <class T> inline constexpr int exponent_bias = single<T> ? 127 : 1023;
// Adding 1.5·2^fraction_bits rounds to an integer and leaves it in the low bits: unlike a conversion of
// double to int64, which vectorises with AVX-512DQ only, it vectorises everywhere.
template <class T> inline constexpr double round_magic = single<T> ? 12582912.0 : 6755399441055744.0;

template <class T> concept Plain = std::is_arithmetic_v<T>;
template <class T> concept Real = std::is_floating_point_v<T>;

// What wraps around and is not promoted to int.
template <class T> using Unsigned = std::common_type_t<unsigned, std::make_unsigned_t<T>>;

template <Plain T> T select(bool c, T a, T b) { return c ? a : b; }

inline float floor(float x) { return __builtin_floorf(x); }
inline double floor(double x) { return __builtin_floor(x); }
inline float ceil(float x) { return __builtin_ceilf(x); }
inline double ceil(double x) { return __builtin_ceil(x); }
inline float trunc(float x) { return __builtin_truncf(x); }
inline double trunc(double x) { return __builtin_trunc(x); }
inline float round_even(float x) { return __builtin_rintf(x); }
inline double round_even(double x) { return __builtin_rint(x); }
inline float sqrt(float x) { return __builtin_sqrtf(x); }
inline double sqrt(double x) { return __builtin_sqrt(x); }
inline float fabs(float x) { return __builtin_fabsf(x); }
inline double fabs(double x) { return __builtin_fabs(x); }
inline float copysign(float size, float sign) { return __builtin_copysignf(size, sign); }
inline double copysign(double size, double sign) { return __builtin_copysign(size, sign); }

constexpr uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }
constexpr uint64_t bits(double x) { return std::bit_cast<uint64_t>(x); }
constexpr float from_bits(uint32_t b) { return std::bit_cast<float>(b); }
constexpr double from_bits(uint64_t b) { return std::bit_cast<double>(b); }
inline double widen(float x) { return x; }
inline float narrow(double x) { return float(x); }

// ---- words made of other words, for numbers and symbols alike

// a * b + c; the compiler fuses it where the CPU can.
template <class T> T mul_add(T a, T b, T c) { return a * b + c; }

// Horner's rule, highest power first, unrolled: a loop here costs a factor of six, silently.
template <class T, class... C> T poly(T x, double first, C... rest) {
  T sum = T(first);
  ((sum = sum * x + T(double(rest))), ...);
  return sum;
}

template <class T> auto is_nan(T x) { return x != x; }
template <class T> auto is_inf(T x) { return fabs(x) == T(infinity<T>); }
template <class T> auto sign_bit(T x) {
  return (bits(x) >> (fraction_bits<T> == 23 ? 31 : 63)) != Bits<T>(0);
}

// minimum and maximum return nan if either is nan; fmin and fmax return the other one.
template <class T> T minimum(T a, T b) { return select((a < b) | (a != a), a, b); }
template <class T> T maximum(T a, T b) { return select((a > b) | (a != a), a, b); }
template <class T> T fmin(T a, T b) { return select((a <= b) | (b != b), a, b); }
template <class T> T fmax(T a, T b) { return select((a >= b) | (b != b), a, b); }
// Integers wrap around.
template <class T> T wrapping_sum(T a, T b) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(Unsigned<T>(a) + Unsigned<T>(b));
  else return a + b;
}
template <class T> T wrapping_difference(T a, T b) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(Unsigned<T>(a) - Unsigned<T>(b));
  else return a - b;
}
template <class T> T wrapping_product(T a, T b) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(Unsigned<T>(a) * Unsigned<T>(b));
  else return a * b;
}
inline int64_t minimum(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t maximum(int64_t a, int64_t b) { return a > b ? a : b; }

// x limited to [low, high]; nan stays nan.
template <class T> T clip(T x, double low, double high) {
  T raised = select(x < T(low), T(low), x);
  return select(raised > T(high), T(high), raised);
}

// An integer of either sign as T holds it (two's complement), from a T holding an integer.
template <class T> Bits<T> integer_bits(T k) {
  constexpr Scalar<T> magic = round_magic<T>;
  return bits(k + T(round_magic<T>)) - Bits<T>(bits(magic));
}

// 2^k for exponents of normal numbers.
template <class T> T power_of_two(Bits<T> k) {
  return from_bits((k + Bits<T>(exponent_bias<T>)) << fraction_bits<T>);
}

// m · 2^k in two exact steps, so that k may be twice what one exponent field holds: only the last product
// rounds, and subnormal results and overflow come out right.
template <class T> T scale2_bits(T m, Bits<T> k) {
  Bits<T> biased = k + Bits<T>(2 * exponent_bias<T>);
  Bits<T> half = biased >> 1;
  return m * from_bits(half << fraction_bits<T>) * from_bits((biased - half) << fraction_bits<T>);
}
// m · 2^k, k holding an integer.
template <class T> T scale2(T m, T k) { return scale2_bits(m, integer_bits(k)); }

// x with the lower half of its significand cleared: products of two such numbers are exact, with or without
// fused multiply-add, so error terms need not know the CPU (Dekker, Numer. Math. 18 (1971), by masking).
template <class T> T upper_half(T x) {
  return from_bits(bits(x) & Bits<T>(single<T> ? 0xfffff000u : 0xfffffffff8000000u));
}

// An unevaluated sum high + low.
template <class T> struct Pair { T high, low; };

// a + b exactly, if |a| ≥ |b| or a = 0.
template <class T> Pair<T> fast_two_sum(T a, T b) {
  T sum = a + b;
  return {sum, b - (sum - a)};
}
// a + b exactly (Knuth).
template <class T> Pair<T> two_sum(T a, T b) {
  T sum = a + b;
  T shift = sum - a;
  return {sum, (a - (sum - shift)) + (b - shift)};
}
// a · b, exact but for the last few of twice the bits.
template <class T> Pair<T> two_product(T a, T b) {
  T a1 = upper_half(a), a2 = a - a1, b1 = upper_half(b), b2 = b - b1;
  T top = a1 * b1, rest = a1 * b2 + a2 * b1;
  T high = top + rest;
  return {high, (rest - (high - top)) + a2 * b2};
}

}  // namespace fb::math
