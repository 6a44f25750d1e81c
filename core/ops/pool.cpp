// Pooling: largest and mean values of windows.
#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/indexing.h"
#include "kernels/rows.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct PlaneScatter; struct PlaneGather; struct WindowMean; struct WindowMeanBackward; struct AdaptiveMean; struct AdaptiveMeanBackward;
struct WindowMax; struct AdaptiveMax;

namespace {

// Where the windows of one dim lie: elements start, start + step, … below end; `count` is what a mean divides by.
struct Axis {
  int64_t in = 1;
  std::vector<int64_t> start{0}, end{1}, count{1};
  int64_t step = 1;
  int64_t out() const { return static_cast<int64_t>(start.size()); }
};

// Three axes, missing ones in front, and the planes (samples and channels) that share them.
struct Windows {
  Axis axis[3];
  int64_t planes = 1;
  double divisor = 0;                                  // of means, if not 0
  Dims shape;                                          // of the result
  int64_t volume() const { return axis[0].in * axis[1].in * axis[2].in; }
  int64_t places() const { return axis[0].out() * axis[1].out() * axis[2].out(); }
  Windows(const Dims& sizes, int dims) {
    for (int i = 0; i < sizes.size() - dims; ++i) {
      planes *= sizes[i];
      shape.push(sizes[i]);
    }
  }
};

Dims per_dim(const char* op, const char* name, const Dims& given, int dims) {
  constexpr const char* words[] = {"", "one int", "two ints", "three ints"};
  if (given.size() == 1) return Dims::filled(dims, given[0]);
  check(given.size() == dims, op, ": ", name, " takes one number or ", words[dims], ", got ", given.list());
  return given;
}

void check_input(const char* op, const Dims& sizes, int dims) {
  if (std::string_view(op) == "avg_pool2d")
    check<IndexError>(sizes.size() >= 3, op, ": the input needs ", dims + 1, " dims at least; there is no "
                      "dim -3 in ", -sizes.size(), " … ", sizes.size() - 1, ", the shape is ", sizes.list());
  bool full = sizes.size() == dims + 1 || sizes.size() == dims + 2;
  for (int i = sizes.size() == dims + 2 ? 1 : 0; full && i < sizes.size(); ++i) full = sizes[i] > 0;
  check(full, op, ": the input needs ", dims + 1, " dims, or ", dims + 2, " with a batch, and only the batch "
        "may be 0; its shape is ", sizes.list());
}

int64_t pooled_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  const int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
  int64_t out = (room >= 0 ? room / stride : -1) + 1;
  if (ceil_mode && (out - 1) * stride >= in + padding) --out;   // the last window starts inside
  return out;
}

Windows sliding(const char* op, const Dims& sizes, int dims, const Dims& kernel, const Dims& stride, const Dims& padding, const Dims& dilation,
                bool ceil_mode, bool count_padding) {
  check_input(op, sizes, dims);
  const Dims k = per_dim(op, "kernel_size", kernel, dims), s = stride.empty() ? k : per_dim(op, "stride", stride, dims);
  const Dims p = per_dim(op, "padding", padding, dims), d = per_dim(op, "dilation", dilation, dims);
  Windows w(sizes, dims);
  Dims outs;
  for (int i = 0; i < dims; ++i) {
    check(s[i] != 0, op, ": stride must not be 0");
    check(k[i] > 0 && s[i] > 0 && d[i] > 0, op, ": kernel_size, stride and dilation must be positive, got ",
          k.list(), ", ", s.list(), ", ", d.list());
    check(p[i] >= 0, op, ": padding must not be negative, got ", p[i]);
    check(p[i] <= ((k[i] - 1) * d[i] + 1) / 2, op, ": padding=", p[i], " exceeds half of the kernel, of "
          "size ", k[i], " with dilation ", d[i]);
    const int64_t in = sizes[sizes.size() - dims + i], out = pooled_size(in, k[i], s[i], p[i], d[i], ceil_mode);
    outs.push(std::max<int64_t>(out, 0));
    Axis& a = w.axis[3 - dims + i];
    a = {in, {}, {}, {}, d[i]};
    for (int64_t o = 0; o < out; ++o) {
      const int64_t from = o * s[i] - p[i];
      const int64_t first = from < 0 ? from + (-from + d[i] - 1) / d[i] * d[i] : from, last = std::min(from + (k[i] - 1) * d[i] + 1, in);
      a.start.push_back(first);
      a.end.push_back(last);
      a.count.push_back(count_padding ? std::min(from + k[i], in + p[i]) - from : last - first);
    }
  }
  for (int64_t o : outs) {
    check(o > 0, op, ": an input of ", sizes.list(), " gives an output of ", outs.list(), ", which is empty; "
          "reduce kernel_size or enlarge the input");
    w.shape.push(o);
  }
  return w;
}

