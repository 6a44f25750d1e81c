// Normalisation over the last dims.
#include "normalize.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "math/words.h"
#include "op/build.h"

namespace fb {
namespace {

constexpr int max_parts = 16;                          // partial sums of the parameters' gradients

// Rows of n. T may be float or double; w and b may be null.
template <class T>
inline void layer_rows(const T* x, const T* w, const T* b, T* y, T* mean, T* rstd, int64_t n, T eps, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T* a = x + r * n;
    T* o = y + r * n;
    const T m = sum_lanes<T>(n, [=](int64_t i) { return a[i]; }) / T(n);
    const T v = sum_lanes<T>(n, [=](int64_t i) { return (a[i] - m) * (a[i] - m); }) / T(n);
    const T s = T(1) / math::sqrt(v + eps);
    mean[r] = m;
    rstd[r] = s;
    if (w && b) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = (a[i] - m) * s * w[i] + b[i];
    } else {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = (a[i] - m) * s;
      if (w) for (int64_t i = 0; i < n; ++i) o[i] *= w[i];
      if (b) for (int64_t i = 0; i < n; ++i) o[i] += b[i];
    }
  }
}

// The same without a mean.
template <class T> inline void rms_rows(const T* x, const T* w, T* y, T* rstd, int64_t n, T eps, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const T* a = x + r * n;
    T* o = y + r * n;
    const T s = T(1) / math::sqrt(sum_lanes<T>(n, [=](int64_t i) { return a[i] * a[i]; }) / T(n) + eps);
    rstd[r] = s;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = a[i] * s;
    if (w) for (int64_t i = 0; i < n; ++i) o[i] *= w[i];
  }
}

// mean is null for rms_norm; gx, gw and gb are null where they are not wanted.
template <class T> struct RowGradients {
  const T *g, *x, *mean, *rstd, *w;
  T *gx, *gw, *gb;
  int64_t n;
};

template <class T> inline void row_gradients(const RowGradients<T>& k, T* gw, T* gb, int64_t begin, int64_t end) {
  const int64_t n = k.n;
  for (int64_t r = begin; r < end; ++r) {
    const T *g = k.g + r * n, *a = k.x + r * n, *w = k.w;
    const T m = k.mean ? k.mean[r] : T(0), s = k.rstd[r];
    if (k.gx) {
      T* o = k.gx + r * n;
      T along, level;
      if (w) {
        along = sum_lanes<T>(n, [=](int64_t i) { return g[i] * w[i] * (a[i] - m); });
        level = k.mean ? sum_lanes<T>(n, [=](int64_t i) { return g[i] * w[i]; }) : T(0);
      } else {
        along = sum_lanes<T>(n, [=](int64_t i) { return g[i] * (a[i] - m); });
        level = k.mean ? sum_lanes<T>(n, [=](int64_t i) { return g[i]; }) : T(0);
      }
      const T c = along * s * s / T(n), d = level / T(n);
      if (w) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) o[i] = s * (g[i] * w[i] - d - (a[i] - m) * c);
      } else {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) o[i] = s * (g[i] - d - (a[i] - m) * c);
      }
    }
    if (gw) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) gw[i] += g[i] * (a[i] - m) * s;
    }
    if (gb) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) gb[i] += g[i];
    }
  }
}

// The parameters' gradients are summed in a fixed number of parts, so that threads do not share them.
template <class T> void run_row_gradients(const RowGradients<T>& k, int64_t rows) {
  const auto loop = Clones<&row_gradients<T>>::pick();
  const int64_t part = std::max<int64_t>((rows + max_parts - 1) / max_parts, row_grain(k.n, 8192)), parts = (rows + part - 1) / part;
  std::vector<T> sums(k.gw || k.gb ? 2 * parts * k.n : 0);
  T* all = sums.data();
  parallel_for(parts, 1, [&](int64_t b, int64_t e) {
    for (int64_t p = b; p < e; ++p)
      loop(k, k.gw ? all + 2 * p * k.n : nullptr, k.gb ? all + (2 * p + 1) * k.n : nullptr, p * part, std::min(rows, (p + 1) * part));
  });
  for (int which = 0; which < 2; ++which) {
    T* to = which ? k.gb : k.gw;
    if (!to) continue;
    std::fill(to, to + k.n, T(0));
    for (int64_t p = 0; p < parts; ++p) {
      const T* from = all + (2 * p + which) * k.n;
      for (int64_t i = 0; i < k.n; ++i) to[i] += from[i];
    }
  }
}

