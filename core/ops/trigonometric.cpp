#include "math/trigonometric.h"
#include "math/hyperbolic.h"
#include "op/build.h"
#include "ops.h"
#include "ops/activation_vjp.h"

namespace fb {

static constexpr double pi = 3.141592653589793;

struct Sin;
struct Cos;
struct Sinh;
struct Cosh;
static Tensor sin(T_ x) { return call_op<Sin>(x); }
static Tensor cos(T_ x) { return call_op<Cos>(x); }
static Tensor sinh(T_ x) { return call_op<Sinh>(x); }
static Tensor cosh(T_ x) { return call_op<Cosh>(x); }

template <class T> T sinc_of(T x) { return math::sinc(x); }
template <class T> math::Complex<T> sinc_of(math::Complex<T> z) {
  if (z == math::Complex<T>(T(0))) return T(1);
  const math::Complex<T> angle = z * math::Complex<T>(T(pi));
  return math::sin(angle) / angle;
}

struct Sin {
  static constexpr auto schema = "sin(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Sine of each element, in radians.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: sin(±inf) = nan.   Accuracy: 2 ulp.

    >>> fb.sin(fb.tensor([0., 1.]))
    tensor([0.0000, 0.8415])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::sin(x); }
  template <math::Real T> static bool needs_slow(T x) { return math::needs_slow(x); }
  template <math::Real T> static T slow(T x) { return math::scalar::sin(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * conj(cos(x)); }
};

struct Cos {
  static constexpr auto schema = "cos(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Cosine of each element, in radians.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: cos(±inf) = nan.   Accuracy: 2 ulp.

    >>> fb.cos(fb.tensor([0., 1.]))
    tensor([1.0000, 0.5403])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::cos(x); }
  template <math::Real T> static bool needs_slow(T x) { return math::needs_slow(x); }
  template <math::Real T> static T slow(T x) { return math::scalar::cos(x); }
  static Tensor vjp(Tensor g, In<0> x) { return -(g * conj(sin(x))); }
};

struct Tan {
  static constexpr auto schema = "tan(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Tangent of each element, in radians.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: tan(±inf) = nan.   Accuracy: 2 ulp.

    >>> fb.tan(fb.tensor([0., 1.]))
    tensor([0.0000, 1.5574])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::tan(x); }
  template <math::Real T> static bool needs_slow(T x) { return math::needs_slow(x); }
  template <math::Real T> static T slow(T x) { return math::scalar::tan(x); }
  static Tensor vjp(Tensor g, Out y) { return g * conj(y * y + 1.0); }
};

struct Asin {
  static constexpr auto schema = "asin(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverse sine of each element, in [-π/2, π/2].

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: |x| > 1 → nan for real x.   Accuracy: 2 ulp.

    >>> fb.asin(fb.tensor([0., 1.]))
    tensor([0.0000, 1.5708])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::asin(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(sqrt(1 - x * x)); }
};

struct Acos {
  static constexpr auto schema = "acos(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverse cosine of each element, in [0, π].

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: |x| > 1 → nan for real x.   Accuracy: 2 ulp.

    >>> fb.acos(fb.tensor([0., 1.]))
    tensor([1.5708, 0.0000])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::acos(x); }
  static Tensor vjp(Tensor g, In<0> x) { return -(g / conj(sqrt(1 - x * x))); }
};

struct Atan {
  static constexpr auto schema = "atan(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverse tangent of each element, in [-π/2, π/2].

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: atan(±inf) = ±π/2.   Accuracy: 2 ulp.

    >>> fb.atan(fb.tensor([0., 1.]))
    tensor([0.0000, 0.7854])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::atan(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(x * x + 1.0); }
};

struct Atan2 {
  static constexpr auto schema = "atan2(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Angle of the point (other, self) in the plane, in [-π, π], broadcast.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: as C99 F.9.1.4.   Accuracy: 2 ulp.

    >>> fb.atan2(fb.tensor([1., -1.]), fb.tensor([1., 0.]))
    tensor([ 0.7854, -1.5708])
  )";
  using kind = Elementwise<Result::floating>;
  static constexpr uint32_t number_params = 0;         // tensors only
  template <class T> static T forward(T y, T x) { return math::atan2(y, x); }
  static Tensor vjp_self(Tensor g, In<0> y, In<1> x) { return g * (x / (x * x + y * y)); }
  static Tensor vjp_other(Tensor g, In<0> y, In<1> x) { return -(g * (y / (x * x + y * y))); }
};

struct Sinh {
  static constexpr auto schema = "sinh(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Hyperbolic sine of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: overflow → ±inf.   Accuracy: 2 ulp.

    >>> fb.sinh(fb.tensor([0., 1.]))
    tensor([0.0000, 1.1752])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::sinh(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * conj(cosh(x)); }
};

struct Cosh {
  static constexpr auto schema = "cosh(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Hyperbolic cosine of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: overflow → inf.   Accuracy: 2 ulp.

    >>> fb.cosh(fb.tensor([0., 1.]))
    tensor([1.0000, 1.5431])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::cosh(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * conj(sinh(x)); }
};

struct Tanh {
  static constexpr auto schema = "tanh(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Hyperbolic tangent of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: tanh(±inf) = ±1.   Accuracy: 2 ulp.

    >>> fb.tanh(fb.tensor([0., 1.]))
    tensor([0.0000, 0.7616])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::tanh(x); }
  static Tensor vjp(Tensor g, Out y) { return tanh_vjp(g, y); }
};

struct Asinh {
  static constexpr auto schema = "asinh(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverse hyperbolic sine of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: asinh(±inf) = ±inf.   Accuracy: 2 ulp.

    >>> fb.asinh(fb.tensor([0., 1.]))
    tensor([0.0000, 0.8814])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::asinh(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(sqrt(x * x + 1.0)); }
};

struct Acosh {
  static constexpr auto schema = "acosh(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverse hyperbolic cosine of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: x < 1 → nan for real x.   Accuracy: 2 ulp.

    >>> fb.acosh(fb.tensor([1., 2.]))
    tensor([0.0000, 1.3170])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::acosh(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(sqrt(x - 1.0) * sqrt(x + 1.0)); }
};

struct Atanh {
  static constexpr auto schema = "atanh(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverse hyperbolic tangent of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: atanh(±1) = ±inf, |x| > 1 → nan for real x.   Accuracy: 2 ulp.

    >>> fb.atanh(fb.tensor([0., 0.5]))
    tensor([0.0000, 0.5493])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return math::atanh(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / conj(1 - x * x); }
};

struct Sinc {
  static constexpr auto schema = "sinc(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    sin(πx) / (πx) of each element, 1 at 0.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.
    Limits: sinc(±inf) = nan.   Accuracy: 2 ulp.

    >>> fb.sinc(fb.tensor([0., 0.5]))
    tensor([1.0000, 0.6366])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return sinc_of(x); }
  static Tensor vjp(Tensor g, In<0> x, Out y) {
    const Tensor slope = (cos(x * pi) - y) / x;
    return g * conj(where(eq(x, 0), 0, slope));
  }
};

FB_GROUP(trigonometric, Sin, Cos, Tan, Asin, Acos, Atan, Atan2, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Sinc)

}  // namespace fb
