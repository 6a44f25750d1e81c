#pragma once
#include <vector>

#include "base/isa.h"
#include "kernels/along.h"

// Mean and sum of squared deviations. Each block of elements that fits the nearest cache is read twice, for
// its mean and for the deviations from it; blocks are merged by the formula of Chan, Golub and LeVeque
// (1983).
namespace fb {

struct Moments {
  double count = 0, mean = 0, squares = 0;
  void merge(double n, double m, double s) {
    if (n == 0) return;
    const double total = count + n, delta = m - mean;
    squares += s + delta * delta * (count / total * n);
    mean += delta * (n / total);
    count = total;
  }
};

inline constexpr int64_t moment_block = 2048, moment_rows = 64, moment_width = 256;

template <class T> inline void block_moments(const T* x, int64_t n, double* mean, double* squares) {
  constexpr int lanes = 32;
  auto sum_of = [&](auto&& term) {
    T s[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
      for (int j = 0; j < lanes; ++j) s[j] += term(x[i + j]);
    double total = 0;
    for (; i < n; ++i) total += term(x[i]);
    for (int w = lanes / 2; w; w /= 2)
      for (int j = 0; j < w; ++j) s[j] += s[j + w];
    return total + static_cast<double>(s[0]);
  };
  const double m = sum_of([](T v) { return v; }) / static_cast<double>(n);
  const T center = static_cast<T>(m);
  const double s = sum_of([center](T v) { return (v - center) * (v - center); });
  const double off = m - static_cast<double>(center);  // the mean rounded to T
  *mean = m;
  *squares = s - off * off * static_cast<double>(n);
}

template <class T>
inline void block_columns(const T* x, int64_t rows, int64_t stride, int64_t width, T* mean, T* squares) {
  for (int64_t j = 0; j < width; ++j) mean[j] = squares[j] = T{};
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) mean[j] += x[r * stride + j];
  for (int64_t j = 0; j < width; ++j) mean[j] /= static_cast<T>(rows);
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) {
      const T d = x[r * stride + j] - mean[j];
      squares[j] += d * d;
    }
}

template <class T> Moments range_moments(const T* x, int64_t n) {
  static const auto block = Clones<&block_moments<T>>::pick();
  Moments total;
  for (int64_t i = 0; i < n; i += moment_block) {
    const int64_t count = std::min(moment_block, n - i);
    double mean, squares;
    block(x + i, count, &mean, &squares);
    total.merge(static_cast<double>(count), mean, squares);
  }
  return total;
}

// write(line, moments) for the lines of x.
template <class T, class Write> void moments_along(const T* x, const Along& a, const Write& write) {
  if (a.inner == 1 && a.outer == 1 && a.n > 2 * elementwise_grain) {
    const int64_t parts = thread_count(), share = (a.n + parts - 1) / parts;
    std::vector<Moments> partial(parts);
    parallel_for(parts, 1, [&](int64_t b, int64_t e) {
      for (int64_t k = b; k < e; ++k)
        if (k * share < a.n) partial[k] = range_moments(x + k * share, std::min(share, a.n - k * share));
    });
    for (int64_t k = 1; k < parts; ++k) partial[0].merge(partial[k].count, partial[k].mean,
        partial[k].squares);
    return write(0, partial[0]);
  }
  if (a.inner == 1) return for_lines(a, [&](int64_t line) { write(line, range_moments(x + line * a.n, a.n));
      });
  const auto block = Clones<&block_columns<T>>::pick();
  const int64_t per_row = (a.inner + moment_width - 1) / moment_width;
  const int64_t grain = std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(1,
      a.n * std::min(moment_width, a.inner)));
  parallel_for(a.outer * per_row, grain, [&](int64_t begin, int64_t end) {
    T mean[moment_width], squares[moment_width];
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t outer = piece / per_row, first = piece % per_row * moment_width;
      const int64_t width = std::min(moment_width, a.inner - first);
      Moments total[moment_width];
      for (int64_t r = 0; r < a.n; r += moment_rows) {
        const int64_t rows = std::min(moment_rows, a.n - r);
        block(x + (outer * a.n + r) * a.inner + first, rows, a.inner, width, mean, squares);
        for (int64_t j = 0; j < width; ++j) total[j].merge(static_cast<double>(rows), mean[j], squares[j]);
      }
      for (int64_t j = 0; j < width; ++j) write(outer * a.inner + first + j, total[j]);
    }
  });
}

}  // namespace fb
