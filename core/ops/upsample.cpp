// Resizing of (N, C, *): nearest neighbours and (bi-, tri-)linear interpolation, and their adjoints.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/isa.h"
#include "kernels/rows.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"

namespace fb {

struct Resample; struct ResampleBackward; struct ByteBilinear2d;

namespace {

enum Resizing : int64_t { nearest, exact, linear, aligned };   // aligned: linear, corners keep their values

// For each output of a dim: two inputs and the weight of the second.
struct Taps {
  int64_t in = 1;
  std::vector<int64_t> low{0}, high{0};
  std::vector<double> weight{0};
  int64_t out() const { return static_cast<int64_t>(low.size()); }
};

Taps taps_of(int64_t in, int64_t out, Resizing mode, double given) {
  Taps t{in, {}, {}, {}};
  const double ratio = mode == aligned ? (out > 1 ? double(in - 1) / double(out - 1) : 0) : given > 0 ? 1 / given : double(in) / double(out);
  for (int64_t o = 0; o < out; ++o) {
    double at = mode == aligned ? ratio * double(o) : mode == linear ? std::max(0.0, ratio * (double(o) + 0.5) - 0.5)
                : ratio * (double(o) + (mode == exact ? 0.5 : 0));
    if (mode == nearest || mode == exact) at = std::floor(mode == nearest && out == in ? double(o) : float(at));
    const int64_t low = std::min(static_cast<int64_t>(at), in - 1);
    t.low.push_back(low);
    t.high.push_back(std::min(low + 1, in - 1));
    t.weight.push_back(mode == linear || mode == aligned ? std::min(1.0, at - double(low)) : 0);
  }
  return t;
}

struct Grid {
  Taps axis[3];
  int64_t planes, volume = 1, places = 1;
  Grid(const Dims& sizes, const Dims& out, Resizing mode, const Floats& scales) : planes(sizes[0] * sizes[1]) {
    const int n = out.size();
    for (int i = 0; i < n; ++i) axis[3 - n + i] = taps_of(sizes[2 + i], out[i], mode, scales.empty() ? 0 : scales[i]);
    for (const Taps& t : axis) volume *= t.in, places *= t.out();
  }
};

// Along the last dim, in the type that computes.
template <class T> struct Columns {
  std::vector<int32_t> low, high;
  std::vector<T> first, second;                        // weights
  int64_t in, out;
  explicit Columns(const Taps& t) : low(t.low.begin(), t.low.end()), high(t.high.begin(), t.high.end()), in(t.in), out(t.out()) {
    for (double w : t.weight) {
      first.push_back(static_cast<T>(1 - w));
      second.push_back(static_cast<T>(w));
    }
  }
};

// The rows of the input, four at most, that make one row of the output.
template <class T> struct Rows {
  int64_t at[4];
  T weight[4];
  int count = 0;
  Rows(const Taps& depth, const Taps& height, int64_t z, int64_t y) {
    for (int corner = 0; corner < 4; ++corner) {
      const bool back = corner & 2, below = corner & 1;
      const double w = (back ? depth.weight[z] : 1 - depth.weight[z]) * (below ? height.weight[y] : 1 - height.weight[y]);
      if (w == 0) continue;
      at[count] = (back ? depth.high : depth.low)[z] * height.in + (below ? height.high : height.low)[y];
      weight[count++] = static_cast<T>(w);
    }
  }
};

// One row each: blended from rows of the input, the adjoint of that, and picked.
template <class T> inline void blend_row(const T* x, Rows<T> r, const Columns<T>* c, T* mixed, T* out) {
  const T *a = x + r.at[0] * c->in, *t = a;
  if (r.count > 1 || r.weight[0] != T(1)) {
    for (int64_t i = 0; i < c->in; ++i) mixed[i] = r.weight[0] * a[i];
    for (int k = 1; k < r.count; ++k) {
      const T *b = x + r.at[k] * c->in, w = r.weight[k];
      for (int64_t i = 0; i < c->in; ++i) mixed[i] += w * b[i];
    }
    t = mixed;
  }
  const int32_t *low = c->low.data(), *high = c->high.data();
  const T *first = c->first.data(), *second = c->second.data();
#pragma GCC ivdep
  for (int64_t i = 0; i < c->out; ++i) out[i] = first[i] * t[low[i]] + second[i] * t[high[i]];
}
template <class T> inline void spread_row(T* x, Rows<T> r, const Columns<T>* c, T* mixed, const T* g) {
  std::fill_n(mixed, c->in, T(0));
  for (int64_t i = 0; i < c->out; ++i) {
    mixed[c->low[i]] += c->first[i] * g[i];
    if (c->second[i] != T(0)) mixed[c->high[i]] += c->second[i] * g[i];
  }
  for (int k = 0; k < r.count; ++k) {
    T *to = x + r.at[k] * c->in, w = r.weight[k];
    for (int64_t i = 0; i < c->in; ++i) to[i] += w * mixed[i];
  }
}
template <class T> inline void pick_row(const T* from, const Columns<T>* c, T* out) {
  const int32_t* low = c->low.data();
#pragma GCC ivdep
  for (int64_t i = 0; i < c->out; ++i) out[i] = from[low[i]];
}

template <class T> void resample(const Grid& k, bool blend, const T* x, T* y) {
  const Columns<T> columns(k.axis[2]);
  const auto blend_loop = Clones<&blend_row<T>>::pick();
  const auto pick_loop = Clones<&pick_row<T>>::pick();
  parallel_for(k.planes, row_grain(k.places), [&](int64_t begin, int64_t end) {
    std::vector<T> mixed(static_cast<size_t>(columns.in));
    for (int64_t p = begin; p < end; ++p) {
      T* out = y + p * k.places;
      const T* from = x + p * k.volume;
      int64_t last = -1;
      for (int64_t z = 0; z < k.axis[0].out(); ++z)
        for (int64_t r = 0; r < k.axis[1].out(); ++r, out += columns.out) {
          if (blend) {
            blend_loop(from, Rows<T>(k.axis[0], k.axis[1], z, r), &columns, mixed.data(), out);
            continue;
          }
          const int64_t row = k.axis[0].low[z] * k.axis[1].in + k.axis[1].low[r];
          if (row == last) std::copy_n(out - columns.out, columns.out, out);
          else pick_loop(from + row * columns.in, &columns, out);
          last = row;
        }
    }
  });
}

// gx starts from zero.
template <class T> void resample_backward(const Grid& k, const T* g, T* gx) {
  const Columns<T> columns(k.axis[2]);
  const auto loop = Clones<&spread_row<T>>::pick();
  parallel_for(k.planes, row_grain(k.places), [&](int64_t begin, int64_t end) {
    std::vector<T> mixed(static_cast<size_t>(columns.in));
    for (int64_t p = begin; p < end; ++p) {
      const T* from = g + p * k.places;
      for (int64_t z = 0; z < k.axis[0].out(); ++z)
        for (int64_t r = 0; r < k.axis[1].out(); ++r, from += columns.out)
          loop(gx + p * k.volume, Rows<T>(k.axis[0], k.axis[1], z, r), &columns, mixed.data(), from);
    }
  });
}

Dims joined(const Dims& sizes, const Dims& out) {
  Dims r{sizes[0], sizes[1]};
  for (int64_t v : out) r.push(v);
  return r;
}

Tensor upsampled(const char* op, T_ input, int n, const std::optional<Dims>& size, const std::optional<Floats>& scales, Resizing mode) {
  check(input.dim() == n + 2, op, ": the input needs ", n + 2, " dims, it has ", input.dim());
  Dims out = size.value_or(Dims());
  if (!size) {
    check(scales && static_cast<int>(scales->size()) == n, op, ": pass either output_size or scale_factors, "
          "with ", n, " numbers");
    for (int i = 0; i < n; ++i) out.push(static_cast<int64_t>(static_cast<double>(input.shape()[2 + i]) * (*scales)[i]));
  }
  check(out.size() == n, op, ": output_size needs ", n, " numbers, got ", out.size());
  for (int i = 0; i < n; ++i)
    check(out[i] > 0 && input.shape()[2 + i] > 0, op, ": nothing can be resized from ", input.shape().list(),
          " to ", out.list(), ", as a size is 0");
  check<UnsupportedError>(is_floating(input.dtype()) || (mode <= exact && input.dtype() == DType::u8), "\"", op, "\" not implemented for '",
                          row(input.dtype()).legacy, "'");
  return call_op<Resample>(input, out, static_cast<int64_t>(mode), size ? Floats() : *scales);
}

}  // namespace

struct Resample {
  static constexpr auto schema = "_resample(Tensor input, int[] output_size, int mode, float[] scales) -> Tensor";
  static constexpr auto doc = "Resizes the spatial dims.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    static constexpr std::string_view names[3][3] = {{"UpsampleNearest1DBackward0", "UpsampleNearest2DBackward0", "UpsampleNearest3DBackward0"},
        {"UpsampleNearestExact1DBackward0", "UpsampleNearestExact2DBackward0", "UpsampleNearestExact3DBackward0"},
        {"UpsampleLinear1DBackward0", "UpsampleBilinear2DBackward0", "UpsampleTrilinear3DBackward0"}};
    return names[std::min<int64_t>(args[2].as_int(), 2)][unbox<Dims>(args[1]).size() - 1];
  }
  static Tensor kernel(Tensor input, Dims out, int64_t mode, Floats scales) {
    const DType type = input.dtype() == DType::f64 ? DType::f64 : DType::f32;
    const Tensor x = contiguous(to_dtype(input, type));
    Tensor y = empty(joined(x.shape(), out), type);
    const Grid k(x.shape(), out, static_cast<Resizing>(mode), scales);
    by_real(type, [&]<class T>(T) { resample<T>(k, mode >= linear, x.data<T>(), y.data<T>()); });
    return to_dtype(y, input.dtype());
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, Arg<1, Dims> out, Arg<2, int64_t> mode, Arg<3, Floats> scales) {
    return call_op<ResampleBackward>(g, sizes, out.value, mode.value, scales.value);
  }
};

