#include "ops/activation_vjp.h"

#include "math/exponential.h"
#include "math/hyperbolic.h"
#include "op/build.h"

namespace fb {

using Floating = Elementwise<Result::same, floats_only>;

static DType type_of_first(const Args& args) {
  return args[0].tag == Value::tensor ? args[0].as_tensor().dtype() : default_dtype();
}

struct Relu {
  static constexpr auto schema = "relu(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Rectified linear unit, max(0, x) of each element.

    Shapes: self (*) → (*).   Dtypes: real, not bool.   Limits: nan stays nan.

    >>> fb.relu(fb.tensor([-1., 2.]))
    tensor([0., 2.])
  )";
  using kind = Elementwise<Result::same, reals_not_bool>;
  static constexpr bool light = true;
  static void examine(const Args& args) {
    check(type_of_first(args) != DType::boolean, "relu: bool is not a number to clip; convert the input, "
          "e.g. with .float()");
  }
  template <class T> static T forward(T x) { return math::select(x < T(0), T(0), x); }
  static Tensor vjp(Tensor g, Out y) { return relu_vjp(g, y); }
};

struct Threshold {
  static constexpr auto schema = "threshold(Tensor input, Scalar threshold, Scalar value) -> Tensor";
  static constexpr auto doc = R"(
    x where x > threshold, else `value`, for each element.

    Shapes: input (*) → (*).   Dtypes: real, not bool.   Limits: nan stays nan.

    >>> fb.threshold(fb.tensor([-1., 2.]), 0., 9.)
    tensor([9., 2.])
  )";
  using kind = Elementwise<Result::same, reals_not_bool>;
  template <class T> static T forward(T x, T threshold, T value) {
    return math::select(x <= threshold, value, x);
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> threshold) {
    return call_op<ThresholdVjp>(g, x, threshold.value);
  }
};

struct Hardtanh {
  static constexpr auto schema = "hardtanh(Tensor input, Scalar min_val=-1, Scalar max_val=1) -> Tensor";
  static constexpr auto doc = R"(
    Each element limited to [min_val, max_val].

    Shapes: input (*) → (*).   Dtypes: real, not bool.   Limits: nan stays nan.
    Errors: RuntimeError for a negative limit with an unsigned type.

    >>> fb.nn.functional.hardtanh(fb.tensor([-3., 0.5]))
    tensor([-1.0000,  0.5000])
  )";
  using kind = Elementwise<Result::same, reals_not_bool>;
  static void examine(const Args& args) {
    const DType d = type_of_first(args);
    check(d != DType::boolean, "hardtanh: bool is not a number to clip; convert the input, e.g. with "
          ".float()");
    check(d != DType::u8 || (args[1].as_double() >= 0 && args[2].as_double() >= 0),
          "hardtanh: min_val and max_val must not be negative for uint8; convert the input to a signed "
          "dtype");
  }
  template <class T> static T forward(T x, T low, T high) {
    T raised = math::select(x < low, low, x);
    return math::select(raised > high, high, raised);
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> low, Arg<2, Scalar> high) {
    return call_op<HardtanhVjp>(g, x, low.value, high.value);
  }
};

struct Relu6 {
  static constexpr auto schema = "relu6(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Each element limited to [0, 6].

    Shapes: input (*) → (*).   Dtypes: real, not bool.

    >>> fb.nn.functional.relu6(fb.tensor([-1., 7.]))
    tensor([0., 6.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return call_op<Hardtanh>(x, 0, 6); }
};

struct LeakyRelu {
  static constexpr auto schema = "leaky_relu(Tensor input, Scalar negative_slope=0.01) -> Tensor";
  static constexpr auto doc = R"(
    x where x > 0, else negative_slope * x, for each element.

    Shapes: input (*) → (*).   Dtypes: floating.

    >>> fb.nn.functional.leaky_relu(fb.tensor([-1., 2.]), 0.1)
    tensor([-0.1000,  2.0000])
  )";
  using kind = Floating;
  static constexpr bool light = true;
  template <class T> static T forward(T x, T slope) { return math::select(x > T(0.0), x, x * slope); }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> slope) {
    return call_op<LeakyReluVjp>(g, x, slope.value);
  }
};

