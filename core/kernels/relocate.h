#pragma once
#include "base/dims.h"

namespace fb {

// Copies elements of `bytes` bytes from one arrangement in memory to another, on several threads; strides are in
// bytes, one per dim of `shape`, and the two places share no memory. Returns false, having done nothing, for
// arrangements of short rows that are no transpositions: a walk serves these better.
bool relocate(int bytes, const Dims& shape, char* to, const Dims& to_strides, const char* from, const Dims& from_strides);

}  // namespace fb
