// Resizing of (N, C, *): nearest neighbours and (bi-, tri-)linear interpolation, and their adjoints.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "kernels/rows.h"
#include "op/build.h"
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
  // body(input, output, weight) for every pair of a plane that belongs together.
  template <class Body> void for_each(bool blend, const Body& body) const {
    int64_t place = 0;
    for (int64_t z = 0; z < axis[0].out(); ++z)
      for (int64_t y = 0; y < axis[1].out(); ++y)
        for (int64_t x = 0; x < axis[2].out(); ++x, ++place) {
          const int64_t at[3] = {z, y, x};
          for (int corner = 0; corner < (blend ? 8 : 1); ++corner) {
            double w = 1;
            int64_t from = 0;
            for (int i = 0; i < 3; ++i) {
              const Taps& t = axis[i];
              const bool second = corner >> i & 1;
              w *= second ? t.weight[at[i]] : 1 - t.weight[at[i]];
              from = from * t.in + (second ? t.high : t.low)[at[i]];
            }
            if (w != 0) body(from, place, w);
          }
        }
  }
};

Dims joined(const Dims& sizes, const Dims& out) {
  Dims r{sizes[0], sizes[1]};
  for (int64_t v : out) r.push(v);
  return r;
}

Tensor upsampled(const char* op, T_ input, int n, const std::optional<Dims>& size, const std::optional<Floats>& scales, Resizing mode) {
  check(input.dim() == n + 2, op, ": It is expected input_size equals to ", n + 2, ", but got size ", input.dim());
  Dims out = size.value_or(Dims());
  if (!size) {
    check(scales && static_cast<int>(scales->size()) == n, op, ": Must specify exactly one of output_size and scale_factors");
    for (int i = 0; i < n; ++i) out.push(static_cast<int64_t>(static_cast<double>(input.shape()[2 + i]) * (*scales)[i]));
  }
  check(out.size() == n, op, ": It is expected output_size equals to ", n, ", but got size ", out.size());
  for (int i = 0; i < n; ++i)
    check(out[i] > 0 && input.shape()[2 + i] > 0, op, ": Input and output sizes should be greater than 0, but got input ", input.shape().list(),
          " and output ", out.list());
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
    Tensor y = zeros(joined(x.shape(), out), type);
    const Grid k(x.shape(), out, static_cast<Resizing>(mode), scales);
    by_real(type, [&]<class T>(T) {
      const T* from = x.data<T>();
      T* to = y.data<T>();
      parallel_for(k.planes, row_grain(k.places), [&](int64_t b, int64_t e) {
        for (int64_t p = b; p < e; ++p)
          k.for_each(mode >= linear, [&](int64_t i, int64_t o, double w) { to[p * k.places + o] += static_cast<T>(w) * from[p * k.volume + i]; });
      });
    });
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
    by_real(type, [&]<class T>(T) {
      const T* from = g.data<T>();
      T* to = gx.data<T>();
      parallel_for(k.planes, row_grain(k.places), [&](int64_t b, int64_t e) {
        for (int64_t p = b; p < e; ++p)
          k.for_each(mode >= linear, [&](int64_t i, int64_t o, double w) { to[p * k.volume + i] += static_cast<T>(w) * from[p * k.places + o]; });
      });
    });
    return to_dtype(gx, grad.dtype());
  }
  static Tensor vjp(Tensor g, Arg<2, Dims> out, Arg<3, int64_t> mode, Arg<4, Floats> scales) {
    return call_op<Resample>(g, out.value, mode.value, scales.value);
  }
};

// before and after: the brackets round a row; sides: all but the last.
#define FB_UPSAMPLE(n, word, before, after, sides)                                                                            \
  struct Nearest##n {                                                                                                         \
    static constexpr auto schema = "upsample_nearest" #n "d(Tensor input, int[]? output_size, float[]? scales=None) -> Tensor";      \
    static constexpr auto doc = "\n    Resizes (N, C, *) by repeating or dropping elements: index floor(o · in / out).\n\n"   \
                                "    >>> fb._C.upsample_nearest" #n "d(fb.tensor(" before "1., 2." after "), [" sides "4])\n" \
                                "    tensor(" before "1., 1., 2., 2." after ")\n  ";                                          \
    using kind = Composite;                                                                                                   \
    static Tensor decompose(Tensor x, std::optional<Dims> size, std::optional<Floats> scales) {                               \
      return upsampled("upsample_nearest" #n "d", x, n, size, scales, nearest);                                               \
    }                                                                                                                         \
  };                                                                                                                          \
  struct Exact##n {                                                                                                           \
    static constexpr auto schema = "_upsample_nearest_exact" #n "d(Tensor input, int[]? output_size, float[]? scales=None) -> Tensor"; \
    static constexpr auto doc = "Resizes (N, C, *) by the element whose centre is nearest.";                                  \
    using kind = Composite;                                                                                                   \
    static Tensor decompose(Tensor x, std::optional<Dims> size, std::optional<Floats> scales) {                               \
      return upsampled("_upsample_nearest_exact" #n "d", x, n, size, scales, exact);                                          \
    }                                                                                                                         \
  };                                                                                                                          \
  struct Linear##n##d {                                                                                                       \
    static constexpr auto schema = "upsample_" word #n "d(Tensor input, int[]? output_size, bool align_corners, "                    \
                                   "float[]? scales=None) -> Tensor";                                                         \
    static constexpr auto doc = "\n    Resizes (N, C, *) by linear interpolation between neighbours.\n\n"                     \
                                "    >>> fb._C.upsample_" word #n "d(fb.tensor(" before "1., 2." after "), [" sides "4], False)\n" \
                                "    tensor(" before "1.0000, 1.2500, 1.7500, 2.0000" after ")\n  ";                          \
    using kind = Composite;                                                                                                   \
    static Tensor decompose(Tensor x, std::optional<Dims> size, bool align_corners, std::optional<Floats> scales) {           \
      if (n == 2 && x.dtype() == DType::u8) return call_op<ByteBilinear2d>(x, size, align_corners, scales);                   \
      return upsampled("upsample_" word #n "d", x, n, size, scales, align_corners ? aligned : linear);                        \
    }                                                                                                                         \
  };
FB_UPSAMPLE(1, "linear", "[[[", "]]]", "")
FB_UPSAMPLE(2, "bilinear", "[[[[", "]]]]", "1, ")
FB_UPSAMPLE(3, "trilinear", "[[[[[", "]]]]]", "1, 1, ")

FB_GROUP(upsample, Resample, ResampleBackward, Nearest1, Nearest2, Nearest3, Exact1, Exact2, Exact3, Linear1d, Linear2d, Linear3d)

}  // namespace fb
