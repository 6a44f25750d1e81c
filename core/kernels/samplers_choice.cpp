#include "exact.h"

#include <algorithm>
#include <vector>

#include "samplers.h"

namespace fb {

template <class T>
void multinomial(int64_t* out, const T* p, int64_t rows, int64_t categories, int64_t draws,
                 Generator& generator) {
  std::vector<T> cumulative(static_cast<size_t>(categories));
  for (; rows > 0; rows--, p += categories) {
    T sum = 0;
    for (int64_t j = 0; j < categories; j++) cumulative[j] = sum += p[j];
    for (T& c : cumulative) c /= sum;
    if (categories > 0) cumulative.back() = 1;
    for (int64_t i = 0; i < draws; i++) {
      auto found = std::lower_bound(cumulative.begin(), cumulative.end(), generator.uniform_double());
      *out++ = found - cumulative.begin();
    }
  }
}
template void multinomial(int64_t*, const float*, int64_t, int64_t, int64_t, Generator&);
template void multinomial(int64_t*, const double*, int64_t, int64_t, int64_t, Generator&);

// Of independent exponential clocks, one rings first with a probability proportional to its rate.
// Source: P. Efraimidis and P. Spirakis, Weighted random sampling with a reservoir, IPL 97 (2006).
template <class T>
void multinomial_keys(T* out, const T* p, int64_t n, Generator& generator) {
  exponential(out, n, 1.0, generator);
  for (int64_t i = 0; i < n; i++) out[i] = p[i] / out[i];
}
template void multinomial_keys(float*, const float*, int64_t, Generator&);
template void multinomial_keys(double*, const double*, int64_t, Generator&);

}  // namespace fb
