#include "exact.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "samplers.h"

// Samplers that invert a distribution function at a double uniform.
namespace fb {

template <class T>
void exponential(T* out, int64_t n, double rate, Generator& generator) {
  double scale = -1.0 / rate;
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(scale * std::log1p(-generator.uniform_double()));
}
template void exponential(float*, int64_t, double, Generator&);
template void exponential(double*, int64_t, double, Generator&);

template <class T>
void cauchy(T* out, int64_t n, double median, double sigma, Generator& generator) {
  for (int64_t i = 0; i < n; i++) {
    double angle = std::numbers::pi * (generator.uniform_double() - 0.5);
    out[i] = static_cast<T>(fma(sigma, std::tan(angle), median));
  }
}
template void cauchy(float*, int64_t, double, double, Generator&);
template void cauchy(double*, int64_t, double, double, Generator&);

template <class Number>
void geometric(Number* out, int64_t n, double p, Generator& generator) {
  double log_failure = std::log1p(-p);
  for (int64_t i = 0; i < n; i++) {
    double trials = std::ceil(std::log(generator.uniform_double()) / log_failure);
    if constexpr (std::is_integral_v<Number>)
      out[i] = static_cast<Number>(static_cast<int64_t>(std::min(trials, 0x1p62)));  // wraps like PyTorch
    else
      out[i] = static_cast<Number>(trials);
  }
}
template void geometric(uint8_t*, int64_t, double, Generator&);
template void geometric(int8_t*, int64_t, double, Generator&);
template void geometric(int16_t*, int64_t, double, Generator&);
template void geometric(int32_t*, int64_t, double, Generator&);
template void geometric(int64_t*, int64_t, double, Generator&);
template void geometric(float*, int64_t, double, Generator&);
template void geometric(double*, int64_t, double, Generator&);

}  // namespace fb
