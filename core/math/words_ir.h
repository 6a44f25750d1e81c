#pragma once
#include "math/ir.h"
#include "math/words.h"

// The vocabulary of words.h for symbols. The words live beside ir::Value, where argument-dependent lookup
// finds them from the functions in fb::math.
namespace fb::math {
template <> struct Number<ir::Value<float>> { using Scalar = float; using Bits = ir::Value<uint32_t>; };
template <> struct Number<ir::Value<double>> { using Scalar = double; using Bits = ir::Value<uint64_t>; };
}  // namespace fb::math

namespace fb::ir {

template <class F> Value<F> select(Bool c, Value<F> a, Value<F> b) {
  return Value<F>::at(choose(c.id, a.id, b.id));
}
inline Bool select(Bool c, Bool a, Bool b) { return {choose(c.id, a.id, b.id)}; }

template <class F> Value<F> floor(Value<F> x) { return Value<F>::at(intrinsic("floor", x.id)); }
template <class F> Value<F> ceil(Value<F> x) { return Value<F>::at(intrinsic("ceil", x.id)); }
template <class F> Value<F> trunc(Value<F> x) { return Value<F>::at(intrinsic("trunc", x.id)); }
template <class F> Value<F> round_even(Value<F> x) { return Value<F>::at(intrinsic("rint", x.id)); }
template <class F> Value<F> sqrt(Value<F> x) { return Value<F>::at(intrinsic("sqrt", x.id)); }
template <class F> Value<F> fabs(Value<F> x) { return Value<F>::at(intrinsic("fabs", x.id)); }
template <class F> Value<F> copysign(Value<F> size, Value<F> sign) {
  return Value<F>::at(intrinsic("copysign", size.id, sign.id));
}

template <class To, class From> Value<To> converted(const char* opcode, Value<From> x) {
  return Value<To>::at(convert(opcode, x.id, type_of<To>));
}
inline Value<uint32_t> bits(Value<float> x) { return converted<uint32_t>("bitcast", x); }
inline Value<uint64_t> bits(Value<double> x) { return converted<uint64_t>("bitcast", x); }
inline Value<float> from_bits(Value<uint32_t> b) { return converted<float>("bitcast", b); }
inline Value<double> from_bits(Value<uint64_t> b) { return converted<double>("bitcast", b); }
inline Value<double> widen(Value<float> x) { return converted<double>("fpext", x); }
inline Value<float> narrow(Value<double> x) { return converted<float>("fptrunc", x); }

}  // namespace fb::ir

// For calls spelled math::floor(x), which argument-dependent lookup does not serve.
namespace fb::math {
using ir::select, ir::floor, ir::ceil, ir::trunc, ir::round_even, ir::sqrt, ir::fabs, ir::copysign;
using ir::bits, ir::from_bits, ir::widen, ir::narrow;
}  // namespace fb::math
