#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/dims.h"
#include "math/words.h"

// Where the places of a grid lie in the input they sample, and the two-dimensional samplers, which work on `lanes`
// places at a time so that they vectorise.
namespace fb::grid {

enum Sampling : int64_t { linear, nearest, cubic };
enum Outside : int64_t { zero, border, reflection };

// A coordinate in elements and its derivative with respect to the one in [-1, 1].
template <class T> struct Coordinate { T at, slope; };

template <class T> Coordinate<T> in_elements(T x, int64_t size, bool aligned) {
  const T n = static_cast<T>(size);
  return aligned ? Coordinate<T>{(x + T(1)) / T(2) * (n - T(1)), (n - T(1)) / T(2)}
                 : Coordinate<T>{((x + T(1)) * n - T(1)) / T(2), n / T(2)};
}

template <class T> Coordinate<T> reflected(Coordinate<T> c, T low, T span) {
  const T from_low = c.at - low, far = math::fabs(from_low), flips = math::floor(far / span);
  const T rest = far - flips * span;
  const bool back = flips - T(2) * math::floor(flips / T(2)) != T(0), negative = from_low < T(0);
  const T slope = math::select(negative, -c.slope, c.slope);
  return {math::select(back, span - rest, rest) + low, math::select(back, -slope, slope)};
}

// Brings a coordinate inside as `outside` says; one that is not a number ends outside of everything.
template <Outside outside, class T> Coordinate<T> brought_inside(Coordinate<T> c, int64_t size, bool aligned) {
  const T last = static_cast<T>(size - 1);
  if constexpr (outside == reflection) {
    const T low = aligned ? T(0) : T(-0.5), span = aligned ? last : last + T(1);
    c = span == T(0) ? Coordinate<T>{T(0), T(0)} : reflected(c, low, span);
  }
  if constexpr (outside != zero) {
    const bool below = !(c.at > T(0)), above = c.at >= last;
    c.slope = math::select(below | above, T(0), c.slope);
    c.at = math::select(below, T(0), math::select(above, last, c.at));
  }
  const bool sane = math::fabs(c.at) < T(1 << 30);
  return {math::select(sane, c.at, T(-100)), math::select(sane, c.slope, T(0))};
}
template <class T> Coordinate<T> brought_inside(Coordinate<T> c, int64_t size, Outside outside, bool aligned) {
  return outside == zero     ? brought_inside<zero>(c, size, aligned)
         : outside == border ? brought_inside<border>(c, size, aligned)
                             : brought_inside<reflection>(c, size, aligned);
}

struct Sampler {
  int dims;
  int64_t size[3];                                     // of the input, first dim first
  int64_t batch, channels, volume = 1, places = 1;
  Sampling sampling;
  Outside outside;
  bool aligned;
  Sampler(const Dims& input, const Dims& grid, int64_t mode, int64_t padding, bool align_corners)
      : dims(input.size() - 2), batch(input[0]), channels(input[1]), sampling(static_cast<Sampling>(mode)),
        outside(static_cast<Outside>(padding)), aligned(align_corners) {
    for (int i = 0; i < dims; ++i) volume *= size[i] = input[2 + i], places *= grid[1 + i];
  }
  // Two-dimensional, its offsets within 32 bits: what the samplers below are for.
  bool flat() const { return dims == 2 && sampling != cubic && volume < int64_t(1) << 31; }
};

constexpr int64_t lanes = 64;

// The elements that up to `lanes` places read: offsets in a plane, -1 outside, in the order of rows; how far the place
// is from the first, and the slopes of its coordinates.
template <class T> struct Flat {
  int32_t offset[4][lanes];
  T x[lanes], y[lanes], slope_x[lanes], slope_y[lanes];

  template <Outside outside> [[gnu::always_inline]] void place(const Sampler& k, const T* grid, int64_t n) {
    const int64_t height = k.size[0], width = k.size[1];
    const bool aligned = k.aligned, near = k.sampling == nearest;
#pragma GCC ivdep
    for (int64_t p = 0; p < n; ++p) {
      const Coordinate<T> cx = brought_inside<outside>(in_elements(grid[2 * p], width, aligned), width, aligned);
      const Coordinate<T> cy = brought_inside<outside>(in_elements(grid[2 * p + 1], height, aligned), height, aligned);
      x[p] = cx.at;
      y[p] = cy.at;
      slope_x[p] = cx.slope;
      slope_y[p] = cy.slope;
    }
    const T last_x = static_cast<T>(width - 1), last_y = static_cast<T>(height - 1);
    const int32_t row = static_cast<int32_t>(width);
#pragma GCC ivdep
    for (int64_t p = 0; p < n; ++p) {
      const T left = near ? math::round_even(x[p]) : math::floor(x[p]), top = near ? math::round_even(y[p]) : math::floor(y[p]);
      x[p] -= left;
      y[p] -= top;
      // Bounded before the conversion, so that it is exact; what is outside is told from the numbers themselves.
      const T bounded_x = std::min(std::max(left, T(-1)), last_x), bounded_y = std::min(std::max(top, T(-1)), last_y);
      const int32_t first = static_cast<int32_t>(bounded_y) * row + static_cast<int32_t>(bounded_x);
      const bool in_left = (left >= T(0)) & (left <= last_x), in_right = (left >= T(-1)) & (left < last_x);
      const bool in_top = (top >= T(0)) & (top <= last_y), in_bottom = (top >= T(-1)) & (top < last_y);
      offset[0][p] = in_top & in_left ? first : -1;
      offset[1][p] = in_top & in_right ? first + 1 : -1;
      offset[2][p] = in_bottom & in_left ? first + row : -1;
      offset[3][p] = in_bottom & in_right ? first + row + 1 : -1;
    }
  }
  [[gnu::always_inline]] Flat(const Sampler& k, const T* grid, int64_t n) {
    switch (k.outside) {
      case zero: place<zero>(k, grid, n); break;
      case border: place<border>(k, grid, n); break;
      case reflection: place<reflection>(k, grid, n); break;
    }
  }
};

template <class T> [[gnu::always_inline]] inline T element(const T* plane, int32_t offset) {
  const T v = plane[offset & ~(offset >> 31)];         // read in any case: a choice of reads would not vectorise
  return offset < 0 ? T(0) : v;
}

// Places [begin, end) of all places of the batch.
template <class T> inline void sample_flat(const Sampler& k, const T* x, const T* grid, T* y, int64_t begin, int64_t end) {
  for (int64_t p = begin; p < end;) {
    const int64_t image = p / k.places, first = p % k.places, n = std::min({lanes, end - p, k.places - first});
    const Flat<T> at(k, grid + 2 * p, n);
    for (int64_t c = 0; c < k.channels; ++c) {
      const T* plane = x + (image * k.channels + c) * k.volume;
      T* out = y + (image * k.channels + c) * k.places + first;
      if (k.sampling == nearest) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) out[i] = element(plane, at.offset[0][i]);
      } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) {
          const T u = at.x[i], v = at.y[i];
          out[i] = (T(1) - v) * ((T(1) - u) * element(plane, at.offset[0][i]) + u * element(plane, at.offset[1][i])) +
                   v * ((T(1) - u) * element(plane, at.offset[2][i]) + u * element(plane, at.offset[3][i]));
        }
      }
    }
    p += n;
  }
}

