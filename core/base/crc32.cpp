#include "base/crc32.h"

#include <array>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define FB_CARRYLESS 1
#endif

namespace fb {
namespace {

constexpr uint32_t polynomial = 0xEDB88320u;          // of zip, bits reflected

constexpr auto tables = [] {
  std::array<std::array<uint32_t, 256>, 8> t{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ (c & 1 ? polynomial : 0);
    t[0][i] = c;
  }
  for (int k = 1; k < 8; ++k)
    for (int i = 0; i < 256; ++i) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 255];
  return t;
}();

// Eight bytes a step, by tables. Source: Kounavis and Berry, A Systematic Approach to Building High
// Performance Software-Based CRC Generators, 2005.
uint32_t by_tables(uint32_t c, const unsigned char* p, size_t n) {
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t w = 0;
    for (int i = 0; i < 8; ++i) w |= static_cast<uint64_t>(p[i]) << (8 * i);
    w ^= c;
    c = 0;
    for (int i = 0; i < 8; ++i) c ^= tables[7 - i][(w >> (8 * i)) & 255];
  }
  for (; n; --n) c = (c >> 8) ^ tables[0][(c ^ *p++) & 255];
  return c;
}

#ifdef FB_CARRYLESS
// x^n modulo the polynomial, for folding by products without carries. Source of the method: Gopal et al.,
// Fast CRC Computation for Generic Polynomials Using PCLMULQDQ, Intel 2009; there, the reflected constant of a
// distance of n bits is x^n shifted left by one.
constexpr int64_t power(int n) {
  uint32_t r = 0x80000000u;                           // 1, bits reflected
  for (int i = 0; i < n; ++i) r = (r >> 1) ^ (r & 1 ? polynomial : 0);
  return static_cast<int64_t>(r) << 1;
}

using Lane = __m128i;

__attribute__((target("pclmul,sse4.1"))) inline Lane fold(Lane x, Lane by, Lane next) {
  const Lane low = _mm_clmulepi64_si128(x, by, 0x00), high = _mm_clmulepi64_si128(x, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) inline Lane load(const unsigned char* p) {
  return _mm_loadu_si128(reinterpret_cast<const Lane*>(p));
}

// The whole multiples of 16 bytes, at least 64; the rest is left to the tables.
__attribute__((target("pclmul,sse4.1")))
uint32_t by_products(uint32_t c, const unsigned char*& p, size_t& n) {
  const Lane by4 = _mm_set_epi64x(power(4 * 128 - 32), power(4 * 128 + 32));
  const Lane by1 = _mm_set_epi64x(power(128 - 32), power(128 + 32));
  Lane x = _mm_xor_si128(load(p), _mm_cvtsi32_si128(static_cast<int>(c)));
  Lane x1 = load(p + 16), x2 = load(p + 32), x3 = load(p + 48);
  for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
    x = fold(x, by4, load(p));
    x1 = fold(x1, by4, load(p + 16));
    x2 = fold(x2, by4, load(p + 32));
    x3 = fold(x3, by4, load(p + 48));
  }
  x = fold(fold(fold(x, by1, x1), by1, x2), by1, x3);
  for (; n >= 16; p += 16, n -= 16) x = fold(x, by1, load(p));
  // What is left has the same remainder as all that was read, so the tables may finish it.
  unsigned char left[16];
  memcpy(left, &x, 16);
  return by_tables(0, left, 16);
}

const bool can_multiply = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif

}  // namespace

uint32_t crc32(const void* data, size_t n) {
  auto* p = static_cast<const unsigned char*>(data);
  uint32_t c = ~0u;
#ifdef FB_CARRYLESS
  if (n >= 64 && can_multiply) c = by_products(c, p, n);
#endif
  return ~by_tables(c, p, n);
}

}  // namespace fb
