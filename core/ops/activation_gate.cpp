#include <cmath>

#include "kernels/samplers.h"
#include "math/exponential.h"
#include "math/hyperbolic.h"
#include "op/build.h"
#include "ops/activation_vjp.h"
#include "ops/gelu.h"

namespace fb {

using Floating = Elementwise<Result::same, floats_only>;

struct Silu {
  static constexpr auto schema = "silu(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    x sigmoid(x) of each element, also called swish.

    Shapes: input (*) → (*).   Dtypes: floating and complex.

    >>> fb.nn.functional.silu(fb.tensor([0., 1.]))
    tensor([0.0000, 0.7311])
  )";
  using kind = Elementwise<Result::same, floats_and_complex>;
  template <class T> static T forward(T x) { return x * math::sigmoid(x); }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<SiluVjp>(g, x); }
};

struct Mish {
  static constexpr auto schema = "mish(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    x tanh(softplus(x)) of each element.

    Shapes: input (*) → (*).   Dtypes: floating.   Source: Misra, arXiv:1908.08681.

    >>> fb.nn.functional.mish(fb.tensor([0., 1.]))
    tensor([0.0000, 0.8651])
  )";
  using kind = Floating;
  template <class T> static T forward(T x) { return x * math::tanh(math::log1p_exp(x)); }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<MishVjp>(g, x); }
};

struct LogSigmoid {
  static constexpr auto schema = "log_sigmoid(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm of the logistic function, -log(1 + exp(-x)), of each element.

    Shapes: input (*) → (*).   Dtypes: floating.

    >>> fb.nn.functional.logsigmoid(fb.tensor([0., 1.]))
    tensor([-0.6931, -0.3133])
  )";
  using kind = Floating;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x) { return math::log_sigmoid(x); }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<LogSigmoidVjp>(g, x); }
};

struct GeluErf {
  static constexpr auto schema = "_gelu_erf(Tensor self) -> Tensor";
  static constexpr auto doc = "x Φ(x), Φ the normal distribution function.";
  using kind = Floating;
  static constexpr auto grad_name = "GeluBackward0";
  template <class T> static T forward(T x) { return x * gelu_gate(x); }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<GeluErfVjp>(g, x); }
};

struct GeluTanh {
  static constexpr auto schema = "_gelu_tanh(Tensor self) -> Tensor";
  static constexpr auto doc = "½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).";
  using kind = Floating;
  static constexpr auto grad_name = "GeluBackward0";
  template <class T> static T forward(T x) {
    T t = math::tanh(T(root_2_over_pi) * (x + T(gelu_cubic) * x * x * x));
    return T(0.5) * x * (T(1.0) + t);
  }
  static Tensor vjp(Tensor g, In<0> x) { return call_op<GeluTanhVjp>(g, x); }
};

struct Gelu {
  static constexpr auto schema = "gelu(Tensor input, *, str approximate='none') -> Tensor";
  static constexpr auto doc = R"(
    Gaussian error linear unit, x Φ(x) of each element, Φ being the normal distribution function.

    approximate: 'none' or 'tanh', which replaces Φ(x) by ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).
    Shapes: input (*) → (*).   Dtypes: floating.   Errors: RuntimeError for another `approximate`.
    Source: Hendrycks & Gimpel, arXiv:1606.08415.

    >>> fb.nn.functional.gelu(fb.tensor([-1., 1.]))
    tensor([-0.1587,  0.8413])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::string approximate) {
    check(approximate == "none" || approximate == "tanh",
          "gelu: unknown approximate='", approximate, "', choose 'none' or 'tanh'");
    return approximate == "none" ? call_op<GeluErf>(x) : call_op<GeluTanh>(x);
  }
};

static Tensor gate_half(T_ x, int64_t dim, int which) {
  const int64_t n = x.size(int(dim)) / 2;
  return narrow(x, dim, which * n, n);
}

struct GluKernel {
  static constexpr auto schema = "_glu_kernel(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = "self * sigmoid(other).";
  using kind = Floating;
  static constexpr bool differentiable = false;
  template <class T> static T forward(T a, T b) { return a * math::sigmoid(b); }
};

struct Glu {
  static constexpr auto schema = "glu(Tensor input, int dim=-1) -> Tensor";
  static constexpr auto doc = R"(
    Gated linear unit: a sigmoid(b) for the two halves a, b of the input along a dim.

    Shapes: input (*, 2n, *) → (*, n, *).   Dtypes: floating.
    Errors: RuntimeError if the dim's size is odd, IndexError if there is no such dim.
    Source: Dauphin et al., arXiv:1612.08083.

