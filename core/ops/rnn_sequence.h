#pragma once
#include "ops.h"

namespace fb {

struct LstmSteps;

// Whether one op runs all steps of a layer: real weights of one dtype, and states of the shapes they need.
inline bool lstm_steps_fit(T_ gates, T_ h0, T_ c0, T_ w, int64_t time) {
  const DType d = gates.dtype();
  if ((d != DType::f32 && d != DType::f64) || h0.dtype() != d || c0.dtype() != d || w.dtype() != d) return false;
  if (gates.dim() != 2 || h0.dim() != 2 || w.dim() != 2 || !(c0.shape() == h0.shape())) return false;
  const int64_t batch = h0.shape()[0], size = h0.shape()[1];
  return size > 0 && batch > 0 && w.shape() == Dims{4 * size, size} && gates.shape() == Dims{time * batch, 4 * size};
}

}  // namespace fb
