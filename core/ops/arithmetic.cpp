#include "math/words.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

// Multiplies a gradient by the number alpha, leaving it alone when alpha is one.
static Tensor scaled(const Tensor& g, const Scalar& alpha) { return alpha.equals(1) ? g : mul(g, Value(alpha)); }

static Scalar conjugate(const Scalar& v) {
  return v.is_complex() ? Scalar(math::conj(v.to<math::Complex<double>>())) : v;
}

// A floating alpha cannot scale integers, nor a boolean anything but booleans.
static void check_alpha(const Args& args) {
  if (args[2].tag == Value::i64) return;
  const Scalar alpha = args[2].as_scalar();
  const DType d = result_type(args, 0, 2);
  check(alpha.is_integral() || category_of(d) > Category::integral,
        "alpha must be an integer when both operands are of integers; convert one to floats");
  check(!alpha.is_bool() || d == DType::boolean, "alpha=True or False needs bool operands");
}

static void refuse_bool(const Args& args) {
  auto is_bool = [](const Value& v) {
    return v.tag == Value::boolean || (v.tag == Value::tensor && v.as_tensor().dtype() == DType::boolean);
  };
  const bool first = is_bool(args[0]), second = is_bool(args[1]);
  check(!first || !second, "sub: two bool tensors have no difference; `a ^ b` tells where they differ");
  check(!first && !second, "sub: a bool tensor has no difference; to flip a mask, write `~mask`");
}

// PyTorch multiplies complex numbers by alpha even if it is one, which makes nan of an infinity.
template <class T> static T times_one(T b) {
  if constexpr (requires { b.im; }) return T(1) * b;
  else return b;
}

struct PlainAdd {
  static constexpr auto schema = "add(Tensor self, Tensor other) -> Tensor";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool light = true;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return math::wrapping_sum(a, times_one(b)); }
  static bool forward_bool(bool a, bool b) { return a | b; }
};
struct PlainSub {
  static constexpr auto schema = "sub(Tensor self, Tensor other) -> Tensor";
  using kind = Elementwise<Result::same, numbers_not_bool>;
  static constexpr bool light = true;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return math::wrapping_difference(a, times_one(b)); }
};
static bool is_one(const Value& alpha) { return alpha.tag == Value::i64 && alpha.as_int() == 1; }

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
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    run_elementwise(is_one(args[2]) ? variant<PlainAdd>() : op, args, out, form);
  }
  template <class T> static T forward(T a, T b, T alpha) { return a + alpha * b; }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_other(Tensor g, Arg<2, Scalar> alpha) { return scaled(g, conjugate(alpha)); }
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
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[0].is_number() ? "RsubBackward1" : "SubBackward0";
  }
  static void examine(const Args& args) {
    refuse_bool(args);
    check_alpha(args);
  }
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    run_elementwise(is_one(args[2]) ? variant<PlainSub>() : op, args, out, form);
  }
  template <class T> static T forward(T a, T b, T alpha) { return a - alpha * b; }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_other(Tensor g, Arg<2, Scalar> alpha) { return neg(scaled(g, conjugate(alpha))); }
};

struct Rsub {
  static constexpr auto schema = "rsub(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    Difference the other way round, broadcast: other - alpha * self.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: all but bool.

    >>> fb.rsub(fb.tensor([1., 2.]), 3)
    tensor([2., 1.])
  )";
  using kind = Elementwise<Result::same, numbers_not_bool>;
  static constexpr unsigned number_params = 0b10;
  static constexpr bool in_place = false;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].is_number() ? "RsubBackward1" : "RsubBackward0";
  }
  static void examine(const Args& args) {
    refuse_bool(args);
    check_alpha(args);
  }
  template <class T> static T forward(T a, T b, T alpha) { return b - alpha * a; }
  static Tensor vjp_self(Tensor g, Arg<2, Scalar> alpha) { return neg(scaled(g, conjugate(alpha))); }
  static Tensor vjp_other(Tensor g) { return g; }
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
  static constexpr bool light = true;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return math::wrapping_product(a, b); }
  static bool forward_bool(bool a, bool b) { return a & b; }
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
  static constexpr bool light = true;
  static void examine(const Args& args) {
    check(args[0].as_tensor().dtype() != DType::boolean, "neg: a bool tensor has no negative; to flip a "
          "mask, write `~mask`");
  }
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a) {
    if constexpr (std::is_integral_v<T>) return math::wrapping_difference(T(0), a);
    else return -a;
  }
  static Tensor vjp(Tensor g) { return -g; }
};

struct Positive {
  static constexpr auto schema = "positive(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = R"(
    The tensor itself.

    Shapes: self (*) → (*).   Dtypes: all but bool.

    >>> fb.positive(fb.tensor([1., -2.]))
    tensor([ 1., -2.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) {
    check(x.dtype() != DType::boolean, "positive: a bool tensor has no sign; convert it, e.g. with .int()");
    return x;
  }
};

struct Reciprocal {
  static constexpr auto schema = "reciprocal(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    One divided by each element; integers give the default float.

    Shapes: self (*) → (*).   Dtypes: all.   Limits: of ±0, ±inf.

    >>> fb.reciprocal(fb.tensor([2., 4.]))
    tensor([0.5000, 0.2500])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T a) { return T(1.0) / a; }
  static Tensor vjp(Tensor g, Out r) { return -(g * conj(r * r)); }
};

struct Addcmul {
  static constexpr auto schema = "addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor";
  static constexpr auto doc = R"(
    Product of two tensors, scaled and added to self: self + value * tensor1 * tensor2.

