// Fractional max pooling. Source: Graham, arXiv:1412.6071.
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/rows.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"

namespace fb {

struct PlaneScatter; struct FractionalMax;

namespace {

// Where the windows of one dim start, for a sample in [0, 1).
template <class T> void window_starts(T sample, int64_t in, int64_t out, int64_t kernel, int64_t* start) {
  if (out > 1) {
    const T step = static_cast<T>(in - kernel) / static_cast<T>(out - 1);
    for (int64_t i = 0; i < out - 1; ++i)
      start[i] = static_cast<int64_t>((static_cast<T>(i) + sample) * step) - static_cast<int64_t>(sample * step);
  }
  if (out > 0) start[out - 1] = in - kernel;
}

// Three axes, missing ones in front.
struct Fractions {
  int64_t in[3]{1, 1, 1}, out[3]{1, 1, 1}, kernel[3]{1, 1, 1}, planes = 1;
  int dims;
  int64_t volume() const { return in[0] * in[1] * in[2]; }
  int64_t places() const { return out[0] * out[1] * out[2]; }
};

template <class T> void pool_plane(const Fractions& k, const T* x, const T* samples, T* y, int64_t* places, std::vector<int64_t>* starts) {
  for (int i = 0; i < 3; ++i) {
    starts[i].assign(k.out[i], 0);
    if (i < 3 - k.dims) continue;
    const int nth = k.dims == 2 ? 2 - i : i;           // in 2-d the first sample is for the columns
    window_starts(samples[nth], k.in[i], k.out[i], k.kernel[i], starts[i].data());
  }
  for (int64_t a : starts[0])
    for (int64_t b : starts[1])
      for (int64_t c : starts[2]) {
        T top = -std::numeric_limits<T>::infinity();
        int64_t place = (a * k.in[1] + b) * k.in[2] + c;
        for (int64_t d = a; d < a + k.kernel[0]; ++d)
          for (int64_t h = b; h < b + k.kernel[1]; ++h)
            for (int64_t w = c; w < c + k.kernel[2]; ++w) {
              const int64_t at = (d * k.in[1] + h) * k.in[2] + w;
              if (x[at] > top || std::isnan(x[at])) top = x[at], place = at;
            }
        *y++ = top;
        *places++ = place;
      }
}

Fractions fractions_of(const char* op, T_ x, const Dims& kernel, const Dims& size, T_ samples, int dims) {
  static constexpr const char* words[] = {"time", "height", "width"};
  check(kernel.size() == dims && size.size() == dims, op, ": kernel_size and output_size must have ", dims, " numbers, but got ", kernel.list(),
        " and ", size.list());
  check(x.dim() == dims + 1 || x.dim() == dims + 2, op, ": the input needs ", dims + 1, " dims, or ",
        dims + 2, " with a batch; its shape is ", x.shape().list());
  Fractions k;
  k.dims = dims;
  for (int i = 0; i < x.dim() - dims; ++i) k.planes *= x.shape()[i];
  for (int i = 0; i < dims; ++i) {
    const int a = 3 - dims + i;
    k.in[a] = x.shape()[x.dim() - dims + i];
    k.out[a] = size[i];
    k.kernel[a] = kernel[i];
    check(kernel[i] > 0 && size[i] > 0, op, ": kernel_size and output_size must be positive, got ",
          kernel.list(), " and ", size.list());
    check(size[i] + kernel[i] - 1 <= k.in[a], op, ": pool ", words[a], " ", kernel[i], " too large relative to input ", words[a], " ", k.in[a]);
  }
  check(k.planes == 0 || k.volume() > 0, op, ": only the batch of the input may be 0, its shape is ",
        x.shape().list());
  check<UnsupportedError>(is_floating(x.dtype()), "\"", op, "\" not implemented for '", row(x.dtype()).legacy, "'");
  check(samples.dtype() == x.dtype(), op, ": _random_samples is ", row(samples.dtype()).legacy, " and the "
        "input is ", row(x.dtype()).legacy, "; convert one to the dtype of the other");
  check(samples.dim() == 3 && samples.shape()[2] == dims && samples.numel() >= k.planes * dims, op, ": Expect _random_samples of shape (N, C, ",
        dims, "), but got ", samples.shape().list());
  return k;
}

}  // namespace

struct FractionalMax {
  static constexpr auto schema = "_fractional_max(Tensor input, int[] kernel_size, int[] output_size, Tensor noise) -> (Tensor, Tensor)";
  static constexpr auto doc = "Largest element of windows at random places, and its place.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return unbox<Dims>(args[1]).size() == 2 ? "FractionalMaxPool2DBackward0" : "FractionalMaxPool3DBackward0";
  }
  static Outputs<2> kernel(Tensor input, Dims kernel, Dims size, Tensor samples) {
    const int dims = kernel.size();
    check(dims == 2 || dims == 3, "fractional_max_pool: expected 2 or 3 kernel sizes, but got ", kernel.list());
    const Fractions k = fractions_of(dims == 2 ? "fractional_max_pool2d" : "fractional_max_pool3d", input, kernel, size, samples, dims);
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), u = contiguous(to_dtype(samples, type));
    Dims shape = input.shape();
    for (int i = 0; i < dims; ++i) shape[shape.size() - dims + i] = size[i];
    Tensor y = empty(shape, type), index = empty(shape, DType::i64);
    by_real(type, [&]<class T>(T) {
      const T *from = x.data<T>(), *draws = u.data<T>();
      T* to = y.data<T>();
      int64_t* places = index.data<int64_t>();
      const int64_t in = k.volume(), out = k.places();
      parallel_for(k.planes, row_grain(out * k.kernel[0] * k.kernel[1] * k.kernel[2]), [&](int64_t b, int64_t e) {
        std::vector<int64_t> starts[3];
        for (int64_t p = b; p < e; ++p) pool_plane(k, from + p * in, draws + p * k.dims, to + p * out, places + p * out, starts);
      });
    });
    return {to_dtype(y, input.dtype()), index};
  }
  static Tensor vjp_input(Tensor g, Shape<0> sizes, OutAt<1> index, Arg<1, Dims> kernel) {
    return call_op<PlaneScatter>(g, index, sizes, kernel.value.size(), true);
  }
  static NoGrad vjp_noise();
};

template <int n> struct FractionalMaxPool {
  static constexpr auto name = joined("fractional_max_pool", digit(n), "d");
  static constexpr auto schema = joined(name, "(Tensor input, int[] kernel_size, int[] output_size, "
                                        "Tensor _random_samples) -> (Tensor, Tensor)");
  static constexpr auto places = [] {
    if constexpr (n == 2) return joined("H, W");
    else return joined("D, H, W");
  }();
  static constexpr auto doc = joined(R"(
    Largest element of each of output_size windows at random places, and its place.

    Shapes: input (N, C, )", places, ") or (C, ", places, "), _random_samples (N, C, ", digit(n),
                                     R"() in [0, 1) → the same with pooled sizes.   Dtypes: floating.
    Source: Graham, arXiv:1412.6071.
  )");
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Dims kernel, Dims size, Tensor samples) {
    fractions_of(name, x, kernel, size, samples, n);
    return call_outputs<2, FractionalMax>(x, kernel, size, samples);
  }
};

FB_GROUP(pool_fractional, FractionalMax, FractionalMaxPool<2>, FractionalMaxPool<3>)

}  // namespace fb
