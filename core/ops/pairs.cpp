#include <numeric>

#include "base/half.h"
#include "math/complex.h"
#include "math/exponential.h"
#include "math/logarithm.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

// Functions of two numbers beside the four operations.
namespace fb {

struct Hypot {
  static constexpr auto schema = "hypot(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Length of the hypotenuse: sqrt(self² + other²) without overflow on the way.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: floating.

    >>> fb.hypot(fb.tensor([3., 5.]), fb.tensor([4., 12.]))
    tensor([ 5., 13.])
  )";
  using kind = Elementwise<Result::same, floats_only>;
  static constexpr unsigned number_params = 0;
  template <class T> static T forward(T a, T b) {
    const T x = math::fabs(a), y = math::fabs(b);
    T length;
    if constexpr (math::single<T>) {
      const auto p = math::widen(x), q = math::widen(y);
      length = math::narrow(math::sqrt(p * p + q * q));
    } else {
      const T large = math::select(x > y, x, y), small = math::select(x > y, y, x);
      const T ratio = math::select(large == T(0.0), T(0.0), small / large);
      length = large * math::sqrt(T(1.0) + ratio * ratio);
    }
    const T inf = T(math::infinity<T>);
    return math::select((x == inf) | (y == inf), inf, math::select(x != x, x, math::select(y != y, y, length)));
  }
  static Tensor vjp_self(Tensor g, In<0> self, Out r) { return g * (self / r); }
  static Tensor vjp_other(Tensor g, In<1> other, Out r) { return g * (other / r); }
};

// log(e^a + e^b) for complex numbers, from the one with the larger real part.
template <class T> static math::Complex<T> log_of_sum(math::Complex<T> a, math::Complex<T> b) {
  if (math::is_inf(a.re) && a.re == b.re && a.re < T(0)) return a;
  const bool first = a.re >= b.re;
  const math::Complex<T> large = first ? a : b, small = first ? b : a;
  return large + math::log1p(math::exp(small - large));
}

struct Logaddexp {
  static constexpr auto schema = "logaddexp(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Sum of two numbers given by their logarithms: log(e^self + e^other).

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: floating, complex.

    >>> fb.logaddexp(fb.tensor([0.]), fb.tensor([0.]))
    tensor([0.6931])
  )";
  using kind = Elementwise<Result::same, floats_and_complex>;
  static constexpr unsigned number_params = 0;
  static constexpr bool in_place = false;
  template <class T> static T forward(T a, T b) {
    if constexpr (requires { a.re; }) return log_of_sum(a, b);
    else return math::logaddexp(a, b);
  }
  static Tensor vjp_self(Tensor g, In<0> a, In<1> b) { return g / conj(exp(b - a) + 1.0); }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> b) { return g / conj(exp(a - b) + 1.0); }
};

struct Logaddexp2 {
  static constexpr auto schema = "logaddexp2(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Sum of two numbers given by their logarithms to base 2: log2(2^self + 2^other).

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: floating.

    >>> fb.logaddexp2(fb.tensor([3.]), fb.tensor([3.]))
    tensor([4.])
  )";
  using kind = Elementwise<Result::same, floats_only>;
  static constexpr unsigned number_params = 0;
  static constexpr bool in_place = false;
  template <class T> static T forward(T a, T b) { return math::logaddexp2(a, b); }
  static Tensor vjp_self(Tensor g, In<0> a, In<1> b) { return g / (pow(2.0, b - a) + 1.0); }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> b) { return g / (pow(2.0, a - b) + 1.0); }
};

struct Xlogy {
  static constexpr auto schema = "xlogy(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    self * log(other), and 0 where self is 0 and other not nan.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real; integers give the default float.

    >>> fb.xlogy(fb.tensor([0., 2.]), fb.tensor([0., 1.]))
    tensor([0., 0.])
  )";
  using kind = Elementwise<Result::floating, real_numbers>;
  static constexpr bool takes_only_numbers = false;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[0].is_number() ? "XlogyBackward1" : args[1].is_number() ? "XlogyBackward2" : "XlogyBackward0";
  }
  template <class T> static T forward(T x, T y) { return math::xlogy(x, y); }
  static Tensor vjp_self(Tensor g, In<0> x, In<1> y) {
    return where(eq(x, 0.0), where(le(y, 0.0), Scalar(0), g * log(y)), g * log(y));
  }
  static Tensor vjp_other(Tensor g, In<0> x, In<1> y) { return g * (x / y); }
};

