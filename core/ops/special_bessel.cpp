#include "math/bessel.h"
#include "math/trigonometric.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct I0;
struct I0e;
struct SpecialI1;
struct SpecialI1e;

// y / x for a function y of x with y(0) = 0 and y'(0) = ½.
static Tensor over_argument(T_ y, T_ x) {
  const Tensor at_zero = eq(x, 0);
  return where(at_zero, 0.5, y / where(at_zero, 1.0, x));
}

struct I0 {
  static constexpr auto schema = "i0(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Modified Bessel function of the first kind of order 0, for each element.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: overflow → inf.

    >>> fb.i0(fb.tensor([0., 1.]))
    tensor([1.0000, 1.2661])
  )";
  using kind = Scalarwise<Result::floating>;
  template <class T> static T forward(T x) { return math::scalar::i0(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * call_op<SpecialI1>(x); }
};

struct I0e {
  static constexpr auto schema = "special_i0e(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    exp(-|x|) times the modified Bessel function of the first kind of order 0.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.special.i0e(fb.tensor([0., 1.]))
    tensor([1.0000, 0.4658])
  )";
  using kind = Scalarwise<Result::floating>;
  static constexpr bool in_place = false;
  static constexpr auto grad_name = "SpecialI0EBackward0";
  template <class T> static T forward(T x) { return math::scalar::i0e(x); }
  static Tensor vjp(Tensor g, In<0> x, Out y) { return g * (call_op<SpecialI1e>(x) - sign(x) * y); }
};

struct SpecialI1 {
  static constexpr auto schema = "special_i1(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Modified Bessel function of the first kind of order 1, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: overflow → ±inf.

    >>> fb.special.i1(fb.tensor([0., 1.]))
    tensor([0.0000, 0.5652])
  )";
  using kind = Scalarwise<Result::floating>;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x) { return math::scalar::i1(x); }
  static Tensor vjp(Tensor g, In<0> x, Out y) { return g * (call_op<I0>(x) - over_argument(y, x)); }
};

struct SpecialI1e {
  static constexpr auto schema = "special_i1e(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    exp(-|x|) times the modified Bessel function of the first kind of order 1.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.special.i1e(fb.tensor([0., 1.]))
    tensor([0.0000, 0.2079])
  )";
  using kind = Scalarwise<Result::floating>;
  static constexpr bool in_place = false;
  static constexpr auto grad_name = "SpecialI1EBackward0";
  template <class T> static T forward(T x) { return math::scalar::i1e(x); }
  static Tensor vjp(Tensor g, In<0> x, Out y) {
    return g * (call_op<I0e>(x) - sign(x) * y - over_argument(y, x));
  }
};

struct WithoutDerivative {
  using kind = Scalarwise<Result::floating>;
  static constexpr bool in_place = false;
  static constexpr bool differentiable = false;
};

struct BesselJ0 : WithoutDerivative {
  static constexpr auto schema = "special_bessel_j0(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Bessel function of the first kind of order 0, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.special.bessel_j0(fb.tensor([1., 2.]))
    tensor([0.7652, 0.2239])
  )";
  template <class T> static T forward(T x) { return math::scalar::j0(x); }
};

struct BesselJ1 : WithoutDerivative {
  static constexpr auto schema = "special_bessel_j1(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Bessel function of the first kind of order 1, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.special.bessel_j1(fb.tensor([1., 2.]))
    tensor([0.4401, 0.5767])
  )";
  template <class T> static T forward(T x) { return math::scalar::j1(x); }
};

struct BesselY0 : WithoutDerivative {
  static constexpr auto schema = "special_bessel_y0(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Bessel function of the second kind of order 0, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: -inf at 0, nan below.

    >>> fb.special.bessel_y0(fb.tensor([1., 2.]))
    tensor([0.0883, 0.5104])
  )";
  template <class T> static T forward(T x) { return math::scalar::y0(x); }
};

struct BesselY1 : WithoutDerivative {
  static constexpr auto schema = "special_bessel_y1(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Bessel function of the second kind of order 1, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: -inf at 0, nan below.

    >>> fb.special.bessel_y1(fb.tensor([1., 2.]))
    tensor([-0.7812, -0.1070])
  )";
  template <class T> static T forward(T x) { return math::scalar::y1(x); }
};

