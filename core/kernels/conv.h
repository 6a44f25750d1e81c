#pragma once
#include "tensor/tensor.h"

namespace fb {

// The sizes of a convolution of packed tensors: x (samples, channels, in…), w (filters, channels / groups,
// kernel…), y (samples, filters, out…). All lists have one number a spatial dim.
struct ConvSizes {
  int64_t samples, channels, filters, groups;
  Dims in, kernel, out, stride, padding, padding_end, dilation;
  int dims() const { return in.size(); }
  int64_t work() const { return samples * filters * out.product() * (channels / groups) * kernel.product(); }
};

// Each is computed by the first kernel that takes it: oneDNN (float32), else unfolding and gemm (every compute
// type). Results are overwritten. `bias` may be undefined.
void conv_forward(const ConvSizes&, const Tensor& y, const Tensor& x, const Tensor& w, const Tensor& bias);
void conv_backward_data(const ConvSizes&, const Tensor& gx, const Tensor& g, const Tensor& w);
void conv_backward_weights(const ConvSizes&, const Tensor& gw, const Tensor& g, const Tensor& x);

namespace onednn {                                     // false: not built in, or not for these sizes
bool conv_forward(const ConvSizes&, const Tensor& y, const Tensor& x, const Tensor& w, const Tensor& bias);
bool conv_backward_data(const ConvSizes&, const Tensor& gx, const Tensor& g, const Tensor& w);
bool conv_backward_weights(const ConvSizes&, const Tensor& gw, const Tensor& g, const Tensor& x);
}  // namespace onednn

}  // namespace fb
