#include <limits>

#include "math/words.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

// Larger and smaller of two, limits, and the replacement of what is not finite.
namespace fb {

static void refuse_complex(const Args& args, int count, std::string_view name) {
  for (int i = 0; i < count; ++i)
    check(args[i].tag != Value::tensor || !is_complex(args[i].as_tensor().dtype()), name,
          " not implemented for complex tensors.");
}

// Where two values are equal, each gets half of the gradient.
static Tensor shared_gradient(const Tensor& g, const Tensor& lost, const Tensor& tied) {
  return where(lost, Scalar(0), where(tied, g * 0.5, g));
}

struct Maximum {
  static constexpr auto schema = "maximum(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The larger of two elements, broadcast; nan if either is nan.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real.

    >>> fb.maximum(fb.tensor([1., 5.]), fb.tensor([3., 4.]))
    tensor([3., 5.])
  )";
  using kind = Elementwise<>;
  static constexpr bool light = true;
  static constexpr unsigned number_params = 0;
  static constexpr bool in_place = false;
  static void examine(const Args& args) { refuse_complex(args, 2, "maximum"); }
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return math::maximum(a, b); }
  static Tensor vjp_self(Tensor g, In<0> a, In<1> b) { return shared_gradient(g, lt(a, b), eq(a, b)); }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> b) { return shared_gradient(g, gt(a, b), eq(a, b)); }
};

struct Minimum {
  static constexpr auto schema = "minimum(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The smaller of two elements, broadcast; nan if either is nan.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real.

    >>> fb.minimum(fb.tensor([1., 5.]), fb.tensor([3., 4.]))
    tensor([1., 4.])
  )";
  using kind = Elementwise<>;
  static constexpr bool light = true;
  static constexpr unsigned number_params = 0;
  static constexpr bool in_place = false;
  static void examine(const Args& args) { refuse_complex(args, 2, "minimum"); }
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T b) { return math::minimum(a, b); }
  static Tensor vjp_self(Tensor g, In<0> a, In<1> b) { return shared_gradient(g, gt(a, b), eq(a, b)); }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> b) { return shared_gradient(g, lt(a, b), eq(a, b)); }
};

// The gradient goes to self where `wins` holds or other is nan, and to other elsewhere.
static Tensor to_first(const Tensor& g, const Tensor& wins, const Tensor& other) {
  return where(wins, g, where(ne(other, other), g, Scalar(0)));
}
static Tensor to_second(const Tensor& g, const Tensor& wins, const Tensor& other) {
  return where(wins, Scalar(0), where(ne(other, other), Scalar(0), g));
}

struct Fmax {
  static constexpr auto schema = "fmax(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The larger of two elements, broadcast; a nan beside a number is passed over.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real.

    >>> fb.fmax(fb.tensor([1., float('nan')]), fb.tensor([3., 4.]))
    tensor([3., 4.])
  )";
  using kind = Elementwise<>;
  static constexpr unsigned number_params = 0;
  static constexpr bool in_place = false;
  static void examine(const Args& args) { refuse_complex(args, 2, "fmax"); }
  template <class T> static T forward(T a, T b) { return math::fmax(a, b); }
  static Tensor vjp_self(Tensor g, In<0> a, In<1> b) { return to_first(g, ge(a, b), b); }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> b) { return to_second(g, ge(a, b), b); }
};

struct Fmin {
  static constexpr auto schema = "fmin(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    The smaller of two elements, broadcast; a nan beside a number is passed over.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: real.

    >>> fb.fmin(fb.tensor([1., float('nan')]), fb.tensor([3., 4.]))
    tensor([1., 4.])
  )";
  using kind = Elementwise<>;
  static constexpr unsigned number_params = 0;
  static constexpr bool in_place = false;
  static void examine(const Args& args) { refuse_complex(args, 2, "fmin"); }
  template <class T> static T forward(T a, T b) { return math::fmin(a, b); }
  static Tensor vjp_self(Tensor g, In<0> a, In<1> b) { return to_first(g, le(a, b), b); }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> b) { return to_second(g, le(a, b), b); }
};

static void examine_clamp(const Args& args) {
  check(args[1] || args[2], "clamp: give min, max or both");
  check<UnsupportedError>(!is_complex(args[0].as_tensor().dtype()) && args[1].tag != Value::complex &&
                          args[2].tag != Value::complex, "clamp: complex numbers have no order to clip by");
  check(args[1].tag != Value::tensor || !args[2].is_number(), "clamp: min and max must both be numbers or both tensors");
  check(args[2].tag != Value::tensor || !args[1].is_number(), "clamp: min and max must both be numbers or both tensors");
}

struct ClampLow {
  static constexpr auto schema = "clamp(Tensor self, Tensor min) -> Tensor";
  using kind = Elementwise<>;
  static constexpr bool light = true;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T low) { return math::maximum(a, low); }
};
struct ClampHigh {
  static constexpr auto schema = "clamp(Tensor self, Tensor max) -> Tensor";
  using kind = Elementwise<>;
  static constexpr bool light = true;
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T high) { return math::minimum(a, high); }
};

struct Clamp {
  static constexpr auto schema = "clamp(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor";
  static constexpr auto doc = R"(
    Each element limited to [min, max]; where min exceeds max, the result is max. nan stays nan.

    Args:
        min, max: numbers or tensors; either may be left out.
    Shapes: all broadcast together.   Dtypes: real.

