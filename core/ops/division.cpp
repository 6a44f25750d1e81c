#include "base/half.h"
#include "math/complex.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

// Division with rounding, and its remainders.
namespace fb {

// Integers have no value for a quotient by zero; floats give inf or nan.
static void refuse_zero_divisor(const Args& args) {
  if (category_of(result_type(args, 0, 2)) > Category::integral) return;
  bool zero = false;
  if (args[1].tag != Value::tensor) zero = args[1].as_int() == 0;
  else {
    const Tensor t = contiguous(args[1].as_tensor());
    constexpr int64_t chunk = 512;
    int64_t wide[chunk];
    for (int64_t i = 0; i < t.numel() && !zero; i += chunk) {
      const int64_t n = std::min(chunk, t.numel() - i);
      convert_packed(t.dtype(), DType::i64, wide, t.data() + i * bytes_of(t.dtype()), n);
      for (int64_t k = 0; k < n; ++k) zero |= wide[k] == 0;
    }
  }
  check(!zero, "ZeroDivisionError");
}

static int64_t divide(int64_t a, int64_t b) {          // the smallest integer by -1 wraps around
  return b == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(a)) : b == 0 ? 0 : a / b;
}
static int64_t rest(int64_t a, int64_t b) { return b == -1 || b == 0 ? 0 : a % b; }

// Quotients that a division in double gives exactly, so that loops of them vectorise: floats whose quotient is so small
// that its product with b is exact, integers that double represents.
static bool is_far(float a, float b) { return !(math::fabs(a) < 0x1p+29f * math::fabs(b)) | !(math::fabs(b) < INFINITY); }
static bool is_far(int64_t a, int64_t b) {
  constexpr uint64_t half = uint64_t(1) << 52;
  return (uint64_t(a) + half > 2 * half) | (uint64_t(b) + half > 2 * half) | (b == 0);
}
template <class T> concept Near = std::is_same_v<T, float> || std::is_same_v<T, int64_t>;

// What division rounded toward zero leaves, of near numbers and of all.
static int64_t near_rest(int64_t a, int64_t b) { return a - static_cast<int64_t>(static_cast<double>(a) / static_cast<double>(b)) * b; }
static float near_rest(float a, float b) {
  const double x = a, y = b, r = x - math::trunc(x / y) * y;
  const bool up = ((r < 0) != (x < 0)) & (r != 0);     // x / y was rounded up to an integer
  return static_cast<float>(math::copysign(r + math::select(up, math::copysign(math::fabs(y), x), 0.0), x));
}
// All narrow integers are near.
template <class T> concept SmallInteger = std::is_integral_v<T> && sizeof(T) < 8;
template <SmallInteger T> static T near_rest(T a, T b) {
  const double x = a, y = b;
  return static_cast<T>(static_cast<int64_t>(x - math::trunc(x / y) * y));
}
template <class T> static T any_rest(T a, T b) {
  if constexpr (std::is_integral_v<T>) return rest(a, b);
  else return std::fmod(a, b);
}

// Division rounded down, from the remainder: floor(a / b) would round twice (CPython, float_floor_div).
template <class T> static T down_from(T a, T b, T r) {
  T q = (a - r) / b;
  q = q - math::select((r != T(0)) & ((b < T(0)) != (r < T(0))), T(1), T(0));
  const T down = math::floor(q), nearest = down + math::select(q - down > T(0.5), T(1), T(0));
  return math::select(b == T(0), a / b, math::select(q == T(0), math::copysign(T(0), a / b), nearest));
}
static int64_t near_quotient(int64_t a, int64_t b) {
  return static_cast<int64_t>(math::floor(static_cast<double>(a) / static_cast<double>(b)));
}
template <SmallInteger T> static T near_quotient(T a, T b) {
  return static_cast<T>(static_cast<int64_t>(math::floor(static_cast<double>(a) / static_cast<double>(b))));
}
static float near_quotient(float a, float b) { return down_from(a, b, near_rest(a, b)); }
template <class T> static T any_quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) return divide(a, b) - (rest(a, b) != 0 && (a < 0) != (b < 0));
  else return down_from(a, b, std::fmod(a, b));
}

// The remainder that has the sign of b. The sum is computed everywhere, so where it is not used it may wrap around.
template <class T> static T with_sign_of(T r, T b) {
  return math::select((r != T(0)) & ((r < T(0)) != (b < T(0))), math::wrapping_sum(r, b), r);
}

// The loop's parts for ops whose near numbers are computed in another way than all.
template <class How> struct NearOrAny {
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) {
    if constexpr (Near<T> || SmallInteger<T>) return How::near(a, b);
    else return How::any(a, b);
  }
  template <Near T> static bool needs_slow(T a, T b) { return is_far(a, b); }
  template <Near T> static T slow(T a, T b) { return How::any(a, b); }
};
struct RoundedDown {
  template <class T> static T near(T a, T b) { return near_quotient(a, b); }
  template <class T> static T any(T a, T b) { return any_quotient(a, b); }
};
struct LeftTowardZero {
  template <class T> static T near(T a, T b) { return near_rest(a, b); }
  template <class T> static T any(T a, T b) { return any_rest(a, b); }
};
struct LeftBelow {
  template <class T> static T near(T a, T b) { return with_sign_of(near_rest(a, b), b); }
  template <class T> static T any(T a, T b) { return with_sign_of(any_rest(a, b), b); }
};

static constexpr unsigned either = 0b11, second = 0b10;

