// Normalisation of channels (N, C, *) over the batch, or each for itself.
#include "normalize.h"

#include <algorithm>
#include <vector>

#include "math/words.h"
#include "op/build.h"

namespace fb {
namespace {

constexpr int64_t columns = 64;                        // channels handled together where each has one place

// Sums over samples and places of f(x, c) and h(x, c), for channels begin … end.
template <class T, class F, class H>
[[gnu::always_inline]] inline void channel_sums(int64_t n, int64_t channels, int64_t s, double* first, double* second, int64_t begin,
                                                int64_t end, const F& f, const H& h) {
  if (s == 1) {
    for (int64_t c0 = begin; c0 < end; c0 += columns) {
      const int64_t w = std::min(columns, end - c0);
      double p[columns] = {}, q[columns] = {};
      for (int64_t i = 0; i < n; ++i)
#pragma GCC ivdep
        for (int64_t j = 0; j < w; ++j) {
          p[j] += f(i * channels + c0 + j, c0 + j);
          q[j] += h(i * channels + c0 + j, c0 + j);
        }
      for (int64_t j = 0; j < w; ++j) first[c0 + j] = p[j], second[c0 + j] = q[j];
    }
    return;
  }
  for (int64_t c = begin; c < end; ++c) {
    double p = 0, q = 0;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = (i * channels + c) * s;
      p += sum_lanes<T>(s, [&](int64_t k) { return f(at + k, c); });
      q += sum_lanes<T>(s, [&](int64_t k) { return h(at + k, c); });
    }
    first[c] = p;
    second[c] = q;
  }
}

template <class T>
inline void channel_means(const T* x, double* mean, double* unused, int64_t n, int64_t channels, int64_t s, int64_t begin, int64_t end) {
  channel_sums<T>(n, channels, s, mean, unused, begin, end, [=](int64_t i, int64_t) { return x[i]; }, [](int64_t, int64_t) { return T(0); });
}
template <class T>
inline void channel_squares(const T* x, const T* mean, double* square, double* unused, int64_t n, int64_t channels, int64_t s,
                            int64_t begin, int64_t end) {
  channel_sums<T>(n, channels, s, square, unused, begin, end,
                  [=](int64_t i, int64_t c) { return (x[i] - mean[c]) * (x[i] - mean[c]); }, [](int64_t, int64_t) { return T(0); });
}
template <class T>
inline void channel_slopes(const T* g, const T* x, const T* mean, double* level, double* along, int64_t n, int64_t channels, int64_t s,
                           int64_t begin, int64_t end) {
  channel_sums<T>(n, channels, s, level, along, begin, end, [=](int64_t i, int64_t) { return g[i]; },
                  [=](int64_t i, int64_t c) { return g[i] * (x[i] - mean[c]); });
}

// y = (x - mean[c]) * scale[c] + shift[c] for the runs (sample, channel) begin … end.
template <class T>
inline void apply_runs(const T* x, T* y, const T* mean, const T* scale, const T* shift, int64_t channels, int64_t s, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t c = r % channels;
    const T m = mean[c], a = scale[c], b = shift[c];
#pragma GCC ivdep
    for (int64_t i = r * s; i < (r + 1) * s; ++i) y[i] = (x[i] - m) * a + b;
  }
}
template <class T>
inline void apply_rows(const T* x, T* y, const T* mean, const T* scale, const T* shift, int64_t channels, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r)
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) y[r * channels + c] = (x[r * channels + c] - mean[c]) * scale[c] + shift[c];
}

// gx = (g - level[c] - (x - mean[c]) * along[c]) * scale[c]
template <class T> struct ChannelSlopes { const T *mean, *scale, *level, *along; };
template <class T>
inline void gradient_runs(const T* g, const T* x, T* gx, const ChannelSlopes<T>& k, int64_t channels, int64_t s, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const int64_t c = r % channels;
    const T m = k.mean[c], a = k.scale[c], d = k.level[c], e = k.along[c];
#pragma GCC ivdep
    for (int64_t i = r * s; i < (r + 1) * s; ++i) gx[i] = (g[i] - d - (x[i] - m) * e) * a;
  }
}
template <class T>
inline void gradient_rows(const T* g, const T* x, T* gx, const ChannelSlopes<T>& k, int64_t channels, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r)
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t i = r * channels + c;
      gx[i] = (g[i] - k.level[c] - (x[i] - k.mean[c]) * k.along[c]) * k.scale[c];
    }
}