    >>> fb.clamp(fb.tensor([-1., 0.5, 2.]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
  )";
  using kind = Elementwise<>;
  static constexpr bool light = true;
  static constexpr unsigned number_params = 0b110;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].tag == Value::tensor || args[2].tag == Value::tensor ? "ClampBackward0" : "ClampBackward1";
  }
  static void examine(const Args& args) { examine_clamp(args); }
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    if (args[1] && args[2]) return run_elementwise(op, args, out, form);
    run_elementwise(args[1] ? variant<ClampLow>() : variant<ClampHigh>(), Args(args[0], args[args[1] ? 1 : 2]), out, form);
  }
  static constexpr bool narrow_integers = true;
  template <class T> static T forward(T a, T low, T high) {
    if constexpr (std::is_integral_v<T>) return math::minimum(math::maximum(a, low), high);
    else {                                             // a nan among the three comes through
      T raised = math::select(low != low, low, math::select(a < low, low, a));
      return math::select(high != high, high, math::select(raised > high, high, raised));
    }
  }
  static Tensor vjp_self(Tensor g, In<0> self, Arg<1, Value> min, Arg<2, Value> max, In<1> low, In<2> high) {
    const Tensor below = max.value ? where(le(self, limit(max, high)), g, Scalar(0)) : g;
    return min.value ? where(ge(self, limit(min, low)), below, Scalar(0)) : below;
  }
  static Tensor vjp_min(Tensor g, In<0> self, In<1> low, Arg<2, Value> max, In<2> high) {
    const Tensor inside = max.value ? where(lt(low, limit(max, high)), g, Scalar(0)) : g;
    return where(lt(self, low), inside, Scalar(0));
  }
  static Tensor vjp_max(Tensor g, In<0> self, Arg<1, Value> min, In<1> low, In<2> high) {
    const Tensor above = where(gt(self, high), g, Scalar(0));
    return min.value ? where(gt(limit(min, low), high), g, above) : above;
  }

 private:
  static Value limit(const Value& given, const Tensor& kept) { return given.is_number() ? given : Value(kept); }
};

struct ClampMin {
  static constexpr auto schema = "clamp_min(Tensor self, Tensor min) -> Tensor";
  static constexpr auto doc = R"(
    Each element, or min where it is smaller.

    Shapes: self (*), min (*) → broadcast of both.   Dtypes: real.

    >>> fb.clamp_min(fb.tensor([-1., 2.]), 0)
    tensor([0., 2.])
  )";
  using kind = Elementwise<>;
  static constexpr bool light = true;
  static constexpr unsigned number_params = 0b10;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].is_number() ? "ClampMinBackward0" : "ClampMinBackward1";
  }
  template <class T> static T forward(T a, T low) { return math::maximum(a, low); }
  static Tensor vjp_self(Tensor g, In<0> self, In<1> low) { return where(ge(self, low), g, Scalar(0)); }
  static Tensor vjp_min(Tensor g, In<0> self, In<1> low) { return where(lt(self, low), g, Scalar(0)); }
};

struct ClampMax {
  static constexpr auto schema = "clamp_max(Tensor self, Tensor max) -> Tensor";
  static constexpr auto doc = R"(
    Each element, or max where it is larger.

    Shapes: self (*), max (*) → broadcast of both.   Dtypes: real.

    >>> fb.clamp_max(fb.tensor([-1., 2.]), 0)
    tensor([-1.,  0.])
  )";
  using kind = Elementwise<>;
  static constexpr bool light = true;
  static constexpr unsigned number_params = 0b10;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1].is_number() ? "ClampMaxBackward0" : "ClampMaxBackward1";
  }
  template <class T> static T forward(T a, T high) { return math::minimum(a, high); }
  static Tensor vjp_self(Tensor g, In<0> self, In<1> high) { return where(le(self, high), g, Scalar(0)); }
  static Tensor vjp_max(Tensor g, In<0> self, In<1> high) { return where(gt(self, high), g, Scalar(0)); }
};

static double largest(DType d) {
  switch (d) {
    case DType::f16: return 65504;
    case DType::bf16: return 0x1.fep127;
    case DType::f64: case DType::c128: return std::numeric_limits<double>::max();
    default: return std::numeric_limits<float>::max();
  }
}

struct NanToNum {
  static constexpr auto schema =
      "nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor";
  static constexpr auto doc = R"(
    Elements that are not finite replaced by numbers.

    Args:
        nan, posinf, neginf: what to put there; left out: 0, and the largest and smallest number of the dtype.
    Shapes: self (*) → (*).   Dtypes: all; integers stay as they are.

    >>> fb.nan_to_num(fb.tensor([float('nan'), 1.]), nan=9.)
    tensor([9., 1.])
  )";
  using kind = Elementwise<Result::same, all_numbers>;
  static void run(const Op& op, const Args& args, Tensor* out, Form form) {
    const double most = largest(args[0].as_tensor().dtype());
    auto or_else = [](const Value& v, double fallback) { return v ? v : Value(fallback); };
    const Args full(args[0], or_else(args[1], 0), or_else(args[2], most), or_else(args[3], -most));
    run_elementwise(op, full, out, form);
  }
  template <class T> static T one(T x, T nan, T high, T low) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return math::select(x != x, nan, math::select(x == T(inf), high, math::select(x == T(-inf), low, x)));
  }
  template <class T> static T forward(T x, T nan, T high, T low) {
    if constexpr (std::is_integral_v<T>) return x;
    else if constexpr (requires { x.re; }) return {one(x.re, nan.re, high.re, low.re), one(x.im, nan.re, high.re, low.re)};
    else return one(x, nan, high, low);
  }
  static Tensor vjp(Tensor g, In<0> self) {
    return where(eq(self - self, 0.0), g, Scalar(0));  // inf - inf and nan - nan are nan
  }
};

FB_GROUP(clamp, Maximum, Minimum, Fmax, Fmin, Clamp, ClampMin, ClampMax, NanToNum)

}  // namespace fb
