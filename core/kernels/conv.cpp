// Convolution as matrix products: the windows of a sample are unfolded into columns.
#include "kernels/conv.h"

#include <cstring>

#include "base/parallel.h"
#include "kernels/gemm.h"
#include "math/complex.h"
#include "ops.h"

namespace fb {
namespace {

// Three spatial dims, missing ones in front.
struct Window {
  int64_t in[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, out[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {}, dilation[3] = {1, 1, 1};
  explicit Window(const ConvSizes& k) {
    for (int i = 0; i < k.dims(); ++i) {
      const int to = 3 - k.dims() + i;
      in[to] = k.in[i];
      kernel[to] = k.kernel[i];
      out[to] = k.out[i];
      stride[to] = k.stride[i];
      padding[to] = k.padding[i];
      dilation[to] = k.dilation[i];
    }
  }
  int64_t places() const { return out[0] * out[1] * out[2]; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t volume() const { return in[0] * in[1] * in[2]; }
  bool is_identity() const {                           // the columns are the input
    for (int i = 0; i < 3; ++i) if (kernel[i] != 1 || stride[i] != 1 || padding[i] || in[i] != out[i]) return false;
    return true;
  }
};

// Calls body(column row, first input, first output, end) for every row of outputs: those in [first, end) read
// inputs that lie inside, the others padding.
template <class Body> void for_each_run(const Window& k, int64_t tap, const Body& body) {
  const int64_t kx = tap % k.kernel[2], ky = tap / k.kernel[2] % k.kernel[1], kz = tap / k.kernel[2] / k.kernel[1];
  const int64_t shift = kx * k.dilation[2] - k.padding[2], s = k.stride[2];
  const int64_t first = shift >= 0 ? 0 : std::min(k.out[2], (-shift + s - 1) / s);
  const int64_t room = k.in[2] - 1 - shift;
  const int64_t last = room < 0 ? first : std::max(first, std::min(k.out[2], room / s + 1));
  for (int64_t z = 0; z < k.out[0]; ++z)
    for (int64_t y = 0; y < k.out[1]; ++y) {
      const int64_t iz = z * k.stride[0] + kz * k.dilation[0] - k.padding[0], iy = y * k.stride[1] + ky * k.dilation[1] - k.padding[1];
      const bool inside = iz >= 0 && iz < k.in[0] && iy >= 0 && iy < k.in[1];
      body((z * k.out[1] + y) * k.out[2], (iz * k.in[1] + iy) * k.in[2] + first * s + shift, first, inside ? last : first);
    }
}

template <class T> void unfold(const Window& k, const T* x, T* columns, int64_t channels) {
  const int64_t taps = k.taps(), places = k.places(), volume = k.volume(), s = k.stride[2];
  parallel_for(channels * taps, std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(places, 1)), [&](int64_t b, int64_t e) {
    for (int64_t r = b; r < e; ++r) {
      const T* a = x + r / taps * volume;
      T* o = columns + r * places;
      for_each_run(k, r % taps, [&](int64_t row, int64_t from, int64_t first, int64_t last) {
        for (int64_t i = 0; i < first; ++i) o[row + i] = T{};
        if (s == 1) {
          if (last > first) memcpy(o + row + first, a + from, (last - first) * sizeof(T));
        } else for (int64_t i = first; i < last; ++i) o[row + i] = a[from + (i - first) * s];
        for (int64_t i = last; i < k.out[2]; ++i) o[row + i] = T{};
      });
    }
  });
}

// The adjoint: columns added up into x, which starts as zeros. Channels do not share elements.
template <class T> void fold(const Window& k, const T* columns, T* x, int64_t channels) {
  const int64_t taps = k.taps(), places = k.places(), volume = k.volume(), s = k.stride[2];
  parallel_for(channels, std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(places * taps, 1)), [&](int64_t b, int64_t e) {
    for (int64_t r = b * taps; r < e * taps; ++r) {
      T* a = x + r / taps * volume;
      const T* o = columns + r * places;
      for_each_run(k, r % taps, [&](int64_t row, int64_t from, int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) a[from + (i - first) * s] = a[from + (i - first) * s] + o[row + i];
      });
    }
  });
}

template <class Body> void by_compute(Compute c, const Body& body) {
  switch (c) {
    case Compute::f32: return body(float());
    case Compute::f64: return body(double());
    case Compute::c64: return body(math::Complex<float>());
    case Compute::c128: return body(math::Complex<double>());
    default: return body(int64_t());
  }
}

template <class T> Matrix matrix(const T* data, int64_t rows, int64_t cols, bool transposed = false) {
  char* p = reinterpret_cast<char*>(const_cast<T*>(data));
  return transposed ? Matrix{p, rows, cols, 1, rows} : Matrix{p, rows, cols, cols, 1};
}

// The pieces of one sample and group.
template <class T> struct Pieces {
  int64_t rows, depth, places, volume, groups;         // filters and unfolded channels of a group
  int64_t channels;
  Pieces(const ConvSizes& k, const Window& w)
      : rows(k.filters / k.groups), depth(k.channels / k.groups * w.taps()), places(w.places()), volume(w.volume()),
        groups(k.groups), channels(k.channels / k.groups) {}
  T* x(T_ t, int64_t i) const { return t.data<T>() + i * channels * volume; }
  T* y(T_ t, int64_t i) const { return t.data<T>() + i * rows * places; }
  T* w(T_ t, int64_t i) const { return t.data<T>() + i % groups * rows * depth; }
};

void add_bias(T_ y, T_ bias, const ConvSizes& k) {
  if (!bias) return;
  Dims shape = Dims::filled(y.dim(), 1);
  shape[1] = k.filters;
  add_(y, alias(bias, Layout(shape)));
}

template <class T> void forward(const ConvSizes& k, T_ y, T_ x, T_ w) {
  const Window window(k);
  const Pieces<T> p(k, window);
  const bool direct = window.is_identity();
  const Tensor columns = empty({direct ? 0 : p.depth * p.places}, y.dtype());
  for (int64_t i = 0; i < k.samples * k.groups; ++i) {
    T* c = direct ? p.x(x, i) : columns.data<T>();
    if (!direct) unfold(window, p.x(x, i), c, p.channels);
    gemm({compute_of(y.dtype()), matrix(p.w(w, i), p.rows, p.depth), matrix(c, p.depth, p.places), matrix(p.y(y, i), p.rows, p.places)});
  }
}

template <class T> void backward_data(const ConvSizes& k, T_ gx, T_ g, T_ w) {
  const Window window(k);
  const Pieces<T> p(k, window);
  const bool direct = window.is_identity();
  const Tensor columns = empty({direct ? 0 : p.depth * p.places}, gx.dtype());
  if (!direct) zero_(gx);
  for (int64_t i = 0; i < k.samples * k.groups; ++i) {
    T* c = direct ? p.x(gx, i) : columns.data<T>();
    gemm({compute_of(gx.dtype()), matrix(p.w(w, i), p.depth, p.rows, true), matrix(p.y(g, i), p.rows, p.places), matrix(c, p.depth, p.places)});
    if (!direct) fold(window, c, p.x(gx, i), p.channels);
  }
}

template <class T> void backward_weights(const ConvSizes& k, T_ gw, T_ g, T_ x) {
  const Window window(k);
  const Pieces<T> p(k, window);
  const bool direct = window.is_identity();
  const Tensor columns = empty({direct ? 0 : p.depth * p.places}, gw.dtype());
  for (int64_t i = 0; i < k.samples * k.groups; ++i) {
    T* c = direct ? p.x(x, i) : columns.data<T>();
    if (!direct) unfold(window, p.x(x, i), c, p.channels);
    Product product{compute_of(gw.dtype()), matrix(p.y(g, i), p.rows, p.places), matrix(c, p.places, p.depth, true), matrix(p.w(gw, i), p.rows, p.depth)};
    if (i >= k.groups) product.beta = 1;
    gemm(product);
  }
}

}  // namespace

void conv_forward(const ConvSizes& k, T_ y, T_ x, T_ w, T_ bias) {
  if (k.work() == 0) zero_(y);
  else if (onednn::conv_forward(k, y, x, w, bias)) return;
  else by_compute(compute_of(y.dtype()), [&]<class T>(T) { forward<T>(k, y, x, w); });
  add_bias(y, bias, k);
}
void conv_backward_data(const ConvSizes& k, T_ gx, T_ g, T_ w) {
  if (k.work() == 0) return zero_(gx);
  if (onednn::conv_backward_data(k, gx, g, w)) return;
  by_compute(compute_of(gx.dtype()), [&]<class T>(T) { backward_data<T>(k, gx, g, w); });
}
void conv_backward_weights(const ConvSizes& k, T_ gw, T_ g, T_ x) {
  if (k.work() == 0) return zero_(gw);
  if (onednn::conv_backward_weights(k, gw, g, x)) return;
  by_compute(compute_of(gw.dtype()), [&]<class T>(T) { backward_weights<T>(k, gw, g, x); });
}

}  // namespace fb