struct ModifiedBesselI0 : WithoutDerivative {
  static constexpr auto schema = "special_modified_bessel_i0(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Modified Bessel function of the first kind of order 0, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.special.modified_bessel_i0(fb.tensor([0., 1.]))
    tensor([1.0000, 1.2661])
  )";
  template <class T> static T forward(T x) { return math::scalar::i0(x); }
};

struct ModifiedBesselI1 : WithoutDerivative {
  static constexpr auto schema = "special_modified_bessel_i1(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Modified Bessel function of the first kind of order 1, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.special.modified_bessel_i1(fb.tensor([0., 1.]))
    tensor([0.0000, 0.5652])
  )";
  template <class T> static T forward(T x) { return math::scalar::i1(x); }
};

struct ModifiedBesselK0 : WithoutDerivative {
  static constexpr auto schema = "special_modified_bessel_k0(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Modified Bessel function of the second kind of order 0, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: inf at 0, nan below.

    >>> fb.special.modified_bessel_k0(fb.tensor([1., 2.]))
    tensor([0.4210, 0.1139])
  )";
  template <class T> static T forward(T x) { return math::scalar::k0(x); }
};

struct ModifiedBesselK1 : WithoutDerivative {
  static constexpr auto schema = "special_modified_bessel_k1(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Modified Bessel function of the second kind of order 1, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: inf at 0, nan below.

    >>> fb.special.modified_bessel_k1(fb.tensor([1., 2.]))
    tensor([0.6019, 0.1399])
  )";
  template <class T> static T forward(T x) { return math::scalar::k1(x); }
};

struct ScaledModifiedBesselK0 : WithoutDerivative {
  static constexpr auto schema = "special_scaled_modified_bessel_k0(Tensor x) -> Tensor";
  static constexpr auto doc = R"(
    exp(x) times the modified Bessel function of the second kind of order 0.

    Shapes: x (*) → (*).   Dtypes: real; integers give the default float.
    Limits: inf at 0, nan below.

    >>> fb.special.scaled_modified_bessel_k0(fb.tensor([1., 2.]))
    tensor([1.1445, 0.8416])
  )";
  template <class T> static T forward(T x) { return math::scalar::scaled_k0(x); }
};

struct ScaledModifiedBesselK1 : WithoutDerivative {
  static constexpr auto schema = "special_scaled_modified_bessel_k1(Tensor x) -> Tensor";
  static constexpr auto doc = R"(
    exp(x) times the modified Bessel function of the second kind of order 1.

    Shapes: x (*) → (*).   Dtypes: real; integers give the default float.
    Limits: inf at 0, nan below.

    >>> fb.special.scaled_modified_bessel_k1(fb.tensor([1., 2.]))
    tensor([1.6362, 1.0335])
  )";
  template <class T> static T forward(T x) { return math::scalar::scaled_k1(x); }
};

struct SphericalBesselJ0 {
  static constexpr auto schema = "special_spherical_bessel_j0(Tensor x) -> Tensor";
  static constexpr auto doc = R"(
    Spherical Bessel function of order 0, sin(x) / x, for each element.

    Shapes: x (*) → (*).   Dtypes: real; integers give the default float.
    Limits: 1 at 0, 0 at ±inf.

    >>> fb.special.spherical_bessel_j0(fb.tensor([0., 1.]))
    tensor([1.0000, 0.8415])
  )";
  using kind = Elementwise<Result::floating>;
  static constexpr bool in_place = false;
  static constexpr bool differentiable = false;
  template <class T> static T forward(T x) { return math::spherical_j0(x); }
  template <math::Real T> static bool needs_slow(T x) { return math::needs_slow(x); }
  template <math::Real T> static T slow(T x) { return math::scalar::spherical_j0(x); }
};

struct AiryAi : WithoutDerivative {
  static constexpr auto schema = "special_airy_ai(Tensor x) -> Tensor";
  static constexpr auto doc = R"(
    Airy function Ai of each element.

    Shapes: x (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.special.airy_ai(fb.tensor([0., 1.]))
    tensor([0.3550, 0.1353])
  )";
  template <class T> static T forward(T x) { return math::scalar::airy_ai(x); }
};

FB_GROUP(special_bessel, I0, I0e, SpecialI1, SpecialI1e, BesselJ0, BesselJ1, BesselY0, BesselY1,
         ModifiedBesselI0, ModifiedBesselI1, ModifiedBesselK0, ModifiedBesselK1, ScaledModifiedBesselK0,
         ScaledModifiedBesselK1, SphericalBesselJ0, AiryAi)

}  // namespace fb
