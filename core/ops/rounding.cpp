#include "math/words.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct Ceil {
  static constexpr auto schema = "ceil(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Each element rounded up.

    Shapes: self (*) → (*).   Dtypes: floating; integers stay as they are.

    >>> fb.ceil(fb.tensor([-1.5, 2.5]))
    tensor([-1.,  3.])
  )";
  using kind = Elementwise<Result::same, reals_not_bool>;
  template <class T> static T forward(T x) {
    if constexpr (std::is_integral_v<T>) return x;
    else return math::ceil(x);
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct Floor {
  static constexpr auto schema = "floor(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Each element rounded down.

    Shapes: self (*) → (*).   Dtypes: floating; integers stay as they are.

    >>> fb.floor(fb.tensor([-1.5, 2.5]))
    tensor([-2.,  2.])
  )";
  using kind = Elementwise<Result::same, reals_not_bool>;
  template <class T> static T forward(T x) {
    if constexpr (std::is_integral_v<T>) return x;
    else return math::floor(x);
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct Trunc {
  static constexpr auto schema = "trunc(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Each element rounded toward zero.

    Shapes: self (*) → (*).   Dtypes: floating; integers stay as they are.

    >>> fb.trunc(fb.tensor([-1.5, 2.5]))
    tensor([-1.,  2.])
  )";
  using kind = Elementwise<Result::same, reals_not_bool>;
  template <class T> static T forward(T x) {
    if constexpr (std::is_integral_v<T>) return x;
    else return math::trunc(x);
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct Round {
  static constexpr auto schema = "round(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Each element rounded to the nearest integer, halves to the even one.

    Shapes: self (*) → (*).   Dtypes: floating; integers stay as they are.

    >>> fb.round(fb.tensor([-1.5, 2.5]))
    tensor([-2.,  2.])
  )";
  using kind = Elementwise<Result::same, reals_not_bool>;
  template <class T> static T forward(T x) {
    if constexpr (std::is_integral_v<T>) return x;
    else return math::round_even(x);
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct RoundDecimals {
  static constexpr auto schema = "round.decimals(Tensor self, *, int decimals) -> Tensor";
  static constexpr auto doc = R"(
    Each element rounded to a number of decimal places; a negative number rounds to tens, hundreds, ...

    Shapes: self (*) → (*).   Dtypes: floating.

    >>> fb.round(fb.tensor([1.2345]), decimals=2)
    tensor([1.2300])
  )";
  using kind = Elementwise<Result::same, floats_only>;
  static constexpr auto grad_name = "RoundBackward1";
  static void run(const Op& op, const Args& args, Tensor* out, Form form);
  template <class T> static T forward(T x, T) { return math::round_even(x); }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};
struct RoundPlaces : RoundDecimals {
  template <class T> static T forward(T x, T scale) { return math::round_even(x * scale) / scale; }
};
struct RoundTens : RoundDecimals {
  template <class T> static T forward(T x, T scale) { return math::round_even(x / scale) * scale; }
};
void RoundDecimals::run(const Op& op, const Args& args, Tensor* out, Form form) {
  const int64_t decimals = args[1].as_int();
  const Op& chosen = decimals > 0 ? variant<RoundPlaces>() : decimals < 0 ? variant<RoundTens>() : op;
  const Args scaled(args[0], std::pow(10.0, static_cast<double>(decimals < 0 ? -decimals : decimals)));
  run_elementwise(chosen, scaled, out, form);
}

struct Frac {
  static constexpr auto schema = "frac(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    What each element has behind the point, with its sign.

    Shapes: self (*) → (*).   Dtypes: floating.

    >>> fb.frac(fb.tensor([-1.5, 2.25]))
    tensor([-0.5000,  0.2500])
  )";
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T x) { return x - math::trunc(x); }
  static Tensor vjp(Tensor g) { return g; }
};

constexpr double radians_per_degree = 0.017453292519943295, degrees_per_radian = 57.29577951308232;

struct Deg2rad {
  static constexpr auto schema = "deg2rad(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Degrees as radians.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.deg2rad(fb.tensor([180.]))
    tensor([3.1416])
  )";
  using kind = Elementwise<Result::floating, real_numbers>;
  static constexpr auto grad_name = "Deg2RadBackward0";
  template <class T> static T forward(T x) { return x * T(radians_per_degree); }
  static Tensor vjp(Tensor g) { return g * radians_per_degree; }
};

struct Rad2deg {
  static constexpr auto schema = "rad2deg(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Radians as degrees.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.

    >>> fb.rad2deg(fb.tensor([3.141592653589793]))
    tensor([180.])
  )";
  using kind = Elementwise<Result::floating, real_numbers>;
  static constexpr auto grad_name = "Rad2DegBackward0";
  template <class T> static T forward(T x) { return x * T(degrees_per_radian); }
  static Tensor vjp(Tensor g) { return g * degrees_per_radian; }
};

FB_GROUP(rounding, Ceil, Floor, Trunc, Round, RoundDecimals, Frac, Deg2rad, Rad2deg)

}  // namespace fb
