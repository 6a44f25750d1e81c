#include "math/complex.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct Eq {
  static constexpr auto schema = "eq(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether elements are equal, broadcast; nan equals nothing.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: all.

    >>> fb.eq(fb.tensor([1., 2.]), 2)
    tensor([False,  True])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr unsigned number_params = 0b10;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static bool forward(T a, T b) { return a == b; }
};

struct Ne {
  static constexpr auto schema = "ne(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether elements differ, broadcast; nan differs from everything.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: all.

    >>> fb.ne(fb.tensor([1., 2.]), 2)
    tensor([ True, False])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr unsigned number_params = 0b10;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static bool forward(T a, T b) { return a != b; }
};

struct Gt {
  static constexpr auto schema = "gt(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element of self is greater, broadcast.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: real.

    >>> fb.gt(fb.tensor([1., 3.]), 2)
    tensor([False,  True])
  )";
  using kind = Elementwise<>;
  static constexpr unsigned number_params = 0b10;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static bool forward(T a, T b) { return a > b; }
};

struct Ge {
  static constexpr auto schema = "ge(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element of self is greater or equal, broadcast.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: real.

    >>> fb.ge(fb.tensor([1., 2.]), 2)
    tensor([False,  True])
  )";
  using kind = Elementwise<>;
  static constexpr unsigned number_params = 0b10;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static bool forward(T a, T b) { return a >= b; }
};

struct Lt {
  static constexpr auto schema = "lt(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element of self is smaller, broadcast.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: real.

    >>> fb.lt(fb.tensor([1., 2.]), 2)
    tensor([ True, False])
  )";
  using kind = Elementwise<>;
  static constexpr unsigned number_params = 0b10;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static bool forward(T a, T b) { return a < b; }
};

struct Le {
  static constexpr auto schema = "le(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element of self is smaller or equal, broadcast.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: real.

    >>> fb.le(fb.tensor([1., 3.]), 2)
    tensor([ True, False])
  )";
  using kind = Elementwise<>;
  static constexpr unsigned number_params = 0b10;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static bool forward(T a, T b) { return a <= b; }
};

struct Isnan {
  static constexpr auto schema = "isnan(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element is not a number.

    Shapes: self (*) → (*), bool.   Dtypes: all.

    >>> fb.isnan(fb.tensor([1., float('nan')]))
    tensor([False,  True])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  template <class T> static bool forward(T x) { return x != x; }
};

struct Isinf {
  static constexpr auto schema = "isinf(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element is infinite, of either sign; a complex one in either part.

    Shapes: self (*) → (*), bool.   Dtypes: all.

    >>> fb.isinf(fb.tensor([1., float('inf')]))
    tensor([False,  True])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  template <class T> static bool forward(T x) {
    if constexpr (std::is_integral_v<T>) return false;
    else return math::is_inf(x);
  }
};

struct Isfinite {
  static constexpr auto schema = "isfinite(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element is neither infinite nor nan.

    Shapes: self (*) → (*), bool.   Dtypes: all.

    >>> fb.isfinite(fb.tensor([1., float('inf')]))
    tensor([ True, False])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  template <class T> static bool forward(T x) { return x - x == T(0); }
};

struct Isposinf {
  static constexpr auto schema = "isposinf(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element is positive infinity.

    Shapes: self (*) → (*), bool.   Dtypes: real.

    >>> fb.isposinf(fb.tensor([-float('inf'), float('inf')]))
    tensor([False,  True])
  )";
  using kind = Elementwise<>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  static void examine(const Args& args) {
    check(!is_complex(args[0].as_tensor().dtype()), "isposinf: a complex infinity has no sign; test x.real "
          "or x.imag");
  }
  template <class T> static bool forward(T x) {
    if constexpr (std::is_integral_v<T>) return false;
    else return x == std::numeric_limits<T>::infinity();
  }
};

struct Isneginf {
  static constexpr auto schema = "isneginf(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element is negative infinity.

    Shapes: self (*) → (*), bool.   Dtypes: real.