struct ResampleBackward {
  static constexpr auto schema = "_resample_backward(Tensor grad, int[] sizes, int[] output_size, int mode, float[] scales) -> Tensor";
  static constexpr auto doc = "The adjoint of resizing.";
  using kind = Opaque;
  static Tensor kernel(Tensor grad, Dims sizes, Dims out, int64_t mode, Floats scales) {
    const DType type = computed_as(grad.dtype());
    const Tensor g = contiguous(to_dtype(grad, type));
    Tensor gx = zeros(sizes, type);
    const Grid k(sizes, out, static_cast<Resizing>(mode), scales);
    by_real(type, [&]<class T>(T) { resample_backward<T>(k, g.data<T>(), gx.data<T>()); });
    return to_dtype(gx, grad.dtype());
  }
  static Tensor vjp(Tensor g, Arg<2, Dims> out, Arg<3, int64_t> mode, Arg<4, Floats> scales) {
    return call_op<Resample>(g, out.value, mode.value, scales.value);
  }
};

namespace {

// For the docs. before and after: the brackets round a row; sides: all but the last.
template <int n> struct Row;
template <> struct Row<1> {
  static constexpr char word[] = "linear", before[] = "[[[", after[] = "]]]", sides[] = "";
};
template <> struct Row<2> {
  static constexpr char word[] = "bilinear", before[] = "[[[[", after[] = "]]]]", sides[] = "1, ";
};
template <> struct Row<3> {
  static constexpr char word[] = "trilinear", before[] = "[[[[[", after[] = "]]]]]", sides[] = "1, 1, ";
};

}  // namespace

