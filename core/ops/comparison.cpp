#include "math/words.h"
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
  static constexpr bool differentiable = false;
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
  static constexpr bool differentiable = false;
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
  static constexpr bool differentiable = false;
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
  static constexpr bool differentiable = false;
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
  static constexpr bool differentiable = false;
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
  static constexpr bool differentiable = false;
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
  template <class T> static bool forward(T x) { return x != x; }
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
  static void examine(const Args& args) {
    const DType d = args[0].tag == Value::tensor ? args[0].as_tensor().dtype() : DType::boolean;
    check(d == DType::boolean || d == DType::u8, "where expected condition to be a boolean tensor, but got a tensor with dtype ", row(d).legacy);
  }
  template <class T> static T forward(bool c, T a, T b) { return c ? a : b; }
  static NoGrad vjp_condition();
  static Tensor vjp_self(Tensor g, In<0> condition) { return where(condition, g, Scalar(0)); }
  static Tensor vjp_other(Tensor g, In<0> condition) { return where(condition, Scalar(0), g); }
};

FB_GROUP(comparison, Eq, Ne, Gt, Ge, Lt, Le, Isnan, Where)

}  // namespace fb