Windows adaptive(const char* op, const Dims& sizes, const Dims& outs) {
  const int dims = outs.size();
  for (int64_t o : outs) check(o >= 0, op, ": output_size must not be negative, got ", outs.list());
  check_input(op, sizes, dims);
  Windows w(sizes, dims);
  for (int i = 0; i < dims; ++i) {
    const int64_t in = sizes[sizes.size() - dims + i], out = outs[i];
    Axis& a = w.axis[3 - dims + i];
    a = {in, {}, {}, {}, 1};
    for (int64_t o = 0; o < out; ++o) {
      a.start.push_back(o * in / out);
      a.end.push_back(((o + 1) * in + out - 1) / out);
      a.count.push_back(a.end.back() - a.start.back());
    }
    w.shape.push(out);
  }
  return w;
}

// body(place, z, y, x, count) for every window of a plane.
template <class Body> [[gnu::always_inline]] inline void for_each_window(const Windows& w, const Body& body) {
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  int64_t place = 0;
  for (int64_t z = 0; z < az.out(); ++z)
    for (int64_t y = 0; y < ay.out(); ++y)
      for (int64_t x = 0; x < ax.out(); ++x, ++place) body(place, z, y, x);
}
template <class Body> [[gnu::always_inline]] inline void for_each_element(const Windows& w, int64_t z, int64_t y, int64_t x, const Body& body) {
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  for (int64_t i = az.start[z]; i < az.end[z]; i += az.step)
    for (int64_t j = ay.start[y]; j < ay.end[y]; j += ay.step)
      for (int64_t k = ax.start[x]; k < ax.end[x]; k += ax.step) body((i * ay.in + j) * ax.in + k);
}

// Windows [first, last) of an axis that hold all taps and start `stride` elements after one another.
struct Whole { int64_t first = 0, last = 0, stride = 1, taps = 0; };
Whole whole_windows(const Axis& a) {
  Whole w;
  const int64_t n = a.out();
  int64_t extent = 0;
  for (int64_t i = 0; i < n; ++i) extent = std::max(extent, a.end[i] - a.start[i]);
  w.taps = (extent + a.step - 1) / a.step;
  const auto whole = [&](int64_t i) { return (a.end[i] - a.start[i] + a.step - 1) / a.step == w.taps; };
  while (w.first < n && !whole(w.first)) ++w.first;
  w.last = std::min(n, w.first + 1);
  if (w.last < n) w.stride = a.start[w.last] - a.start[w.first];
  while (w.last < n && whole(w.last) && a.start[w.last] - a.start[w.last - 1] == w.stride) ++w.last;
  return w;
}

// Places within a plane, as wide as the elements where they fit, so that both fill vectors alike.
template <class T> using PlaceOf = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