void check_rows(std::string_view op, T_ x, const Dims& shape, T_ weight, T_ bias) {
  check(!shape.empty(), op, ": normalized_shape is empty, it must name one dim at least");
  check(!weight || weight.shape() == shape, op, ": weight has shape ", weight ? weight.shape().list() :
        std::string(), ", but normalized_shape is ", shape.list());
  check(!bias || bias.shape() == shape, op, ": bias has shape ", bias ? bias.shape().list() : std::string(),
        ", but normalized_shape is ", shape.list());
  bool ok = x.dim() >= shape.size();
  for (int i = 0; ok && i < shape.size(); ++i) ok = shape[i] == x.shape()[x.dim() - shape.size() + i];
  const std::string sizes = shape.list();
  check<ShapeError>(ok, op, ": the input must end with the sizes ", sizes, ", normalized_shape; its shape "
                    "is ", x.shape().list());
  check_floating(op, x);
  check_parameter(op, weight, x);
  check_parameter(op, bias, x);
}

Dims row_shape(const Dims& shape, int normalized) {      // of the statistics: size 1 where normalised
  Dims r = shape;
  for (int i = 0; i < normalized; ++i) r[r.size() - 1 - i] = 1;
  return r;
}
Dims last_dims(int n) {
  Dims r;
  for (int i = -n; i < 0; ++i) r.push(i);
  return r;
}
Dims leading_dims(T_ x, const Dims& shape) {
  Dims r;
  for (int i = 0; i < x.dim() - shape.size(); ++i) r.push(i);
  return r;
}
Tensor summed_to(T_ g, T_ x, const Dims& shape) {
  const Dims lead = leading_dims(x, shape);
  return lead.empty() ? g : sum(g, lead);
}

}  // namespace

struct NativeLayerNorm {
  static constexpr auto schema = "native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps) "
                                 "-> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "layer_norm with the mean and 1/deviation of each group, which are constants to autograd.";
  using kind = Fused;
  static constexpr uint8_t constant_outputs = 0b110;
  static Outputs<3> kernel(Tensor input, Dims shape, Tensor weight, Tensor bias, double eps) {
    check_rows("LayerNormKernelImpl", input, shape, weight, bias);
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), w = parameter(weight, type), b = parameter(bias, type);
    const int64_t n = shape.product(), rows = n ? x.numel() / n : 0;
    const Dims stats = row_shape(x.shape(), shape.size());
    Tensor y = empty(x.shape(), type), mean = empty(stats, type), rstd = empty(stats, type);
    by_real(type, [&]<class T>(T) {
      const auto loop = Clones<&layer_rows<T>>::pick();
      const T *from = x.data<T>(), *wp = data_of<T>(w), *bp = data_of<T>(b);
      T *to = y.data<T>(), *mp = mean.data<T>(), *rp = rstd.data<T>();
      parallel_for(rows, row_grain(n), [=](int64_t begin, int64_t end) { loop(from, wp, bp, to, mp, rp, n, T(eps), begin, end); });
    });
    return {to_dtype(y, input.dtype()), mean, rstd};
  }
  static Outputs<3> decompose(Tensor input, Dims shape, Tensor weight, Tensor bias, double eps) {
    const Dims over = last_dims(shape.size());
    const NormByOps k(input, over, eps);
    Tensor y = weight ? k.normalized * weight : k.normalized;
    return {bias ? y + bias : y, mean(input, over, true), k.rstd};
  }
  static Outputs<3> vjp_all(Tensor g, In<0> x, In<2> w, OutAt<1> mean, OutAt<2> rstd, Arg<1, Dims> shape, Arg<4, double> eps, Needs needs) {
    const int64_t mask = needs[0] | needs[2] << 1 | needs[3] << 2;
    return call_outputs<3, NativeLayerNormBackward>(g, x, shape.value, mean, rstd, w, eps.value, mask);
  }
};