struct Xlog1py {
  static constexpr auto schema = "special_xlog1py(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    self * log(1 + other), and 0 where self is 0 and other not nan.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real; integers give the default float.

    >>> fb.special.xlog1py(fb.tensor([0., 2.]), fb.tensor([-1., 0.]))
    tensor([0., 0.])
  )";
  using kind = Elementwise<Result::floating, real_numbers>;
  static constexpr bool takes_only_numbers = false;
  static constexpr bool in_place = false;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[0].is_number() ? "SpecialXlog1PyBackward1" : args[1].is_number() ? "SpecialXlog1PyBackward2"
                                                                                  : "SpecialXlog1PyBackward0";
  }
  template <class T> static T forward(T x, T y) { return math::xlog1py(x, y); }
  static Tensor vjp_self(Tensor g, In<0> x, In<1> y) {
    const Tensor slope = g * call_op<Xlog1py>(1.0, y);
    return where(eq(x, 0.0), where(le(y, -1.0), Scalar(0), slope), slope);
  }
  static Tensor vjp_other(Tensor g, In<0> x, In<1> y) { return g * (x / (y + 1.0)); }
};

template <class T> static T next_after(T a, T b) {
  using B = math::Bits<T>;
  if (a != a || b != b) return a + b;
  if (a == b) return b;
  if (a == T(0)) return math::copysign(math::from_bits(B(1)), b);
  const B bits = math::bits(a);
  return math::from_bits((a < b) == (a > T(0)) ? bits + 1 : bits - 1);
}

struct Nextafter {
  static constexpr auto schema = "nextafter(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The next number of the dtype after self in the direction of other.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: floating.

    >>> fb.nextafter(fb.tensor([1.]), fb.tensor([2.])) > 1
    tensor([True])
  )";
  using kind = Scalarwise<Result::same, floats_only>;
  static constexpr unsigned number_params = 0;
  static void run(const Op& op, const Args& args, Tensor* out, Form form);
  template <class T> static T forward(T a, T b) { return next_after(a, b); }
  static Tensor vjp_self(Tensor g, In<0> a, In<1> b) { return where(eq(a, b), Scalar(0), g); }
  static Tensor vjp_other(Tensor g) { return zeros_like(g); }
};
struct NextafterBfloat16 : Nextafter {
  template <class T> static T forward(T a, T b) {
    if (a != a || b != b || a == b) return a == b ? b : a + b;
    if (a == T(0)) return std::copysign(T(0x1p-133), b);
    const uint16_t bits = narrow_bf16(float(a));
    return widen_bf16((a < b) == (a > T(0)) ? bits + 1 : bits - 1);
  }
};
struct NextafterFloat16 : Nextafter {
  template <class T> static T forward(T a, T b) {
    if (a != a || b != b || a == b) return a == b ? b : a + b;
    if (a == T(0)) return std::copysign(T(0x1p-24), b);
    const uint16_t bits = narrow_f16(float(a));
    return widen_f16((a < b) == (a > T(0)) ? bits + 1 : bits - 1);
  }
};
void Nextafter::run(const Op& op, const Args& args, Tensor* out, Form form) {
  const DType d = result_type(args, 0, 2);
  const Op& chosen = d == DType::bf16 ? variant<NextafterBfloat16>() : d == DType::f16 ? variant<NextafterFloat16>() : op;
  run_elementwise(chosen, args, out, form);
}

struct Ldexp {
  static constexpr auto schema = "ldexp(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    self * 2^other.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: all; integers give the default float.

    >>> fb.ldexp(fb.tensor([1.]), fb.tensor([3]))
    tensor([8.])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  static constexpr unsigned number_params = 0;
  template <class T> static T forward(T a, T b) { return a * math::exp2(b); }
  static Tensor vjp_self(Tensor g, In<1> other) { return g * conj(pow(2.0, other)); }
  static Tensor vjp_other(Tensor g, Out r) { return g * conj(r) * 0.6931471805599453; }
};

struct Frexp {
  static constexpr auto schema = "frexp(Tensor self) -> (Tensor mantissa, Tensor exponent)";
  static constexpr auto doc = R"(
    Each element taken apart: mantissa * 2^exponent, the mantissa in [0.5, 1).

    Shapes: self (*) → (*), (*) of int32.   Dtypes: floating.