template <int n> struct NearestResize {
  static constexpr auto name = joined("upsample_nearest", digit(n), "d");
  static constexpr auto schema =
      joined(name, "(Tensor input, int[]? output_size, float[]? scales=None) -> Tensor");
  static constexpr auto doc = joined(R"(
    Resizes (N, C, *) by repeating or dropping elements: index floor(o · in / out).

    >>> fb._C.)", name, "(fb.tensor(", Row<n>::before, "1., 2.", Row<n>::after, "), [", Row<n>::sides, R"(4])
    tensor()", Row<n>::before, "1., 1., 2., 2.", Row<n>::after, ")\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<Dims> size, std::optional<Floats> scales) {
    return upsampled(name, x, n, size, scales, nearest);
  }
};

template <int n> struct ExactResize {
  static constexpr auto name = joined("_upsample_nearest_exact", digit(n), "d");
  static constexpr auto schema =
      joined(name, "(Tensor input, int[]? output_size, float[]? scales=None) -> Tensor");
  static constexpr auto doc = "Resizes (N, C, *) by the element whose centre is nearest.";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<Dims> size, std::optional<Floats> scales) {
    return upsampled(name, x, n, size, scales, exact);
  }
};

template <int n> struct LinearResize {
  static constexpr auto name = joined("upsample_", Row<n>::word, digit(n), "d");
  static constexpr auto schema = joined(name, "(Tensor input, int[]? output_size, bool align_corners, "
                                        "float[]? scales=None) -> Tensor");
  static constexpr auto doc = joined(R"(
    Resizes (N, C, *) by linear interpolation between neighbours.

    >>> fb._C.)", name, "(fb.tensor(", Row<n>::before, "1., 2.", Row<n>::after, "), [", Row<n>::sides,
                                     R"(4], False)
    tensor()", Row<n>::before, "1.0000, 1.2500, 1.7500, 2.0000", Row<n>::after, ")\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<Dims> size, bool align_corners,
                          std::optional<Floats> scales) {
    if (n == 2 && x.dtype() == DType::u8) return call_op<ByteBilinear2d>(x, size, align_corners, scales);
    return upsampled(name, x, n, size, scales, align_corners ? aligned : linear);
  }
};

FB_GROUP(upsample, Resample, ResampleBackward, NearestResize<1>, NearestResize<2>, NearestResize<3>,
         ExactResize<1>, ExactResize<2>, ExactResize<3>, LinearResize<1>, LinearResize<2>, LinearResize<3>)

}  // namespace fb
