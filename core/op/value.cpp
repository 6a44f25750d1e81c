#include "op/value.h"

namespace fb {

Value::Value(const Scalar& s) : whole_(0) {
  switch (s.category()) {
    case Category::boolean: *this = Value(s.to<bool>()); break;
    case Category::integral: *this = Value(s.integer()); break;
    case Category::floating: *this = Value(s.real()); break;
    case Category::complex: *this = Value(s.to<math::Complex<double>>()); break;
  }
}

Scalar Value::as_scalar() const {
  switch (tag) {
    case f64: return Scalar(number_);
    case boolean: return Scalar(whole_ != 0);
    case complex: return Scalar(unboxed<math::Complex<double>>());
    default: return Scalar(whole_);
  }
}

void destroy(Boxed* b) { delete b; }

void Args::grow() {
  auto* larger = static_cast<Value*>(::operator new(sizeof(Value) * capacity_ * 2));
  for (int i = 0; i < count_; ++i) {
    new (larger + i) Value(std::move(places_[i]));
    places_[i].~Value();
  }
  if (places_ != local()) ::operator delete(places_);
  places_ = larger;
  capacity_ *= 2;
}

}  // namespace fb
