#pragma once
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

inline float round_to_float16(float x) {
  float size = std::fabs(x);
  auto bits = std::bit_cast<uint32_t>(size);
  bits += 0x0fff + (bits >> 13 & 1);
  float rounded = std::bit_cast<float>(bits & 0xffffe000u);
  rounded = rounded > 65504.0f ? INFINITY : rounded;
  float subnormal = (size + 0.5f) - 0.5f;  // floats from 0.5 on are 2^-24 apart, as float16 below 2^-14
  return std::copysign(size < 0x1p-14f ? subnormal : rounded, x);
}

// NaN need not survive: no sampler rounds one.
inline float round_to(Rounding rounding, float x) {
  if (rounding == Rounding::bfloat16) return round_to_bfloat16(x);
  if (rounding == Rounding::float16) return round_to_float16(x);
  return x;
}

inline int significand_digits(Rounding rounding) {
  return rounding == Rounding::bfloat16 ? 8 : rounding == Rounding::float16 ? 11 : 24;
}

}  // namespace fb
