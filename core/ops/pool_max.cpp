// Pooling by the largest element of each window, its gradient, and its inverse.
#include <limits>
#include <type_traits>

#include "kernels/indexing.h"
#include "kernels/rows.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"
#include "ops/pool_windows.h"

namespace fb {

using namespace pool;

struct PlaneScatter; struct PlaneGather; struct WindowMax; struct AdaptiveMax;

namespace {

// Places within a plane, as wide as the elements where they fit, so that both fill vectors alike.
template <class T> using PlaceOf = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

// A row of windows, tap by tap, so that the inner loop runs over windows without branches. `a` is the first
// element of the first window; its place is `base`.
template <int known_stride, class T>
inline void max_row(const T* a, int64_t stride, int64_t n, int64_t step, int64_t taps, int64_t base, T* top,
                    PlaceOf<T>* best) {
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
template <class T>
inline void max_taps(const Windows& w, const Whole& x, const T* row, int64_t base, T* top, PlaceOf<T>* best) {
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
inline void max_planes(const Windows& w, const Whole& whole, const T* x, T* y, int64_t* index,
                       PlaceOf<T>* best, int64_t begin, int64_t end) {
  using Limits = std::numeric_limits<T>;
  const Axis &az = w.axis[0], &ay = w.axis[1], &ax = w.axis[2];
  const int64_t volume = w.volume(), places = w.places(), n = ax.out();
  for (int64_t p = begin; p < end; ++p)
    for (int64_t z = 0; z < az.out(); ++z)
      for (int64_t r = 0; r < ay.out(); ++r) {
        const int64_t to = p * places + (z * ay.out() + r) * n,
                      corner = (az.start[z] * ay.in + ay.start[r]) * ax.in;
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

Outputs<2> max_of(const char* op, T_ input, const Windows& w) {
  const DType type = packed_as(op, input.dtype());
  const Tensor x = contiguous(to_dtype(input, type));
  Tensor y = empty(w.shape, type), index = empty(w.shape, DType::i64);
  by_number(type, [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.data<T>();
    int64_t* at = index.data<int64_t>();
    check(w.volume() <= std::numeric_limits<PlaceOf<T>>::max(), op, ": planes of more than ",
          std::numeric_limits<PlaceOf<T>>::max(), " elements are not supported");
    const auto loop = Clones<&max_planes<T>>::pick();
    const Whole whole = whole_windows(w.axis[2]);
    parallel_for(w.planes, row_grain(w.volume()), [&](int64_t b, int64_t e) {
      std::vector<PlaceOf<T>> best(static_cast<size_t>(w.axis[2].out()));
      loop(w, whole, from, to, at, best.data(), b, e);
    });
  });
  return {to_dtype(y, input.dtype()), index};
}

constexpr const char* names[] = {"", "max_pool1d", "max_pool2d", "max_pool3d"};

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
      for (int64_t i = 0; i < y.numel(); ++i)
        y.data<T>()[i] = x.data<T>()[i / places * volume + at.data<int64_t>()[i]];
    });
    return to_dtype(y, input.dtype());
  }
  static Tensor vjp_input(Tensor g, Shape<0> sizes, In<1> indices, Arg<2, int64_t> spatial) {
    return call_op<PlaneScatter>(g, indices, sizes, spatial.value, true);
  }
  static NoGrad vjp_indices();
};

struct PlaneScatter {
  static constexpr auto schema =
      "_plane_scatter(Tensor input, Tensor indices, int[] sizes, int spatial, bool add) -> Tensor";
  static constexpr auto doc =
      "Elements put, or added, into planes of zeros at indices into their last `spatial` dims.";
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
  static Tensor vjp_input(Tensor g, In<1> indices, Arg<3, int64_t> spatial) {
    return call_op<PlaneGather>(g, indices, spatial.value);
  }
  static NoGrad vjp_indices();
};

struct WindowMax {
  static constexpr auto schema =
      "_window_max(Tensor input, int spatial, int[] kernel_size, int[] stride, int[] padding, "
      "int[] dilation, bool ceil_mode) -> (Tensor, Tensor)";
  static constexpr auto doc = "Largest element of each window, and its place.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const int64_t n = args[1].as_int();
    if (n == 1) return "SqueezeBackward1";
    return n == 2 ? "MaxPool2DWithIndicesBackward0" : "MaxPool3DWithIndicesBackward0";
  }
  static Outputs<2> kernel(Tensor x, int64_t n, Dims kernel, Dims stride, Dims padding, Dims dilation,
                           bool ceil_mode) {
    return max_of(names[n], x,
                  sliding(names[n], x.shape(), int(n), kernel, stride, padding, dilation, ceil_mode, false));
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
  static Outputs<2> kernel(Tensor x, Dims output_size) {
    return max_of("adaptive_max_pool", x, adaptive("adaptive_max_pool", x.shape(), output_size));
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, OutAt<1> index, Arg<1, Dims> output_size) {
    return call_op<PlaneScatter>(g, index, sizes, output_size.value.size(), true);
  }
};

template <int n> struct MaxPool {
  static constexpr auto name = joined("max_pool", digit(n), "d");
  static constexpr auto schema = joined(name,
                                        "(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, "
                                        "int[] dilation=1, bool ceil_mode=False) -> Tensor");
  static constexpr auto doc = joined(R"(
    Largest element of each window.

    Shapes: input (N, C, )", Plane<n>::places, ") or (C, ", Plane<n>::places,
                                     R"() → the same with pooled sizes.   Dtypes: real.

    >>> fb._C.)", name, "(", Plane<n>::cube, R"(, 2).item()
    )", Plane<n>::largest, "\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims kernel, Dims stride, Dims padding, Dims dilation, bool ceil_mode) {
    return call_op<WindowMax>(x, n, kernel, stride, padding, dilation, ceil_mode);
  }
};

template <int n> struct MaxPoolIndices {
  static constexpr auto name = joined("max_pool", digit(n), "d_with_indices");
  static constexpr auto schema = joined(name,
                                        "(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, "
                                        "int[] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)");
  static constexpr auto doc = joined(R"(
    Largest element of each window, and its place among those of its plane.

    >>> [t.item() for t in fb._C.)", name, "(", Plane<n>::cube, R"(, 2)]
    [)", Plane<n>::largest, ", ", Plane<n>::last, "]\n  ");
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Dims kernel, Dims stride, Dims padding, Dims dilation,
                              bool ceil_mode) {
    return call_outputs<2, WindowMax>(x, n, kernel, stride, padding, dilation, ceil_mode);
  }
};