struct NativeLayerNormBackward {
  static constexpr auto schema = "_layer_norm_backward(Tensor grad, Tensor input, int[] normalized_shape, Tensor mean, Tensor rstd, "
                                 "Tensor? weight, float eps, int needs) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "Gradients of layer_norm in its input, weight and bias, those that `needs` has a bit for.";
  using kind = Fused;
  static Outputs<3> kernel(Tensor grad, Tensor input, Dims shape, Tensor mean, Tensor rstd, Tensor weight, double, int64_t needs) {
    const DType type = computed_as(input.dtype());
    const Tensor g = gradient_like(grad, input, type), x = contiguous(to_dtype(input, type)), w = parameter(weight, type);
    const int64_t n = shape.product(), rows = n ? x.numel() / n : 0;
    const Tensor m = statistic(mean, type, row_shape(x.shape(), shape.size()).product()), s = statistic(rstd, type, m.numel());
    Outputs<3> r;
    if (wants(needs, 0)) r[0] = empty(x.shape(), type);
    if (wants(needs, 1)) r[1] = empty(shape, type);
    if (wants(needs, 2)) r[2] = empty(shape, type);
    by_real(type, [&]<class T>(T) {
      const RowGradients<T> k{g.data<T>(), x.data<T>(), m.data<T>(), s.data<T>(), data_of<T>(w),
                              data_of<T>(r[0]), data_of<T>(r[1]), data_of<T>(r[2]), n};
      run_row_gradients(k, rows);
    });
    return r;
  }
  static Outputs<3> decompose(Tensor grad, Tensor input, Dims shape, Tensor, Tensor, Tensor weight, double eps, int64_t needs) {
    const Dims over = last_dims(shape.size());
    const NormByOps k(input, over, eps);
    Outputs<3> r;
    if (wants(needs, 0)) r[0] = k.gradient(grad, weight, over);
    if (wants(needs, 1)) r[1] = summed_to(grad * k.normalized, input, shape);
    if (wants(needs, 2)) r[2] = summed_to(grad, input, shape);
    return r;
  }
};

struct LayerNorm {
  static constexpr auto schema = "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
                                 "float eps=1e-05, bool cudnn_enable=True) -> Tensor";
  static constexpr auto doc = R"(
    Elements minus their mean over the last dims, divided by their deviation, times weight, plus bias.

    Shapes: input (*, *normalized_shape), weight and bias normalized_shape → input's.   Dtypes: floating.

    >>> fb.layer_norm(fb.tensor([-1., 1.]), (2,), eps=0.)
    tensor([-1.,  1.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, Dims shape, Tensor weight, Tensor bias, double eps, bool) {
    return call_op<NativeLayerNorm>(input, shape, weight, bias, eps);
  }
};

struct FusedRmsNorm {
  static constexpr auto schema = "_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, Tensor)";
  static constexpr auto doc = "rms_norm with the 1/root mean square of each group.";
  using kind = Fused;
  static constexpr auto grad_name = "MulBackward0";
  static constexpr bool absent_grads = true;
  static double eps_of(DType d, const std::optional<double>& eps) {
    if (eps) return *eps;
    if (d == DType::f64) return std::numeric_limits<double>::epsilon();
    return d == DType::f16 ? 0x1p-10 : d == DType::bf16 ? 0x1p-7 : std::numeric_limits<float>::epsilon();
  }
  static Outputs<2> kernel(Tensor input, Dims shape, Tensor weight, std::optional<double> eps) {
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), w = parameter(weight, type);
    const int64_t n = shape.product(), rows = n ? x.numel() / n : 0;
    Tensor y = empty(x.shape(), type), rstd = empty(row_shape(x.shape(), shape.size()), type);
    by_real(type, [&]<class T>(T) {
      const auto loop = Clones<&rms_rows<T>>::pick();
      const T *from = x.data<T>(), *wp = data_of<T>(w), e = static_cast<T>(eps_of(input.dtype(), eps));
      T *to = y.data<T>(), *rp = rstd.data<T>();
      parallel_for(rows, row_grain(n), [=](int64_t begin, int64_t end) { loop(from, wp, to, rp, n, e, begin, end); });
    });
    return {to_dtype(y, input.dtype()), rstd};
  }
  static Tensor scale(T_ input, const Dims& shape, const std::optional<double>& eps) {
    return 1.0 / sqrt(mean(input * input, last_dims(shape.size()), true) + eps_of(input.dtype(), eps));
  }
  static Outputs<2> decompose(Tensor input, Dims shape, Tensor weight, std::optional<double> eps) {
    const Tensor rstd = scale(input, shape, eps), y = input * rstd;
    return {weight ? y * weight : y, rstd};
  }
  static Outputs<2> vjp_all(Tensor g, Tensor g_rstd, In<0> x, In<2> w, OutAt<1> rstd, Arg<1, Dims> shape,
                            Arg<3, std::optional<double>> eps, Needs needs) {
    const int64_t mask = needs[0] | needs[2] << 1;
    Outputs<2> r;
    if (g) r = call_outputs<2, FusedRmsNormBackward>(g, x, shape.value, rstd, w, eps.value, mask);
    if (g_rstd && needs[0]) {                          // d rstd / dx = -rstd³ x / n
      const Tensor through = g_rstd * (rstd * rstd * rstd) * (-1.0 / static_cast<double>(shape.value.product())) * x;
      r[0] = r[0] ? r[0] + through : through;
    }
    return r;
  }
};

