#pragma once
#include <bit>
#include <cstdint>

// 16-bit floats are storage only: blocks are widened to float, computed on, and narrowed.
namespace fb {

inline float widen_bf16(uint16_t v) { return std::bit_cast<float>(uint32_t(v) << 16); }
inline uint16_t narrow_bf16(float v) {                // round to nearest, ties to even
  const uint32_t u = std::bit_cast<uint32_t>(v);
  return v != v ? 0x7fc0 : static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

// IEEE binary16 by integer arithmetic without branches (after F. Giesen's public-domain notes on half floats).
inline float widen_f16(uint16_t v) {
  const uint32_t magic = 113u << 23, shifted = 0x7c00u << 13;
  uint32_t o = (v & 0x7fffu) << 13;
  const uint32_t exponent = shifted & o;
  o += (127 - 15) << 23;
  const uint32_t infinite = o + ((128 - 16) << 23);
  const uint32_t small = std::bit_cast<uint32_t>(std::bit_cast<float>(o + (1u << 23)) - std::bit_cast<float>(magic));
  o = exponent == shifted ? infinite : exponent == 0 ? small : o;
  return std::bit_cast<float>(o | uint32_t(v & 0x8000u) << 16);
}
inline uint16_t narrow_f16(float v) {
  const uint32_t bits = std::bit_cast<uint32_t>(v), sign = bits & 0x80000000u, u = bits ^ sign;
  const uint32_t denormal_magic = ((127u - 15) + (23 - 10) + 1) << 23;
  const uint32_t special = u > (255u << 23) ? 0x7e00 : 0x7c00;
  const uint32_t small =
      std::bit_cast<uint32_t>(std::bit_cast<float>(u) + std::bit_cast<float>(denormal_magic)) - denormal_magic;
  const uint32_t normal = (u + (uint32_t(15 - 127) << 23) + 0xfff + ((u >> 13) & 1)) >> 13;
  const uint32_t o = u >= ((127u + 16) << 23) ? special : u < (113u << 23) ? small : normal;
  return static_cast<uint16_t>(o | sign >> 16);
}

}  // namespace fb
