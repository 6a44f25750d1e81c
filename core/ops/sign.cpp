#include "math/complex.h"
#include "op/build.h"
#include "ops.h"

// Size and sign of numbers.
namespace fb {

struct Sgn;

struct Abs {
  static constexpr auto schema = "abs(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Absolute value of each element; of complex ones, real.

    Shapes: self (*) → (*).   Dtypes: all but bool.   Limits: the smallest integer stays as it is.

    >>> fb.abs(fb.tensor([1., -2.]))
    tensor([1., 2.])
  )";
  using kind = Elementwise<Result::same, numbers_not_bool>;
  static constexpr bool narrow_integers = true;
  template <class T> static auto forward(T x) {
    if constexpr (std::is_integral_v<T>) return x < 0 ? math::wrapping_difference(T(0), x) : x;
    else if constexpr (requires { x.re; }) return math::abs(x);
    else return math::fabs(x);
  }
  static Tensor vjp(Tensor g, In<0> self) { return g * call_op<Sgn>(self); }
};

template <class T> static T sign_of(T x) {
  if constexpr (std::is_integral_v<T>) return (x > 0) - (x < 0);
  else return math::select(x > T(0.0), T(1.0), math::select(x < T(0.0), T(-1.0), T(0.0)));
}

struct Sign {
  static constexpr auto schema = "sign(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    1, 0 or -1 as each element is positive, zero (or nan) or negative.

    Shapes: self (*) → (*).   Dtypes: real.

    >>> fb.sign(fb.tensor([3., -2., 0.]))
    tensor([ 1., -1.,  0.])
  )";
  using kind = Elementwise<>;
  static void examine(const Args& args) {
    check<UnsupportedError>(!is_complex(args[0].as_tensor().dtype()),
                            "sign is not supported for complex numbers; sgn gives the unit of the same direction");
  }
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T x) { return sign_of(x); }
  static bool forward_bool(bool x) { return x; }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct Sgn {
  static constexpr auto schema = "sgn(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The sign of each element; of a complex one z / |z|, 0 at 0.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.sgn(fb.tensor([3., -2., 0.]))
    tensor([ 1., -1.,  0.])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  template <class T> static T forward(T x) {
    if constexpr (requires { x.re; }) return math::sgn(x);
    else return sign_of(x);
  }
  static bool forward_bool(bool x) { return x; }
  // Of z / |z|: (g - Re(g conj(s)) s) / |z|, the part of the gradient across the direction s.
  static Tensor vjp(Tensor g, In<0> self, Out s) {
    if (!is_complex(self.dtype())) return zeros_like(g);
    const Tensor size = abs(self);
    const Tensor across = (g - real_part(g * conj(s)) * s) / size;
    return where(eq(size, 0.0), Scalar(0), across);
  }
};

struct Signbit {
  static constexpr auto schema = "signbit(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether the sign of each element is negative; that of -0. is.

    Shapes: self (*) → (*), bool.   Dtypes: real.

    >>> fb.signbit(fb.tensor([1., -0.]))
    tensor([False,  True])
  )";
  using kind = Elementwise<>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  static void examine(const Args& args) {
    check<UnsupportedError>(!is_complex(args[0].as_tensor().dtype()), "signbit: a complex number has no sign "
                            "bit; take .real or .imag");
  }
  template <class T> static bool forward(T x) {
    if constexpr (std::is_integral_v<T>) return x < 0;
    else return math::sign_bit(x);
  }
};

struct Copysign {
  static constexpr auto schema = "copysign(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The size of self with the sign of other, broadcast.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real; integers give the default float.

    >>> fb.copysign(fb.tensor([1., 2.]), -0.)
    tensor([-1., -2.])
  )";
  using kind = Elementwise<Result::floating, real_numbers>;
  static constexpr unsigned number_params = 0b10;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].is_number() ? "CopysignBackward1" : "CopysignBackward0";
  }
  template <class T> static T forward(T a, T b) { return math::copysign(a, b); }
  static Tensor vjp_self(Tensor g, In<0> self, Out r) { return where(eq(self, 0.0), Scalar(0), g * (r / self)); }
  static Tensor vjp_other(Tensor g) { return zeros_like(g); }
};

FB_GROUP(sign, Abs, Sign, Sgn, Signbit, Copysign)

}  // namespace fb
