#pragma once
#include "tensor/tensor.h"

namespace fb {

// out = a @ b for matrices of one dtype, out packed. Kernels are tried fastest first; the reference is last.
void gemm(const Tensor& out, const Tensor& a, const Tensor& b);

}  // namespace fb
