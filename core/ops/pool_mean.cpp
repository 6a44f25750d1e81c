// Pooling by the mean of each window, and its gradient.
#include "kernels/rows.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"
#include "ops/pool_windows.h"

namespace fb {

using namespace pool;

struct WindowMean; struct WindowMeanBackward; struct AdaptiveMean; struct AdaptiveMeanBackward;

namespace {

// body(place, z, y, x, count) for every window of a plane.
template <class Body> [[gnu::always_inline]] inline void for_each_window(const Windows& w, const Body& body) {
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  int64_t place = 0;
  for (int64_t z = 0; z < az.out(); ++z)
    for (int64_t y = 0; y < ay.out(); ++y)
      for (int64_t x = 0; x < ax.out(); ++x, ++place) body(place, z, y, x);
}
template <class Body>
[[gnu::always_inline]] inline void for_each_element(const Windows& w, int64_t z, int64_t y, int64_t x,
                                                    const Body& body) {
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  for (int64_t i = az.start[z]; i < az.end[z]; i += az.step)
    for (int64_t j = ay.start[y]; j < ay.end[y]; j += ay.step)
      for (int64_t k = ax.start[x]; k < ax.end[x]; k += ax.step) body((i * ay.in + j) * ax.in + k);
}

template <class T> T window_share(const Windows& w, int64_t i, int64_t j, int64_t k) {
  return static_cast<T>(
      w.divisor != 0 ? w.divisor : double(w.axis[0].count[i] * w.axis[1].count[j] * w.axis[2].count[k]));
}
// The elements of a row of windows added to their totals, tap by tap as in max_row.
template <int known_stride, class T>
inline void sum_row(const T* a, int64_t stride, int64_t n, int64_t step, int64_t taps, T* total) {
  const int64_t s = known_stride ? known_stride : stride;
  for (int64_t t = 0; t < taps; ++t) {
    const T* v = a + t * step;
#pragma GCC ivdep
    for (int64_t x = 0; x < n; ++x) total[x] += v[x * s];
  }
}
template <class T> inline void sum_taps(const Windows& w, const Whole& x, const T* row, T* total) {
  const Axis& a = w.axis[2];
  const auto one = [&](int64_t i) {
    for (int64_t k = a.start[i]; k < a.end[i]; k += a.step) total[i] += row[k];
  };
  for (int64_t i = 0; i < x.first; ++i) one(i);
  const int64_t n = x.last - x.first;
  if (n > 0) {
    const T* v = row + a.start[x.first];
    if (x.stride == 1) sum_row<1>(v, 1, n, a.step, x.taps, total + x.first);
    else if (x.stride == 2) sum_row<2>(v, 2, n, a.step, x.taps, total + x.first);
    else sum_row<0>(v, x.stride, n, a.step, x.taps, total + x.first);
  }
  for (int64_t i = x.last; i < a.out(); ++i) one(i);
}
template <class T>
inline void mean_planes(const Windows& w, const Whole& whole, const T* x, T* y, int64_t begin, int64_t end) {
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  const int64_t volume = w.volume(), places = w.places(), n = ax.out();
  const bool global = places == 1 && whole.taps == ax.in && ay.end[0] - ay.start[0] == ay.in &&
                      az.end[0] - az.start[0] == az.in;
  for (int64_t p = begin; p < end; ++p) {
    const T* plane = x + p * volume;
    if (global) {                                      // one window that is the whole plane
      y[p] = sum_lanes<T>(volume, [&](int64_t i) { return plane[i]; }) / window_share<T>(w, 0, 0, 0);
      continue;
    }
    T* total = y + p * places;
    for (int64_t z = 0; z < az.out(); ++z)
      for (int64_t r = 0; r < ay.out(); ++r, total += n) {
        for (int64_t i = 0; i < n; ++i) total[i] = 0;
        for (int64_t i = az.start[z]; i < az.end[z]; i += az.step)
          for (int64_t j = ay.start[r]; j < ay.end[r]; j += ay.step)
            sum_taps(w, whole, plane + (i * ay.in + j) * ax.in, total);
        for (int64_t i = 0; i < n; ++i) total[i] = total[i] / window_share<T>(w, z, r, i);
      }
  }
}
template <class T>
void mean_gradient_planes(const Windows& w, const T* g, T* gx, int64_t begin, int64_t end) {
  const int64_t volume = w.volume(), places = w.places();
  for (int64_t p = begin; p < end; ++p) {
    T* a = gx + p * volume;
    std::fill(a, a + volume, T(0));
    for_each_window(w, [&](int64_t place, int64_t i, int64_t j, int64_t k) {
      const T share = g[p * places + place] / window_share<T>(w, i, j, k);
      for_each_element(w, i, j, k, [&](int64_t at) { a[at] += share; });
    });
  }
}

Tensor mean_of(const char* op, T_ input, const Windows& w) {
  const DType type = packed_as(op, input.dtype());
  const Tensor x = contiguous(to_dtype(input, type));
  Tensor y = empty(w.shape, type);
  by_number(type, [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    const auto loop = Clones<&mean_planes<T>>::pick();
    const Whole whole = whole_windows(w.axis[2]);
    parallel_for(w.planes, row_grain(w.volume()),
                 [&](int64_t b, int64_t e) { loop(w, whole, from, to, b, e); });
  });
  return to_dtype(y, input.dtype());
}
Tensor mean_gradient(const char* op, T_ grad, const Dims& sizes, const Windows& w) {
  const DType type = packed_as(op, grad.dtype());
  const Tensor g = contiguous(to_dtype(grad, type));
  Tensor gx = empty(sizes, type);
  by_number(type, [&]<class T>(T) {
    const T* from = g.data<T>();
    T* to = gx.data<T>();
    parallel_for(w.planes, row_grain(w.volume()),
                 [&](int64_t b, int64_t e) { mean_gradient_planes(w, from, to, b, e); });
  });
  return to_dtype(gx, grad.dtype());
}

constexpr const char* names[] = {"", "avg_pool1d", "avg_pool2d", "avg_pool3d"};

}  // namespace

struct WindowMean {
  static constexpr auto schema =
      "_window_mean(Tensor input, int spatial, int[] kernel_size, int[] stride, int[] padding, "
      "bool ceil_mode, bool count_include_pad, int divisor) -> Tensor";
  static constexpr auto doc = "Mean of each window.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const int64_t n = args[1].as_int();
    return n == 1 ? "SqueezeBackward1" : n == 2 ? "AvgPool2DBackward0" : "AvgPool3DBackward0";
  }
  static Windows windows(const Dims& sizes, int64_t n, const Dims& kernel, const Dims& stride,
                         const Dims& padding, bool ceil_mode, bool count, int64_t divisor) {
    Windows w = sliding(names[n], sizes, int(n), kernel, stride, padding, Dims{1}, ceil_mode, count);
    w.divisor = static_cast<double>(divisor);
    return w;
  }
  static Tensor kernel(Tensor x, int64_t n, Dims kernel, Dims stride, Dims padding, bool ceil_mode,
                       bool count, int64_t divisor) {
    return mean_of(names[n], x, windows(x.shape(), n, kernel, stride, padding, ceil_mode, count, divisor));
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, Arg<1, int64_t> n, Arg<2, Dims> kernel, Arg<3, Dims> stride,
                    Arg<4, Dims> padding, Arg<5, bool> ceil_mode, Arg<6, bool> count,
                    Arg<7, int64_t> divisor) {
    return call_op<WindowMeanBackward>(g, sizes, n.value, kernel.value, stride.value, padding.value,
                                       ceil_mode.value, count.value, divisor.value);
  }
};
struct WindowMeanBackward {
  static constexpr auto schema =
      "_window_mean_backward(Tensor grad, int[] sizes, int spatial, int[] kernel_size, int[] stride, "
      "int[] padding, bool ceil_mode, bool count_include_pad, int divisor) -> Tensor";
  static constexpr auto doc = "The adjoint of the mean of each window.";
  using kind = Opaque;
  static Tensor kernel(Tensor g, Dims sizes, int64_t n, Dims kernel, Dims stride, Dims padding,
                       bool ceil_mode, bool count, int64_t divisor) {
    return mean_gradient(names[n], g, sizes,
                         WindowMean::windows(sizes, n, kernel, stride, padding, ceil_mode, count, divisor));
  }
  static Tensor vjp(Tensor g, Arg<2, int64_t> n, Arg<3, Dims> kernel, Arg<4, Dims> stride,
                    Arg<5, Dims> padding, Arg<6, bool> ceil_mode, Arg<7, bool> count,
                    Arg<8, int64_t> divisor) {
    return call_op<WindowMean>(g, n.value, kernel.value, stride.value, padding.value, ceil_mode.value,
                               count.value, divisor.value);
  }
};

