#include "exact.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "samplers.h"

namespace fb {
namespace {

// Source: G. Marsaglia and W. Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000);
// for alpha < 1 a draw for alpha + 1 is scaled by u^(1/alpha), as its section 6 says.
// PyTorch's stream needs the constants in single precision, and T's arithmetic for alpha.
template <class T>
double gamma_one(T alpha, Generator& generator) {
  double scale = 1;
  if (alpha < 1) {
    if (alpha == 0) return 0;
    scale = std::pow(1 - generator.uniform_double(), T{1} / alpha);
    alpha += T{1};
  }
  double d = alpha - 1.0f / 3.0f;
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
    if (u < 1 - 0.0331f * square * square) return scale * d * v;
    if (std::log(u) < 0.5 * square + d * (1 - v + std::log(v))) return scale * d * v;
  }
}

// Adds in the order in which PyTorch adds a contiguous row of doubles: sixteen running sums, emptied into
// sums of a higher level at regular steps so that the error grows with the number of levels only.
double cascade_sum(const double* x, int64_t n) {
  constexpr int lanes = 16, vector = 4, levels = 4;
  double sums[levels][lanes] = {};
  int64_t steps = n / lanes;
  int power = 4;
  while (int64_t{1} << (levels * (power + 1) - 1) < steps) power++;
  for (int64_t i = 1; i <= steps; i++) {
    for (int k = 0; k < lanes; k++) sums[0][k] += *x++;
    for (int j = 1; j < levels && i % (int64_t{1} << (j * power)) == 0; j++) {
      for (int k = 0; k < lanes; k++) sums[j][k] += sums[j - 1][k];
      std::fill_n(sums[j - 1], lanes, 0.0);
    }
  }
  for (int j = 1; j < levels; j++)
    for (int k = 0; k < lanes; k++) sums[0][k] += sums[j][k];
  int64_t rest = n % lanes;
  for (; rest >= vector; rest -= vector)
    for (int k = 0; k < vector; k++) sums[0][k] += *x++;
  for (int k = vector; k < lanes; k++) sums[0][k % vector] += sums[0][k];
  double sum = 0;
  for (; rest > 0; rest--) sum += *x++;
  for (int k = 0; k < vector; k++) sum += sums[0][k];
  return sum;
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
  std::vector<double> draws(static_cast<size_t>(categories));
  for (; rows > 0; rows--, alpha += categories) {
    for (int64_t j = 0; j < categories; j++)
      draws[j] = std::max(std::numeric_limits<double>::min(), gamma_one<double>(alpha[j], generator));
    double sum = cascade_sum(draws.data(), categories);
    for (double draw : draws) *out++ = static_cast<T>(draw / sum);
  }
}
template void dirichlet(float*, const float*, int64_t, int64_t, Generator&);
template void dirichlet(double*, const double*, int64_t, int64_t, Generator&);

}  // namespace fb
