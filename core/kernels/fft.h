#pragma once
#include <cstdint>

#include "base/dtype.h"

// Discrete Fourier transforms of many lines of any length, O(n log n).
namespace fb::fft {

enum class Kind { complex, real_to_half, half_to_real };

// Lines of `in` lie at line / inner * (length * inner) + line % inner, their elements `inner` apart, those of
// `out` likewise; a half spectrum has n / 2 + 1 elements. Places count real numbers on real sides, complex
// ones else.
struct Job {
  Kind kind = Kind::complex;
  int64_t n = 0;                                       // length of the transform
  int64_t lines = 0, inner = 1;
  int64_t out_inner = 0;                               // 0: that of `in`
  bool forward = true;                                 // e^(-2πi jk/n); backward the conjugate
  double scale = 1;
  const void* in = nullptr;
  void* out = nullptr;
  // of complex lines, where given: n factors a line for its elements
  const void* turns = nullptr;
};

// T is float or double, the type of the real and imaginary parts. in and out may not overlap.
template <class T> void transform(const Job& job);

}  // namespace fb::fft
