#include "exact.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "samplers.h"

namespace fb {
namespace {

// Source: G. Marsaglia and W. Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000);
// for alpha < 1 a draw for alpha + 1 is scaled by u^(1/alpha), as its section 6 says.
double gamma_one(double alpha, Generator& generator) {
  double scale = 1;
  if (alpha < 1) {
    if (alpha == 0) return 0;
    scale = std::pow(1 - generator.uniform_double(), 1 / alpha);
    alpha += 1;
  }
  double d = alpha - static_cast<double>(1.0f / 3.0f);  // single precision, as PyTorch's stream needs
  double c = 1 / std::sqrt(9 * d);
  while (true) {
    double x, y;
    do {
      x = generator.normal_double();
      y = 1 + c * x;
    } while (y <= 0);
    double v = y * y * y;
    double u = 1 - generator.uniform_double();
    double square = x * x;
    if (u < 1 - 0.0331 * square * square) return scale * d * v;
    if (std::log(u) < 0.5 * square + d * (1 - v + std::log(v))) return scale * d * v;
  }
}

}  // namespace

template <class T>
void standard_gamma(T* out, const T* alpha, int64_t n, Generator& generator) {
  for (int64_t i = 0; i < n; i++)
    out[i] = std::max(std::numeric_limits<T>::min(), static_cast<T>(gamma_one(alpha[i], generator)));
}
template void standard_gamma(float*, const float*, int64_t, Generator&);
template void standard_gamma(double*, const double*, int64_t, Generator&);

template <class T>
void dirichlet(T* out, const T* alpha, int64_t rows, int64_t categories, Generator& generator) {
  for (; rows > 0; rows--, out += categories, alpha += categories) {
    for (int64_t j = 0; j < categories; j++) out[j] = static_cast<T>(gamma_one(alpha[j], generator));
    T sum = 0;
    for (int64_t j = 0; j < categories; j++) sum += out[j];
    for (int64_t j = 0; j < categories; j++) out[j] = out[j] / sum;
  }
}
template void dirichlet(float*, const float*, int64_t, int64_t, Generator&);
template void dirichlet(double*, const double*, int64_t, int64_t, Generator&);

}  // namespace fb
