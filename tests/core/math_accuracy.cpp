// Errors of the numeric functors against long double, at every CPU level that this machine has.
// Run without arguments; exits with 1 and names the function if one is further off than it promises.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "base/isa.h"
#include "math/erf.h"
#include "math/hyperbolic.h"
#include "math/power.h"
#include "math/trigonometric.h"

namespace {

using Reference = long double (*)(long double);

template <class T, T (*function)(T)> void loop(const T* in, T* out, size_t n) {
#pragma GCC ivdep
  for (size_t i = 0; i < n; ++i) out[i] = function(in[i]);
}

// Distance of `got` from `exact` in units of the last place of T.
template <class T> double ulps(T got, long double exact) {
  const T rounded = T(exact);
  if (rounded != rounded) return got != got ? 0.0 : INFINITY;
  if (got == rounded) return std::signbit(got) == std::signbit(rounded) || got != 0 ? 0.0 : INFINITY;
  if (std::isinf(rounded) || !std::isfinite(got)) return INFINITY;
  const int exponent = std::max(std::ilogb(rounded), std::numeric_limits<T>::min_exponent - 1);
  return double(std::fabs(got - exact) / std::ldexp(1.0L, exponent - (std::numeric_limits<T>::digits - 1)));
}

template <class T> std::vector<T> samples(double low, double high) {
  using limits = std::numeric_limits<T>;
  std::vector<T> x = {T(0), T(-0.0), T(1), T(-1), T(0.5), limits::infinity(), -limits::infinity()};
  x.insert(x.end(), {limits::quiet_NaN(), limits::max(), limits::min()});
  x.insert(x.end(), {limits::denorm_min(), -limits::denorm_min()});
  std::mt19937_64 random(1337);
  std::uniform_real_distribution<double> unit(-1.0, 1.0);
  for (double scale : {1e-5, 1.0, 10.0, 100.0, 800.0}) {
    for (int i = 0; i < 4000; ++i) x.push_back(T(scale * unit(random)));
  }
  for (int i = 0; i < 4000; ++i) x.push_back(T(std::ldexp(unit(random), int(random() % 2000) - 1000)));
  std::erase_if(x, [&](T v) { return v < T(low) || v > T(high); });
  return x;
}

int failures = 0;

template <class T, T (*function)(T)>
void check(const char* name, Reference exact, double bound, double low = -INFINITY, double high = INFINITY) {
  using Clones = fb::Clones<&loop<T, function>>;
  std::vector<void (*)(const T*, T*, size_t)> clones = {Clones::pick()};
#if defined(__x86_64__)
  clones = {&Clones::v2, &Clones::v3, &Clones::v4};
  clones.resize(size_t(fb::cpu_level() - 1));
#endif
  const std::vector<T> x = samples<T>(low, high);
  std::vector<T> y(x.size());
  for (size_t level = 0; level < clones.size(); ++level) {
    clones[level](x.data(), y.data(), x.size());
    double worst = 0.0;
    T where = T(0);
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(y[i], exact(x[i]));
      if (error > worst) worst = error, where = x[i];
    }
    if (worst <= bound) continue;
    ++failures;
    std::printf("%s, %zu bytes, level %zu: %.2f ulp at %.17g, promised %.1f\n", name, sizeof(T), level + 2,
                worst, double(where), bound);
  }
}

#define CHECK(name, exact, ...)                                   \
  check<float, &fb::math::name<float>>(#name, exact, __VA_ARGS__); \
  check<double, &fb::math::name<double>>(#name, exact, __VA_ARGS__)

}  // namespace

int main() {
  CHECK(exp, std::exp, 2.0);
  CHECK(exp2, std::exp2, 2.0);
  CHECK(expm1, std::expm1, 2.0);
  CHECK(log, std::log, 2.0);
  CHECK(log2, std::log2, 2.0);
  CHECK(log10, std::log10, 2.0);
  CHECK(log1p, std::log1p, 2.0);
  CHECK(sin, std::sin, 2.0, -6e7, 6e7);
  CHECK(cos, std::cos, 2.0, -6e7, 6e7);
  CHECK(tan, std::tan, 2.0, -6e7, 6e7);
  CHECK(asin, std::asin, 2.0);
  CHECK(acos, std::acos, 2.0);
  CHECK(atan, std::atan, 2.0);
  CHECK(sinh, std::sinh, 2.0);
  CHECK(cosh, std::cosh, 2.0);
  CHECK(tanh, std::tanh, 2.0);
  CHECK(asinh, std::asinh, 2.0);
  CHECK(acosh, std::acosh, 2.0);
  CHECK(atanh, std::atanh, 2.0);
  CHECK(erf, std::erf, 2.0);
  CHECK(erfc, std::erfc, 2.0);
  CHECK(sigmoid, [](long double x) { return 1.0L / (1.0L + std::exp(-x)); }, 2.0);
  CHECK(ndtr, [](long double x) { return 0.5L * std::erfc(-x * 0.70710678118654752440084L); }, 2.0, -37.0);
  std::printf("%d failed\n", failures);
  return failures != 0;
}
