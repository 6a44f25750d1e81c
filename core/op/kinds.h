#pragma once
#include <cstdint>

namespace fb {

enum class Kind : uint8_t { elementwise, reduction, view, bilinear, fused, composite, opaque, factory };
enum class Form : uint8_t { functional, in_place, out };

// The dtype of an elementwise or reducing result: that of the promoted inputs; a floating one (integers give
// the default); or, for sums and products, at least int64. Results that are always bool, or real for complex
// inputs, follow from what the functor returns.
enum class Result : uint8_t { same, floating, whole };

// Which input categories an op takes; others raise "not implemented for".
struct Accepts {
  bool booleans = true, integers = true, floats = true, complexes = false;
};
inline constexpr Accepts real_numbers{};
inline constexpr Accepts all_numbers{true, true, true, true};
inline constexpr Accepts floats_only{false, false, true, false};
inline constexpr Accepts floats_and_complex{false, false, true, true};
inline constexpr Accepts numbers_not_bool{false, true, true, true};
inline constexpr Accepts reals_not_bool{false, true, true, false};
inline constexpr Accepts whole_numbers{true, true, false, false};

// ---- the kinds an op may name
template <Result R = Result::same, Accepts A = real_numbers> struct Elementwise {
  static constexpr Kind kind = Kind::elementwise;
  static constexpr Result result = R;
  static constexpr Accepts accepts = A;
  static constexpr bool printable = true;              // its functor is straight-line code and prints as IR
};
// Elementwise, but the functor may iterate or call the C library: no IR, no promise of vectorised code.
template <Result R = Result::same, Accepts A = real_numbers> struct Scalarwise : Elementwise<R, A> {
  static constexpr bool printable = false;
};
template <Result R = Result::same, Accepts A = real_numbers> struct Reduction {
  static constexpr Kind kind = Kind::reduction;
  static constexpr Result result = R;
  static constexpr Accepts accepts = A;
};
struct View { static constexpr Kind kind = Kind::view; };
struct Bilinear { static constexpr Kind kind = Kind::bilinear; };
struct Fused { static constexpr Kind kind = Kind::fused; };
struct Composite { static constexpr Kind kind = Kind::composite; };
struct Opaque { static constexpr Kind kind = Kind::opaque; };
struct Factory { static constexpr Kind kind = Kind::factory; };

}  // namespace fb
