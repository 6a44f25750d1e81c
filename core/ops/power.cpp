#include "math/power.h"

#include "math/complex.h"
#include "op/build.h"
#include "ops.h"

// Powers, and the roots and squares that have names of their own.
namespace fb {

static int64_t whole_power(int64_t base, int64_t exponent) {   // exact modulo 2^64
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  uint64_t r = 1, b = static_cast<uint64_t>(base);
  for (; exponent; exponent >>= 1, b *= b) if (exponent & 1) r *= b;
  return static_cast<int64_t>(r);
}

struct Pow {
  static constexpr auto schema = "pow(Tensor self, Tensor exponent) -> Tensor";
  static constexpr auto doc = R"(
    Each element of self to a power, broadcast; either may be a number, not both. Powers of integers are exact.

    Shapes: self (*), exponent (*) → broadcast of both.   Dtypes: all but two bools.
    Limits: 0^0 = 1; a negative float to a broken power is nan.
    Errors: RuntimeError for integers to a negative number.

    >>> fb.pow(fb.tensor([2., 3.]), 2)
    tensor([4., 9.])
  )";
  using kind = Elementwise<Result::same, numbers_not_bool>;
  static constexpr bool takes_only_numbers = false;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].is_number() ? "PowBackward0" : args[0].is_number() ? "PowBackward2" : "PowBackward1";
  }
  static void examine(const Args& args) {
    if (args[1].tag != Value::i64 || args[1].as_int() >= 0) return;
    check(args[0].tag != Value::tensor || category_of(args[0].as_tensor().dtype()) > Category::integral,
          "pow: an integer to a negative power is no integer; convert the base, e.g. with .float()");
  }
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    run_elementwise(args[1].is_number() ? for_exponent(op, args) : op, args, out, form);
  }
  static const Op& for_exponent(const Op& op, const Args& args);

  template <class T> static T forward(T a, T b) {
    if constexpr (std::is_same_v<T, int64_t>) return whole_power(a, b);
    else return math::pow(a, b);
  }
  static Tensor vjp_self(Tensor g, In<0> self, In<1> exponent, Arg<1, Value> given) {
    if (given.value.is_number()) {
      const Scalar n = given.value.as_scalar();
      if (n.equals(0)) return zeros_like(g);
      if (n.equals(2)) return g * conj(self * 2.0);
      if (n.is_complex()) {
        const auto e = n.to<math::Complex<double>>();
        return g * conj(mul(pow(self, Value(e - math::Complex<double>(1))), Value(e)));
      }
      return g * conj(mul(pow(self, Value(n.real() - 1)), Value(n)));
    }
    const Tensor slope = exponent * pow(self, exponent - 1.0);
    return where(eq(exponent, 0.0), Scalar(0), g * conj(slope));
  }
  // Where the base is 0 and the exponent is not below it, the power does not change: its slope is 0, not 0 · -inf.
  static Tensor vjp_exponent(Tensor g, In<0> self, In<1> exponent, Out r) {
    const Tensor slope = g * conj(r * log(self));
    const Tensor flat = is_complex(exponent.dtype()) ? ge(real_part(exponent), 0.0) : ge(exponent, 0.0);
    return where(eq(self, 0.0), where(flat, Scalar(0), slope), slope);
  }
};

struct PowOne : Pow {
  using kind = Elementwise<Result::same, all_numbers>;
  template <class T> static T forward(T a, T) { return a; }
};
struct PowSquare : Pow {
  template <class T> static T forward(T a, T) { return a * a; }
};
struct PowCube : Pow {
  template <class T> static T forward(T a, T) { return a * a * a; }
};
struct PowRoot : Pow {
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T a, T) { return math::sqrt(a); }
};
struct PowInverseRoot : Pow {
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T a, T) { return T(1.0) / math::sqrt(a); }
};
struct PowInverse : Pow {
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T a, T) { return T(1.0) / a; }
};
struct PowInverseSquare : Pow {
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T a, T) { return T(1.0) / (a * a); }
};

