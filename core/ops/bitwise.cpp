#include <bit>

#include "op/build.h"
#include "ops.h"

namespace fb {

struct LogicalAnd {
  static constexpr auto schema = "logical_and(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether both elements are true; what is not zero counts as true.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: all.

    >>> fb.logical_and(fb.tensor([True, False]), fb.tensor([True, True]))
    tensor([ True, False])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr unsigned number_params = 0;
  template <class T> static bool forward(T a, T b) { return (a != T(0)) & (b != T(0)); }
  static bool forward_bool(bool a, bool b) { return a & b; }
};

struct LogicalOr {
  static constexpr auto schema = "logical_or(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether either element is true; what is not zero counts as true.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: all.

    >>> fb.logical_or(fb.tensor([True, False]), fb.tensor([True, True]))
    tensor([True, True])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr unsigned number_params = 0;
  template <class T> static bool forward(T a, T b) { return (a != T(0)) | (b != T(0)); }
  static bool forward_bool(bool a, bool b) { return a | b; }
};

struct LogicalXor {
  static constexpr auto schema = "logical_xor(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Whether exactly one of two elements is true; what is not zero counts as true.

    Shapes: self (*), other (*) → broadcast of both, bool.   Dtypes: all.

    >>> fb.logical_xor(fb.tensor([True, False]), fb.tensor([True, True]))
    tensor([False,  True])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr unsigned number_params = 0;
  template <class T> static bool forward(T a, T b) { return (a != T(0)) != (b != T(0)); }
  static bool forward_bool(bool a, bool b) { return a ^ b; }
};

struct LogicalNot {
  static constexpr auto schema = "logical_not(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element is false; what is not zero counts as true.

    Shapes: self (*) → (*), bool.   Dtypes: all.

    >>> fb.logical_not(fb.tensor([0., 2.]))
    tensor([ True, False])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  template <class T> static bool forward(T a) { return a == T(0); }
  static bool forward_bool(bool a) { return std::bit_cast<uint8_t>(a) == 0; }   // !a does not vectorise
};

struct BitwiseAnd {
  static constexpr auto schema = "bitwise_and(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    And of the bits of two integers, or of two truth values.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers, bool.

    >>> fb.bitwise_and(fb.tensor([6, 5]), 3)
    tensor([2, 1])
  )";
  using kind = Elementwise<Result::same, whole_numbers>;
  static constexpr bool takes_only_numbers = false;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return a & b; }
  static bool forward_bool(bool a, bool b) { return a & b; }
};

struct BitwiseOr {
  static constexpr auto schema = "bitwise_or(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Or of the bits of two integers, or of two truth values.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers, bool.

    >>> fb.bitwise_or(fb.tensor([6, 5]), 3)
    tensor([7, 7])
  )";
  using kind = Elementwise<Result::same, whole_numbers>;
  static constexpr bool takes_only_numbers = false;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return a | b; }
  static bool forward_bool(bool a, bool b) { return a | b; }
};

struct BitwiseXor {
  static constexpr auto schema = "bitwise_xor(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Exclusive or of the bits of two integers, or of two truth values.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers, bool.

    >>> fb.bitwise_xor(fb.tensor([6, 5]), 3)
    tensor([5, 6])
  )";
  using kind = Elementwise<Result::same, whole_numbers>;
  static constexpr bool takes_only_numbers = false;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return a ^ b; }
  static bool forward_bool(bool a, bool b) { return a ^ b; }
};

struct BitwiseNot {
  static constexpr auto schema = "bitwise_not(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Every bit of each integer inverted, or each truth value.

    Shapes: self (*) → (*).   Dtypes: integers, bool.

    >>> fb.bitwise_not(fb.tensor([0, 5]))
    tensor([-1, -6])
  )";
  using kind = Elementwise<Result::same, whole_numbers>;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a) { return ~a; }
  static bool forward_bool(bool a) { return std::bit_cast<uint8_t>(a) == 0; }   // !a does not vectorise
};

static constexpr Accepts integers_only{false, true, false, false};

struct LeftShift {
  static constexpr auto schema = "bitwise_left_shift(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The bits of self moved up by other places: self * 2^other; by all of them or a negative number, 0.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers.

    >>> fb.bitwise_left_shift(fb.tensor([1, 3]), 2)
    tensor([ 4, 12])
  )";
  using kind = Elementwise<Result::same, integers_only>;
  static constexpr bool takes_only_numbers = false;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) {
    constexpr int bits = 8 * sizeof(T);
    const auto places = static_cast<std::make_unsigned_t<T>>(b);
    return places >= bits ? T(0) : static_cast<T>(math::Unsigned<T>(a) << (places & (bits - 1)));
  }
};

struct RightShift {
  static constexpr auto schema = "bitwise_right_shift(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The bits of self moved down by other places, the sign filling up; by a negative number, by all of them.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers.

    >>> fb.bitwise_right_shift(fb.tensor([-8, 9]), 1)
    tensor([-4,  4])
  )";
  using kind = Elementwise<Result::same, integers_only>;
  static constexpr bool takes_only_numbers = false;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) {
    constexpr int last = 8 * sizeof(T) - 1;
    const auto places = static_cast<std::make_unsigned_t<T>>(b);
    return static_cast<T>(a >> (places > last ? last : places));
  }
};

FB_GROUP(bitwise, LogicalAnd, LogicalOr, LogicalXor, LogicalNot, BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, LeftShift,
         RightShift)

}  // namespace fb
