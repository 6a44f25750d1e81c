#pragma once
#include <cstdint>

namespace fb {

// An elementwise kernel: n packed values from each input, after the call's numbers, to a packed output.
using Loop = void (*)(void* out, const void* const* in, const void* scalars, int64_t n);

}  // namespace fb