struct AdaptiveMean {
  static constexpr auto schema = "_adaptive_mean(Tensor input, int[] output_size) -> Tensor";
  static constexpr auto doc = "Mean of each of as many windows as asked for.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const Dims out = unbox<Dims>(args[1]);
    if (out.size() > 1 && out.product() == 1) return "MeanBackward1";
    return out.size() == 1   ? "SqueezeBackward1"
           : out.size() == 2 ? "AdaptiveAvgPool2DBackward0"
                             : "AdaptiveAvgPool3DBackward0";
  }
  static Tensor kernel(Tensor x, Dims output_size) {
    check<UnsupportedError>(is_floating(x.dtype()), "\"adaptive_avg_pool\" not implemented for '",
                            row(x.dtype()).legacy, "'");
    return mean_of("adaptive_avg_pool", x, adaptive("adaptive_avg_pool", x.shape(), output_size));
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, Arg<1, Dims> output_size) {
    return call_op<AdaptiveMeanBackward>(g, sizes, output_size.value);
  }
};
struct AdaptiveMeanBackward {
  static constexpr auto schema =
      "_adaptive_mean_backward(Tensor grad, int[] sizes, int[] output_size) -> Tensor";
  static constexpr auto doc = "The adjoint of adaptive_avg_pool.";
  using kind = Opaque;
  static Tensor kernel(Tensor g, Dims sizes, Dims output_size) {
    return mean_gradient("adaptive_avg_pool", g, sizes, adaptive("adaptive_avg_pool", sizes, output_size));
  }
  static Tensor vjp(Tensor g, Arg<2, Dims> output_size) {
    return call_op<AdaptiveMean>(g, output_size.value);
  }
};

