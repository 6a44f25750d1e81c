#include "ops/activation_vjp.h"

#include "math/exponential.h"
#include "math/erf.h"
#include "math/hyperbolic.h"
#include "op/build.h"
#include "ops/gelu.h"

namespace fb {

using Floating = Elementwise<Result::same, floats_only>;

// The gradients of piecewise linear functions have the derivative 0 by x.
struct ReluVjp {
  static constexpr auto schema = "_relu_vjp(Tensor grad, Tensor output) -> Tensor";
  static constexpr auto doc = "Gradient of relu from its output: grad where output > 0 or nan, else 0.";
  using kind = Floating;
  template <class T> static T forward(T g, T y) { return math::select(y <= T(0.0), T(0.0), g); }
  static Tensor vjp_grad(Tensor g, In<1> y) { return relu_vjp(g, y); }
  static Tensor vjp_output(Tensor g) { return zeros_like(g); }
};

struct ThresholdVjp {
  static constexpr auto schema = "_threshold_vjp(Tensor grad, Tensor self, Scalar threshold) -> Tensor";
  static constexpr auto doc = "Gradient of threshold: grad where self > threshold or nan, else 0.";
  using kind = Floating;
  template <class T> static T forward(T g, T x, T threshold) {
    return math::select(x <= threshold, T(0.0), g);
  }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<2, Scalar> threshold) {
    return call_op<ThresholdVjp>(g, x, threshold.value);
  }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }
};

struct HardtanhVjp {
  static constexpr auto schema =
      "_hardtanh_vjp(Tensor grad, Tensor self, Scalar min_val, Scalar max_val) -> Tensor";
  static constexpr auto doc = "Gradient of hardtanh: grad strictly between the limits, else 0.";
  using kind = Floating;
  template <class T> static T forward(T g, T x, T low, T high) {
    return math::select((x <= low) | (x >= high), T(0.0), g);
  }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<2, Scalar> low, Arg<3, Scalar> high) {
    return call_op<HardtanhVjp>(g, x, low.value, high.value);
  }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }
};

struct ShrinkVjp {
  static constexpr auto schema = "_shrink_vjp(Tensor grad, Tensor self, Scalar lambd) -> Tensor";
  static constexpr auto doc = "Gradient of hardshrink and softshrink: grad outside [-lambd, lambd], else 0.";
  using kind = Floating;
  template <class T> static T forward(T g, T x, T lambd) {
    return math::select((x >= -lambd) & (x <= lambd), T(0.0), g);
  }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<2, Scalar> lambd) {
    return call_op<ShrinkVjp>(g, x, lambd.value);
  }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }
};

struct LeakyReluVjp {
  static constexpr auto schema = "_leaky_relu_vjp(Tensor grad, Tensor self, Scalar negative_slope) -> Tensor";
  static constexpr auto doc = "Gradient of leaky_relu: grad where self > 0, else negative_slope * grad.";
  using kind = Floating;
  template <class T> static T forward(T g, T x, T slope) { return math::select(x > T(0.0), g, g * slope); }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<2, Scalar> slope) {
    return call_op<LeakyReluVjp>(g, x, slope.value);
  }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }
};

struct PreluVjp {
  static constexpr auto schema = "_prelu_vjp(Tensor grad, Tensor self, Tensor weight) -> Tensor";
  static constexpr auto doc = "Gradient of prelu by its input: grad where self > 0, else weight * grad.";
  using kind = Floating;
  template <class T> static T forward(T g, T x, T w) { return math::select(x > T(0.0), g, g * w); }
  static Tensor vjp_grad(Tensor g, In<1> x, In<2> w) { return call_op<PreluVjp>(g, x, w); }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }
  static Tensor vjp_weight(Tensor g, In<0> grad, In<1> x) { return where(gt(x, 0), 0, g * grad); }
};

struct HardsigmoidVjp {
  static constexpr auto schema = "_hardsigmoid_vjp(Tensor grad, Tensor self) -> Tensor";
  static constexpr auto doc = "Gradient of hardsigmoid: grad / 6 for |self| < 3, else 0.";
  using kind = Floating;
  template <class T> static T forward(T g, T x) {
    return math::select(math::fabs(x) < T(3.0), g * T(1.0 / 6.0), T(0.0));
  }
  static Tensor vjp_grad(Tensor g, In<1> x) { return call_op<HardsigmoidVjp>(g, x); }
  static NoGrad vjp_self();
};