    Shapes: all broadcast together.   Dtypes: all but bool.

    >>> fb.addcmul(fb.ones(2), fb.tensor([1., 2.]), fb.tensor([3., 4.]), value=0.5)
    tensor([2.5000, 5.0000])
  )";
  using kind = Elementwise<Result::same, numbers_not_bool>;
  static constexpr bool light = true;
  static constexpr unsigned number_params = 0;
  template <class T> static T forward(T a, T b, T c, T value) { return a + value * b * c; }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_tensor1(Tensor g, In<2> c, Arg<3, Scalar> value) { return scaled(g * conj(c), conjugate(value)); }
  static Tensor vjp_tensor2(Tensor g, In<1> b, Arg<3, Scalar> value) { return scaled(g * conj(b), conjugate(value)); }
};

struct Addcdiv {
  static constexpr auto schema = "addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor";
  static constexpr auto doc = R"(
    Quotient of two tensors, scaled and added to self: self + value * tensor1 / tensor2.

    Shapes: all broadcast together.   Dtypes: floating, complex.

    >>> fb.addcdiv(fb.ones(2), fb.tensor([1., 2.]), fb.tensor([2., 4.]))
    tensor([1.5000, 1.5000])
  )";
  using kind = Elementwise<Result::same, floats_and_complex>;
  static constexpr unsigned number_params = 0;
  static void examine(const Args& args) {
    auto whole = [](const Value& v) { return category_of(v.as_tensor().dtype()) <= Category::integral; };
    check(!whole(args[1]) || !whole(args[2]), "Integer division with addcdiv is not supported: addcdiv of ",
          row(args[1].as_tensor().dtype()).legacy, " and ", row(args[2].as_tensor().dtype()).legacy,
          "; write self + value * torch.div(tensor1, tensor2, rounding_mode='trunc') for the whole quotient.");
  }
  template <class T> static T forward(T a, T b, T c, T value) { return a + value * (b / c); }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_tensor1(Tensor g, In<2> c, Arg<3, Scalar> value) { return scaled(g / conj(c), conjugate(value)); }
  static Tensor vjp_tensor2(Tensor g, In<1> b, In<2> c, Arg<3, Scalar> value) {
    return -scaled(g * conj(b / (c * c)), conjugate(value));
  }
};

template <class Weight, class T> static T interpolate(T a, T b, Weight w) {
  // from the nearer end, so that a weight of one gives it exactly
  if constexpr (requires { w.re; }) {
    return w.re * w.re + w.im * w.im < decltype(w.re)(0.25) ? a + w * (b - a) : b - (b - a) * (T(1) - w);
  } else {
    return math::select(math::fabs(w) < T(0.5), a + w * (b - a), b - (b - a) * (T(1.0) - w));
  }
}

static void check_same_dtype(const Value& self, const Value& other, std::string_view name) {
  const DType a = self.as_tensor().dtype(), b = other.as_tensor().dtype();
  check(a == b, "lerp: expected dtype ", name_of(a), " for `", name, "` but got dtype ", name_of(b));
}

struct LerpTensor {
  static constexpr auto schema = "lerp(Tensor self, Tensor end, Tensor weight) -> Tensor";
  static constexpr auto doc = R"(
    Linear interpolation: self + weight * (end - self).

    Args:
        weight: number or tensor; 0 gives self, 1 gives end.
    Shapes: all broadcast together.   Dtypes: floating, complex, all the same.

    >>> fb.lerp(fb.zeros(2), fb.tensor([1., 2.]), 0.5)
    tensor([0.5000, 1.0000])
  )";
  using kind = Elementwise<Result::same, floats_and_complex>;
  static constexpr unsigned number_params = 0;
  static constexpr auto grad_name = "LerpBackward1";
  static void examine(const Args& args) {
    check_same_dtype(args[0], args[1], "end");
    check_same_dtype(args[0], args[2], "weight");
  }
  template <class T> static T forward(T a, T b, T w) { return interpolate(a, b, w); }
  static Tensor vjp_self(Tensor g, In<2> w) { return g * conj(sub(1, w)); }
  static Tensor vjp_end(Tensor g, In<2> w) { return g * conj(w); }
  static Tensor vjp_weight(Tensor g, In<0> a, In<1> b) { return g * conj(b - a); }
};

struct Lerp {
  static constexpr auto schema = "lerp(Tensor self, Tensor end, Scalar weight) -> Tensor";
  static constexpr auto doc = LerpTensor::doc;
  using kind = Elementwise<Result::same, floats_and_complex>;
  static constexpr unsigned number_params = 0;
  static void examine(const Args& args) { check_same_dtype(args[0], args[1], "end"); }
  template <class T> static T forward(T a, T b, T w) { return interpolate(a, b, w); }
  static Tensor vjp_self(Tensor g, Arg<2, Scalar> w) {
    const auto weight = w.value.to<math::Complex<double>>();
    const math::Complex<double> rest{1 - weight.re, weight.im};
    return w.value.is_complex() ? mul(g, Value(rest)) : g * rest.re;
  }
  static Tensor vjp_end(Tensor g, Arg<2, Scalar> w) { return mul(g, Value(conjugate(w))); }
};

FB_GROUP(arithmetic, Add, Sub, Rsub, Mul, Div, Neg, Positive, Reciprocal, Addcmul, Addcdiv, LerpTensor, Lerp)

}  // namespace fb
