#include "math/erf.h"
#include "math/logarithm.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

static constexpr double two_over_root_pi = 1.1283791670955126, one_over_root_2_pi = 0.3989422804014327,
                        root_half_pi = 1.2533141373155003;

struct Erfcx;
static Tensor erfcx(T_ x) { return call_op<Erfcx>(x); }

struct Erf {
  static constexpr auto schema = "erf(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Error function of each element, (2/√π) ∫₀ˣ exp(-t²) dt.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: erf(±inf) = ±1.   Accuracy: 2 ulp.

    >>> fb.erf(fb.tensor([0., 1.]))
    tensor([0.0000, 0.8427])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::erf(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * (exp(-(x * x)) * two_over_root_pi); }
};

struct Erfc {
  static constexpr auto schema = "erfc(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Complementary error function of each element, 1 - erf(x), accurate in the tail.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: erfc(inf) = 0, erfc(-inf) = 2.   Accuracy: 2 ulp.

    >>> fb.erfc(fb.tensor([0., 1.]))
    tensor([1.0000, 0.1573])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::erfc(x); }
  static Tensor vjp(Tensor g, In<0> x) { return -(g * (exp(-(x * x)) * two_over_root_pi)); }
};

struct Erfinv {
  static constexpr auto schema = "erfinv(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Inverse error function of each element.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: erfinv(±1) = ±inf, |x| > 1 → nan.   Accuracy: 5 ulp.
    Source: Wichura, Algorithm AS 241, Applied Statistics 37 (1988).

    >>> fb.erfinv(fb.tensor([0., 0.5]))
    tensor([0.0000, 0.4769])
  )";
  using kind = Elementwise<Result::floating>;
  template <class T> static T forward(T x) { return math::erfinv(x); }
  static Tensor vjp(Tensor g, Out y) { return g * (exp(y * y) * (1 / two_over_root_pi)); }
};

struct Erfcx {
  static constexpr auto schema = "special_erfcx(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Scaled complementary error function of each element, exp(x²) erfc(x).

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: erfcx(inf) = 0, overflow on the left → inf.   Accuracy: 2 ulp.

    >>> fb.special.erfcx(fb.tensor([0., 1.]))
    tensor([1.0000, 0.4276])
  )";
  using kind = Elementwise<Result::floating>;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x) { return math::erfcx(x); }
  static Tensor vjp(Tensor g, In<0> x, Out y) { return g * (x * y * 2.0 - two_over_root_pi); }
};

struct Ndtr {
  static constexpr auto schema = "special_ndtr(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Probability that a standard normal variable is at most x, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: ndtr(-inf) = 0, ndtr(inf) = 1.   Accuracy: 2 ulp.

    >>> fb.special.ndtr(fb.tensor([0., 1.]))
    tensor([0.5000, 0.8413])
  )";
  using kind = Elementwise<Result::floating>;
  static constexpr bool in_place = false;
  static constexpr auto grad_name = "MulBackward1";
  template <class T> static T forward(T x) { return math::ndtr(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * (exp(x * x * -0.5) * one_over_root_2_pi); }
};

struct LogNdtr {
  static constexpr auto schema = "special_log_ndtr(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm of special.ndtr of each element, accurate in the left tail.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: log_ndtr(-inf) = -inf, log_ndtr(inf) = 0.   Accuracy: 3 ulp.

    >>> fb.special.log_ndtr(fb.tensor([0., -10.]))
    tensor([ -0.6931, -53.2313])
  )";
  using kind = Elementwise<Result::floating>;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x) { return math::log_ndtr(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g / (erfcx(x * -0.7071067811865476) * root_half_pi); }
};

struct Ndtri {
  static constexpr auto schema = "special_ndtri(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Quantile of the standard normal distribution: the inverse of special.ndtr, for each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: ndtri(0) = -inf, ndtri(1) = inf, outside [0, 1] → nan.   Accuracy: 5 ulp.
    Source: Wichura, Algorithm AS 241, Applied Statistics 37 (1988).

    >>> fb.special.ndtri(fb.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9600])
  )";
  using kind = Elementwise<Result::floating>;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x) { return math::ndtri(x); }
  static Tensor vjp(Tensor g, Out y) { return g * (exp(y * y * 0.5) / one_over_root_2_pi); }
};

struct Entr {
  static constexpr auto schema = "special_entr(Tensor input) -> Tensor";
  static constexpr auto doc = R"(
    Entropy -x log(x) of each element.

    Shapes: input (*) → (*).   Dtypes: real; integers give the default float.
    Limits: entr(0) = 0, negative → -inf.

    >>> fb.special.entr(fb.tensor([0., 0.5]))
    tensor([0.0000, 0.3466])
  )";
  using kind = Elementwise<Result::floating>;
  static constexpr bool in_place = false;
  template <class T> static T forward(T x) { return math::entr(x); }
  static Tensor vjp(Tensor g, In<0> x) { return -(g * (log(x) + 1.0)); }
};

FB_GROUP(special, Erf, Erfc, Erfinv, Erfcx, Ndtr, LogNdtr, Ndtri, Entr)

}  // namespace fb