// x, mean, scale and shift to y, on threads.
template <class T> void apply_channels(const ChannelSizes& z, const T* x, T* y, const T* mean, const T* scale, const T* shift) {
  if (z.s == 1) {
    const auto loop = Clones<&apply_rows<T>>::pick();
    return parallel_for(z.n, row_grain(z.c), [=](int64_t b, int64_t e) { loop(x, y, mean, scale, shift, z.c, b, e); });
  }
  const auto loop = Clones<&apply_runs<T>>::pick();
  parallel_for(z.n * z.c, row_grain(z.s), [=](int64_t b, int64_t e) { loop(x, y, mean, scale, shift, z.c, z.s, b, e); });
}
template <class T> void channel_gradients(const ChannelSizes& z, const T* g, const T* x, T* gx, const ChannelSlopes<T>& k) {
  if (z.s == 1) {
    const auto loop = Clones<&gradient_rows<T>>::pick();
    return parallel_for(z.n, row_grain(z.c), [=](int64_t b, int64_t e) { loop(g, x, gx, k, z.c, b, e); });
  }
  const auto loop = Clones<&gradient_runs<T>>::pick();
  parallel_for(z.n * z.c, row_grain(z.s), [=](int64_t b, int64_t e) { loop(g, x, gx, k, z.c, z.s, b, e); });
}

void check_channel_vector(const char* name, T_ t, int64_t channels) {
  check(!t || t.numel() == channels, name, " should contain ", channels, " elements not ", t ? t.numel() : 0);
}

Dims channel_shape(int dims, int64_t channels) {        // (1, C, 1, …)
  Dims r = Dims::filled(dims, 1);
  r[1] = channels;
  return r;
}
Dims all_but_channels(int dims) {
  Dims r;
  for (int i = 0; i < dims; ++i) if (i != 1) r.push(i);
  return r;
}

}  // namespace

struct NativeBatchNorm {
  static constexpr auto schema = "native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
                                 "Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "batch_norm with the mean and 1/deviation of each channel that were used.";
  using kind = Fused;
  static constexpr uint8_t constant_outputs = 0b110;
  static void examine(const Args& args) {
    const Tensor& x = args[0].as_tensor();
    check<IndexError>(x.dim() > 1, "batch_norm: the input needs dims (N, C, *), but there is no dim 1 in "
                      "shape ", x.shape().list());
    const int64_t c = x.shape()[1];
    check_floating("batch_norm", x);
    check_channel_vector("weight", unbox<Tensor>(args[1]), c);
    check_channel_vector("bias", unbox<Tensor>(args[2]), c);
    check_channel_vector("running_mean", unbox<Tensor>(args[3]), c);
    check_channel_vector("running_var", unbox<Tensor>(args[4]), c);
    const bool training = args[5].as_int() != 0;
    check(training || args[3], "batch_norm: evaluation needs running_mean; it is None");
    check(training || args[4], "batch_norm: evaluation needs running_var; it is None");
    for (int i = 1; i < 5; ++i) check_parameter("batch_norm", unbox<Tensor>(args[i]), x);
  }
  template <class T> static void statistics(const ChannelSizes& z, const T* x, T* mean, T* var) {
    std::vector<double> sums(2 * z.c);
    double *first = sums.data(), *second = first + z.c;
    const int64_t grain = z.s == 1 ? columns * row_grain(z.n * columns) : row_grain(z.n * z.s);
    const auto means = Clones<&channel_means<T>>::pick();
    const auto squares = Clones<&channel_squares<T>>::pick();
    parallel_for(z.c, grain, [=](int64_t b, int64_t e) { means(x, first, second, z.n, z.c, z.s, b, e); });
    const double count = static_cast<double>(z.n * z.s);
    for (int64_t c = 0; c < z.c; ++c) mean[c] = static_cast<T>(first[c] / count);
    parallel_for(z.c, grain, [=](int64_t b, int64_t e) { squares(x, mean, first, second, z.n, z.c, z.s, b, e); });
    for (int64_t c = 0; c < z.c; ++c) var[c] = static_cast<T>(first[c] / count);
  }
  // running = (1 - momentum) * running + momentum * seen
  static void update(T_ running, T_ seen, double momentum, double factor) {
    if (!running) return;
    copy_(running, running * (1 - momentum) + to_dtype(seen * (momentum * factor), running.dtype()));
  }
  static Outputs<3> kernel(Tensor input, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, bool training,
                           double momentum, double eps) {
    const DType type = computed_as(input.dtype());
    const ChannelSizes z(input.shape());
    const Tensor x = contiguous(to_dtype(input, type)), w = parameter(weight, type), b = parameter(bias, type);
    Tensor y = empty(x.shape(), type), mean = empty({z.c}, type), var = empty({z.c}, type);
    if (!training) {
      copy_(mean, running_mean);
      copy_(var, running_var);
    }
    Tensor rstd = empty({z.c}, type);
    by_real(type, [&]<class T>(T) {
      if (training) statistics(z, x.data<T>(), mean.data<T>(), var.data<T>());
      std::vector<T> factors(2 * z.c);
      T *scale = factors.data(), *shift = scale + z.c;
      const T *wp = data_of<T>(w), *bp = data_of<T>(b);
      for (int64_t c = 0; c < z.c; ++c) {
        rstd.data<T>()[c] = T(1) / math::sqrt(var.data<T>()[c] + T(eps));
        scale[c] = rstd.data<T>()[c] * (wp ? wp[c] : T(1));
        shift[c] = bp ? bp[c] : T(0);
      }
      apply_channels<T>(z, x.data<T>(), y.data<T>(), mean.data<T>(), scale, shift);
    });
    const double count = static_cast<double>(z.n * z.s);
    if (training && count > 0) {
      update(running_mean, mean, momentum, 1);
      update(running_var, var, momentum, count / (count - 1));      // running variances are unbiased
    }
    return {to_dtype(y, input.dtype()), mean, rstd};
  }
  static Outputs<3> decompose(Tensor input, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, bool training,
                              double, double eps) {
    const Dims shape = channel_shape(input.dim(), input.shape()[1]), over = all_but_channels(input.dim());
    Tensor m, normalized, rstd;
    if (training) {
      const NormByOps k(input, over, eps);
      m = mean(input, over, true);
      normalized = k.normalized;
      rstd = k.rstd;
    } else {
      m = view(contiguous(running_mean), shape);
      rstd = 1.0 / sqrt(view(contiguous(running_var), shape) + eps);
      normalized = (input - m) * rstd;
    }
    Tensor y = weight ? normalized * view(contiguous(weight), shape) : normalized;
    if (bias) y = y + view(contiguous(bias), shape);
    const Dims flat{input.shape()[1]};
    return {y, reshape(m, flat), reshape(rstd, flat)};
  }
  static Outputs<5> vjp_all(Tensor g, In<0> x, In<1> w, OutAt<1> mean, OutAt<2> rstd, Arg<5, bool> training, Arg<7, double> eps, Needs needs) {
    const int64_t mask = needs[0] | needs[1] << 1 | needs[2] << 2;
    const Outputs<3> r = call_outputs<3, NativeBatchNormBackward>(g, x, w, mean, rstd, training.value, eps.value, mask);
    return {r[0], r[1], r[2], Tensor(), Tensor()};
  }
};

