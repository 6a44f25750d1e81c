// Normalisation of channels (N, C, *) over groups of them.
#include "normalize.h"

#include "math/words.h"
#include "op/build.h"

namespace fb {

struct GroupNorm {
  static constexpr auto schema =
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, "
      "bool cudnn_enabled=True) -> Tensor";
  static constexpr auto doc = R"(
    Each group of channels of each sample minus its mean, divided by its deviation, times weight, plus bias.

    Shapes: input (N, C, *), weight and bias (C) → input's.   Dtypes: floating.
    Errors: RuntimeError if num_groups does not divide C.

    >>> fb.group_norm(fb.tensor([[-1., 1.]]), 1, eps=0.)
    tensor([[-1.,  1.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, int64_t groups, Tensor weight, Tensor bias, double eps, bool) {
    check(input.dim() >= 2, "group_norm: the input needs dims (N, C, *), it has ", input.dim());
    check(groups > 0, "group_norm: num_groups must be positive, got ", groups);
    check(input.shape()[1] % groups == 0, "group_norm: ", input.shape()[1], " channels cannot be shared out "
          "evenly among num_groups=", groups, "; the input has shape ", input.shape().list());
    for (const Tensor& t : {weight, bias})
      check(!t || (t.dim() == 1 && t.numel() == input.shape()[1]), "group_norm: weight and bias need one "
            "number for each of the ", input.shape()[1], " channels; one has shape ", t ? t.shape().list() :
            std::string());
    return call_op<NativeGroupNorm>(input, groups, weight, bias, eps);
  }
};

struct NativeGroupNorm {
  static constexpr auto schema =
      "_group_norm(Tensor input, int groups, Tensor? weight, Tensor? bias, float eps) "
      "-> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "group_norm with the mean and 1/deviation of each group.";
  using kind = Fused;
  static constexpr uint8_t constant_outputs = 0b110;
  static constexpr auto grad_name = "NativeGroupNormBackward0";
  template <class T> struct Groups { int64_t channels, groups, s; const T *w, *b; T eps; };
  template <class T>
  static void rows(const T* x, T* y, T* mean, T* rstd, const Groups<T>& k, int64_t begin, int64_t end) {
    const int64_t per = k.channels / k.groups, n = per * k.s;
    for (int64_t r = begin; r < end; ++r) {
      const T* a = x + r * n;
      T* o = y + r * n;
      const T m = sum_lanes<T>(n, [=](int64_t i) { return a[i]; }) / T(n);
      const T v = sum_lanes<T>(n, [=](int64_t i) { return (a[i] - m) * (a[i] - m); }) / T(n);
      const T s = T(1) / math::sqrt(v + k.eps);
      mean[r] = m;
      rstd[r] = s;
      for (int64_t j = 0; j < per; ++j) {
        const int64_t c = r % k.groups * per + j;
        const T scale = k.w ? s * k.w[c] : s, shift = k.b ? k.b[c] : T(0);
#pragma GCC ivdep
        for (int64_t i = j * k.s; i < (j + 1) * k.s; ++i) o[i] = (a[i] - m) * scale + shift;
      }
    }
  }
  static Outputs<3> kernel(Tensor input, int64_t groups, Tensor weight, Tensor bias, double eps) {
    check_floating("GroupNormKernelImpl", input);
    check_parameter("group_norm", weight, input);
    check_parameter("group_norm", bias, input);
    const DType type = computed_as(input.dtype());
    const ChannelSizes z(input.shape());
    const Tensor x = contiguous(to_dtype(input, type)), w = parameter(weight, type),
                 b = parameter(bias, type);
    Tensor y = empty(x.shape(), type), mean = empty({z.n, groups}, type), rstd = empty({z.n, groups}, type);
    by_real(type, [&]<class T>(T) {
      const auto loop = Clones<&rows<T>>::pick();
      const Groups<T> k{z.c, groups, z.s, data_of<T>(w), data_of<T>(b), static_cast<T>(eps)};
      const T* from = x.data<T>();
      T *to = y.data<T>(), *mp = mean.data<T>(), *rp = rstd.data<T>();
      parallel_for(z.n * groups, row_grain(z.c / groups * z.s),
                   [&](int64_t begin, int64_t end) { loop(from, to, mp, rp, k, begin, end); });
    });
    return {to_dtype(y, input.dtype()), mean, rstd};
  }
  static Dims grouped(T_ x, int64_t groups) {
    const ChannelSizes z(x.shape());
    return {z.n, groups, z.c / groups, z.s};
  }
  static Tensor grouped_parameter(T_ p, int64_t groups) {
    return p ? view(contiguous(p), Dims{1, groups, p.numel() / groups, 1}) : p;
  }
  static Outputs<3> decompose(Tensor input, int64_t groups, Tensor weight, Tensor bias, double eps) {
    const Tensor x = reshape(input, grouped(input, groups));
    const Dims over{2, 3}, stats{x.shape()[0], groups};
    const NormByOps k(x, over, eps);
    Tensor y = weight ? k.normalized * grouped_parameter(weight, groups) : k.normalized;
    if (bias) y = y + grouped_parameter(bias, groups);
    return {reshape(y, input.shape()), reshape(mean(x, over, true), stats), reshape(k.rstd, stats)};
  }
  static Outputs<3> vjp_all(Tensor g, In<0> x, In<2> w, OutAt<1> mean, OutAt<2> rstd, Arg<1, int64_t> groups,
                            Arg<4, double> eps, Needs needs) {
    const int64_t mask = needs[0] | needs[2] << 1 | needs[3] << 2;
    return call_outputs<3, NativeGroupNormBackward>(g, x, groups.value, mean, rstd, w, eps.value, mask);
  }
};

struct NativeGroupNormBackward {
  static constexpr auto schema =
      "_group_norm_backward(Tensor grad, Tensor input, int groups, Tensor mean, Tensor rstd, Tensor? weight, "
      "float eps, int needs) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc =
      "Gradients of group_norm in its input, weight and bias, those that `needs` has a bit for.";
  using kind = Fused;
  template <class T> struct Rows {
    const T *g, *x, *mean, *rstd, *w;
    T* gx;
    T *level, *along;
    int64_t channels, groups, s;
  };
  // level and along: sums of g and g * normalized for each (sample, channel).
  template <class T> static void rows(const Rows<T>& k, int64_t begin, int64_t end) {
    const int64_t per = k.channels / k.groups, n = per * k.s;
    for (int64_t r = begin; r < end; ++r) {
      const T *g = k.g + r * n, *a = k.x + r * n, m = k.mean[r], s = k.rstd[r];
      T total = 0, slope = 0;
      for (int64_t j = 0; j < per; ++j) {
        const T *gj = g + j * k.s, *aj = a + j * k.s, w = k.w ? k.w[r % k.groups * per + j] : T(1);
        const T level = sum_lanes<T>(k.s, [=](int64_t i) { return gj[i]; });
        const T along = sum_lanes<T>(k.s, [=](int64_t i) { return gj[i] * (aj[i] - m); }) * s;
        k.level[r * per + j] = level;
        k.along[r * per + j] = along;
        total += w * level;
        slope += w * along;
      }
      if (!k.gx) continue;
      const T d = total / T(n), e = slope * s / T(n);
      for (int64_t j = 0; j < per; ++j) {
        const T w = k.w ? k.w[r % k.groups * per + j] : T(1);
        T* o = k.gx + r * n;
#pragma GCC ivdep
        for (int64_t i = j * k.s; i < (j + 1) * k.s; ++i) o[i] = s * (g[i] * w - d - (a[i] - m) * e);
      }
    }
  }
  static Outputs<3> kernel(Tensor grad, Tensor input, int64_t groups, Tensor mean, Tensor rstd, Tensor weight,
                           double, int64_t needs) {
    const DType type = computed_as(input.dtype());
    const ChannelSizes z(input.shape());
    check(groups > 0 && z.c % groups == 0 && (!weight || weight.numel() == z.c),
          "_group_norm_backward: ", groups, " groups of ", z.c, " channels");
    const Tensor g = gradient_like(grad, input, type), x = contiguous(to_dtype(input, type)),
                 w = parameter(weight, type);
    const Tensor m = statistic(mean, type, z.n * groups), inverse = statistic(rstd, type, z.n * groups);
    Outputs<3> r;
    if (wants(needs, 0)) r[0] = empty(x.shape(), type);
    Tensor level = empty({z.n, z.c}, type), along = empty({z.n, z.c}, type);
    by_real(type, [&]<class T>(T) {
      const auto loop = Clones<&rows<T>>::pick();
      const Rows<T> k{g.data<T>(),
                      x.data<T>(),
                      m.data<T>(),
                      inverse.data<T>(),
                      data_of<T>(w),
                      data_of<T>(r[0]),
                      level.data<T>(),
                      along.data<T>(),
                      z.c,
                      groups,
                      z.s};
      parallel_for(z.n * groups, row_grain(z.c / groups * z.s),
                   [&](int64_t begin, int64_t end) { loop(k, begin, end); });
    });
    if (wants(needs, 1)) r[1] = sum(along, Dims{0});
    if (wants(needs, 2)) r[2] = sum(level, Dims{0});
    return r;
  }
  static Outputs<3> decompose(Tensor grad, Tensor input, int64_t groups, Tensor, Tensor, Tensor weight,
                              double eps, int64_t needs) {
    const Dims shape = NativeGroupNorm::grouped(input, groups), over{2, 3}, flat{input.shape()[1]};
    const Tensor g = reshape(grad, shape);
    const NormByOps k(reshape(input, shape), over, eps);
    Outputs<3> r;
    if (wants(needs, 0))
      r[0] = reshape(k.gradient(g, NativeGroupNorm::grouped_parameter(weight, groups), over), input.shape());
    if (wants(needs, 1)) r[1] = reshape(sum(g * k.normalized, Dims{0, 3}), flat);
    if (wants(needs, 2)) r[2] = reshape(sum(g, Dims{0, 3}), flat);
    return r;
  }
};

FB_GROUP(normalize_group, GroupNorm, NativeGroupNorm, NativeGroupNormBackward)

}  // namespace fb