struct PreluKernel {
  static constexpr auto schema = "_prelu_kernel(Tensor self, Tensor weight) -> Tensor";
  static constexpr auto doc = "self where self > 0, else weight * self, broadcast.";
  using kind = Floating;
  template <class T> static T forward(T x, T w) { return math::select(x > T(0.0), x, x * w); }
  static Tensor vjp_self(Tensor g, In<0> x, In<1> w) { return call_op<PreluVjp>(g, x, w); }
  static Tensor vjp_weight(Tensor g, In<0> x) { return where(gt(x, 0), 0, g * x); }
};

struct Prelu {
  static constexpr auto schema = "prelu(Tensor self, Tensor weight) -> Tensor";
  static constexpr auto doc = R"(
    x where x > 0, else weight * x, with one learnt weight or one for each channel (dim 1).

    Shapes: self (N, C, *), weight (1) or (C) → (N, C, *).   Dtypes: floating, the same for both.
    Errors: RuntimeError if the number of weights is not that of channels.

    >>> fb.prelu(fb.tensor([-1., 2.]), fb.tensor([0.5]))
    tensor([-0.5000,  2.0000])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor weight) {
    check<DTypeError>(x.dtype() == weight.dtype(), "prelu: input is ", row(x.dtype()).legacy, " and weight "
                      "is ", row(weight.dtype()).legacy, "; convert one to the dtype of the other");
    check<ShapeError>(weight.dim() <= 1, "prelu: weight must have at most one dim, it has shape ",
                      weight.shape().list());
    if (weight.numel() == 1) {
      const bool fits = weight.dim() == 0 || x.dim() > 0;
      return call_op<PreluKernel>(x, fits ? Tensor(weight) : reshape(weight, Dims()));
    }
    check<ShapeError>(x.dim() > 0, "prelu: ", weight.numel(), " weights need an input with a channel dim, "
                      "this one is 0-dimensional");
    const int64_t channels = x.dim() > 1 ? x.size(1) : 1;
    check<ShapeError>(channels == weight.numel(), "prelu: weight has ", weight.numel(), " elements, the "
                      "input has ", channels, " channels; give one weight, or one per channel");
    Dims shape;
    for (int i = 0; i < x.dim(); ++i) shape.push(i == 1 ? channels : 1);
    return call_op<PreluKernel>(x, reshape(weight, shape));
  }
};

// alpha * scale * (e^(input_scale x) - 1) on the left of 0, scale * x on the right.
template <class T> T elu_of(T x, T alpha, T scale, T input_scale) {
  return math::select(x <= T(0.0), math::expm1(x * input_scale) * alpha * scale, x * scale);
}

struct Elu {
  static constexpr auto schema =
      "elu(Tensor input, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor";
  static constexpr auto doc = R"(
    Exponential linear unit: x where x > 0, else alpha (exp(x) - 1), for each element.

    Shapes: input (*) → (*).   Dtypes: floating.
    Source: Clevert, Unterthiner & Hochreiter, arXiv:1511.07289.

    >>> fb.nn.functional.elu(fb.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
  )";
  using kind = Floating;
  template <class T> static T forward(T x, T alpha, T scale, T input_scale) {
    return elu_of(x, alpha, scale, input_scale);
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> alpha, Arg<2, Scalar> scale,
                    Arg<3, Scalar> input_scale) {
    return call_op<EluVjp>(g, x, alpha.value, scale.value, input_scale.value);
  }
};

struct Celu {
  static constexpr auto schema = "celu(Tensor input, Scalar alpha=1.0) -> Tensor";
  static constexpr auto doc = R"(
    Continuously differentiable ELU: x where x > 0, else alpha (exp(x / alpha) - 1), for each element.

    Shapes: input (*) → (*).   Dtypes: floating.   Errors: RuntimeError if alpha is 0.
    Source: Barron, arXiv:1704.07483.

    >>> fb.celu(fb.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
  )";
  using kind = Floating;
  static constexpr auto grad_name = "EluBackward0";
  static void examine(const Args& args) {
    check(args[1].as_double() != 0, "celu: alpha must not be 0");
  }
  template <class T> static T forward(T x, T alpha) { return elu_of(x, alpha, T(1.0), T(1.0) / alpha); }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> alpha) {
    return call_op<EluVjp>(g, x, alpha.value, 1.0, 1.0 / alpha.value.real());
  }
};

// The fixed point of mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515, equation 14).
static constexpr double selu_alpha = 1.6732632423543772, selu_scale = 1.0507009873554805;

