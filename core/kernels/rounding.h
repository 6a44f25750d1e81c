#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "samplers.h"

namespace fb {

inline float round_to_bfloat16(float x) {
  auto bits = std::bit_cast<uint32_t>(x);
  bits += 0x7fff + (bits >> 16 & 1);
  return std::bit_cast<float>(bits & 0xffff0000u);
}

// Adding and subtracting 1.5 · 2^(e+13) leaves 11 significant bits, rounded to nearest, ties to even.
inline float round_to_float16(float x) {
  if (!(std::fabs(x) < 65520.0f)) return std::copysign(INFINITY, x);
  int exponent = std::max(std::ilogb(x), -14);
  float shift = std::ldexp(1.5f, exponent + 13);
  return (x + shift) - shift;
}

inline float round_to(Rounding rounding, float x) {
  if (rounding == Rounding::bfloat16) return round_to_bfloat16(x);
  if (rounding == Rounding::float16) return round_to_float16(x);
  return x;
}

inline int significand_digits(Rounding rounding) {
  return rounding == Rounding::bfloat16 ? 8 : rounding == Rounding::float16 ? 11 : 24;
}

}  // namespace fb
