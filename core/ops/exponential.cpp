#include "math/exponential.h"
#include "math/hyperbolic.h"
#include "math/logarithm.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct Exp {
  static constexpr auto schema = "exp(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Exponential of each element, $y_i = e^{x_i}$.

    Shapes: self (*) → (*).   Dtypes: floating; integers give the default float.
    Accuracy: 1 ulp in float32 and float64.   Limits: exp(-inf) = 0, overflow → inf, nan → nan.
    Source: range reduction after Cody & Waite, Software Manual for the Elementary Functions (1980).

    >>> fb.exp(fb.tensor([0., 1.]))
    tensor([1.0000, 2.7183])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::exp(x); }
  static Tensor vjp(Tensor g, Out y) { return g * conj(y); }
};

struct Log {
  static constexpr auto schema = "log(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Natural logarithm of each element.

    Shapes: self (*) → (*).   Dtypes: floating; integers give the default float.
    Limits: log(0) = -inf, negative → nan.

    >>> fb.log(fb.tensor([1., 2.]))
    tensor([0.0000, 0.6931])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::log(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(x); }
};

struct Tanh {
  static constexpr auto schema = "tanh(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Hyperbolic tangent of each element.

    Shapes: self (*) → (*).   Dtypes: floating; integers give the default float.

    >>> fb.tanh(fb.tensor([0., 1.]))
    tensor([0.0000, 0.7616])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::tanh(x); }
  static Tensor vjp(Tensor g, Out y) { return g * conj(1 - y * y); }
};

struct Sqrt {
  static constexpr auto schema = "sqrt(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Square root of each element; negative numbers give nan.

    Shapes: self (*) → (*).   Dtypes: floating; integers give the default float.

    >>> fb.sqrt(fb.tensor([4., 9.]))
    tensor([2., 3.])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::sqrt(x); }
  static Tensor vjp(Tensor g, Out y) { return g / (conj(y) * 2.0); }
};

struct Sigmoid {
  static constexpr auto schema = "sigmoid(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Logistic function of each element, 1 / (1 + exp(-x)).

    Shapes: self (*) → (*).   Dtypes: floating; integers give the default float.

    >>> fb.sigmoid(fb.tensor([0., 1.]))
    tensor([0.5000, 0.7311])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::sigmoid(x); }
  static Tensor vjp(Tensor g, Out y) { return g * conj(y * (1 - y)); }
};

FB_GROUP(exponential, Exp, Log, Tanh, Sqrt, Sigmoid)

}  // namespace fb
