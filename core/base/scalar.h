#pragma once
#include <cstdint>

#include "base/dtype.h"
#include "math/complex.h"

namespace fb {

// A Python number.
class Scalar {
 public:
  Scalar() = default;
  Scalar(bool v) : category_(Category::boolean), whole_(v) {}
  Scalar(int v) : category_(Category::integral), whole_(v) {}
  Scalar(int64_t v) : category_(Category::integral), whole_(v) {}
  Scalar(double v) : category_(Category::floating), number_{v, 0} {}
  Scalar(math::Complex<double> v) : category_(Category::complex), number_(v) {}

  Category category() const { return category_; }
  bool is_complex() const { return category_ == Category::complex; }
  bool is_floating() const { return category_ == Category::floating; }
  bool is_integral() const { return category_ <= Category::integral; }   // bool too
  bool is_bool() const { return category_ == Category::boolean; }

  template <class T> T to() const {
    if constexpr (std::is_same_v<T, bool>) return is_integral() ? whole_ != 0 : number_.re != 0 || number_.im != 0;
    else if constexpr (std::is_same_v<T, math::Complex<float>> || std::is_same_v<T, math::Complex<double>>) {
      using R = decltype(T{}.re);
      return is_integral() ? T{static_cast<R>(whole_), R(0)} : T{static_cast<R>(number_.re), static_cast<R>(number_.im)};
    } else return is_integral() ? static_cast<T>(whole_) : static_cast<T>(number_.re);
  }
  double real() const { return to<double>(); }
  int64_t integer() const { return to<int64_t>(); }
  bool equals(double v) const { return !is_complex() && real() == v; }

 private:
  Category category_ = Category::integral;
  int64_t whole_ = 0;
  math::Complex<double> number_{0, 0};
};

}  // namespace fb
