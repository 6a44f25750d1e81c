#pragma once
#include <cstdint>
#include <string_view>

namespace fb::math {
template <class T> struct Complex;
}

namespace fb {

// The order is that of the rows below; within a category a later row holds every value of an earlier one,
// except the two 16-bit floats.
enum class DType : uint8_t { boolean, u8, i8, i16, i32, i64, f16, bf16, f32, f64, c64, c128 };
inline constexpr int dtype_count = 12;

enum class Category : uint8_t { boolean, integral, floating, complex };

// The types kernels are written for. Everything else is converted chunk by chunk on the way in and out. The narrow
// integers have loops in ops that say so (`narrow_integers`); elsewhere they are computed in int64.
enum class Compute : uint8_t { i64, f32, f64, c64, c128, boolean, u8, i8, i16, i32 };
inline constexpr int compute_count = 10;

struct DTypeRow {
  std::string_view name;      // as in torch.<name>
  std::string_view legacy;    // as in torch.<legacy>Tensor
  uint8_t bytes;
  Category category;
  Compute compute;
};

inline constexpr DTypeRow dtype_rows[dtype_count] = {
    {"bool", "Bool", 1, Category::boolean, Compute::i64},
    {"uint8", "Byte", 1, Category::integral, Compute::i64},
    {"int8", "Char", 1, Category::integral, Compute::i64},
    {"int16", "Short", 2, Category::integral, Compute::i64},
    {"int32", "Int", 4, Category::integral, Compute::i64},
    {"int64", "Long", 8, Category::integral, Compute::i64},
    {"float16", "Half", 2, Category::floating, Compute::f32},
    {"bfloat16", "BFloat16", 2, Category::floating, Compute::f32},
    {"float32", "Float", 4, Category::floating, Compute::f32},
    {"float64", "Double", 8, Category::floating, Compute::f64},
    {"complex64", "ComplexFloat", 8, Category::complex, Compute::c64},
    {"complex128", "ComplexDouble", 16, Category::complex, Compute::c128},
};

inline constexpr const DTypeRow& row(DType d) { return dtype_rows[static_cast<int>(d)]; }
inline std::string_view name_of(DType d) { return row(d).name; }
inline constexpr int bytes_of(DType d) { return row(d).bytes; }
inline constexpr Category category_of(DType d) { return row(d).category; }
inline bool is_floating(DType d) { return category_of(d) == Category::floating; }
inline bool is_complex(DType d) { return category_of(d) == Category::complex; }
inline bool is_integral(DType d) { return category_of(d) == Category::integral; }          // without bool
inline bool is_differentiable(DType d) { return category_of(d) >= Category::floating; }

DType promote(DType a, DType b);
inline bool can_cast(DType from, DType to) {          // may a result of `from` be written into `to` implicitly?
  return category_of(from) <= category_of(to);
}

inline constexpr Compute compute_of(DType d) { return row(d).compute; }
inline constexpr DType storage_of(Compute c) {       // the dtype whose memory is exactly the compute type
  constexpr DType packed[compute_count] = {DType::i64, DType::f32, DType::f64, DType::c64, DType::c128,
                                           DType::boolean, DType::u8, DType::i8, DType::i16, DType::i32};
  return packed[static_cast<int>(c)];
}
inline constexpr Compute narrow_compute_of(DType d) {  // of its own size, where a dtype has one
  switch (d) {
    case DType::u8: return Compute::u8;
    case DType::i8: return Compute::i8;
    case DType::i16: return Compute::i16;
    case DType::i32: return Compute::i32;
    default: return compute_of(d);
  }
}

inline DType real_of(DType d) { return d == DType::c64 ? DType::f32 : d == DType::c128 ? DType::f64 : d; }
inline DType complex_of(DType d) {
  if (is_complex(d)) return d;
  return d == DType::f64 ? DType::c128 : DType::c64;
}

DType default_dtype();                               // floating; what Python floats become
void set_default_dtype(DType d);

template <class T> inline constexpr DType dtype_of = DType::f32;
template <> inline constexpr DType dtype_of<double> = DType::f64;
template <> inline constexpr DType dtype_of<int64_t> = DType::i64;
template <> inline constexpr DType dtype_of<int32_t> = DType::i32;
template <> inline constexpr DType dtype_of<uint8_t> = DType::u8;
template <> inline constexpr DType dtype_of<int8_t> = DType::i8;
template <> inline constexpr DType dtype_of<int16_t> = DType::i16;
template <> inline constexpr DType dtype_of<bool> = DType::boolean;
template <> inline constexpr DType dtype_of<math::Complex<float>> = DType::c64;
template <> inline constexpr DType dtype_of<math::Complex<double>> = DType::c128;

template <class T> inline constexpr Compute compute_for = narrow_compute_of(dtype_of<T>);
template <> inline constexpr Compute compute_for<bool> = Compute::boolean;

}  // namespace fb
