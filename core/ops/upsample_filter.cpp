// Resizing of (N, C, H, W) by filters of several taps: cubic convolution, and antialiased linear, cubic and Lanczos.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "kernels/rows.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"

namespace fb {

struct FilterResample; struct FilterResampleBackward; struct ByteBilinear2d;

namespace {

enum Filter : int64_t { cubic, triangle_smooth, cubic_smooth, lanczos_smooth, triangle };

// Keys' kernel, IEEE Trans. ASSP 29(6), 1981: a is the slope at 1.
double keys(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
double sinc(double x) { return x == 0 ? 1 : std::sin(M_PI * x) / (M_PI * x); }

double weight_at(Filter filter, double x) {
  switch (filter) {
    case cubic: return keys(x, -0.75);
    case triangle:
    case triangle_smooth: return std::max(0.0, 1 - std::abs(x));
    case cubic_smooth: return keys(x, -0.5);
    default: return std::abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

// The taps of the outputs of one dim: those of output o are [first[o], first[o + 1]).
struct Taps {
  int64_t in;
  std::vector<int64_t> first{0}, index;
  std::vector<double> weight;
  int64_t out() const { return static_cast<int64_t>(first.size()) - 1; }

  Taps(int64_t size, int64_t outs, Filter filter, bool aligned, double given) : in(size) {
    const double ratio = aligned ? (outs > 1 ? double(in - 1) / double(outs - 1) : 0) : given > 0 ? 1 / given : double(in) / double(outs);
    for (int64_t o = 0; o < outs; ++o) {
      if (filter == cubic || filter == triangle) add_near(filter, aligned ? ratio * double(o) : ratio * (double(o) + 0.5) - 0.5);
      else add_smooth(filter, ratio * (double(o) + 0.5), std::max(ratio, 1.0));
      first.push_back(static_cast<int64_t>(index.size()));
    }
  }
  void add_near(Filter filter, double at) {            // outside, the border goes on
    const double base = std::floor(at);
    const size_t begin = index.size();
    for (int k = filter == cubic ? -1 : 0; k <= (filter == cubic ? 2 : 1); ++k) {
      const int64_t i = std::clamp<int64_t>(static_cast<int64_t>(base) + k, 0, in - 1);
      const double w = weight_at(filter, at - base - k);
      if (index.size() > begin && index.back() == i) weight.back() += w;
      else index.push_back(i), weight.push_back(w);
    }
  }
  void add_smooth(Filter filter, double centre, double stretch) {   // outside, there is nothing
    const double support = stretch * (filter == triangle_smooth ? 1 : filter == cubic_smooth ? 2 : 3);
    const int64_t low = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
    const int64_t high = std::min<int64_t>(static_cast<int64_t>(centre + support + 0.5), in);
    const size_t begin = weight.size();
    double total = 0;
    for (int64_t i = low; i < high; ++i) {
      index.push_back(i);
      weight.push_back(weight_at(filter, (double(i) - centre + 0.5) / stretch));
      total += weight.back();
    }
    if (total != 0)
      for (size_t i = begin; i < weight.size(); ++i) weight[i] /= total;
  }
};

struct Filters {
  Taps rows, columns;
  int64_t planes;
  Filters(const Dims& sizes, const Dims& out, int64_t filter, bool aligned, const Floats& scales)
      : rows(sizes[2], out[0], static_cast<Filter>(filter), aligned, scales.empty() ? 0 : scales[0]),
        columns(sizes[3], out[1], static_cast<Filter>(filter), aligned, scales.empty() ? 0 : scales[1]), planes(sizes[0] * sizes[1]) {}
  static void examine(const Dims& sizes, const Dims& out, int64_t filter, const Floats& scales) {
    check(sizes.size() == 4 && out.size() == 2 && (scales.empty() || scales.size() == 2) && filter >= cubic && filter <= triangle,
          "resize: expected (N, C, H, W) and two sizes, but got ", sizes.list(), " and ", out.list());
    check(sizes[2] > 0 && sizes[3] > 0 && out[0] > 0 && out[1] > 0, "resize: every size must be positive, "
          "they are ", sizes.list(), " and ", out.list());
  }
};

template <class T> void filter_plane(const Filters& k, const T* x, T* y, std::vector<T>& wide) {
  const int64_t w = k.columns.out();
  wide.assign(k.rows.in * w, T(0));
  for (int64_t r = 0; r < k.rows.in; ++r)
    for (int64_t o = 0; o < w; ++o) {
      T total = 0;
      for (int64_t i = k.columns.first[o]; i < k.columns.first[o + 1]; ++i)
        total += x[r * k.columns.in + k.columns.index[i]] * static_cast<T>(k.columns.weight[i]);
      wide[r * w + o] = total;
    }
  for (int64_t o = 0; o < k.rows.out(); ++o) {
    std::fill(y + o * w, y + (o + 1) * w, T(0));
    for (int64_t i = k.rows.first[o]; i < k.rows.first[o + 1]; ++i) {
      const T *from = wide.data() + k.rows.index[i] * w, f = static_cast<T>(k.rows.weight[i]);
      for (int64_t j = 0; j < w; ++j) y[o * w + j] += f * from[j];
    }
  }
}

template <class T> void spread_plane(const Filters& k, const T* g, T* gx, std::vector<T>& wide) {
  const int64_t w = k.columns.out();
  wide.assign(k.rows.in * w, T(0));
  for (int64_t o = 0; o < k.rows.out(); ++o)
    for (int64_t i = k.rows.first[o]; i < k.rows.first[o + 1]; ++i) {
      const T f = static_cast<T>(k.rows.weight[i]);
      T* to = wide.data() + k.rows.index[i] * w;
      for (int64_t j = 0; j < w; ++j) to[j] += f * g[o * w + j];
    }
  for (int64_t r = 0; r < k.rows.in; ++r)
    for (int64_t o = 0; o < w; ++o)
      for (int64_t i = k.columns.first[o]; i < k.columns.first[o + 1]; ++i)
        gx[r * k.columns.in + k.columns.index[i]] += wide[r * w + o] * static_cast<T>(k.columns.weight[i]);
}

// Weights of bytes in fixed point, as many fraction bits as 16-bit weights allow: results agree with those of
// image libraries that resize bytes in this way.
struct FixedTaps {
  const Taps& taps;
  int bits = 0;
  std::vector<int32_t> weight;
  explicit FixedTaps(const Taps& t) : taps(t) {
    const double top = *std::max_element(t.weight.begin(), t.weight.end());
    while (bits < 22 && static_cast<int>(0.5 + top * (1 << (bits + 1))) < (1 << 15)) ++bits;
    for (double w : t.weight) weight.push_back(static_cast<int32_t>((w < 0 ? -0.5 : 0.5) + w * (1 << bits)));
  }
  // Output o of the elements from[i * stride].
  uint8_t at(int64_t o, const uint8_t* from, int64_t stride) const {
    int32_t total = 1 << (bits - 1);
    for (int64_t i = taps.first[o]; i < taps.first[o + 1]; ++i) total += from[taps.index[i] * stride] * weight[i];
    return static_cast<uint8_t>(std::clamp(total >> bits, 0, 255));
  }
};

void filter_bytes(const Filters& k, const uint8_t* x, uint8_t* y, int64_t planes) {
  const FixedTaps rows(k.rows), columns(k.columns);
  const int64_t h = k.rows.in, w = k.columns.in, out_h = k.rows.out(), out_w = k.columns.out();
  const bool keep_rows = h == out_h, keep_columns = w == out_w;
  parallel_for(planes, row_grain(h * w + out_h * out_w), [&](int64_t b, int64_t e) {
    std::vector<uint8_t> wide(h * out_w);
    for (int64_t p = b; p < e; ++p) {
      for (int64_t r = 0; r < h; ++r)
        for (int64_t o = 0; o < out_w; ++o)
          wide[r * out_w + o] = keep_columns ? x[(p * h + r) * w + o] : columns.at(o, x + (p * h + r) * w, 1);
      for (int64_t o = 0; o < out_h; ++o)
        for (int64_t j = 0; j < out_w; ++j)
          y[(p * out_h + o) * out_w + j] = keep_rows ? wide[o * out_w + j] : rows.at(o, wide.data() + j, out_w);
    }
  });
}

Tensor filtered(const char* op, T_ input, const std::optional<Dims>& size, bool aligned, const std::optional<Floats>& scales, Filter filter) {
  check(input.dim() == 4, op, ": the input needs 4 dims, it has ", input.dim());
  Dims out = size.value_or(Dims());
  if (!size) {
    check(scales && scales->size() == 2, op, ": pass either output_size or scale_factors, with 2 numbers");
    for (int i = 0; i < 2; ++i) out.push(static_cast<int64_t>(static_cast<double>(input.shape()[2 + i]) * (*scales)[i]));
  }
  check(out.size() == 2, op, ": output_size needs 2 numbers, got ", out.size());
  check(out[0] > 0 && out[1] > 0 && input.shape()[2] > 0 && input.shape()[3] > 0,
        op, ": nothing can be resized from ", input.shape().list(), " to ", out.list(), ", as a size is 0");
  check(input.shape()[1] > 0, op, ": the input has no channels, its shape is ", input.shape().list());
  check<UnsupportedError>(is_floating(input.dtype()) || input.dtype() == DType::u8, "\"", op, "\" not implemented for '",
                          row(input.dtype()).legacy, "'");
  return call_op<FilterResample>(input, out, static_cast<int64_t>(filter), aligned, size ? Floats() : *scales);
}

}  // namespace

struct FilterResample {
  static constexpr auto schema = "_filter_resample(Tensor input, int[] output_size, int filter, bool align_corners, float[] scales) -> Tensor";
  static constexpr auto doc = "Resizes rows and columns by a filter; bytes are rounded and kept within their range.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    static constexpr std::string_view names[] = {"UpsampleBicubic2DBackward0", "UpsampleBilinear2DAaBackward0", "UpsampleBicubic2DAaBackward0",
                                                 "UpsampleLanczos2DAaBackward0", "UpsampleBilinear2DBackward0"};
    return names[args[2].as_int()];
  }
  static Tensor kernel(Tensor input, Dims out, int64_t filter, bool aligned, Floats scales) {
    Filters::examine(input.shape(), out, filter, scales);
    const DType type = input.dtype() == DType::u8 ? DType::u8 : computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type));
    const Filters k(x.shape(), out, filter, aligned, scales);
    Tensor y = empty({x.shape()[0], x.shape()[1], out[0], out[1]}, type);
    if (type == DType::u8) {
      filter_bytes(k, x.data<uint8_t>(), y.data<uint8_t>(), k.planes);
      return y;
    }
    const int64_t in = k.rows.in * k.columns.in, places = out[0] * out[1];
    by_real(type, [&]<class T>(T) {
      const T* from = x.data<T>();
      T* to = y.data<T>();
      parallel_for(k.planes, row_grain(in + places), [&](int64_t b, int64_t e) {
        std::vector<T> wide;
        for (int64_t p = b; p < e; ++p) filter_plane(k, from + p * in, to + p * places, wide);
      });
    });
    return to_dtype(y, input.dtype());
  }
  static Tensor vjp(Tensor g, Shape<0> sizes, Arg<1, Dims> out, Arg<2, int64_t> filter, Arg<3, bool> aligned, Arg<4, Floats> scales) {
    return call_op<FilterResampleBackward>(g, sizes, out.value, filter.value, aligned.value, scales.value);
  }
};