// A row of windows, tap by tap, so that the inner loop runs over windows without branches. `a` is the first
// element of the first window; its place is `base`.
template <int known_stride, class T>
inline void max_row(const T* a, int64_t stride, int64_t n, int64_t step, int64_t taps, int64_t base, T* top, PlaceOf<T>* best) {
  using I = PlaceOf<T>;
  const int64_t s = known_stride ? known_stride : stride;
  for (int64_t t = 0; t < taps; ++t) {
    const T* v = a + t * step;
    const I from = static_cast<I>(base + t * step);
#pragma GCC ivdep
    for (int64_t x = 0; x < n; ++x) {
      const T value = v[x * s];
      const bool better = (value > top[x]) | (value != value);
      top[x] = better ? value : top[x];
      best[x] = better ? from + static_cast<I>(x) * static_cast<I>(s) : best[x];
    }
  }
}
template <class T> inline void max_taps(const Windows& w, const Whole& x, const T* row, int64_t base, T* top, PlaceOf<T>* best) {
  const Axis& a = w.axis[2];
  const auto one = [&](int64_t i) {                    // a window at the border
    for (int64_t k = a.start[i]; k < a.end[i]; k += a.step) {
      const bool better = (row[k] > top[i]) | (row[k] != row[k]);
      top[i] = better ? row[k] : top[i];
      best[i] = better ? static_cast<PlaceOf<T>>(base + k) : best[i];
    }
  };
  for (int64_t i = 0; i < x.first; ++i) one(i);
  const int64_t n = x.last - x.first;
  if (n > 0) {
    const int64_t start = a.start[x.first];
    const T* v = row + start;
    T* t = top + x.first;
    PlaceOf<T>* b = best + x.first;
    if (x.stride == 1) max_row<1>(v, 1, n, a.step, x.taps, base + start, t, b);
    else if (x.stride == 2) max_row<2>(v, 2, n, a.step, x.taps, base + start, t, b);
    else max_row<0>(v, x.stride, n, a.step, x.taps, base + start, t, b);
  }
  for (int64_t i = x.last; i < a.out(); ++i) one(i);
}
// `best` is room for the places of a row of windows.
template <class T>
inline void max_planes(const Windows& w, const Whole& whole, const T* x, T* y, int64_t* index, PlaceOf<T>* best, int64_t begin, int64_t end) {
  using Limits = std::numeric_limits<T>;
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  const int64_t volume = w.volume(), places = w.places(), n = ax.out();
  for (int64_t p = begin; p < end; ++p)
    for (int64_t z = 0; z < az.out(); ++z)
      for (int64_t r = 0; r < ay.out(); ++r) {
        const int64_t to = p * places + (z * ay.out() + r) * n, corner = (az.start[z] * ay.in + ay.start[r]) * ax.in;
        T* top = y + to;
        for (int64_t i = 0; i < n; ++i) {
          top[i] = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
          best[i] = static_cast<PlaceOf<T>>(corner + ax.start[i]);
        }
        for (int64_t i = az.start[z]; i < az.end[z]; i += az.step)
          for (int64_t j = ay.start[r]; j < ay.end[r]; j += ay.step) {
            const int64_t base = (i * ay.in + j) * ax.in;
            max_taps(w, whole, x + p * volume + base, base, top, best);
          }
        for (int64_t i = 0; i < n; ++i) index[to + i] = best[i];
      }
}

