#include "math/exponential.h"
#include "math/hyperbolic.h"
#include "math/logarithm.h"
#include "op/build.h"
#include "ops.h"
#include "ops/activation_vjp.h"

namespace fb {

static constexpr double ln_2 = 0.6931471805599453, ln_10 = 2.302585092994046;

struct LogitWithin;
struct LogitVjp;

struct Exp {
  static constexpr auto schema = "exp(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Exponential of each element, $y_i = e^{x_i}$.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: exp(-inf) = 0, overflow → inf.   Accuracy: 2 ulp.
    Source: range reduction after Cody & Waite, Software Manual for the Elementary Functions (1980).

    >>> fb.exp(fb.tensor([0., 1.]))
    tensor([1.0000, 2.7183])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::exp(x); }
  static Tensor vjp(Tensor g, Out y) { return g * conj(y); }
};

struct Exp2 {
  static constexpr auto schema = "exp2(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Two to the power of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: overflow → inf.   Accuracy: 2 ulp.

    >>> fb.exp2(fb.tensor([0., 3.]))
    tensor([1., 8.])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::exp2(x); }
  static Tensor vjp(Tensor g, Out y) { return g * (conj(y) * ln_2); }
};

struct Expm1 {
  static constexpr auto schema = "expm1(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    exp(x) - 1 of each element, accurate near 0.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: expm1(-inf) = -1.   Accuracy: 2 ulp.

    >>> fb.expm1(fb.tensor([0., 1.]))
    tensor([0.0000, 1.7183])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::expm1(x); }
  static Tensor vjp(Tensor g, Out y) { return g * conj(y + 1.0); }
};

struct Log {
  static constexpr auto schema = "log(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Natural logarithm of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: log(0) = -inf, negative real → nan.   Accuracy: 2 ulp.

    >>> fb.log(fb.tensor([1., 2.]))
    tensor([0.0000, 0.6931])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::log(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(x); }
};

struct Log2 {
  static constexpr auto schema = "log2(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm to base 2 of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: log2(0) = -inf, negative real → nan.   Accuracy: 2 ulp.

    >>> fb.log2(fb.tensor([1., 8.]))
    tensor([0., 3.])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::log2(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / (conj(x) * ln_2); }
};

struct Log10 {
  static constexpr auto schema = "log10(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm to base 10 of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: log10(0) = -inf, negative real → nan.   Accuracy: 2 ulp.

    >>> fb.log10(fb.tensor([1., 100.]))
    tensor([0., 2.])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::log10(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / (conj(x) * ln_10); }
};

struct Log1p {
  static constexpr auto schema = "log1p(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    log(1 + x) of each element, accurate near 0.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: log1p(-1) = -inf, below → nan.   Accuracy: 2 ulp.

    >>> fb.log1p(fb.tensor([0., 1.]))
    tensor([0.0000, 0.6931])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  static constexpr auto grad_name = "Log1PBackward0";
  template <class T> static T forward(T x) { return math::log1p(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(x + 1.0); }
};

struct Sqrt {
  static constexpr auto schema = "sqrt(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Square root of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: negative real → nan.

    >>> fb.sqrt(fb.tensor([4., 9.]))
    tensor([2., 3.])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::sqrt(x); }
  static Tensor vjp(Tensor g, Out y) { return g / (conj(y) * 2.0); }
};

struct Sigmoid {
  static constexpr auto schema = "sigmoid(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Logistic function of each element, 1 / (1 + exp(-x)).

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: sigmoid(-inf) = 0, sigmoid(inf) = 1.   Accuracy: 2 ulp.

    >>> fb.sigmoid(fb.tensor([0., 1.]))
    tensor([0.5000, 0.7311])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::sigmoid(x); }
  static Tensor vjp(Tensor g, Out y) { return sigmoid_vjp(g, y); }
};

struct LogitWithin {
  static constexpr auto schema = "_logit(Tensor self, Scalar eps) -> Tensor";
  static constexpr auto doc =
      "log(z / (1 - z)), z = x limited to [eps, 1 - eps]; a negative eps sets no limits.";
  using kind = Elementwise<Result::floating>;
  static constexpr bool differentiable = false;
  template <class T> static T forward(T x, T eps) {
    T high = T(1.0) - eps;
    T limited = math::select(x < eps, eps, math::select(x > high, high, x));
    T z = math::select(eps < T(0.0), x, limited);
    return math::log(z / (T(1.0) - z));
  }
};

struct LogitVjp {
  static constexpr auto schema = "_logit_vjp(Tensor grad, Tensor self, Scalar eps) -> Tensor";
  static constexpr auto doc =
      "grad / (x (1 - x)) within [eps, 1 - eps], 0 outside; eps < 0: within [0, 1], nan outside.";
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T g, T x, T eps) {
    T low = math::select(eps < T(0), T(0), eps);
    T outside = math::select(eps < T(0), T(math::nan<T>), T(0));
    return math::select((x >= low) & (x <= T(1) - low), g / (x * (T(1) - x)), outside);
  }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<2, Scalar> eps) {
    return call_op<LogitVjp>(g, x, Value(eps.value));
  }
  static Tensor vjp_self(Tensor g, In<0> grad, In<1> x, Arg<2, Scalar> eps) {
    const Tensor slope = call_op<LogitVjp>(g * grad, x, Value(eps.value));
    return call_op<LogitVjp>(slope, x, Value(eps.value)) * (x * 2.0 - 1.0);
  }
};

struct Logit {
  static constexpr auto schema = "logit(Tensor self, float? eps=None) -> Tensor";
  static constexpr auto doc = R"(
    Inverse of the logistic function, log(x / (1 - x)) of each element.

    eps: limits x to [eps, 1 - eps] first.
    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: logit(0) = -inf, logit(1) = inf, outside [0, 1] → nan.

    >>> fb.logit(fb.tensor([0.25, 0.5]))
    tensor([-1.0986,  0.0000])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor x, std::optional<double> eps) {
    return call_op<LogitWithin>(x, eps.value_or(-1.0));
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, std::optional<double>> eps) {
    return call_op<LogitVjp>(g, x, eps.value.value_or(-1.0));
  }
};

FB_GROUP(exponential, Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Sqrt, Sigmoid, LogitWithin, LogitVjp, Logit)

}  // namespace fb
