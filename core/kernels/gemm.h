#pragma once
#include "base/scalar.h"
#include "tensor/tensor.h"

namespace fb {

// A matrix in memory: element (i, j) is at data + i * row_stride + j * col_stride, strides in elements.
struct Matrix {
  char* data = nullptr;
  int64_t rows = 0, cols = 0, row_stride = 0, col_stride = 0;
};
// Places of one product within a batch.
struct Batch {
  int64_t count = 1;
  const int64_t *a = nullptr, *b = nullptr;            // offsets in elements, one per product
};

// out = beta * out + alpha * a @ b, or alpha * a @ b + bias. `out` has packed rows; a beta of zero does not read it.
struct Product {
  Compute type;
  Matrix a, b, out;
  Scalar alpha = 1, beta = 0;
  const char* bias = nullptr;                          // out.cols elements, added to every row; beta must be zero
  int64_t work() const { return out.rows * out.cols * a.cols; }
};

void gemm(const Product& p);
// `count` products of the same shape; out holds them one after the other.
void gemm_batched(const Product& p, const Batch& batch);

// Sum of x[i] * y[i].
void dot(Compute type, void* out, const void* x, int64_t x_stride, const void* y, int64_t y_stride, int64_t n);

// ---- for tensors: of one dtype, any strides; a (…, m, k), b (…, k, n) whose batch dims broadcast to out's
Matrix matrix_of(const Tensor& t);                     // the last two dims
void matmul_into(const Tensor& out, const Tensor& a, const Tensor& b, const Scalar& alpha = 1, const Scalar& beta = 0,
                 const Tensor& bias = {});

namespace onednn {
// Products of float16 or bfloat16 by instructions for them, summed in float32. False: not built in, not on this
// processor, or not of these sizes and strides.
bool matmul_half(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& bias);
}  // namespace onednn

bool only_reference_kernels();                         // does FLAMBEAU_KERNEL=reference ask for the portable ones?
bool has_onednn();                                     // was oneDNN there when flambeau was built?
bool onednn_enabled();                                 // and is it to be used? On unless switched off
void enable_onednn(bool on);
bool set_onednn_verbose(int level);                    // false: no oneDNN, or it knows no such level

}  // namespace fb