struct Selu {
  static constexpr auto schema = "selu(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    ELU scaled so that activations keep mean 0 and variance 1.

    Shapes: input (*) → (*).   Dtypes: floating.   Source: Klambauer et al., arXiv:1706.02515.

    >>> fb.selu(fb.tensor([-1., 2.]))
    tensor([-1.1113,  2.1014])
  )";
  using kind = Floating;
  static constexpr auto grad_name = "EluBackward0";
  template <class T> static T forward(T x) { return elu_of(x, T(selu_alpha), T(selu_scale), T(1.0)); }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<EluVjp>(g, x, selu_alpha, selu_scale, 1.0); }
};

struct Softplus {
  static constexpr auto schema = "softplus(Tensor input, Scalar beta=1, Scalar threshold=20) -> Tensor";
  static constexpr auto doc = R"(
    log(1 + exp(beta x)) / beta of each element; x itself where beta x > threshold.

    Shapes: input (*) → (*).   Dtypes: floating.

    >>> fb.nn.functional.softplus(fb.tensor([0., 1.]))
    tensor([0.6931, 1.3133])
  )";
  using kind = Floating;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x, T beta, T threshold) {
    T z = x * beta;
    return math::select(z > threshold, x, math::log1p_exp(z) / beta);
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> beta, Arg<2, Scalar> threshold) {
    return call_op<SoftplusVjp>(g, x, beta.value, threshold.value);
  }
};

struct Hardshrink {
  static constexpr auto schema = "hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor";
  static constexpr auto doc = R"(
    0 where |x| ≤ lambd, else x, for each element.

    Shapes: self (*) → (*).   Dtypes: floating.

    >>> fb.hardshrink(fb.tensor([0.25, 2.]))
    tensor([0., 2.])
  )";
  using kind = Floating;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x, T lambd) {
    return math::select((x >= -lambd) & (x <= lambd), T(0.0), x);
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> lambd) { return call_op<ShrinkVjp>(g, x, lambd.value); }
};

struct Softshrink {
  static constexpr auto schema = "softshrink(Tensor input, Scalar lambd=0.5) -> Tensor";
  static constexpr auto doc = R"(
    x moved towards 0 by lambd, 0 where |x| ≤ lambd, for each element.

    Shapes: input (*) → (*).   Dtypes: floating.   Errors: RuntimeError if lambd is negative.

    >>> fb.nn.functional.softshrink(fb.tensor([0.25, 2.]))
    tensor([0.0000, 1.5000])
  )";
  using kind = Floating;
  static constexpr bool in_place = false;
  static void examine(const Args& args) {
    check(args[1].as_double() >= 0, "softshrink: lambd must not be negative, got ", args[1].as_double());
  }
  template <class T> static T forward(T x, T lambd) {
    T inside = math::select(x == x, T(0.0), x);
    return math::select(x > lambd, x - lambd, math::select(x < -lambd, x + lambd, inside));
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Scalar> lambd) { return call_op<ShrinkVjp>(g, x, lambd.value); }
};

struct Hardsigmoid {
  static constexpr auto schema = "hardsigmoid(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Piecewise linear sigmoid, x + 3 limited to [0, 6], over 6, for each element.

    Shapes: input (*) → (*).   Dtypes: floating.

    >>> fb.nn.functional.hardsigmoid(fb.tensor([0., 9.]))
    tensor([0.5000, 1.0000])
  )";
  using kind = Floating;
  template <class T> static T forward(T x) { return math::clip(x + T(3.0), 0.0, 6.0) / T(6.0); }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<HardsigmoidVjp>(g, x); }
};

struct Hardswish {
  static constexpr auto schema = "hardswish(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    x hardsigmoid(x) of each element.

    Shapes: input (*) → (*).   Dtypes: floating.   Source: Howard et al., arXiv:1905.02244.

    >>> fb.nn.functional.hardswish(fb.tensor([1., 9.]))
    tensor([0.6667, 9.0000])
  )";
  using kind = Floating;
  template <class T> static T forward(T x) { return x * math::clip(x + T(3.0), 0.0, 6.0) / T(6.0); }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<HardswishVjp>(g, x); }
};

FB_GROUP(activation, Relu, Threshold, Hardtanh, Relu6, LeakyRelu, PreluKernel, Prelu, Elu, Celu, Selu,
         Softplus,
         Hardshrink, Softshrink, Hardsigmoid, Hardswish)

}  // namespace fb