struct FilterResampleBackward {
  static constexpr auto schema = "_filter_resample_backward(Tensor grad, int[] sizes, int[] output_size, int filter, bool align_corners, "
                                 "float[] scales) -> Tensor";
  static constexpr auto doc = "The adjoint of resizing by a filter.";
  using kind = Opaque;
  static Tensor kernel(Tensor grad, Dims sizes, Dims out, int64_t filter, bool aligned, Floats scales) {
    Filters::examine(sizes, out, filter, scales);
    check(grad.shape() == Dims({sizes[0], sizes[1], out[0], out[1]}), "resize: gradient of shape ", grad.shape().list(), " does not fit ", sizes.list(),
          " and ", out.list());
    const DType type = computed_as(grad.dtype());
    const Tensor g = contiguous(to_dtype(grad, type));
    const Filters k(sizes, out, filter, aligned, scales);
    Tensor gx = zeros(sizes, type);
    const int64_t in = k.rows.in * k.columns.in, places = out[0] * out[1];
    by_real(type, [&]<class T>(T) {
      const T* from = g.data<T>();
      T* to = gx.data<T>();
      parallel_for(k.planes, row_grain(in + places), [&](int64_t b, int64_t e) {
        std::vector<T> wide;
        for (int64_t p = b; p < e; ++p) spread_plane(k, from + p * places, to + p * in, wide);
      });
    });
    return to_dtype(gx, grad.dtype());
  }
  static Tensor vjp(Tensor g, Arg<2, Dims> out, Arg<3, int64_t> filter, Arg<4, bool> aligned, Arg<5, Floats> scales) {
    return call_op<FilterResample>(g, out.value, filter.value, aligned.value, scales.value);
  }
};

