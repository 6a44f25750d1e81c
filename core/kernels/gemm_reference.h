#pragma once
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/isa.h"
#include "kernels/gemm.h"

// The portable product: both operands are copied into narrow panels that the inner tile reads in order
// (Goto & van de Geijn 2008), and the tile's accumulators stay in registers.
namespace fb::reference {

inline constexpr int tile_rows = 6, depth = 256, panel_cols = 512;
template <class T> inline constexpr int tile_cols = sizeof(T) >= 64 ? 1 : 64 / sizeof(T);   // one 64-byte vector

// What the loops need, typed; strides in elements.
template <class T> struct Operands {
  const T *a, *b, *bias;
  T* out;
  int64_t m, n, k, a_row, a_col, b_row, b_col, out_row;
  T alpha, beta;
};

template <class T> inline void pack_b(T* panels, const T* b, int64_t row, int64_t col, int64_t k, int64_t n) {
  constexpr int w = tile_cols<T>;
  for (int64_t j = 0; j < n; j += w) {
    const int64_t here = std::min<int64_t>(w, n - j);
    for (int64_t p = 0; p < k; ++p, panels += w) {
      const T* from = b + p * row + j * col;
      if (here == w && col == 1) for (int c = 0; c < w; ++c) panels[c] = from[c];
      else {
        for (int64_t c = 0; c < here; ++c) panels[c] = from[c * col];
        for (int64_t c = here; c < w; ++c) panels[c] = T{};
      }
    }
  }
}

template <class T> inline void pack_a(T* strip, const T* a, int64_t row, int64_t col, int64_t k, int64_t rows) {
  for (int r = 0; r < tile_rows; ++r) {
    const T* from = a + (r < rows ? r : 0) * row;
    for (int64_t p = 0; p < k; ++p) strip[p * tile_rows + r] = from[p * col];
  }
}

template <class T> inline void tile(const T* a, const T* b, int64_t k, T* sums) {
  constexpr int w = tile_cols<T>;
  T s[tile_rows][w] = {};
  for (int64_t p = 0; p < k; ++p) {
#pragma GCC unroll 6
    for (int r = 0; r < tile_rows; ++r) {
      const T x = a[p * tile_rows + r];
#pragma GCC ivdep
      for (int c = 0; c < w; ++c) s[r][c] += x * b[p * w + c];
    }
  }
  for (int r = 0; r < tile_rows; ++r) for (int c = 0; c < w; ++c) sums[r * w + c] = s[r][c];
}

// Adds a tile to the output; the first slice of the depth also applies beta and bias.
template <class T> inline void store(const Operands<T>& o, const T* sums, int64_t i, int64_t j, bool first) {
  constexpr int w = tile_cols<T>;
  const int64_t rows = std::min<int64_t>(tile_rows, o.m - i), cols = std::min<int64_t>(w, o.n - j);
  const bool fresh = first && o.beta == T{};
  for (int64_t r = 0; r < rows; ++r) {
    T* out = o.out + (i + r) * o.out_row + j;
    const T* s = sums + r * w;
    if (fresh) for (int64_t c = 0; c < cols; ++c) out[c] = o.alpha * s[c];
    else if (first) for (int64_t c = 0; c < cols; ++c) out[c] = o.beta * out[c] + o.alpha * s[c];
    else for (int64_t c = 0; c < cols; ++c) out[c] = out[c] + o.alpha * s[c];
    if (first && o.bias) for (int64_t c = 0; c < cols; ++c) out[c] = out[c] + o.bias[j + c];
  }
}

template <class T> inline void multiply_panels(const Operands<T>& o, T* panels, T* strip) {
  constexpr int w = tile_cols<T>;
  alignas(64) T sums[tile_rows * w];
  for (int64_t p = 0; p == 0 || p < o.k; p += depth) {
    const int64_t k = std::min<int64_t>(depth, o.k - p);
    for (int64_t j = 0; j < o.n; j += panel_cols) {
      const int64_t n = std::min<int64_t>(panel_cols, o.n - j);
      pack_b(panels, o.b + p * o.b_row + j * o.b_col, o.b_row, o.b_col, k, n);
      for (int64_t i = 0; i < o.m; i += tile_rows) {
        pack_a(strip, o.a + i * o.a_row + p * o.a_col, o.a_row, o.a_col, k, std::min<int64_t>(tile_rows, o.m - i));
        for (int64_t c = 0; c < n; c += w) {
          tile(strip, panels + c * k, k, sums);
          store(o, sums, i, j + c, p == 0);
        }
      }
    }
  }
}

template <class T> inline void multiply(const Operands<T>* o, T* panels) {
  alignas(64) T strip[tile_rows * depth];
  multiply_panels(*o, panels, strip);
}

// ---- tiny products: nothing is packed but a `b` whose rows are not contiguous
template <class T, int W> inline void tiny_cols(const Operands<T>& o, int64_t j) {
  for (int64_t i = 0; i < o.m; ++i) {
    const T* a = o.a + i * o.a_row;
    const T* b = o.b + j;
    T s[W] = {};
    for (int64_t p = 0; p < o.k; ++p, b += o.b_row) {
      const T x = a[p * o.a_col];
#pragma GCC unroll 16
      for (int c = 0; c < W; ++c) s[c] += x * b[c];
    }
    T* out = o.out + i * o.out_row + j;
    if (o.beta == T{}) for (int c = 0; c < W; ++c) out[c] = o.alpha * s[c];
    else for (int c = 0; c < W; ++c) out[c] = o.beta * out[c] + o.alpha * s[c];
    if (o.bias) for (int c = 0; c < W; ++c) out[c] = out[c] + o.bias[j + c];
  }
}

template <class T> inline void multiply_tiny_one(Operands<T> o, T* packed) {
  if (o.b_col != 1 && o.n > 1) {
    for (int64_t p = 0; p < o.k; ++p)
      for (int64_t j = 0; j < o.n; ++j) packed[p * o.n + j] = o.b[p * o.b_row + j * o.b_col];
    o.b = packed;
    o.b_row = o.n;
  }
  int64_t j = 0;
  for (; j + 16 <= o.n; j += 16) tiny_cols<T, 16>(o, j);
  if (j + 8 <= o.n) tiny_cols<T, 8>(o, j), j += 8;
  if (j + 4 <= o.n) tiny_cols<T, 4>(o, j), j += 4;
  if (j + 2 <= o.n) tiny_cols<T, 2>(o, j), j += 2;
  if (j < o.n) tiny_cols<T, 1>(o, j);
}

inline constexpr int64_t tiny_work = 16 * 16 * 16;     // below it a library's call costs more than the product

// Products i of [begin, end); without a batch, the one at `o`.
template <class T> inline void multiply_tiny(const Operands<T>* first, const Batch* batch, int64_t begin, int64_t end) {
  alignas(64) T packed[tiny_work];
  if (!batch) return multiply_tiny_one(*first, packed);
  Operands<T> o = *first;
  for (int64_t i = begin; i < end; ++i) {
    o.a = first->a + batch->a[i];
    o.b = first->b + batch->b[i];
    o.out = first->out + i * o.m * o.out_row;
    multiply_tiny_one(o, packed);
  }
}

template <class T> void run_tiny(const Operands<T>& o, const Batch* batch, int64_t begin, int64_t end) {
  if constexpr (std::is_floating_point_v<T> || std::is_integral_v<T>) {
    static const auto tiny = Clones<&multiply_tiny<T>>::pick();
    tiny(&o, batch, begin, end);
  } else multiply_tiny<T>(&o, batch, begin, end);      // GCC 12's vectors of strided complex numbers read past the end
}

template <class T> void run(const Operands<T>& o) {
  void (*large)(const Operands<T>*, T*) = &multiply<T>;
  if constexpr (std::is_floating_point_v<T> || std::is_integral_v<T>) {
    static const auto wide = Clones<&multiply<T>>::pick();
    large = wide;
  }
  const size_t bytes = sizeof(T) * std::min<int64_t>(depth, o.k) * (std::min<int64_t>(panel_cols, o.n) + tile_cols<T>);
  const std::unique_ptr<void, decltype(&std::free)> panels(std::aligned_alloc(64, (bytes + 63) / 64 * 64), &std::free);
  if (!panels) std::abort();                           // a megabyte is gone, inside a parallel region
  large(&o, static_cast<T*>(panels.get()));
}

template <class T> inline void dot_strided(T* out, const T* x, int64_t x_stride, const T* y, int64_t y_stride, int64_t n) {
  constexpr int lanes = 32;                            // independent chains, so that additions overlap
  T s[lanes] = {};
  int64_t i = 0;
  if (x_stride == 1 && y_stride == 1)
    for (; i + lanes <= n; i += lanes)
      for (int c = 0; c < lanes; ++c) s[c] += x[i + c] * y[i + c];
  for (int w = lanes / 2; w; w /= 2) for (int c = 0; c < w; ++c) s[c] = s[c] + s[c + w];
  for (; i < n; ++i) s[0] += x[i * x_stride] * y[i * y_stride];
  *out = s[0];
}

}  // namespace fb::reference