// Gradients of one image; gx may be null.
template <class T>
inline void spread_flat(const Sampler& k, const T* g, const T* x, const T* grid, T* gx, T* ggrid, int64_t image) {
  for (int64_t first = 0; first < k.places; first += lanes) {
    const int64_t n = std::min(lanes, k.places - first), p = image * k.places + first;
    const Flat<T> at(k, grid + 2 * p, n);
    T along_x[lanes] = {}, along_y[lanes] = {};
    const bool near = k.sampling == nearest;
    for (int64_t c = 0; c < k.channels; ++c) {
      const int64_t start = (image * k.channels + c) * k.volume;
      const T *plane = x + start, *each = g + (image * k.channels + c) * k.places + first;
      if (!near) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) {
          const T u = at.x[i], v = at.y[i];
          const T a = element(plane, at.offset[0][i]), b = element(plane, at.offset[1][i]);
          const T d = element(plane, at.offset[2][i]), e = element(plane, at.offset[3][i]);
          along_x[i] += each[i] * ((T(1) - v) * (b - a) + v * (e - d));
          along_y[i] += each[i] * ((T(1) - u) * (d - a) + u * (e - b));
        }
      }
      if (!gx) continue;
      T* to = gx + start;
      auto add = [to](int32_t offset, T value) { if (offset >= 0) to[offset] += value; };
      for (int64_t i = 0; i < n; ++i) {
        if (near) {
          add(at.offset[0][i], each[i]);
          continue;
        }
        const T u = at.x[i], v = at.y[i], top = each[i] * (T(1) - v), bottom = each[i] * v;
        add(at.offset[0][i], top * (T(1) - u));
        add(at.offset[1][i], top * u);
        add(at.offset[2][i], bottom * (T(1) - u));
        add(at.offset[3][i], bottom * u);
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      ggrid[2 * (p + i)] = along_x[i] * at.slope_x[i];
      ggrid[2 * (p + i) + 1] = along_y[i] * at.slope_y[i];
    }
  }
}

}  // namespace fb::grid