template <int n> struct AdaptiveMaxPool {
  static constexpr auto name = joined("adaptive_max_pool", digit(n), "d");
  static constexpr auto schema = joined(name, "(Tensor input, int[] output_size) -> (Tensor, Tensor)");
  static constexpr auto doc = joined(R"(
    Largest element of each of output_size windows, and its place.

    >>> [t.item() for t in fb._C.)", name, "(", Plane<n>::cube, R"(, 1)]
    [)", Plane<n>::largest, ", ", Plane<n>::last, "]\n  ");
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Dims size) {
    return call_outputs<2, AdaptiveMax>(x, per_dim(name, "output_size", size, n));
  }
};

struct MaxUnpool2 {
  static constexpr auto schema = "max_unpool2d(Tensor input, Tensor indices, int[] output_size) -> Tensor";
  static constexpr auto doc = R"(
    Elements put to the places max_pool2d took them from, zeros elsewhere.

    >>> fb._C.max_unpool2d(fb.tensor([[[5.]]]), fb.tensor([[[2]]]), [2, 2])
    tensor([[[0., 0.],
             [5., 0.]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor indices, Dims size) {
    return unpool("max_unpool2d", x, indices, size, 2);
  }
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
  static constexpr auto schema =
      "max_unpool3d(Tensor input, Tensor indices, int[] output_size, int[] stride, int[] padding) -> Tensor";
  static constexpr auto doc = R"(
    Elements put to the places max_pool3d took them from, zeros elsewhere.

    >>> fb._C.max_unpool3d(fb.tensor([[[[5.]]]]), fb.tensor([[[[1]]]]), [1, 1, 2], [1, 1, 2], [0, 0, 0])
    tensor([[[[0., 5.]]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor indices, Dims size, Dims stride, Dims padding) {
    check(stride.size() == 3 && padding.size() == 3,
          "max_unpool3d: There should be exactly 3 elements in stride and padding, but got ", stride.size(),
          " and ", padding.size());
    for (int64_t s : stride) check(s > 0, "max_unpool3d: stride must be positive, got ", stride.list());
    return MaxUnpool2::unpool("max_unpool3d", x, indices, size, 3);
  }
};

FB_GROUP(pool_max, PlaneGather, PlaneScatter, WindowMax, AdaptiveMax, MaxPool<1>, MaxPoolIndices<1>,
         AdaptiveMaxPool<1>, MaxPool<2>, MaxPoolIndices<2>, AdaptiveMaxPool<2>, MaxPool<3>, MaxPoolIndices<3>,
         AdaptiveMaxPool<3>, MaxUnpool2, MaxUnpool3)

}  // namespace fb
