#include "math/words.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

// Multiplies a gradient by the number alpha, leaving it alone when alpha is one.
static Tensor scaled(const Tensor& g, const Scalar& alpha) { return alpha.equals(1) ? g : mul(g, Value(alpha)); }

// A floating alpha cannot scale integers, nor a boolean anything but booleans.
static void check_alpha(const Args& args) {
  if (args[2].tag == Value::i64) return;
  const Scalar alpha = args[2].as_scalar();
  const DType d = result_type(args, 0, 2);
  check(alpha.is_integral() || category_of(d) > Category::integral,
        "For integral input tensors, argument alpha must not be a floating point number.");
  check(!alpha.is_bool() || d == DType::boolean, "Boolean alpha only supported for Boolean results.");
}

struct Add {
  static constexpr auto schema = "add(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    Sum of two tensors, broadcast, the second scaled: self + alpha * other.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: all.

    >>> fb.add(fb.tensor([1., 2.]), fb.tensor([10., 20.]), alpha=2)
    tensor([21., 42.])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static void examine(const Args& args) { check_alpha(args); }
  template <class T> static T forward(T a, T b, T alpha) { return a + alpha * b; }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_other(Tensor g, Arg<2, Scalar> alpha) { return scaled(g, alpha); }
};

struct Sub {
  static constexpr auto schema = "sub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    Difference of two tensors, broadcast, the second scaled: self - alpha * other.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: all but bool.

    >>> fb.sub(fb.tensor([1., 2.]), 1)
    tensor([0., 1.])
  )";
  using kind = Elementwise<Result::same, numbers_not_bool>;
  static void examine(const Args& args) {
    auto is_bool = [](const Value& v) { return v.tag == Value::boolean || (v.tag == Value::tensor && v.as_tensor().dtype() == DType::boolean); };
    check(!is_bool(args[0]) || !is_bool(args[1]), "Subtraction, the `-` operator, with two bool tensors is not supported. "
          "Use the `^` or `logical_xor()` operator instead.");
    check(!is_bool(args[0]) && !is_bool(args[1]), "Subtraction, the `-` operator, with a bool tensor is not supported. "
          "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.");
    check_alpha(args);
  }
  template <class T> static T forward(T a, T b, T alpha) { return a - alpha * b; }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_other(Tensor g, Arg<2, Scalar> alpha) { return neg(scaled(g, alpha)); }
};

struct Mul {
  static constexpr auto schema = "mul(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Product of two tensors, element by element, broadcast.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: all.

    >>> fb.mul(fb.tensor([1., 2.]), 3)
    tensor([3., 6.])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  template <class T> static T forward(T a, T b) { return a * b; }
  static Tensor vjp_self(Tensor g, In<1> other) { return g * conj(other); }
  static Tensor vjp_other(Tensor g, In<0> self) { return g * conj(self); }
};

struct Div {
  static constexpr auto schema = "div(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Quotient of two tensors, element by element, broadcast; integers give the default float.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: all.   Limits: x/0 = ±inf, 0/0 = nan.

    >>> fb.div(fb.tensor([1, 2]), 2)
    tensor([0.5000, 1.0000])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T a, T b) { return a / b; }
  static Tensor vjp_self(Tensor g, In<1> other) { return g / conj(other); }
  static Tensor vjp_other(Tensor g, In<0> self, In<1> other) { return -(g * conj((self / other) / other)); }
};

struct Neg {
  static constexpr auto schema = "neg(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Negative of each element.

    Shapes: self (*) → (*).   Dtypes: all but bool.

    >>> fb.neg(fb.tensor([1., -2.]))
    tensor([-1.,  2.])
  )";
  using kind = Elementwise<Result::same, numbers_not_bool>;
  static void examine(const Args& args) {
    check(args[0].as_tensor().dtype() != DType::boolean, "Negation, the `-` operator, on a bool tensor is not supported. "
          "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.");
  }
  template <class T> static T forward(T a) { return -a; }
  static Tensor vjp(Tensor g) { return -g; }
};

FB_GROUP(arithmetic, Add, Sub, Mul, Div, Neg)

}  // namespace fb
