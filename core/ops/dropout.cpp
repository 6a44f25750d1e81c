#include <cmath>

#include "base/half.h"
#include "kernels/rows.h"
#include "kernels/samplers.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct DropoutOf; struct NativeDropoutBackward;

namespace {

void check_probability(double p) {
  check(p >= 0 && p <= 1, "dropout: p is a probability, from 0 to 1; got ", p);
}

// 1/(1 - p) as a number of the dtype; 0 for p = 1.
double kept_scale(double p, DType d) {
  if (p == 1) return 0;
  if (d == DType::f64) return 1.0 / (1.0 - p);
  const float scale = 1.0f / static_cast<float>(1.0 - p);
  return d == DType::f16 ? widen_f16(narrow_f16(scale)) : d == DType::bf16 ? widen_bf16(narrow_bf16(scale)) : scale;
}

// x in `type`, dense, so that masks are drawn in the order of its memory.
Tensor dense(T_ x, DType type) {
  if (x.dtype() == type && is_dense(x.layout())) return x;
  Tensor r = empty_strided(x.shape(), dense_strides_like(x.layout()), type);
  copy_(r, x);
  return r;
}

Outputs<2> drop(T_ input, double p) {
  check(is_floating(input.dtype()), "dropout: the result is scaled and needs a floating dtype, the input is ",
        row(input.dtype()).legacy);
  const DType type = computed_as(input.dtype());
  const Tensor x = dense(input, type);
  Tensor y = empty_strided(x.shape(), x.strides(), type), keep = empty_strided(x.shape(), x.strides(), DType::boolean);
  const double scale = kept_scale(p, input.dtype());
  by_real(type, [&]<class T>(T) {
    dropout(y.data<T>(), keep.data<bool>(), x.data<T>(), x.numel(), p, scale, default_generator());
  });
  return {to_dtype(y, input.dtype()), keep};
}

// Zeros and ones, one with probability 1 - p, in a new tensor of the given strides.
Tensor drawn_mask(const Dims& shape, const Dims& strides, double p, DType d) {
  const DType type = computed_as(d);
  Tensor m = empty_strided(shape, strides, type);
  by_real(type, [&]<class T>(T) { bernoulli(m.data<T>(), m.numel(), 1 - p, default_generator()); });
  return to_dtype(m, d);
}

// One draw for each sample and channel.
Tensor channel_mask(T_ input, double p) {
  check(input.dim() >= 2, "feature_dropout: dropping channels needs a batch and a channel dim, the input has "
        "shape ", input.shape().list());
  Dims shape = input.shape();
  for (int i = 2; i < shape.size(); ++i) shape[i] = 1;
  return drawn_mask(shape, packed_strides(shape), p, input.dtype());
}

bool untouched(T_ input, double p, bool train) {
  check_probability(p);
  return p == 0 || !train || input.numel() == 0;
}

Tensor all_dropped(T_ input) { return mul(input, zeros(Dims(), input.dtype())); }

// Mean and variance kept for SELU: dropped elements become -alpha', then all are scaled and shifted.
// Source: Klambauer et al., Self-Normalizing Neural Networks (2017), §3; 1.758… = scale · alpha of SELU.
Tensor alpha_dropped(T_ input, T_ mask, double p) {
  constexpr double alpha = 1.7580993408473766;
  const double a = 1 / std::sqrt((alpha * alpha * p + 1) * (1 - p));
  Tensor noise, shift;
  {
    GradOff off;
    shift = (mask - 1) * (alpha * a) + alpha * a * p;
    noise = mask * a;
  }
  return input * noise + shift;
}

}  // namespace

struct Dropout {
  static constexpr auto schema = "dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr auto doc = R"(
    Elements zeroed with probability p, the others divided by 1 - p; input itself unless `train`.

    Shapes: input (*) → (*).   Dtypes: floating.   Errors: RuntimeError unless 0 <= p <= 1.

    >>> fb.dropout(fb.tensor([1., 2.]), 0.5, False)
    tensor([1., 2.])
  )";
  using kind = Composite;
  static constexpr bool in_place = true;
  static Tensor decompose(Tensor input, double p, bool train) {
    if (untouched(input, p, train)) return input;
    return p == 1 ? all_dropped(input) : call_op<DropoutOf>(input, p);
  }
};

struct DropoutOf {
  static constexpr auto schema = "_dropout(Tensor input, float p) -> (Tensor, Tensor)";
  static constexpr auto doc = "dropout while training, and its mask.";
  using kind = Opaque;
  static constexpr auto grad_name = "MulBackward0";
  static Outputs<2> kernel(Tensor input, double p) { return drop(input, p); }
  static Tensor vjp(Tensor g, OutAt<1> mask, Arg<1, double> p) {
    return call_op<NativeDropoutBackward>(g, mask, kept_scale(p, g.dtype()));
  }
};