const Op& Pow::for_exponent(const Op& op, const Args& args) {
  const Scalar n = args[1].as_scalar();
  if (n.is_complex()) return op;
  const double e = n.real();
  const Category category = category_of(result_type(args, 0, 2));
  if (category == Category::boolean) return op;
  if (e == 2) return variant<PowSquare>();
  if (e == 3) return variant<PowCube>();
  if (category != Category::floating) return op;
  if (e == 0.5) return variant<PowRoot>();
  if (e == 1) return variant<PowOne>();
  if (e == -0.5) return variant<PowInverseRoot>();
  if (e == -1) return variant<PowInverse>();
  if (e == -2) return variant<PowInverseSquare>();
  return op;
}

struct FloatPower {
  static constexpr auto schema = "float_power(Tensor self, Tensor exponent) -> Tensor";
  static constexpr auto doc = R"(
    Each element of self to a power, computed in float64, or complex128 if either is complex.

    Shapes: self (*), exponent (*) → broadcast of both.   Dtypes: all → float64 or complex128.

    >>> fb.float_power(fb.tensor([2, 3]), -1)
    tensor([0.5000, 0.3333], dtype=torch.float64)
  )";
  using kind = Composite;
  static constexpr bool takes_only_numbers = false;
  static DType dtype_for(const Value& base, const Value& exponent) {
    auto complex = [](const Value& v) {
      return v.tag == Value::complex || (v.tag == Value::tensor && is_complex(v.as_tensor().dtype()));
    };
    return complex(base) || complex(exponent) ? DType::c128 : DType::f64;
  }
  static Tensor decompose(Value base, Value exponent) {
    const DType d = dtype_for(base, exponent);
    auto cast = [&](const Value& v) -> Value {
      if (v.tag == Value::tensor) return to_dtype(v.as_tensor(), d);
      return v.tag == Value::complex ? v : Value(v.as_double());
    };
    return pow(cast(base), cast(exponent));
  }
};

struct FloatPowerInPlace {
  static constexpr auto schema = "float_power_(Tensor(a!) self, Tensor exponent) -> Tensor(a!)";
  static constexpr auto doc = "float_power written into self, which must be float64 or complex128 already.";
  using kind = Opaque;
  static constexpr auto grad_name = "PowBackward0";
  static void write(Tensor self, Value exponent) {
    const DType d = FloatPower::dtype_for(self, exponent);
    check(self.dtype() == d, "float_power_: the result is ", row(d).legacy, ", which self, of ",
          row(self.dtype()).legacy, ", cannot hold");
    copy_(self, FloatPower::decompose(self, exponent));
  }
  static Tensor vjp_self(Tensor g, In<0> self, In<1> exponent, Arg<1, Value> given) {
    return Pow::vjp_self(g, self, exponent, given);
  }
  static Tensor vjp_exponent(Tensor g, In<0> self, In<1> exponent, Shape<1> shape) {
    Out r;
    static_cast<Tensor&>(r) = pow(self, exponent);
    return sum_to_shape(Pow::vjp_exponent(g, self, exponent, r), shape);
  }
};

struct Square {
  static constexpr auto schema = "square(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Each element times itself.

    Shapes: self (*) → (*).   Dtypes: all; bool gives int64.

    >>> fb.square(fb.tensor([1., -2.]))
    tensor([1., 4.])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr auto grad_name = "PowBackward0";
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    const Tensor& x = args[0].as_tensor();
    run_elementwise(op, x.dtype() == DType::boolean ? Args(to_dtype(x, DType::i64)) : args, out, form);
  }
  template <class T> static T forward(T a) { return a * a; }
  static Tensor vjp(Tensor g, In<0> self) { return g * conj(self * 2.0); }
};

struct Rsqrt {
  static constexpr auto schema = "rsqrt(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    One divided by the square root of each element.

    Shapes: self (*) → (*).   Dtypes: all; integers give the default float.   Limits: of 0, inf; below 0, nan.

    >>> fb.rsqrt(fb.tensor([4., 16.]))
    tensor([0.5000, 0.2500])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T x) { return T(1.0) / math::sqrt(x); }
  static Tensor vjp(Tensor g, Out r) { return g * conj(r * r * r) * -0.5; }
};

FB_GROUP(power, Pow, FloatPower, FloatPowerInPlace, Square, Rsqrt)

}  // namespace fb