struct FusedRmsNormBackward {
  static constexpr auto schema = "_fused_rms_norm_backward(Tensor grad, Tensor input, int[] normalized_shape, Tensor rstd, "
                                 "Tensor? weight, float? eps, int needs) -> (Tensor, Tensor)";
  static constexpr auto doc = "Gradients of rms_norm in its input and weight, those that `needs` has a bit for.";
  using kind = Fused;
  static Outputs<2> kernel(Tensor grad, Tensor input, Dims shape, Tensor rstd, Tensor weight, std::optional<double>, int64_t needs) {
    const DType type = computed_as(input.dtype());
    const Tensor g = gradient_like(grad, input, type), x = contiguous(to_dtype(input, type)), w = parameter(weight, type);
    const int64_t n = shape.product(), rows = n ? x.numel() / n : 0;
    const Tensor s = statistic(rstd, type, row_shape(x.shape(), shape.size()).product());
    Outputs<2> r;
    if (wants(needs, 0)) r[0] = empty(x.shape(), type);
    if (wants(needs, 1)) r[1] = empty(shape, type);
    by_real(type, [&]<class T>(T) {
      const RowGradients<T> k{g.data<T>(), x.data<T>(), nullptr, s.data<T>(), data_of<T>(w), data_of<T>(r[0]),
                              data_of<T>(r[1]), nullptr, n};
      run_row_gradients(k, rows);
    });
    return r;
  }
  static Outputs<2> decompose(Tensor grad, Tensor input, Dims shape, Tensor, Tensor weight, std::optional<double> eps, int64_t needs) {
    const Dims over = last_dims(shape.size());
    const Tensor rstd = FusedRmsNorm::scale(input, shape, eps), normalized = input * rstd, h = weight ? grad * weight : grad;
    Outputs<2> r;
    if (wants(needs, 0)) r[0] = rstd * (h - normalized * mean(h * normalized, over, true));
    if (wants(needs, 1)) r[1] = summed_to(grad * normalized, input, shape);
    return r;
  }
};

struct RmsNorm {
  static constexpr auto schema = "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor";
  static constexpr auto doc = R"(
    Elements divided by their root mean square over the last dims, times weight; eps None is the dtype's epsilon.

    Shapes: input (*, *normalized_shape), weight normalized_shape → input's.   Dtypes: floating, complex.

    >>> fb.rms_norm(fb.tensor([3., 3.]), (2,))
    tensor([1., 1.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, Dims shape, Tensor weight, std::optional<double> eps) {
    if (!is_complex(input.dtype())) {
      check_rows("rms_norm", input, shape, weight, Tensor());
      return call_op<FusedRmsNorm>(input, shape, weight, eps);
    }
    const double e = FusedRmsNorm::eps_of(real_of(input.dtype()), eps);
    const Tensor y = input / sqrt(mean(input * input, last_dims(shape.size()), true) + e);
    return weight ? y * weight : y;
  }
};

FB_GROUP(normalize, NativeLayerNorm, NativeLayerNormBackward, LayerNorm, FusedRmsNorm, FusedRmsNormBackward, RmsNorm)

}  // namespace fb