struct HardswishVjp {
  static constexpr auto schema = "_hardswish_vjp(Tensor grad, Tensor self) -> Tensor";
  static constexpr auto doc =
      "Gradient of hardswish: grad * (self / 3 + 1/2) between -3 and 3, 0 below, grad above.";
  using kind = Floating;
  template <class T> static T forward(T g, T x) {
    T inside = g * (x * T(1.0 / 3.0) + T(0.5));
    return math::select(x <= T(-3.0), T(0.0), math::select(x < T(3.0), inside, g));
  }
  static Tensor vjp_grad(Tensor g, In<1> x) { return call_op<HardswishVjp>(g, x); }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x) { return call_op<HardsigmoidVjp>(g * grad, x) * 2.0; }
};

// For complex numbers the gradient is multiplied by the conjugate of the derivative.
struct SigmoidVjp {
  static constexpr auto schema = "_sigmoid_vjp(Tensor grad, Tensor output) -> Tensor";
  static constexpr auto doc = "Gradient of sigmoid from its output: grad * conj(output * (1 - output)).";
  using kind = Elementwise<Result::same, floats_and_complex>;
  template <class T> static T forward(T g, T y) { return g * math::conjugate(y * (T(1.0) - y)); }
  static Tensor vjp_grad(Tensor g, In<1> y) { return sigmoid_vjp(g, conj(y)); }
  static Tensor vjp_output(Tensor g, In<0> grad, In<1> y) { return conj(g) * grad * conj(1 - y * 2.0); }
};

struct TanhVjp {
  static constexpr auto schema = "_tanh_vjp(Tensor grad, Tensor output) -> Tensor";
  static constexpr auto doc = "Gradient of tanh from its output: grad * conj(1 - output²).";
  using kind = Elementwise<Result::same, floats_and_complex>;
  template <class T> static T forward(T g, T y) { return g * math::conjugate(T(1.0) - y * y); }
  static Tensor vjp_grad(Tensor g, In<1> y) { return tanh_vjp(g, conj(y)); }
  static Tensor vjp_output(Tensor g, In<0> grad, In<1> y) { return conj(g) * grad * conj(y * -2.0); }
};

struct SiluVjp {
  static constexpr auto schema = "_silu_vjp(Tensor grad, Tensor self) -> Tensor";
  static constexpr auto doc = "Gradient of silu: grad * conj(s (1 + x (1 - s))) with s = sigmoid(x).";
  using kind = Elementwise<Result::same, floats_and_complex>;
  template <class T> static T forward(T g, T x) {
    T s = math::sigmoid(x);
    return g * math::conjugate(s * (T(1.0) + x * (T(1.0) - s)));
  }
  static Tensor vjp_grad(Tensor g, In<1> x) { return call_op<SiluVjp>(g, conj(x)); }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x) {
    const Tensor s = sigmoid(x);
    return conj(g) * grad * conj(s * (1 - s) * (x * (1 - s * 2.0) + 2.0));
  }
};

struct LogSigmoidVjp {
  static constexpr auto schema = "_log_sigmoid_vjp(Tensor grad, Tensor self) -> Tensor";
  static constexpr auto doc = "Gradient of log_sigmoid: grad * sigmoid(-self).";
  using kind = Floating;
  template <class T> static T forward(T g, T x) { return g * math::sigmoid(-x); }
  static Tensor vjp_grad(Tensor g, In<1> x) { return call_op<LogSigmoidVjp>(g, x); }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x) { return -sigmoid_vjp(g * grad, sigmoid(x)); }
};

struct SoftplusVjp {
  static constexpr auto schema =
      "_softplus_vjp(Tensor grad, Tensor self, Scalar beta, Scalar threshold) -> Tensor";
  static constexpr auto doc =
      "Gradient of softplus: grad * sigmoid(beta self), grad where beta self > threshold.";
  using kind = Floating;
  template <class T> static T forward(T g, T x, T beta, T threshold) {
    T z = x * beta;
    return math::select(z > threshold, g, g * math::sigmoid(z));
  }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<2, Scalar> beta, Arg<3, Scalar> threshold) {
    return call_op<SoftplusVjp>(g, x, beta.value, threshold.value);
  }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x, Arg<2, Scalar> beta, Arg<3, Scalar> threshold) {
    const Tensor z = mul(x, beta.value);
    return where(gt(z, threshold.value), 0, mul(sigmoid_vjp(g * grad, sigmoid(z)), beta.value));
  }
};

