#include "kernels/gemm.h"

namespace fb {

void gemm(const Tensor& out, const Tensor& a, const Tensor& b) {
  const int64_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[1];
  check(a.dtype() == DType::f32, "gemm: float32 only");
  for (int64_t i = 0; i < m; ++i) for (int64_t j = 0; j < n; ++j) {
    float s = 0;
    for (int64_t p = 0; p < k; ++p) s += a.data<float>()[i * a.strides()[0] + p * a.strides()[1]] * b.data<float>()[p * b.strides()[0] + j * b.strides()[1]];
    out.data<float>()[i * n + j] = s;
  }
}

}  // namespace fb