    >>> fb.isneginf(fb.tensor([-float('inf'), float('inf')]))
    tensor([ True, False])
  )";
  using kind = Elementwise<>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  static void examine(const Args& args) {
    check(!is_complex(args[0].as_tensor().dtype()), "isneginf: a complex infinity has no sign; test x.real "
          "or x.imag");
  }
  template <class T> static bool forward(T x) {
    if constexpr (std::is_integral_v<T>) return false;
    else return x == -std::numeric_limits<T>::infinity();
  }
};

struct Isreal {
  static constexpr auto schema = "isreal(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether the imaginary part of each element is zero.

    Shapes: self (*) → (*), bool.   Dtypes: all.

    >>> fb.isreal(fb.tensor([1+1j, 2]))
    tensor([False,  True])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  template <class T> static bool forward(T x) {
    if constexpr (requires { x.im; }) return x.im == 0;
    else return true;
  }
};

struct Isclose {
  static constexpr auto schema =
      "isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor";
  static constexpr auto doc = R"(
    Whether |self - other| ≤ atol + rtol * |other|; equal infinities are close.

    Args:
        rtol, atol: relative and absolute tolerance, ≥ 0.
        equal_nan: whether nan is close to nan.
    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: all, both the same.

    >>> fb.isclose(fb.tensor([1., 2.]), fb.tensor([1., 2.1]))
    tensor([ True, False])
  )";
  using kind = Elementwise<Result::same, floats_and_complex>;
  static constexpr bool differentiable = false;
  static constexpr bool in_place = false;
  static constexpr unsigned number_params = 0;
  static void examine(const Args& args) {
    const DType a = args[0].as_tensor().dtype(), b = args[1].as_tensor().dtype();
    check(a == b, row(a).legacy, " did not match ", row(b).legacy);
    check(args[2].as_double() >= 0, "rtol must not be negative, got ", args[2].as_double());
    check(args[3].as_double() >= 0, "atol must not be negative, got ", args[3].as_double());
  }
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    const Tensor &a = args[0].as_tensor(), &b = args[1].as_tensor();
    if (category_of(a.dtype()) > Category::integral) return run_elementwise(op, args, out, form);
    const Args wide(to_dtype(a, DType::f64), to_dtype(b, DType::f64), args[2], args[3], args[4]);
    run_elementwise(op, wide, out, form);
  }
  template <class T> static bool forward(T a, T b, T rtol, T atol, T equal_nan) {
    const bool same = (a == b) | ((equal_nan != T(0)) & (a != a) & (b != b));
    if constexpr (requires { a.re; }) {
      const auto error = math::abs(a - b), allowed = atol.re + rtol.re * math::abs(b);
      return same | ((error <= allowed) & (error - error == 0));
    } else {
      const T error = math::fabs(a - b), allowed = atol + math::fabs(rtol * b);
      return same | ((error <= allowed) & (error - error == T(0)));
    }
  }
};

struct Where {
  static constexpr auto schema = "where(Tensor condition, Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Elements of self where condition holds, of other elsewhere, broadcast.

    Shapes: condition (*), self (*), other (*) → broadcast of all.   Dtypes: condition bool or uint8; others all.

    >>> fb.where(fb.tensor([True, False]), fb.tensor([1., 2.]), 0.)
    tensor([1., 0.])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr unsigned number_params = 0b110;
  static constexpr bool in_place = false;
  static void examine(const Args& args) {
    const DType d = args[0].tag == Value::tensor ? args[0].as_tensor().dtype() : DType::boolean;
    check(d == DType::boolean || d == DType::u8, "where: condition must be bool, it is ", row(d).legacy,
          "; compare it with something or convert it with .bool()");
  }
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(bool c, T a, T b) { return c ? a : b; }
  static NoGrad vjp_condition();
  static Tensor vjp_self(Tensor g, In<0> condition) { return where(condition, g, Scalar(0)); }
  static Tensor vjp_other(Tensor g, In<0> condition) { return where(condition, Scalar(0), g); }
};

FB_GROUP(comparison, Eq, Ne, Gt, Ge, Lt, Le, Isnan, Isinf, Isfinite, Isposinf, Isneginf, Isreal, Isclose, Where)

}  // namespace fb