    >>> fb.nn.functional.glu(fb.tensor([1., 0.]))
    tensor([0.5000])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x, int64_t dim) {
    check<ShapeError>(x.dim() > 0, "glu: a 0-dimensional input has nothing to halve");
    dim = wrap_dim(dim, x.dim());
    check<ShapeError>(x.size(int(dim)) % 2 == 0, "glu: dim ", dim, " is split into halves, so its size must "
                      "be even; it is ", x.size(int(dim)));
    return call_op<GluKernel>(gate_half(x, dim, 0), gate_half(x, dim, 1));
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, int64_t> dim) {
    const int64_t d = wrap_dim(dim.value, x.dim());
    const Tensor a = gate_half(x, d, 0), s = sigmoid(gate_half(x, d, 1));
    return cat({g * s, sigmoid_vjp(g * a, s)}, d);
  }
};

// Also the slope of each element, where the sign of the output does not tell it: in training, or if the slope
// left of 0 is negative. The input is not kept, so that an in-place form may overwrite it.
struct RreluWithNoise {
  static constexpr auto schema = "_rrelu_with_noise(Tensor self, Scalar lower, Scalar upper, bool training, "
                                 "Generator? generator) -> (Tensor output, Tensor slopes)";
  static constexpr auto doc = "rrelu of self, and the slope of each element where the gradient needs it.";
  using kind = Opaque;
  static constexpr auto grad_name = "RreluWithNoiseBackward0";

  template <class T> static void draw(Outputs<2>& r, T_ x, double lower, double upper, Generator* generator) {
    rrelu(r[0].data<T>(), r[1].data<T>(), x.data<T>(), x.numel(), lower, upper, *generator);
  }
  static Outputs<2> kernel(Tensor self, Scalar lower, Scalar upper, bool training, Generator* generator) {
    const double mean = (lower.real() + upper.real()) / 2;
    if (!training) {
      const Tensor slopes = mean < 0 ? where(gt(self, 0), 1.0, full(self.shape(), mean, self.dtype()))
                                     : empty({0}, self.dtype());
      return {call_op<LeakyRelu>(self, mean), slopes};
    }
    check<UnsupportedError>(is_floating(self.dtype()), "\"rrelu\" not implemented for '",
                            row(self.dtype()).legacy, "'");
    const DType compute = self.dtype() == DType::f64 ? DType::f64 : DType::f32;
    const Tensor x = to_dtype(contiguous(self), compute);
    Outputs<2> r{empty(x.shape(), compute), empty(x.shape(), compute)};
    if (!generator) generator = &default_generator();
    if (compute == DType::f64) draw<double>(r, x, lower.real(), upper.real(), generator);
    else draw<float>(r, x, lower.real(), upper.real(), generator);
    return {to_dtype(r[0], self.dtype()), to_dtype(r[1], self.dtype())};
  }
  static Tensor vjp(Tensor g, Out y, OutAt<1> slopes, Arg<1, Scalar> lower, Arg<2, Scalar> upper,
                    Arg<3, bool> training) {
    const double low = lower.value.real(), mean = (low + upper.value.real()) / 2;
    if (!training) return mean < 0 ? g * slopes : call_op<LeakyReluVjp>(g, y, mean);
    return low < 0 ? g * slopes : call_op<PreluVjp>(g, y, slopes);
  }
};

struct Rrelu {
  static constexpr auto schema = "rrelu(Tensor input, Scalar lower=0.125, Scalar upper=0.3333333333333333, "
                                 "bool training=False, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    Leaky relu whose slope left of 0 is drawn from U(lower, upper) in training, and their mean otherwise.

    Shapes: input (*) → (*).   Dtypes: floating.   Errors: RuntimeError unless lower ≤ upper, both finite.
    Source: Xu et al., arXiv:1505.00853.

    >>> fb.rrelu(fb.tensor([-1., 2.]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
  )";
  using kind = Composite;
  static constexpr bool in_place = true;
  static Tensor decompose(Tensor x, Scalar lower, Scalar upper, bool training, Generator* generator) {
    const double low = lower.real(), high = upper.real();
    check(std::isfinite(low), "rrelu: lower must be a finite number, not ", low);
    check(std::isfinite(high), "rrelu: upper must be a finite number, not ", high);
    check(low <= high, "rrelu: lower=", low, " exceeds upper=", high);
    return call_outputs<2, RreluWithNoise>(x, lower, upper, training, generator)[0];
  }
};

FB_GROUP(activation_gate, Silu, Mish, LogSigmoid, GeluErf, GeluTanh, Gelu, GluKernel, Glu, RreluWithNoise,
         Rrelu)

}  // namespace fb
