#pragma once
#include <algorithm>
#include <cstdint>

#include "mt19937.h"

// Drawing in batches that stay in the first-level cache.
namespace fb {

inline constexpr int64_t batch_words = 2048;

// body(words, first, count) for consecutive stretches of n samples of `width` words each.
template <int width, class Body>
void for_each_batch(int64_t n, Generator& generator, Body&& body) {
  alignas(64) uint32_t words[batch_words];
  constexpr int64_t batch = batch_words / width;
  for (int64_t first = 0; first < n; first += batch) {
    int64_t count = std::min(batch, n - first);
    generator.fill(words, count * width);
    body(static_cast<const uint32_t*>(words), first, count);
  }
}

[[gnu::always_inline]] inline uint64_t word64(const uint32_t* words, int64_t i) {
  return static_cast<uint64_t>(words[2 * i]) << 32 | words[2 * i + 1];
}

// 53 bits as a double in [0, 1), from the two halves because few CPUs convert 64-bit integers in vectors.
[[gnu::always_inline]] inline double word_uniform(uint32_t high, uint32_t low) {
  double upper = static_cast<double>(static_cast<int32_t>(high & 0x1fffff));
  double lower = static_cast<double>(static_cast<int32_t>(low >> 16)) * 65536.0 +
                 static_cast<double>(static_cast<int32_t>(low & 0xffff));
  return (upper * 0x1p32 + lower) * 0x1p-53;
}

[[gnu::always_inline]] inline float word_uniform(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word & 0xffffff)) * 0x1p-24f;
}

}  // namespace fb