    >>> fb.frexp(fb.tensor([8.])).exponent
    tensor([4], dtype=torch.int32)
  )";
  using kind = Opaque;
  template <class T> static void take_apart(const T* x, T* mantissa, int32_t* exponent, int64_t n) {
    for (int64_t i = 0; i < n; ++i) mantissa[i] = std::frexp(x[i], exponent + i);
  }
  static Outputs<2> kernel(Tensor x) {
    check(is_floating(x.dtype()), "frexp: the input must have a floating dtype, it is ",
          row(x.dtype()).legacy);
    const bool wide = x.dtype() == DType::f64;
    const Tensor in = contiguous(to_dtype(x, wide ? DType::f64 : DType::f32));
    const Tensor mantissa = empty(x.shape(), in.dtype()), exponent = empty(x.shape(), DType::i32);
    auto* e = exponent.data<int32_t>();
    if (wide) take_apart(in.data<double>(), mantissa.data<double>(), e, x.numel());
    else take_apart(in.data<float>(), mantissa.data<float>(), e, x.numel());
    return {to_dtype(mantissa, x.dtype()), exponent};
  }
  static Tensor vjp(Tensor g, OutAt<1> exponent) { return call_op<Ldexp>(g, neg(exponent)); }
};

static int64_t size_of(int64_t a) { return a < 0 ? static_cast<int64_t>(-static_cast<uint64_t>(a)) : a; }
static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  a = size_of(a);
  b = size_of(b);
  while (b) {
    const int64_t r = b == -1 ? 0 : a % b;
    a = b;
    b = r;
  }
  return size_of(a);
}

struct Gcd {
  static constexpr auto schema = "gcd(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Greatest common divisor, never negative; gcd(0, 0) = 0.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers.

    >>> fb.gcd(fb.tensor([12, 18]), fb.tensor([8, 27]))
    tensor([4, 9])
  )";
  using kind = Scalarwise<Result::same, Accepts{false, true, false, false}>;
  static constexpr bool differentiable = false;
  static constexpr unsigned number_params = 0;
  template <class T> static T forward(T a, T b) { return greatest_common_divisor(a, b); }
};

struct Lcm {
  static constexpr auto schema = "lcm(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Least common multiple, never negative; 0 if either is 0.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers.

    >>> fb.lcm(fb.tensor([4, 6]), fb.tensor([6, 9]))
    tensor([12, 18])
  )";
  using kind = Scalarwise<Result::same, Accepts{false, true, false, false}>;
  static constexpr bool differentiable = false;
  static constexpr unsigned number_params = 0;
  template <class T> static T forward(T a, T b) {
    const int64_t divisor = greatest_common_divisor(a, b);
    if (divisor == 0) return 0;
    return size_of(static_cast<int64_t>(static_cast<uint64_t>(a / divisor) * static_cast<uint64_t>(b)));
  }
};

struct Heaviside {
  static constexpr auto schema = "heaviside(Tensor self, Tensor values) -> Tensor";
  static constexpr auto doc = R"(
    The step function: 0 below zero, 1 above, and `values` at zero.

    Shapes: self (*), values (*) → broadcast of both.   Dtypes: real, both the same.

    >>> fb.heaviside(fb.tensor([-1., 0., 1.]), fb.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
  )";
  using kind = Elementwise<>;
  static constexpr unsigned number_params = 0;
  static void examine(const Args& args) {
    const DType a = args[0].as_tensor().dtype(), b = args[1].as_tensor().dtype();
    check(!is_complex(a) && !is_complex(b), "heaviside: complex numbers are neither below nor above 0");
    check(a == b, "heaviside: the inputs are ", name_of(a), " and ", name_of(b), "; convert one to the dtype "
          "of the other");
  }
  template <class T> static T forward(T a, T v) {
    if constexpr (std::is_integral_v<T>) return a == 0 ? v : T(a > 0);
    else return math::select(a == T(0.0), v, math::select(a > T(0.0), T(1.0), T(0.0)));
  }
  static Tensor vjp_self(Tensor) { throw Error("derivative for heaviside is not implemented"); }
  static Tensor vjp_values(Tensor) { throw Error("derivative for heaviside is not implemented"); }
};

FB_GROUP(pairs, Hypot, Logaddexp, Logaddexp2, Xlogy, Xlog1py, Nextafter, Ldexp, Frexp, Gcd, Lcm, Heaviside)

}  // namespace fb
