#pragma once
#include "math/erf.h"

// What gelu and its gradient share.
namespace fb {

inline constexpr double one_over_root_2 = 0.7071067811865476, one_over_root_2_pi = 0.3989422804014327;
// Of the tanh approximation, √(2/π) and c in tanh(√(2/π) (x + c x³)); Hendrycks & Gimpel, arXiv:1606.08415.
inline constexpr double root_2_over_pi = 0.7978845608028654, gelu_cubic = 0.044715;

// Φ(x) to a few ulp of 1.
template <class T> T gelu_gate(T x) { return T(0.5) + T(0.5) * math::erf(x * T(one_over_root_2)); }

}  // namespace fb
