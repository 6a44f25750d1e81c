#include "exact.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "draws.h"
#include "rounding.h"
#include "samplers.h"

// Box and Muller (1958) in blocks of 16: the uniforms 0 … 7 give radii, 8 … 15 give angles.
namespace fb {
namespace {

constexpr int64_t block = 16;
constexpr int half = 8;

[[gnu::always_inline]] inline float polynomial(float x, float sum, auto... coefficients) {
  ((sum = fma(sum, x, static_cast<float>(coefficients))), ...);
  return sum;
}

// Natural logarithm of 0 < x <= 1, normal. Source: S. Moshier, Cephes, logf.
[[gnu::always_inline]] inline float log_unit(float x) {
  auto bits = std::bit_cast<int32_t>(x);
  float exponent = static_cast<float>((bits >> 23) - 126);
  float m = std::bit_cast<float>((bits & 0x007fffff) | 0x3f000000);  // [0.5, 1)
  bool small = m < 0.707106781186547524f;
  exponent = small ? exponent - 1.0f : exponent;
  m = small ? (m - 1.0f) + m : m - 1.0f;
  float square = m * m;
  float y = polynomial(m, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                       1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f,
                       3.3333331174e-1f);
  y = fma(y * m, square, exponent * -2.12194440e-4f);  // ln 2 in two parts: 0.693359375 - 2.12194440e-4
  y = fma(square, -0.5f, y);
  return fma(exponent, 0.693359375f, m + y);
}

struct SineCosine {
  float sine;
  float cosine;
};

// 0 <= x <= 2π. Source: S. Moshier, Cephes, sinf and cosf; π/4 is subtracted in three parts.
[[gnu::always_inline]] inline SineCosine sine_cosine(float x) {
  int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  float count = static_cast<float>(octant);
  x = fma(count, -0.78515625f, x);
  x = fma(count, -2.4187564849853515625e-4f, x);
  x = fma(count, -3.77489497744594108e-8f, x);
  float square = x * x;
  float c = polynomial(square, 2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f);
  c = fma(c * square, square, square * -0.5f) + 1.0f;
  float s = polynomial(square, -1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f);
  s = fma(s * square, x, x);
  bool swapped = octant & 2;
  float sine = swapped ? c : s;
  float cosine = swapped ? s : c;
  return {octant & 4 ? -sine : sine, (octant + 2) & 4 ? -cosine : cosine};
}

FB_EXACT_CLONES void transform(float* x, int64_t blocks, float mean, float std) {
  for (; blocks > 0; blocks--, x += block) {
    for (int j = 0; j < half; j++) {
      float radius = __builtin_sqrtf(-2.0f * log_unit(1.0f - x[j]));
      auto [sine, cosine] = sine_cosine(static_cast<float>(2.0 * std::numbers::pi) * x[j + half]);
      x[j] = fma(radius * cosine, std, mean);
      x[j + half] = fma(radius * sine, std, mean);
    }
  }
}

// The C library's functions, as in PyTorch: its own last digit counts here.
FB_EXACT_CLONES void transform(double* x, int64_t blocks, double mean, double std) {
  for (; blocks > 0; blocks--, x += block) {
    for (int j = 0; j < half; j++) {
      double radius = std::sqrt(-2.0 * std::log(1.0 - x[j]));
      double angle = 2.0 * std::numbers::pi * x[j + half];
      x[j] = fma(radius * std::cos(angle), std, mean);
      x[j + half] = fma(radius * std::sin(angle), std, mean);
    }
  }
}

template <class T>
void draw_blocks(T* out, int64_t blocks, double mean, double std, Generator& generator) {
  constexpr int64_t batch = batch_words / block / 2;
  for (int64_t done = 0; done < blocks; done += batch) {
    int64_t count = std::min(batch, blocks - done);
    uniform(out + done * block, count * block, 0.0, 1.0, generator);
    transform(out + done * block, count, static_cast<T>(mean), static_cast<T>(std));
  }
}

}  // namespace

template <class T>
void normal_serial(T* out, int64_t n, double mean, double std, Generator& generator) {
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(fma(generator.normal_double(), std, mean));
}
template void normal_serial(float*, int64_t, double, double, Generator&);
template void normal_serial(double*, int64_t, double, double, Generator&);

template <class T>
void normal(T* out, int64_t n, double mean, double std, Generator& generator) {
  if (n < block) return normal_serial(out, n, mean, std, generator);
  draw_blocks(out, n / block, mean, std, generator);
  if (n % block == 0) return;
  // The rest is drawn, discarded, and drawn again as part of a last block that overlaps the one before.
  uniform(out + n / block * block, n % block, 0.0, 1.0, generator);
  draw_blocks(out + n - block, 1, mean, std, generator);
}
template void normal(float*, int64_t, double, double, Generator&);
template void normal(double*, int64_t, double, double, Generator&);

void normal(float* out, int64_t n, double mean, double std, Rounding rounding, Generator& generator) {
  if (rounding == Rounding::none) return normal(out, n, mean, std, generator);
  if (n < block) {
    normal_serial(out, n, mean, std, generator);
  } else {
    draw_blocks(out, n / block, mean, std, generator);
    if (n % block) draw_blocks(out + n - block, 1, mean, std, generator);
  }
  for (int64_t i = 0; i < n; i++) out[i] = round_to(rounding, out[i]);
}

template <class T>
void log_normal(T* out, int64_t n, double mean, double std, Generator& generator) {
  for (int64_t i = 0; i < n; i++)
    out[i] = static_cast<T>(std::exp(fma(generator.normal_double(), std, mean)));
}
template void log_normal(float*, int64_t, double, double, Generator&);
template void log_normal(double*, int64_t, double, double, Generator&);

}  // namespace fb