namespace {

// What tells the ops apart. words: what the doc says of the filter.
struct CubicTaps {
  static constexpr Filter filter = cubic;
  static constexpr char name[] = "upsample_bicubic2d", words[] = "cubic convolution";
};
struct SmoothLinearTaps {
  static constexpr Filter filter = triangle_smooth;
  static constexpr char name[] = "_upsample_bilinear2d_aa",
                        words[] = "a triangle as wide as the places it stands for";
};
struct SmoothCubicTaps {
  static constexpr Filter filter = cubic_smooth;
  static constexpr char name[] = "_upsample_bicubic2d_aa",
                        words[] = "a cubic as wide as the places it stands for";
};
struct LanczosTaps {
  static constexpr Filter filter = lanczos_smooth;
  static constexpr char name[] = "_upsample_lanczos2d_aa",
                        words[] = "a Lanczos window of three lobes as wide as the places it stands for";
};
struct ByteTaps {
  static constexpr Filter filter = triangle;
  static constexpr char name[] = "_upsample_bilinear2d_bytes",
                        words[] = "linear interpolation in fixed point";
};

}  // namespace

template <class F> struct FilteredResize {
  static constexpr auto schema = joined(F::name, "(Tensor input, int[]? output_size, bool align_corners, "
                                        "float[]? scales=None) -> Tensor");
  static constexpr auto doc = joined("Resizes (N, C, H, W) by ", F::words, ".");
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<Dims> size, bool align_corners,
                          std::optional<Floats> scales) {
    return filtered(F::name, x, size, align_corners, scales, F::filter);
  }
};
struct ByteBilinear2d : FilteredResize<ByteTaps> {};   // upsample.cpp calls it by this name

FB_GROUP(upsample_filter, FilterResample, FilterResampleBackward, ByteBilinear2d, FilteredResize<CubicTaps>,
         FilteredResize<SmoothLinearTaps>, FilteredResize<SmoothCubicTaps>, FilteredResize<LanczosTaps>)

}  // namespace fb