struct NativeBatchNormBackward {
  static constexpr auto schema = "_batch_norm_backward(Tensor grad, Tensor input, Tensor? weight, Tensor mean, Tensor rstd, "
                                 "bool training, float eps, int needs) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "Gradients of batch_norm in its input, weight and bias, those that `needs` has a bit for.";
  using kind = Fused;
  static Outputs<3> kernel(Tensor grad, Tensor input, Tensor weight, Tensor mean, Tensor rstd, bool training, double, int64_t needs) {
    const DType type = computed_as(input.dtype());
    const ChannelSizes z(input.shape());
    const Tensor g = gradient_like(grad, input, type), x = contiguous(to_dtype(input, type)), w = parameter(weight, type);
    const Tensor m = statistic(mean, type, z.c), s = statistic(rstd, type, z.c);
    Outputs<3> r;
    if (wants(needs, 0)) r[0] = empty(x.shape(), type);
    if (wants(needs, 1)) r[1] = empty({z.c}, type);
    if (wants(needs, 2)) r[2] = empty({z.c}, type);
    by_real(type, [&]<class T>(T) { run<T>(z, g, x, w, m, s, training, r); });
    return r;
  }
  template <class T> static void run(const ChannelSizes& z, T_ g, T_ x, T_ w, T_ mean, T_ rstd, bool training, const Outputs<3>& r) {
    std::vector<double> sums(2 * z.c);
    double *level = sums.data(), *along = level + z.c;
    const T *gp = g.data<T>(), *xp = x.data<T>(), *mp = mean.data<T>(), *rp = rstd.data<T>(), *wp = data_of<T>(w);
    if (training || r[1] || r[2]) {
      const auto slopes = Clones<&channel_slopes<T>>::pick();
      const int64_t grain = z.s == 1 ? columns * row_grain(z.n * columns) : row_grain(z.n * z.s);
      parallel_for(z.c, grain, [=](int64_t b, int64_t e) { slopes(gp, xp, mp, level, along, z.n, z.c, z.s, b, e); });
    }
    std::vector<T> factors(3 * z.c);
    T *scale = factors.data(), *d = scale + z.c, *e = d + z.c;
    const double count = static_cast<double>(z.n * z.s);
    for (int64_t c = 0; c < z.c; ++c) {
      if (r[1]) r[1].data<T>()[c] = static_cast<T>(along[c] * rp[c]);
      if (r[2]) r[2].data<T>()[c] = static_cast<T>(level[c]);
      scale[c] = rp[c] * (wp ? wp[c] : T(1));
      d[c] = training ? static_cast<T>(level[c] / count) : T(0);
      e[c] = training ? static_cast<T>(along[c] / count * rp[c] * rp[c]) : T(0);
    }
    if (r[0]) channel_gradients<T>(z, gp, xp, r[0].data<T>(), {mp, scale, d, e});
  }
  static Outputs<3> decompose(Tensor grad, Tensor input, Tensor weight, Tensor mean_used, Tensor rstd_used, bool training, double eps,
                              int64_t needs) {
    const Dims shape = channel_shape(input.dim(), input.shape()[1]), over = all_but_channels(input.dim());
    const Tensor w = weight ? view(contiguous(weight), shape) : weight;
    Outputs<3> r;
    Tensor normalized;
    if (training) {
      const NormByOps k(input, over, eps);
      normalized = k.normalized;
      if (wants(needs, 0)) r[0] = k.gradient(grad, w, over);
    } else {
      const Tensor s = view(contiguous(rstd_used), shape);
      normalized = (input - view(contiguous(mean_used), shape)) * s;
      if (wants(needs, 0)) r[0] = (w ? grad * w : grad) * s;
    }
    if (wants(needs, 1)) r[1] = sum(grad * normalized, over);
    if (wants(needs, 2)) r[2] = sum(grad, over);
    return r;
  }
};

