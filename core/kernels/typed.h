#pragma once
#include "base/dtype.h"
#include "base/half.h"
#include "math/complex.h"

// From a dtype, or the size of an element, to a C++ type.
namespace fb {

// The 16-bit floats as values: arithmetic happens in float.
struct HalfValue {
  uint16_t bits;
  HalfValue() = default;
  HalfValue(float v) : bits(narrow_f16(v)) {}
  operator float() const { return widen_f16(bits); }
};
struct BFloatValue {
  uint16_t bits;
  BFloatValue() = default;
  BFloatValue(float v) : bits(narrow_bf16(v)) {}
  operator float() const { return widen_bf16(bits); }
};
struct Bytes16 { uint64_t low, high; };

template <class T> struct WideOf { using type = T; };
template <> struct WideOf<HalfValue> { using type = float; };
template <> struct WideOf<BFloatValue> { using type = float; };
template <> struct WideOf<bool> { using type = int64_t; };
template <class T> using Wide = typename WideOf<T>::type;         // the type to compute in

template <class T> inline constexpr bool is_complex_value = false;
template <class T> inline constexpr bool is_complex_value<math::Complex<T>> = true;

// a + b in the type that computes; bool saturates.
template <class T> inline T plus(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a || b;
  else return static_cast<T>(static_cast<Wide<T>>(a) + static_cast<Wide<T>>(b));
}

// body(T{}) for the unsigned type of that size.
template <class F> void with_bytes(int bytes, const F& body) {
  switch (bytes) {
    case 1: return body(uint8_t());
    case 2: return body(uint16_t());
    case 4: return body(uint32_t());
    case 8: return body(uint64_t());
    default: return body(Bytes16());
  }
}

// body(T{}) for real dtypes.
template <class F> void with_real(DType d, const F& body) {
  switch (d) {
    case DType::boolean: return body(bool());
    case DType::u8: return body(uint8_t());
    case DType::i8: return body(int8_t());
    case DType::i16: return body(int16_t());
    case DType::i32: return body(int32_t());
    case DType::i64: return body(int64_t());
    case DType::f16: return body(HalfValue());
    case DType::bf16: return body(BFloatValue());
    case DType::f32: return body(float());
    default: return body(double());
  }
}
template <class F> void with_number(DType d, const F& body) {
  if (d == DType::c64) body(math::Complex<float>());
  else if (d == DType::c128) body(math::Complex<double>());
  else with_real(d, body);
}

}  // namespace fb
