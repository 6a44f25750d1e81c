#include "base/dtype.h"

#include <algorithm>

namespace fb {

static DType default_dtype_ = DType::f32;
DType default_dtype() { return default_dtype_; }
void set_default_dtype(DType d) { default_dtype_ = d; }

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  const Category low = category_of(a), high = category_of(b);
  if (low != high) {
    const bool wide = (a == DType::f64 && b == DType::c64);
    return wide ? DType::c128 : b;
  }
  if (a == DType::u8 && b == DType::i8) return DType::i16;       // no 8-bit type holds both ranges
  if (a == DType::f16 && b == DType::bf16) return DType::f32;    // neither holds the other
  return b;
}

}  // namespace fb