struct EluVjp {
  static constexpr auto schema =
      "_elu_vjp(Tensor grad, Tensor self, Scalar alpha, Scalar scale, Scalar input_scale) -> Tensor";
  static constexpr auto doc =
      "Gradient of elu: grad * scale where self > 0, else grad * alpha * scale * k exp(k self), k = input_scale.";
  using kind = Floating;
  template <class T> static T forward(T g, T x, T alpha, T scale, T input_scale) {
    T left = g * (alpha * scale * input_scale) * math::exp(x * input_scale);
    return math::select(x <= T(0.0), left, g * scale);
  }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<2, Scalar> alpha, Arg<3, Scalar> scale,
                         Arg<4, Scalar> input_scale) {
    return call_op<EluVjp>(g, x, alpha.value, scale.value, input_scale.value);
  }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x, Arg<2, Scalar> alpha, Arg<3, Scalar> scale,
                         Arg<4, Scalar> input_scale) {
    const Tensor slope = call_op<EluVjp>(g * grad, x, alpha.value, scale.value, input_scale.value);
    return where(le(x, 0), mul(slope, input_scale.value), 0);
  }
};

struct MishVjp {
  static constexpr auto schema = "_mish_vjp(Tensor grad, Tensor self) -> Tensor";
  static constexpr auto doc =
      "Gradient of mish: grad * (t + x (1 - t²) s), t = tanh(softplus(x)), s = sigmoid(x).";
  using kind = Floating;
  template <class T> static T forward(T g, T x) {
    T t = math::tanh(math::log1p_exp(x)), s = math::sigmoid(x);
    return g * (t + x * (T(1.0) - t * t) * s);
  }
  static Tensor vjp_grad(Tensor g, In<1> x) { return call_op<MishVjp>(g, x); }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x) {
    const Tensor s = sigmoid(x);
    const Tensor t = tanh(-log(sigmoid(-x)));
    return g * grad * ((1 - t * t) * s * (x * (1 - s - t * s * 2.0) + 2.0));
  }
};

// x Φ(x) has the derivative Φ + x φ, and that one φ (2 - x²).
struct GeluErfVjp {
  static constexpr auto schema = "_gelu_erf_vjp(Tensor grad, Tensor self) -> Tensor";
  static constexpr auto doc = "Gradient of gelu: grad * (Φ(x) + x φ(x)).";
  using kind = Floating;
  template <class T> static T forward(T g, T x) {
    T density = T(one_over_root_2_pi) * math::exp(x * x * T(-0.5));
    return g * (gelu_gate(x) + x * density);
  }
  static Tensor vjp_grad(Tensor g, In<1> x) { return call_op<GeluErfVjp>(g, x); }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x) {
    const Tensor square = x * x;
    return g * grad * (exp(square * -0.5) * one_over_root_2_pi * (2 - square));
  }
};

// With u = √(2/π) (x + c x³) and t = tanh(u): ½ (1 + t) + ½ x (1 - t²) u'.
struct GeluTanhVjp {
  static constexpr auto schema = "_gelu_tanh_vjp(Tensor grad, Tensor self) -> Tensor";
  static constexpr auto doc = "Gradient of gelu with approximate='tanh'.";
  using kind = Floating;
  template <class T> static T forward(T g, T x) {
    T square = x * x;
    T t = math::tanh(T(root_2_over_pi) * (x + T(gelu_cubic) * square * x));
    T slope = T(root_2_over_pi) * (T(1.0) + T(3.0 * gelu_cubic) * square);
    return g * T(0.5) * ((T(1.0) + t) + x * (T(1.0) - t * t) * slope);
  }
  static Tensor vjp_grad(Tensor g, In<1> x) { return call_op<GeluTanhVjp>(g, x); }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x) {
    const Tensor square = x * x;
    const Tensor t = tanh((x + square * x * gelu_cubic) * root_2_over_pi);
    const Tensor slope = (square * (3.0 * gelu_cubic) + 1.0) * root_2_over_pi;
    const Tensor bend = x * (6.0 * gelu_cubic * root_2_over_pi);
    return g * grad * ((1 - t * t) * (slope + x * (bend * 0.5 - t * slope * slope)));
  }
};

FB_GROUP(activation_vjp, ReluVjp, ThresholdVjp, HardtanhVjp, ShrinkVjp, LeakyReluVjp, PreluVjp,
         HardsigmoidVjp,
         HardswishVjp, SigmoidVjp, TanhVjp, SiluVjp, LogSigmoidVjp, SoftplusVjp, EluVjp, MishVjp, GeluErfVjp,
         GeluTanhVjp)

}  // namespace fb