struct AvgPool1 {
  static constexpr auto schema =
      "avg_pool1d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, bool ceil_mode=False, "
      "bool count_include_pad=True) -> Tensor";
  static constexpr auto doc = R"(
    Mean of each window.

    Shapes: input (N, C, L) or (C, L) → the same with the pooled size.   Dtypes: real.

    >>> fb.avg_pool1d(fb.tensor([[[1., 3.]]]), 2)
    tensor([[[2.]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims kernel, Dims stride, Dims padding, bool ceil_mode, bool count) {
    return call_op<WindowMean>(x, 1, kernel, stride, padding, ceil_mode, count, 0);
  }
};

template <int n> struct AvgPool {
  static constexpr auto name = joined("avg_pool", digit(n), "d");
  static constexpr auto schema = joined(name,
                                        "(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, "
                                        "bool ceil_mode=False, bool count_include_pad=True, "
                                        "int? divisor_override=None) -> Tensor");
  static constexpr auto doc = joined(R"(
    Mean of each window, or its sum over divisor_override.

    Shapes: input (N, C, )", Plane<n>::places, ") or (C, ", Plane<n>::places,
                                     R"() → the same with pooled sizes.   Dtypes: real.

    >>> fb._C.)", name, "(", Plane<n>::cube, R"(, 2).item()
    )", Plane<n>::mean, "\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims kernel, Dims stride, Dims padding, bool ceil_mode, bool count,
                          std::optional<int64_t> divisor) {
    check(divisor.value_or(1) != 0, name, ": divisor must be not zero");
    return call_op<WindowMean>(x, n, kernel, stride, padding, ceil_mode, count, divisor.value_or(0));
  }
};

template <int n> struct AdaptiveAvgPool {
  static constexpr auto name = joined("adaptive_avg_pool", digit(n), "d");
  static constexpr auto schema = joined(name, "(Tensor input, int[] output_size) -> Tensor");
  static constexpr auto doc = joined(R"(
    Mean of each of output_size windows.

    >>> fb._C.)", name, "(", Plane<n>::cube, R"(, 1).item()
    )", Plane<n>::mean, "\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims size) {
    return call_op<AdaptiveMean>(x, per_dim(name, "output_size", size, n));
  }
};

FB_GROUP(pool_mean, WindowMean, WindowMeanBackward, AdaptiveMean, AdaptiveMeanBackward, AdaptiveAvgPool<1>,
         AdaptiveAvgPool<2>, AdaptiveAvgPool<3>, AvgPool1, AvgPool<2>, AvgPool<3>)

}  // namespace fb