struct NativeDropout {
  static constexpr auto schema = "native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)";
  static constexpr auto doc = R"(
    Elements zeroed with probability p, the others divided by 1 - p, and the mask of those that were kept.

    Shapes: input (*) → (*), (*) bool.   Dtypes: floating.   Errors: RuntimeError unless 0 <= p <= 1.

    >>> fb.native_dropout(fb.tensor([1.]), 0.5, False)
    (tensor([1.]), tensor([True]))
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor input, double p, std::optional<bool> train) {
    check_probability(p);
    if (train.value_or(true)) return drop(input, p);
    return {clone(input), ones(input.shape(), DType::boolean)};
  }
  static Tensor vjp(Tensor g, OutAt<1> mask, Arg<1, double> p, Arg<2, std::optional<bool>> train) {
    return call_op<NativeDropoutBackward>(g, mask, train.value.value_or(true) ? kept_scale(p, g.dtype()) : 1.0);
  }
};

struct NativeDropoutBackward {
  static constexpr auto schema = "native_dropout_backward(Tensor grad, Tensor mask, float scale) -> Tensor";
  static constexpr auto doc = "grad * mask * scale: the gradient of dropout.";
  using kind = Opaque;
  template <class T> static void run(const T* g, const bool* keep, T scale, T* out, int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) out[i] = keep[i] ? g[i] * scale : T(0);
  }
  static Tensor kernel(Tensor grad, Tensor mask, double scale) {
    const DType type = computed_as(grad.dtype());
    const bool packed = is_dense(mask.layout());
    const Tensor keep = packed ? mask : contiguous(mask);
    Tensor g = to_dtype(grad, type);
    if (!(g.strides() == keep.strides() && g.shape() == keep.shape())) {
      g = empty_strided(keep.shape(), keep.strides(), type);
      copy_(g, grad);
    }
    Tensor out = empty_strided(keep.shape(), keep.strides(), type);
    by_real(type, [&]<class T>(T) {
      const auto loop = Clones<&run<T>>::pick();
      const T* from = g.data<T>();
      const bool* kept = keep.data<bool>();
      T* to = out.data<T>();
      parallel_for(out.numel(), elementwise_grain, [=](int64_t b, int64_t e) { loop(from, kept, T(scale), to, b, e); });
    });
    return to_dtype(out, grad.dtype());
  }
  static Tensor vjp_grad(Tensor g, In<1> mask, Arg<2, double> scale) { return call_op<NativeDropoutBackward>(g, mask, scale.value); }
  static NoGrad vjp_mask();
};

struct FeatureDropout {
  static constexpr auto schema = "feature_dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr auto doc = R"(
    dropout of whole channels: one draw for each sample and channel.

    Shapes: input (N, C, *) → input's.   Dtypes: floating.   Errors: RuntimeError unless 0 <= p <= 1.

    >>> fb.feature_dropout(fb.tensor([[1., 2.]]), 0.5, False)
    tensor([[1., 2.]])
  )";
  using kind = Composite;
  static constexpr bool in_place = true;
  static Tensor decompose(Tensor input, double p, bool train) {
    if (untouched(input, p, train)) return input;
    return p == 1 ? all_dropped(input) : input * (channel_mask(input, p) / (1 - p));
  }
};

struct AlphaDropout {
  static constexpr auto schema = "alpha_dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr auto doc = R"(
    dropout that keeps mean and variance of SELU activations.

    Shapes: input (*) → (*).   Dtypes: floating.   Errors: RuntimeError unless 0 <= p <= 1.

    >>> fb.alpha_dropout(fb.tensor([1., 2.]), 0.5, False)
    tensor([1., 2.])
  )";
  using kind = Composite;
  static constexpr bool in_place = true;
  static Tensor decompose(Tensor input, double p, bool train) {
    if (untouched(input, p, train)) return input;
    if (p == 1) return all_dropped(input);
    return alpha_dropped(input, drawn_mask(input.shape(), dense_strides_like(input.layout()), p, input.dtype()), p);
  }
};

struct FeatureAlphaDropout {
  static constexpr auto schema = "feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr auto doc = R"(
    alpha_dropout of whole channels: one draw for each sample and channel.

    Shapes: input (N, C, *) → input's.   Dtypes: floating.   Errors: RuntimeError unless 0 <= p <= 1.

    >>> fb.feature_alpha_dropout(fb.tensor([[1., 2.]]), 0.5, False)
    tensor([[1., 2.]])
  )";
  using kind = Composite;
  static constexpr bool in_place = true;
  static Tensor decompose(Tensor input, double p, bool train) {
    if (untouched(input, p, train)) return input;
    return p == 1 ? all_dropped(input) : alpha_dropped(input, channel_mask(input, p), p);
  }
};

FB_GROUP(dropout, Dropout, DropoutOf, NativeDropout, NativeDropoutBackward, FeatureDropout, AlphaDropout, FeatureAlphaDropout)

}  // namespace fb