template <class T> T window_share(const Windows& w, int64_t i, int64_t j, int64_t k) {
  return static_cast<T>(w.divisor != 0 ? w.divisor : double(w.axis[0].count[i] * w.axis[1].count[j] * w.axis[2].count[k]));
}
// The elements of a row of windows added to their totals, tap by tap as in max_row.
template <int known_stride, class T> inline void sum_row(const T* a, int64_t stride, int64_t n, int64_t step, int64_t taps, T* total) {
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
template <class T> inline void mean_planes(const Windows& w, const Whole& whole, const T* x, T* y, int64_t begin, int64_t end) {
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  const int64_t volume = w.volume(), places = w.places(), n = ax.out();
  const bool global = places == 1 && whole.taps == ax.in && ay.end[0] - ay.start[0] == ay.in && az.end[0] - az.start[0] == az.in;
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
          for (int64_t j = ay.start[r]; j < ay.end[r]; j += ay.step) sum_taps(w, whole, plane + (i * ay.in + j) * ax.in, total);
        for (int64_t i = 0; i < n; ++i) total[i] = total[i] / window_share<T>(w, z, r, i);
      }
  }
}
template <class T> void mean_gradient_planes(const Windows& w, const T* g, T* gx, int64_t begin, int64_t end) {
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

template <class Body> void by_number(DType d, const Body& body) {
  if (d == DType::f64) body(double());
  else if (d == DType::f32) body(float());
  else body(int64_t());
}
DType packed_as(std::string_view op, DType d) {
  check<UnsupportedError>(category_of(d) == Category::integral || category_of(d) == Category::floating, "\"", op, "\" not implemented for '",
                          row(d).legacy, "'");
  return storage_of(compute_of(d));
}

Outputs<2> max_of(const char* op, T_ input, const Windows& w) {
  const DType type = packed_as(op, input.dtype());
  const Tensor x = contiguous(to_dtype(input, type));
  Tensor y = empty(w.shape, type), index = empty(w.shape, DType::i64);
  by_number(type, [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    int64_t* at = index.data<int64_t>();
    check(w.volume() <= std::numeric_limits<PlaceOf<T>>::max(), op, ": planes of more than ", std::numeric_limits<PlaceOf<T>>::max(),
          " elements are not supported");
    const auto loop = Clones<&max_planes<T>>::pick();
    const Whole whole = whole_windows(w.axis[2]);
    parallel_for(w.planes, row_grain(w.volume()), [&](int64_t b, int64_t e) {
      std::vector<PlaceOf<T>> best(static_cast<size_t>(w.axis[2].out()));
      loop(w, whole, from, to, at, best.data(), b, e);
    });
  });
  return {to_dtype(y, input.dtype()), index};
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
    parallel_for(w.planes, row_grain(w.volume()), [&](int64_t b, int64_t e) { loop(w, whole, from, to, b, e); });
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
    parallel_for(w.planes, row_grain(w.volume()), [&](int64_t b, int64_t e) { mean_gradient_planes(w, from, to, b, e); });
  });
  return to_dtype(gx, grad.dtype());
}

constexpr const char* max_names[] = {"", "max_pool1d", "max_pool2d", "max_pool3d"};
constexpr const char* avg_names[] = {"", "avg_pool1d", "avg_pool2d", "avg_pool3d"};

}  // namespace

struct PlaneGather {
  static constexpr auto schema = "_plane_gather(Tensor input, Tensor indices, int spatial) -> Tensor";
  static constexpr auto doc = "Elements at indices into the last `spatial` dims of each plane.";
  using kind = Opaque;
  static Tensor kernel(Tensor input, Tensor indices, int64_t spatial) {
    const DType type = packed_as("max_pool", input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), at = contiguous(indices);
    Tensor y = empty(indices.shape(), type);
    int64_t volume = 1, places = 1;
    for (int i = 1; i <= spatial; ++i) {
      volume *= x.shape()[x.dim() - i];
      places *= at.shape()[at.dim() - i];
    }
    by_number(type, [&]<class T>(T) {
      for (int64_t i = 0; i < y.numel(); ++i) y.data<T>()[i] = x.data<T>()[i / places * volume + at.data<int64_t>()[i]];
    });
    return to_dtype(y, input.dtype());
  }
  static Tensor vjp_input(Tensor g, Shape<0> sizes, In<1> indices, Arg<2, int64_t> spatial) {
    return call_op<PlaneScatter>(g, indices, sizes, spatial.value, true);
  }
  static NoGrad vjp_indices();
};

