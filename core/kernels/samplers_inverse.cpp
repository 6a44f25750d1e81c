#include "exact.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "draws.h"
#include "samplers.h"

// Samplers that invert a distribution function at a double uniform.
namespace fb {
namespace {

// out[i] = quantile(u) for u = 0 … 1, excluding 1.
template <class T, class Quantile>
void invert(T* out, int64_t n, Generator& generator, Quantile&& quantile) {
  for_each_batch<2>(n, generator, [&](const uint32_t* words, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; i++)
      out[first + i] = static_cast<T>(quantile(word_uniform(words[2 * i], words[2 * i + 1])));
  });
}

}  // namespace

template <class T>
void exponential(T* out, int64_t n, double rate, Generator& generator) {
  double scale = -1.0 / rate;
  invert(out, n, generator, [=](double u) { return scale * std::log1p(-u); });
}
template void exponential(float*, int64_t, double, Generator&);
template void exponential(double*, int64_t, double, Generator&);

template <class T>
void cauchy(T* out, int64_t n, double median, double sigma, Generator& generator) {
  invert(out, n, generator, [=](double u) {
    return fma(sigma, std::tan(std::numbers::pi * (u - 0.5)), median);
  });
}
template void cauchy(float*, int64_t, double, double, Generator&);
template void cauchy(double*, int64_t, double, double, Generator&);

template <class Number>
void geometric(Number* out, int64_t n, double p, Generator& generator) {
  double log_failure = std::log1p(-p);
  auto trials = [=](double u) { return std::ceil(std::log(u) / log_failure); };
  if constexpr (std::is_integral_v<Number>)  // small types wrap around, as in PyTorch
    invert(out, n, generator, [=](double u) { return static_cast<int64_t>(std::min(trials(u), 0x1p62)); });
  else
    invert(out, n, generator, trials);
}
template void geometric(uint8_t*, int64_t, double, Generator&);
template void geometric(int8_t*, int64_t, double, Generator&);
template void geometric(int16_t*, int64_t, double, Generator&);
template void geometric(int32_t*, int64_t, double, Generator&);
template void geometric(int64_t*, int64_t, double, Generator&);
template void geometric(float*, int64_t, double, Generator&);
template void geometric(double*, int64_t, double, Generator&);

}  // namespace fb