struct TruncDivide {
  static constexpr auto schema = "div(Tensor self, Tensor other) -> Tensor";
  using kind = Scalarwise<Result::same, reals_not_bool>;
  template <class T> static T forward(T a, T b) {
    if constexpr (std::is_integral_v<T>) return divide(a, b);
    else return math::trunc(a / b);
  }
};
struct TruncDivideBfloat16 : TruncDivide {               // the quotient is rounded to the dtype first, as PyTorch's is
  template <class T> static T forward(T a, T b) {
    if constexpr (std::is_same_v<T, float>) return math::trunc(widen_bf16(narrow_bf16(a / b)));
    else return TruncDivide::forward(a, b);
  }
};
struct TruncDivideFloat16 : TruncDivide {
  template <class T> static T forward(T a, T b) {
    if constexpr (std::is_same_v<T, float>) return math::trunc(widen_f16(narrow_f16(a / b)));
    else return TruncDivide::forward(a, b);
  }
};
static const Op& trunc_divide(DType d) {
  return d == DType::bf16 ? variant<TruncDivideBfloat16>() : d == DType::f16 ? variant<TruncDivideFloat16>()
                                                                            : variant<TruncDivide>();
}

struct TrueDivide {
  static constexpr auto schema = "div(Tensor self, Tensor other) -> Tensor";
  using kind = Elementwise<Result::floating, all_numbers>;
  template <class T> static T forward(T a, T b) { return a / b; }
};

struct DivMode : NearOrAny<RoundedDown> {
  static constexpr auto schema = "div.mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor";
  static constexpr auto doc = R"(
    Quotient rounded toward zero ('trunc'), down ('floor'), or not at all (None).

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: with rounding integers and floats, which stay so.
    Errors: RuntimeError if an integer is divided by zero.

    >>> fb.div(fb.tensor([-7, 7]), 2, rounding_mode='floor')
    tensor([-4,  3])
  )";
  using kind = Scalarwise<Result::same, reals_not_bool>;
  static constexpr auto grad_name = "DivBackward2";
  static constexpr unsigned number_params = either;
  static void examine(const Args& args) {
    if (!args[2]) return;
    const std::string& mode = args[2].as_string();
    check(mode == "trunc" || mode == "floor", "div: unknown rounding_mode='", mode, "', choose None, 'trunc' "
          "or 'floor'");
  }
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    if (!args[2]) return run_elementwise(variant<TrueDivide>(), args, out, form);
    refuse_zero_divisor(args);
    const bool trunc = args[2].as_string() == "trunc";
    run_elementwise(trunc ? trunc_divide(result_type(args, 0, 2)) : op, args, out, form);
  }
  static Tensor vjp_self(Tensor g, In<1> other, Arg<2, std::optional<std::string>> mode) {
    return mode.value ? zeros_like(g) : g / conj(other);
  }
  static Tensor vjp_other(Tensor g, In<0> self, In<1> other, Arg<2, std::optional<std::string>> mode) {
    return mode.value ? zeros_like(g) : -(g * conj((self / other) / other));
  }
};

struct FloorDivide : NearOrAny<RoundedDown> {
  static constexpr auto schema = "floor_divide(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Quotient rounded down.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers, floating.
    Errors: RuntimeError if an integer is divided by zero.

    >>> fb.floor_divide(fb.tensor([-7, 7]), 2)
    tensor([-4,  3])
  )";
  using kind = Scalarwise<Result::same, reals_not_bool>;
  static constexpr unsigned number_params = either;
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    refuse_zero_divisor(args);
    run_elementwise(op, args, out, form);
  }
  static Tensor vjp_self(Tensor) { throw Error("derivative for floor_divide is not implemented"); }
  static Tensor vjp_other(Tensor) { throw Error("derivative for floor_divide is not implemented"); }
};

struct Remainder : NearOrAny<LeftBelow> {
  static constexpr auto schema = "remainder(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    What division rounded down leaves: self - floor(self / other) * other, with the sign of other.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers, floating.
    Errors: RuntimeError if an integer is divided by zero.

    >>> fb.remainder(fb.tensor([-3, 3]), 2)
    tensor([1, 1])
  )";
  using kind = Scalarwise<Result::same, reals_not_bool>;
  static constexpr bool takes_only_numbers = false;
  static constexpr unsigned number_params = either;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].is_number() ? "RemainderBackward0" : "RemainderBackward1";
  }
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    refuse_zero_divisor(args);
    run_elementwise(op, args, out, form);
  }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_other(Tensor g, In<0> self, In<1> other) {
    return -(g * call_op<DivMode>(self, other, "floor"));
  }
};

struct Fmod : NearOrAny<LeftTowardZero> {
  static constexpr auto schema = "fmod(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    What division rounded toward zero leaves: self - trunc(self / other) * other, with the sign of self.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: integers, floating.
    Errors: RuntimeError if an integer is divided by zero.

    >>> fb.fmod(fb.tensor([-3, 3]), 2)
    tensor([-1,  1])
  )";
  using kind = Scalarwise<Result::same, reals_not_bool>;
  static constexpr unsigned number_params = second;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].is_number() ? "FmodBackward0" : "FmodBackward1";
  }
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    refuse_zero_divisor(args);
    run_elementwise(op, args, out, form);
  }
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_other(Tensor g, In<0> self, In<1> other) {
    return -(g * call_op<DivMode>(self, other, "trunc"));
  }
};

FB_GROUP(division, DivMode, FloorDivide, Remainder, Fmod)

}  // namespace fb
