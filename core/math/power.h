#pragma once
#include "math/exponential.h"

namespace fb::math {

// log2(x) for finite x > 0 to 2^-68 of its value, as high + low; high has at most 26 bits where it matters.
// log(m) = 2 (s + s³/3 + s⁵/5 + …), s = (m - 1) / (m + 1) (Sun, fdlibm e_pow.c): s and s³/3 in pairs.
template <class T> Pair<T> log2_pair(T x) {
  auto [f, k] = split(x);
  T bottom = f + T(2.0);
  T bottom_low = (T(2.0) - bottom) + f;
  T s = f / bottom;
  auto [back, back_low] = two_product(s, bottom);
  T s_low = (((f - back) - back_low) - s * bottom_low) / bottom;
  auto [z, z_rest] = two_product(s, s);
  T z_low = z_rest + T(2.0) * s * s_low;
  // Σ 1/(2i + 3) zⁱ without its first term, z ≤ 0.0295; the series, cut below 2^-70
  T tail = poly(z, 1.0 / 25, 1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9,
                1.0 / 7, 1.0 / 5);
  auto [third, third_low] = two_product(z, T(0.3333333333333333));
  T third_rest = third_low + (z_low * T(0.3333333333333333) + z * T(1.850371707708594e-17)) + z * z * tail;
  // log(m) / 2 = s (1 + q)
  auto [q, q_rest] = fast_two_sum(third, third_rest);
  auto [product, product_rest] = two_product(s, q);
  T product_low = product_rest + (s * q_rest + s_low * q);
  auto [half, half_rest] = fast_two_sum(s, product);
  T half_low = half_rest + (product_low + s_low);
  // times 2 log2(e), in two parts
  constexpr double scale = 2.8853900817779268, scale_low = 4.0710547481862066e-17;
  auto [top, top_rest] = two_product(half, T(scale));
  T top_low = top_rest + (half_low * T(scale) + half * T(scale_low));
  auto [sum, sum_rest] = two_sum(k, top);
  return fast_two_sum(sum, sum_rest + top_low);
}

// |x|^y for finite x ≠ 0 and finite y: 2^(y log2|x|), the exponent as high + low.
template <class T> T power_of_size(T size, T y) {
  auto [high, low] = log2_pair(size);
  // Beyond ±2200 the result is 0 or inf whatever follows; cut y so that the products stay finite.
  T limited = clip(y, -0x1p+80, 0x1p+80);
  auto [product, product_rest] = two_product(limited, high);
  T exponent = clip(product, -1100.0, 1100.0);
  T rest = select(exponent == product, product_rest + limited * low, T(0.0));
  constexpr double magic = round_magic<T>;
  T shifted = exponent + T(magic);
  T fraction = exponent - (shifted - T(magic));
  auto [r, r_rest] = two_product(fraction, T(0.6931471805599453));
  T r_low = r_rest + (fraction * T(2.3190468138462996e-17) + rest * T(0.6931471805599453));
  auto [sum, lost] = fast_two_sum(T(1.0), r);
  T tail = exp_tail(r) * (r * r);
  T mantissa = sum + (tail + (lost + r_low * (sum + tail)));
  return scale2_bits(mantissa, bits(shifted) - Bits<T>(bits(Scalar<T>(magic))));
}

// x^y with the special cases of IEEE 754 and C99 F.9.4.4. Floats go through double, where one ulp of the
// logarithm is far below their last bit.
template <bool for_single = false, class T> T pow(T x, T y) {
  if constexpr (single<T>) {
    return narrow(pow<true>(widen(x), widen(y)));
  } else {
    T size = fabs(x), strength = fabs(y);
    T magnitude;
    if constexpr (for_single) {
      auto [f, k] = split_normal(size);
      magnitude = exp2(y * (k + (f + log_tail(f)) * T(1.4426950408889634)));
    } else {
      magnitude = power_of_size(size, y);
    }
    // 0, inf: by the sign of y; infinite y: by whether |x| is above 1
    auto edge = (size == T(0.0)) | (size == T(infinity<T>)) | (strength == T(infinity<T>));
    auto grows = (size > T(1.0)) ^ (y < T(0.0));
    magnitude = select(edge, select(grows, T(infinity<T>), T(0.0)), magnitude);
    // odd integers keep the sign of x; from 2^53 on every number is even
    auto whole = floor(y) == y;
    T half = y * T(0.5);
    auto odd = whole & (floor(half) != half);
    T y_signed = select(odd, copysign(magnitude, x), magnitude);
    auto undefined = (x < T(0.0)) & (size < T(infinity<T>)) & !whole;
    T checked = select(undefined | (x != x) | (y != y), T(nan<T>), y_signed);
    auto unit = (x == T(1.0)) | (y == T(0.0)) | ((x == T(-1.0)) & (strength == T(infinity<T>)));
    return select(unit, T(1.0), checked);
  }
}

}  // namespace fb::math