struct BatchNorm {
  static constexpr auto schema = "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
                                 "bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor";
  static constexpr auto doc = R"(
    Each channel minus its mean, divided by its deviation over batch and places, times weight, plus bias.

    While training the running statistics, if given, move towards those of the batch by `momentum`; otherwise they
    are used. Shapes: input (N, C, *), the others (C) → input's.   Dtypes: floating.

    >>> fb.batch_norm(fb.tensor([[-1.], [1.]]), None, None, None, None, True, 0.1, 0., True)
    tensor([[-1.],
            [ 1.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, bool training,
                          double momentum, double eps, bool) {
    if (input.numel() == 0 && input.dim() == 1) return nothing(input, weight, bias);
    return call_op<NativeBatchNorm>(input, weight, bias, running_mean, running_var, training, momentum, eps);
  }
  static Tensor nothing(T_ input, T_ weight, T_ bias) {  // an input without channels, which has its gradients all the same
    Tensor y = clone(input);
    if (weight && weight.numel()) y = y * select(weight, 0, 0);
    return bias && bias.numel() ? y + select(bias, 0, 0) : y;
  }
};

struct InstanceNorm {
  static constexpr auto schema = "instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
                                 "bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor";
  static constexpr auto doc = R"(
    Each channel of each sample minus its mean, divided by its deviation over places, times weight, plus bias.

    Shapes: input (N, C, *), the others (C) → input's.   Dtypes: floating.

    >>> fb.instance_norm(fb.tensor([[[-1., 1.]]]), None, None, None, None, True, 0.1, 0., True)
    tensor([[[-1.,  1.]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, bool use_input_stats,
                          double momentum, double eps, bool) {
    check(use_input_stats || (running_mean && running_var), "instance_norm: use_input_stats=False needs "
          "running_mean and running_var");
    check<IndexError>(input.dim() > 1, "instance_norm: the input needs dims (N, C, *), but there is no dim 1 "
                      "in shape ", input.shape().list());
    const int64_t n = input.shape()[0], c = input.shape()[1];
    auto repeated = [&](T_ t) { return t ? reshape(expand(unsqueeze(t, 0), Dims{n, c}), Dims{n * c}) : t; };
    Dims shape = input.shape();
    shape[0] = 1;
    shape[1] = n * c;
    const Tensor m = repeated(running_mean), v = repeated(running_var);
    const Tensor mean_seen = m ? clone(m) : m, var_seen = v ? clone(v) : v;
    const Tensor y = call_op<NativeBatchNorm>(view(contiguous(input), shape), repeated(weight), repeated(bias), mean_seen, var_seen,
                                              use_input_stats, momentum, eps);
    if (use_input_stats) {
      GradOff off;
      if (m) copy_(running_mean, mean(view(mean_seen, Dims{n, c}), Dims{0}));
      if (v) copy_(running_var, mean(view(var_seen, Dims{n, c}), Dims{0}));
    }
    return view(y, input.shape());
  }
};

FB_GROUP(normalize_channel, NativeBatchNorm, NativeBatchNormBackward, BatchNorm, InstanceNorm)

}  // namespace fb
