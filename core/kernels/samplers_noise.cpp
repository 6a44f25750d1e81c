#include "exact.h"

#include <algorithm>

#include "draws.h"
#include "samplers.h"

namespace fb {

template <class T>
void dropout(T* out, bool* keep, const T* x, int64_t n, double p, double scale, Generator& generator) {
  auto factor = static_cast<T>(scale);
  bool kept[batch_words];
  for (int64_t first = 0; first < n; first += batch_words) {
    int64_t count = std::min(batch_words, n - first);
    bool* mask = keep ? keep + first : kept;
    bernoulli(mask, count, 1 - p, generator);
    // The product, not a choice: infinities and NaN that are dropped stay NaN.
    for (int64_t i = 0; i < count; i++) out[first + i] = x[first + i] * (static_cast<T>(mask[i]) * factor);
  }
}
template void dropout(float*, bool*, const float*, int64_t, double, double, Generator&);
template void dropout(double*, bool*, const double*, int64_t, double, double, Generator&);

template <class T>
void rrelu(T* out, T* noise, const T* x, int64_t n, double lower, double upper, Generator& generator) {
  double low = static_cast<T>(lower);
  double high = static_cast<T>(upper);
  for (int64_t i = 0; i < n; i++) {
    bool bent = x[i] <= 0;
    noise[i] = bent ? static_cast<T>(generator.uniform_double() * (high - low) + low) : T{1};
    out[i] = bent ? x[i] * noise[i] : x[i];
  }
}
template void rrelu(float*, float*, const float*, int64_t, double, double, Generator&);
template void rrelu(double*, double*, const double*, int64_t, double, double, Generator&);

}  // namespace fb