struct PlaneScatter {
  static constexpr auto schema = "_plane_scatter(Tensor input, Tensor indices, int[] sizes, int spatial, bool add) -> Tensor";
  static constexpr auto doc = "Elements put, or added, into planes of zeros at indices into their last `spatial` dims.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[3].as_int() == 3 ? "MaxUnpool3DBackward0" : "MaxUnpool2DBackward0";
  }
  static Tensor kernel(Tensor input, Tensor indices, Dims sizes, int64_t spatial, bool add) {
    const DType type = packed_as("max_unpool", input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), at = contiguous(indices);
    Tensor y = zeros(sizes, type);
    int64_t volume = 1, places = 1;
    Dims own;
    for (int i = 0; i < spatial; ++i) {
      volume *= sizes[sizes.size() - 1 - i];
      places *= at.shape()[at.dim() - 1 - i];
      own.push(sizes[int(sizes.size() - spatial + i)]);
    }
    const int64_t* p = at.data<int64_t>();
    if (x.numel()) {
      const auto [least, most] = range_of(p, x.numel());
      check(least >= 0 && most < volume, "max_unpool: index ", least < 0 ? least : most, " lies outside an "
            "output of ", own.list());
    }
    by_number(type, [&]<class T>(T) {
      const T* from = x.data<T>();
      T* to = y.data<T>();
      parallel_for(places ? x.numel() / places : 0, row_grain(places), [=](int64_t b, int64_t e) {
        for (int64_t plane = b; plane < e; ++plane) {
          T* target = to + plane * volume;
          const T* values = from + plane * places;
          const int64_t* spots = p + plane * places;
          if (add) for (int64_t i = 0; i < places; ++i) target[spots[i]] += values[i];
          else for (int64_t i = 0; i < places; ++i) target[spots[i]] = values[i];
        }
      });
    });
    return to_dtype(y, input.dtype());
  }
  static Tensor vjp_input(Tensor g, In<1> indices, Arg<3, int64_t> spatial) { return call_op<PlaneGather>(g, indices, spatial.value); }
  static NoGrad vjp_indices();
};

struct WindowMax {
  static constexpr auto schema = "_window_max(Tensor input, int spatial, int[] kernel_size, int[] stride, int[] padding, int[] dilation, "
                                 "bool ceil_mode) -> (Tensor, Tensor)";
  static constexpr auto doc = "Largest element of each window, and its place.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const int64_t n = args[1].as_int();
    return n == 1 ? "SqueezeBackward1" : n == 2 ? "MaxPool2DWithIndicesBackward0" : "MaxPool3DWithIndicesBackward0";
  }
  static Outputs<2> kernel(Tensor x, int64_t n, Dims kernel, Dims stride, Dims padding, Dims dilation, bool ceil_mode) {
    return max_of(max_names[n], x, sliding(max_names[n], x.shape(), int(n), kernel, stride, padding, dilation, ceil_mode, false));
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, OutAt<1> index, Arg<1, int64_t> n) {
    return call_op<PlaneScatter>(g, index, sizes, n.value, true);
  }
};

struct AdaptiveMax {
  static constexpr auto schema = "_adaptive_max(Tensor input, int[] output_size) -> (Tensor, Tensor)";
  static constexpr auto doc = "Largest element of each of as many windows as asked for, and its place.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const int n = unbox<Dims>(args[1]).size();
    return n == 1 ? "SqueezeBackward1" : n == 2 ? "AdaptiveMaxPool2DBackward0" : "AdaptiveMaxPool3DBackward0";
  }
  static Outputs<2> kernel(Tensor x, Dims output_size) { return max_of("adaptive_max_pool", x, adaptive("adaptive_max_pool", x.shape(), output_size)); }
  static Tensor vjp(Tensor g, Shape<0> sizes, OutAt<1> index, Arg<1, Dims> output_size) {
    return call_op<PlaneScatter>(g, index, sizes, output_size.value.size(), true);
  }
};

