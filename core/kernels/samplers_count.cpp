#include "exact.h"

#include <cmath>

#include "samplers.h"

namespace fb {
namespace {

// Transformed rejection, for rate >= 10. Source: W. Hörmann, Insurance: Math. and Economics 12 (1993), PTRS.
double poisson_large(double rate, Generator& generator) {
  double root = std::sqrt(rate);
  double log_rate = std::log(rate);
  double b = 0.931 + 2.53 * root;
  double a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  double accept = 0.9277 - 3.6224 / (b - 2);
  while (true) {
    double u = generator.uniform_double() - 0.5;
    double v = generator.uniform_double();
    double distance = 0.5 - std::fabs(u);
    double k = std::floor((2 * a / distance + b) * u + rate + 0.43);
    if (distance >= 0.07 && v <= accept) return k;
    if (k < 0 || (distance < 0.013 && v > distance)) continue;
    double left = std::log(v) + std::log(inverse_alpha) - std::log(a / (distance * distance) + b);
    if (left <= -rate + k * log_rate - std::lgamma(k + 1)) return k;
  }
}

// Products of uniforms. Source: D. Knuth, The Art of Computer Programming 2, §3.4.1.
double poisson_small(double rate, Generator& generator) {
  double limit = std::exp(-rate);
  double product = generator.uniform_double();
  double k = 0;
  for (; product > limit; k++) product *= generator.uniform_double();
  return k;
}

// log k! minus Stirling's formula at k + 1/2; from 10 on by the series Hörmann gives.
double stirling_tail(double k) {
  static constexpr double table[] = {0.0810614667953272,  0.0413406959554092,  0.0276779256849983,
                                     0.02079067210376509, 0.0166446911898211,  0.0138761288230707,
                                     0.0118967099458917,  0.0104112652619720,  0.00925546218271273,
                                     0.00833056343336287};
  if (k <= 9) return table[static_cast<int>(k)];
  double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

// Transformed rejection, for n p >= 10 and p <= 1/2.
// Source: W. Hörmann, Journal of Statistical Computation and Simulation 46 (1993), BTRS.
// Where n, p and k meet without a double they are computed in T, whose rounding the stream depends on.
template <class T>
double binomial_large(T n, T p, Generator& generator) {
  double deviation = std::sqrt(n * p * (1 - p));
  double b = 1.15 + 2.53 * deviation;
  double a = -0.0873 + 0.0248 * b + 0.01 * p;
  double c = n * p + 0.5;
  double accept = 0.92 - 4.2 / b;
  double odds = p / (1 - p);
  double alpha = (2.83 + 5.1 / b) * deviation;
  double mode = std::floor((n + 1) * p);
  while (true) {
    double u = generator.uniform_double() - 0.5;
    double v = generator.uniform_double();
    double distance = 0.5 - std::fabs(u);
    T k = static_cast<T>(std::floor((2 * a / distance + b) * u + c));
    if (distance >= 0.07 && v <= accept) return k;
    if (k < 0 || k > n) continue;
    v = std::log(v * alpha / (a / (distance * distance) + b));
    double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (n - mode + 1))) +
                   (n + 1) * std::log((n - mode + 1) / (n - k + 1)) +
                   (k + 0.5) * std::log(odds * (n - k + 1) / (k + 1)) + stirling_tail(mode) +
                   stirling_tail(n - mode) - stirling_tail(k) - stirling_tail(n - k);
    if (v <= bound) return k;
  }
}

// Waiting times between successes. Source: L. Devroye, Non-Uniform Random Variate Generation, §X.4.
template <class T>
double binomial_small(T n, T p, Generator& generator) {
  double log_failure = std::log1p(-p);
  double successes = 0;
  for (double trials = 0;; successes++) {
    trials += std::ceil(std::log(generator.uniform_double()) / log_failure);
    if (trials > n) return successes;
  }
}

template <class T>
double binomial_half(T n, T p, Generator& generator) {  // p <= 1/2
  return n * p >= 10 ? binomial_large(n, p, generator) : binomial_small(n, p, generator);
}

template <class T>
double binomial_one(T n, T p, Generator& generator) {
  if (std::isnan(n) || std::isnan(p)) return NAN;  // PyTorch never returns here
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  return p <= 0.5 ? binomial_half(n, p, generator) : n - binomial_half(n, 1 - p, generator);
}

}  // namespace

template <class T>
void poisson(T* out, const T* rate, int64_t n, Generator& generator) {
  for (int64_t i = 0; i < n; i++) {
    double r = rate[i];
    double k = r >= 10 ? poisson_large(r, generator) : r == 0 ? 0 : poisson_small(r, generator);
    out[i] = static_cast<T>(k < 0x1p63 ? static_cast<int64_t>(k) : INT64_MIN);  // infinite rates as PyTorch
  }
}
template void poisson(float*, const float*, int64_t, Generator&);
template void poisson(double*, const double*, int64_t, Generator&);

template <class T>
void binomial(T* out, const T* trials, const T* p, int64_t n, Generator& generator) {
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<T>(binomial_one(trials[i], p[i], generator));
}
template void binomial(float*, const float*, const float*, int64_t, Generator&);
template void binomial(double*, const double*, const double*, int64_t, Generator&);

}  // namespace fb
