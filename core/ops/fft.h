#pragma once
#include "op/call.h"
#include "ops.h"

// What the ops of torch.fft share.
namespace fb {

struct FftC2c; struct FftR2c; struct FftC2r; struct ConstantPad; struct Flip; struct Roll; struct ComplexOp;
    struct Cat;

// Does a transform leave sums alone, or divide them by n or its root? "backward" divides the inverse.
double fft_scale(const Value& norm, int64_t n, bool forward);
// In a dtype that is transformed; complex if asked for.
Tensor fft_input(const Tensor& x, bool complex);
// Cut, or filled with zeros, to n along dim.
Tensor fft_resized(const Tensor& x, int dim, int64_t n);
int fft_dim(const Tensor& x, int64_t dim);
void check_points(int64_t n);

inline Tensor fft_complex(const Tensor& x, const Dims& dims, double scale, bool forward) {
  return call_op<FftC2c>(x, dims, scale, forward);
}
inline Tensor fft_real(const Tensor& x, int64_t dim, double scale, bool forward, bool onesided) {
  return call_op<FftR2c>(x, dim, scale, forward, onesided);
}
inline Tensor fft_to_real(const Tensor& x, int64_t dim, int64_t n, double scale, bool forward) {
  return call_op<FftC2r>(x, dim, n, scale, forward);
}

}  // namespace fb