struct WindowMean {
  static constexpr auto schema = "_window_mean(Tensor input, int spatial, int[] kernel_size, int[] stride, int[] padding, bool ceil_mode, "
                                 "bool count_include_pad, int divisor) -> Tensor";
  static constexpr auto doc = "Mean of each window.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const int64_t n = args[1].as_int();
    return n == 1 ? "SqueezeBackward1" : n == 2 ? "AvgPool2DBackward0" : "AvgPool3DBackward0";
  }
  static Windows windows(const Dims& sizes, int64_t n, const Dims& kernel, const Dims& stride, const Dims& padding, bool ceil_mode, bool count,
                         int64_t divisor) {
    Windows w = sliding(avg_names[n], sizes, int(n), kernel, stride, padding, Dims{1}, ceil_mode, count);
    w.divisor = static_cast<double>(divisor);
    return w;
  }
  static Tensor kernel(Tensor x, int64_t n, Dims kernel, Dims stride, Dims padding, bool ceil_mode, bool count, int64_t divisor) {
    return mean_of(avg_names[n], x, windows(x.shape(), n, kernel, stride, padding, ceil_mode, count, divisor));
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, Arg<1, int64_t> n, Arg<2, Dims> kernel, Arg<3, Dims> stride, Arg<4, Dims> padding,
                    Arg<5, bool> ceil_mode, Arg<6, bool> count, Arg<7, int64_t> divisor) {
    return call_op<WindowMeanBackward>(g, sizes, n.value, kernel.value, stride.value, padding.value, ceil_mode.value, count.value, divisor.value);
  }
};
struct WindowMeanBackward {
  static constexpr auto schema = "_window_mean_backward(Tensor grad, int[] sizes, int spatial, int[] kernel_size, int[] stride, "
                                 "int[] padding, bool ceil_mode, bool count_include_pad, int divisor) -> Tensor";
  static constexpr auto doc = "The adjoint of the mean of each window.";
  using kind = Opaque;
  static Tensor kernel(Tensor g, Dims sizes, int64_t n, Dims kernel, Dims stride, Dims padding, bool ceil_mode, bool count, int64_t divisor) {
    return mean_gradient(avg_names[n], g, sizes, WindowMean::windows(sizes, n, kernel, stride, padding, ceil_mode, count, divisor));
  }
  static Tensor vjp(Tensor g, Arg<2, int64_t> n, Arg<3, Dims> kernel, Arg<4, Dims> stride, Arg<5, Dims> padding, Arg<6, bool> ceil_mode,
                    Arg<7, bool> count, Arg<8, int64_t> divisor) {
    return call_op<WindowMean>(g, n.value, kernel.value, stride.value, padding.value, ceil_mode.value, count.value, divisor.value);
  }
};

struct AdaptiveMean {
  static constexpr auto schema = "_adaptive_mean(Tensor input, int[] output_size) -> Tensor";
  static constexpr auto doc = "Mean of each of as many windows as asked for.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const Dims out = unbox<Dims>(args[1]);
    if (out.size() > 1 && out.product() == 1) return "MeanBackward1";
    return out.size() == 1 ? "SqueezeBackward1" : out.size() == 2 ? "AdaptiveAvgPool2DBackward0" : "AdaptiveAvgPool3DBackward0";
  }
  static Tensor kernel(Tensor x, Dims output_size) {
    check<UnsupportedError>(is_floating(x.dtype()), "\"adaptive_avg_pool\" not implemented for '", row(x.dtype()).legacy, "'");
    return mean_of("adaptive_avg_pool", x, adaptive("adaptive_avg_pool", x.shape(), output_size));
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, Arg<1, Dims> output_size) { return call_op<AdaptiveMeanBackward>(g, sizes, output_size.value); }
};
struct AdaptiveMeanBackward {
  static constexpr auto schema = "_adaptive_mean_backward(Tensor grad, int[] sizes, int[] output_size) -> Tensor";
  static constexpr auto doc = "The adjoint of adaptive_avg_pool.";
  using kind = Opaque;
  static Tensor kernel(Tensor g, Dims sizes, Dims output_size) {
    return mean_gradient("adaptive_avg_pool", g, sizes, adaptive("adaptive_avg_pool", sizes, output_size));
  }
  static Tensor vjp(Tensor g, Arg<2, Dims> output_size) { return call_op<AdaptiveMean>(g, output_size.value); }
};

