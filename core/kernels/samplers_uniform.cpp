#include "exact.h"

#include "draws.h"
#include "rounding.h"
#include "samplers.h"

namespace fb {
namespace {

// Rounding can give `to` itself, which is outside [from, to); it is then replaced by `from`.
FB_EXACT_CLONES void scale(float* out, const uint32_t* words, int64_t n, float from, float to) {
  float width = to - from;
  for (int64_t i = 0; i < n; i++) {
    float x = fma(word_uniform(words[i]), width, from);
    out[i] = x == to ? from : x;
  }
}

FB_EXACT_CLONES void scale(double* out, const uint32_t* words, int64_t n, double from, double to) {
  double width = to - from;
  for (int64_t i = 0; i < n; i++) {
    double x = fma(word_uniform(words[2 * i], words[2 * i + 1]), width, from);
    out[i] = x == to ? from : x;
  }
}

}  // namespace

template <class T>
void uniform(T* out, int64_t n, double from, double to, Generator& generator) {
  constexpr int width = sizeof(T) / sizeof(uint32_t);
  for_each_batch<width>(n, generator, [&](const uint32_t* words, int64_t first, int64_t count) {
    scale(out + first, words, count, static_cast<T>(from), static_cast<T>(to));
  });
}
template void uniform(float*, int64_t, double, double, Generator&);
template void uniform(double*, int64_t, double, double, Generator&);

void uniform(float* out, int64_t n, double from, double to, Rounding rounding, Generator& generator) {
  uniform(out, n, from, to, generator);
  if (rounding == Rounding::none) return;
  float low = round_to(rounding, static_cast<float>(from));
  float high = round_to(rounding, static_cast<float>(to));
  for (int64_t i = 0; i < n; i++) {
    float x = round_to(rounding, out[i]);
    out[i] = x == high ? low : x;
  }
}

}  // namespace fb
