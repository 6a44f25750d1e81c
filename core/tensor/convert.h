#pragma once
#include "base/dtype.h"

namespace fb {

// n packed elements of one dtype to packed elements of another.
void convert_packed(DType from, DType to, void* out, const void* in, int64_t n);
// One strided run to another, elements of the same size.
void copy_strided(int bytes, char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n);
// Writes a number n times as elements of `dtype`.
class Scalar;
// Does `dtype` have room for the number? Unsigned types take negated values too, as PyTorch's do.
bool holds(DType dtype, const Scalar& value);
void check_holds(DType dtype, const Scalar& value);     // raises if not
Scalar read_number(DType dtype, const void* at);
void fill_packed(DType dtype, void* out, const Scalar& value, int64_t n);

}  // namespace fb