// cube: one plane whose sides are two; largest and mean: of its elements; last: the place of the largest.
#define FB_POOL(n, places, cube, largest, mean, last)                                                                    \
  struct MaxPool##n {                                                                                                    \
    static constexpr auto schema = "max_pool" #n "d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, " \
                                   "int[] dilation=1, bool ceil_mode=False) -> Tensor";                                  \
    static constexpr auto doc = "\n    Largest element of each window.\n\n    Shapes: input (N, C, " places ") or (C, "  \
                                places ") → the same with pooled sizes.   Dtypes: real.\n\n"                             \
                                "    >>> fb._C.max_pool" #n "d(" cube ", 2).item()\n    " largest "\n  ";                \
    using kind = Composite;                                                                                              \
    static Tensor decompose(Tensor x, Dims kernel, Dims stride, Dims padding, Dims dilation, bool ceil_mode) {           \
      return call_op<WindowMax>(x, n, kernel, stride, padding, dilation, ceil_mode);                                     \
    }                                                                                                                    \
  };                                                                                                                     \
  struct MaxPoolIndices##n {                                                                                             \
    static constexpr auto schema = "max_pool" #n "d_with_indices(Tensor input, int[] kernel_size, int[] stride=[], "     \
                                   "int[] padding=0, int[] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)";       \
    static constexpr auto doc = "\n    Largest element of each window, and its place among those of its plane.\n\n"      \
                                "    >>> [t.item() for t in fb._C.max_pool" #n "d_with_indices(" cube ", 2)]\n"          \
                                "    [" largest ", " last "]\n  ";                                                       \
    using kind = Composite;                                                                                              \
    static Outputs<2> decompose(Tensor x, Dims kernel, Dims stride, Dims padding, Dims dilation, bool ceil_mode) {       \
      return call_outputs<2, WindowMax>(x, n, kernel, stride, padding, dilation, ceil_mode);                             \
    }                                                                                                                    \
  };                                                                                                                     \
  struct AdaptiveMaxPool##n {                                                                                            \
    static constexpr auto schema = "adaptive_max_pool" #n "d(Tensor input, int[] output_size) -> (Tensor, Tensor)";      \
    static constexpr auto doc = "\n    Largest element of each of output_size windows, and its place.\n\n"               \
                                "    >>> [t.item() for t in fb._C.adaptive_max_pool" #n "d(" cube ", 1)]\n"              \
                                "    [" largest ", " last "]\n  ";                                                       \
    using kind = Composite;                                                                                              \
    static Outputs<2> decompose(Tensor x, Dims size) {                                                                   \
      return call_outputs<2, AdaptiveMax>(x, per_dim("adaptive_max_pool" #n "d", "output_size", size, n));               \
    }                                                                                                                    \
  };                                                                                                                     \
  struct AdaptiveAvgPool##n {                                                                                            \
    static constexpr auto schema = "adaptive_avg_pool" #n "d(Tensor input, int[] output_size) -> Tensor";                \
    static constexpr auto doc = "\n    Mean of each of output_size windows.\n\n"                                         \
                                "    >>> fb._C.adaptive_avg_pool" #n "d(" cube ", 1).item()\n    " mean "\n  ";          \
    using kind = Composite;                                                                                              \
    static Tensor decompose(Tensor x, Dims size) {                                                                       \
      return call_op<AdaptiveMean>(x, per_dim("adaptive_avg_pool" #n "d", "output_size", size, n));                      \
    }                                                                                                                    \
  };
FB_POOL(1, "L", "fb.arange(2.).view(1, 2)", "1.0", "0.5", "1")
FB_POOL(2, "H, W", "fb.arange(4.).view(1, 2, 2)", "3.0", "1.5", "3")
FB_POOL(3, "D, H, W", "fb.arange(8.).view(1, 2, 2, 2)", "7.0", "3.5", "7")

struct AvgPool1 {
  static constexpr auto schema = "avg_pool1d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, bool ceil_mode=False, "
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

#define FB_AVG_POOL(n, places, cube, mean)                                                                               \
  struct AvgPool##n {                                                                                                    \
    static constexpr auto schema = "avg_pool" #n "d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, " \
                                   "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor"; \
    static constexpr auto doc = "\n    Mean of each window, or its sum over divisor_override.\n\n    Shapes: input (N, C, " places \
                                ") or (C, " places ") → the same with pooled sizes.   Dtypes: real.\n\n"                 \
                                "    >>> fb._C.avg_pool" #n "d(" cube ", 2).item()\n    " mean "\n  ";                   \
    using kind = Composite;                                                                                              \
    static Tensor decompose(Tensor x, Dims kernel, Dims stride, Dims padding, bool ceil_mode, bool count, std::optional<int64_t> divisor) { \
      check(divisor.value_or(1) != 0, "avg_pool" #n "d: divisor must be not zero");                                      \
      return call_op<WindowMean>(x, n, kernel, stride, padding, ceil_mode, count, divisor.value_or(0));                  \
    }                                                                                                                    \
  };
FB_AVG_POOL(2, "H, W", "fb.arange(4.).view(1, 2, 2)", "1.5")
FB_AVG_POOL(3, "D, H, W", "fb.arange(8.).view(1, 2, 2, 2)", "3.5")

struct MaxUnpool2 {
  static constexpr auto schema = "max_unpool2d(Tensor input, Tensor indices, int[] output_size) -> Tensor";
  static constexpr auto doc = R"(
    Elements put to the places max_pool2d took them from, zeros elsewhere.

    >>> fb._C.max_unpool2d(fb.tensor([[[5.]]]), fb.tensor([[[2]]]), [2, 2])
    tensor([[[0., 0.],
             [5., 0.]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor indices, Dims size) { return unpool("max_unpool2d", x, indices, size, 2); }
  static Tensor unpool(const char* op, T_ x, T_ indices, const Dims& size, int n) {
    check(indices.dtype() == DType::i64, op, ": indices must be int64, they are ", name_of(indices.dtype()));
    check(size.size() == n, op, ": output_size needs ", n, " numbers, got ", size.size());
    check(x.dim() == n + 1 || x.dim() == n + 2, op, ": the input needs ", n + 1, " dims, or ", n + 2,
          " with a batch; it has ", x.dim());
    check(x.shape() == indices.shape(), op, ": indices of shape ", indices.shape().list(), " do not match "
          "the input of shape ", x.shape().list());
    Dims sizes;
    for (int i = 0; i < x.dim() - n; ++i) sizes.push(x.shape()[i]);
    for (int64_t s : size) sizes.push(s);
    return call_op<PlaneScatter>(x, indices, sizes, n, false);
  }
};
struct MaxUnpool3 {
  static constexpr auto schema = "max_unpool3d(Tensor input, Tensor indices, int[] output_size, int[] stride, int[] padding) -> Tensor";
  static constexpr auto doc = R"(
    Elements put to the places max_pool3d took them from, zeros elsewhere.

    >>> fb._C.max_unpool3d(fb.tensor([[[[5.]]]]), fb.tensor([[[[1]]]]), [1, 1, 2], [1, 1, 2], [0, 0, 0])
    tensor([[[[0., 5.]]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor indices, Dims size, Dims stride, Dims padding) {
    check(stride.size() == 3 && padding.size() == 3, "max_unpool3d: There should be exactly 3 elements in stride and padding, but got ",
          stride.size(), " and ", padding.size());
    for (int64_t s : stride) check(s > 0, "max_unpool3d: stride must be positive, got ", stride.list());
    return MaxUnpool2::unpool("max_unpool3d", x, indices, size, 3);
  }
};

FB_GROUP(pool, PlaneGather, PlaneScatter, WindowMax, AdaptiveMax, WindowMean, WindowMeanBackward, AdaptiveMean, AdaptiveMeanBackward,
         MaxPool1, MaxPoolIndices1, AdaptiveMaxPool1, AdaptiveAvgPool1, MaxPool2, MaxPoolIndices2, AdaptiveMaxPool2, AdaptiveAvgPool2,
         MaxPool3, MaxPoolIndices3, AdaptiveMaxPool3, AdaptiveAvgPool3, AvgPool1, AvgPool2, AvgPool3, MaxUnpool2, MaxUnpool3)

}  // namespace fb
