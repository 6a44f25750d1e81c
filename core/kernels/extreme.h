#pragma once
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/isa.h"
#include "kernels/along.h"

// The extreme element of every line and the first place where it stands; nan counts as more extreme than any.
namespace fb {

template <class T, bool largest> inline bool beats(T a, T b) {
  const bool better = largest ? a > b : a < b;
  if constexpr (std::is_floating_point_v<T>) return better | ((a != a) & (b == b));
  else return better;
}
template <class T> inline bool same_or_nan(T a, T b) { return a == b || (a != a && b != b); }

template <class T, bool largest> inline void row_extreme(const T* x, int64_t n, T* value, int64_t* index) {
  constexpr int lanes = 32, chunk = 256;               // the place is looked for in the best chunk only
  T best = x[0];
  int64_t at = 0;
  for (int64_t i = 0; i < n; i += chunk) {
    const int64_t end = std::min<int64_t>(n, i + chunk);
    T b = x[i];
    int64_t k = i;
    if (end - i >= lanes) {
      T s[lanes];
      for (int j = 0; j < lanes; ++j) s[j] = x[i + j];
      for (k = i + lanes; k + lanes <= end; k += lanes)
        for (int j = 0; j < lanes; ++j) s[j] = beats<T, largest>(x[k + j], s[j]) ? x[k + j] : s[j];
      for (int w = lanes / 2; w; w /= 2)
        for (int j = 0; j < w; ++j) s[j] = beats<T, largest>(s[j + w], s[j]) ? s[j + w] : s[j];
      b = s[0];
    }
    for (; k < end; ++k) b = beats<T, largest>(x[k], b) ? x[k] : b;
    if (beats<T, largest>(b, best)) {
      best = b;
      at = i;
    }
  }
  while (!same_or_nan(x[at], best)) ++at;
  *value = x[at];
  *index = at;
}
template <class T, bool largest> inline void rows_extreme(const T* x, int64_t rows, int64_t n, T* values,
    int64_t* at) {
  for (int64_t r = 0; r < rows; ++r) row_extreme<T, largest>(x + r * n, n, values + r, at + r);
}

// Of `width` adjacent lines; I is as wide as T, so that both blend in one vector shape.
template <class T, class I, bool largest>
inline void columns_extreme(const T* x, int64_t n, int64_t stride, int64_t width, T* best, I* at) {
  memcpy(best, x, sizeof(T) * static_cast<size_t>(width));
  memset(at, 0, sizeof(I) * static_cast<size_t>(width));
  for (int64_t r = 1; r < n; ++r) {
    const T* a = x + r * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) {
      const bool better = beats<T, largest>(a[j], best[j]);
      best[j] = better ? a[j] : best[j];
      at[j] = better ? static_cast<I>(r) : at[j];
    }
  }
}

template <class T, bool largest> void extreme_by_rows(const T* x, const Along& a, T* values,
    int64_t* indices) {
  const auto rows = Clones<&rows_extreme<T, largest>>::pick();
  const int64_t parts = thread_count();
  if (a.outer >= parts || a.n < 2 * elementwise_grain) {
    const int64_t grain = std::max<int64_t>(1, elementwise_grain / a.n);
    return parallel_for(a.outer, grain, [&](int64_t b, int64_t e) {
      rows(x + b * a.n, e - b, a.n, values + b, indices + b);
    });
  }
  const int64_t share = (a.n + parts - 1) / parts;     // few long lines: each is shared out
  std::vector<T> best(parts);
  std::vector<int64_t> at(parts);
  for (int64_t line = 0; line < a.outer; ++line) {
    const T* row = x + line * a.n;
    parallel_for(parts, 1, [&](int64_t b, int64_t e) {
      for (int64_t k = b; k < e; ++k)
        if (k * share < a.n) rows(row + k * share, 1, std::min(share, a.n - k * share), &best[k], &at[k]);
    });
    values[line] = best[0];
    indices[line] = at[0];
    for (int64_t k = 1; k * share < a.n; ++k)
      if (beats<T, largest>(best[k], values[line])) {
        values[line] = best[k];
        indices[line] = k * share + at[k];
      }
  }
}

template <class T, bool largest> void extreme_along(const T* x, const Along& a, T* values, int64_t* indices) {
  if (a.lines() == 0) return;
  if (a.inner == 1) return extreme_by_rows<T, largest>(x, a, values, indices);
  constexpr int64_t width = 512;
  using I = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  const auto columns = Clones<&columns_extreme<T, I, largest>>::pick();
  const int64_t per_row = (a.inner + width - 1) / width;
  const int64_t grain = std::max<int64_t>(1, elementwise_grain / (a.n * std::min(width, a.inner)));
  parallel_for(a.outer * per_row, grain, [&](int64_t begin, int64_t end) {
    T best[width];
    I at[width];
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t outer = piece / per_row, first = piece % per_row * width, w =
          std::min(width, a.inner - first);
      columns(x + outer * a.n * a.inner + first, a.n, a.inner, w, best, at);
      memcpy(values + outer * a.inner + first, best, sizeof(T) * static_cast<size_t>(w));
      for (int64_t j = 0; j < w; ++j) indices[outer * a.inner + first + j] = at[j];
    }
  });
}

}  // namespace fb
