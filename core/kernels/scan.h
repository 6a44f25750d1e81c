#pragma once
#include <type_traits>

#include "base/isa.h"
#include "kernels/along.h"

// Running results along the lines of a tensor. A scan S has: State start(), State step(State, T), T
// result(State).
namespace fb {

inline constexpr int64_t scan_width = 256;             // adjacent lines scanned side by side

template <class S, class T> inline void scan_rows(const T* x, int64_t rows, int64_t n, bool reverse, T* out) {
  for (int64_t r = 0; r < rows; ++r) {
    auto s = S::start();
    const T* a = x + r * n;
    T* o = out + r * n;
    if (reverse) for (int64_t i = n; i-- > 0;) o[i] = S::result(s = S::step(s, a[i]));
    else for (int64_t i = 0; i < n; ++i) o[i] = S::result(s = S::step(s, a[i]));
  }
}

template <class S, class T>
inline void scan_columns(const T* x, int64_t n, int64_t stride, int64_t width, bool reverse, T* out) {
  decltype(S::start()) s[scan_width];
  for (int64_t j = 0; j < width; ++j) s[j] = S::start();
  for (int64_t r = 0; r < n; ++r) {
    const int64_t at = (reverse ? n - 1 - r : r) * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) out[at + j] = S::result(s[j] = S::step(s[j], x[at + j]));
  }
}

template <class T> inline constexpr bool is_plain_number = std::is_arithmetic_v<T>;

template <class S, class T> void scan_along(const T* x, const Along& a, bool reverse, T* out) {
  if (a.lines() == 0 || a.n == 0) return;
  auto rows = &scan_rows<S, T>;
  auto columns = &scan_columns<S, T>;
  if constexpr (is_plain_number<T>) {
    rows = Clones<&scan_rows<S, T>>::pick();
    columns = Clones<&scan_columns<S, T>>::pick();
  }
  if (a.inner == 1) {
    const int64_t grain = std::max<int64_t>(1, elementwise_grain / a.n);
    return parallel_for(a.outer, grain, [&](int64_t b,
        int64_t e) { rows(x + b * a.n, e - b, a.n, reverse, out + b * a.n); });
  }
  const int64_t per_row = (a.inner + scan_width - 1) / scan_width;
  const int64_t grain = std::max<int64_t>(1, elementwise_grain / (a.n * std::min(scan_width, a.inner)));
  parallel_for(a.outer * per_row, grain, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t first = piece % per_row * scan_width, at = piece / per_row * a.n * a.inner + first;
      columns(x + at, a.n, a.inner, std::min(scan_width, a.inner - first), reverse, out + at);
    }
  });
}

}  // namespace fb
