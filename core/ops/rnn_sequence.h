#pragma once
#include "kernels/recurrent.h"
#include "ops.h"

namespace fb {

struct LstmSteps; struct GruSteps; struct RnnSteps; struct Tanh; struct Sigmoid;

// Whether one op runs all steps of a layer: real weights of one dtype, and states of the shapes they need. `gates` is
// how many a cell has.
inline bool steps_fit(int64_t gates, T_ x, T_ h0, T_ w) {
  const DType d = x.dtype();
  if ((d != DType::f32 && d != DType::f64) || h0.dtype() != d || w.dtype() != d) return false;
  if (x.dim() != 2 || h0.dim() != 2 || w.dim() != 2) return false;
  const int64_t batch = h0.shape()[0], size = h0.shape()[1], rows = x.shape()[0];
  return size > 0 && batch > 0 && rows > 0 && rows % batch == 0 && w.shape() == Dims{gates * size, size} &&
         x.shape()[1] == gates * size;
}
inline void check_steps(std::string_view op, int64_t gates, T_ x, T_ h0, T_ w) {
  check<ShapeError>(steps_fit(gates, x, h0, w), op, ": expected inputs (T·N, ", gates, "·H), states (N, H) and w_hh (", gates,
                    "·H, H) of one floating dtype, but got inputs ", x.shape(), ", states ", h0.shape(), ", w_hh ", w.shape());
}
inline void check_alike(std::string_view op, T_ t, const Dims& shape, DType dtype) {
  check<ShapeError>(t.shape() == shape, op, ": expected a tensor of shape ", shape, ", but got ", t.shape());
  check<DTypeError>(t.dtype() == dtype, op, ": expected tensors of one dtype, but got ", name_of(t.dtype()), " and ", name_of(dtype));
}

inline Recurrence recurrence_of(T_ x, T_ h0, bool backwards) {
  return {x.shape()[0] / h0.shape()[0], h0.shape()[0], h0.shape()[1], backwards};
}

// For the decompositions.
inline Tensor rows_of(T_ x, const Recurrence& s, int64_t t) { return narrow(x, 0, t * s.batch, s.batch); }
inline Tensor gate_of(T_ gates, const Recurrence& s, int64_t i) { return narrow(gates, 1, i * s.size, s.size); }
inline Tensor state_before(T_ y, T_ h0, const Recurrence& s, int64_t k) { return k ? rows_of(y, s, s.step(k - 1)) : h0; }
inline Tensor times_turned(T_ h, T_ w) { return matmul(h, transpose(w, 0, 1)); }
inline Tensor plus_product(T_ sum, T_ grad, T_ h) {
  const Tensor part = matmul(transpose(grad, 0, 1), h);
  return sum ? sum + part : part;
}

}  // namespace fb
