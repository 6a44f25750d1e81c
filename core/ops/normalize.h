#pragma once
#include <optional>

#include "kernels/rows.h"
#include "ops.h"

// What the normalisations share: y = (x - mean) * rstd * weight + bias over groups of elements.
namespace fb {

struct NativeLayerNorm; struct NativeLayerNormBackward; struct FusedRmsNorm; struct FusedRmsNormBackward;
struct NativeGroupNorm; struct NativeGroupNormBackward; struct NativeBatchNorm; struct NativeBatchNormBackward; struct BatchNorm;

// x as (samples, channels, places).
struct ChannelSizes {
  int64_t n, c, s = 1;
  explicit ChannelSizes(const Dims& shape) : n(shape[0]), c(shape[1]) {
    for (int i = 2; i < shape.size(); ++i) s *= shape[i];
  }
};

template <class T> T* data_of(T_ t) { return t ? t.data<T>() : nullptr; }

// Which gradients a backward op is asked for, as an int argument.
inline bool wants(int64_t needs, int bit) { return needs >> bit & 1; }

// A parameter in the type that is computed in, packed; undefined stays undefined.
inline Tensor parameter(T_ p, DType type) { return p ? contiguous(to_dtype(p, type)) : p; }

// Mean or 1/deviation of `count` groups, as a loop reads it.
inline Tensor statistic(T_ s, DType type, int64_t count) {
  check(s.numel() == count, "normalization: expected statistics of ", count, " elements, but got shape ", s.shape());
  return contiguous(to_dtype(s, type));
}

// A gradient must be of its output's shape, for the loops read it by the input's.
inline Tensor gradient_like(T_ grad, T_ x, DType type) {
  check(grad.shape() == x.shape(), "normalization: expected a gradient of shape ", x.shape(), ", but got ", grad.shape());
  return contiguous(to_dtype(grad, type));
}

// A weight or bias must be of the input's dtype, or float32 beside a half type.
inline void check_parameter(std::string_view op, T_ p, T_ x) {
  if (!p) return;
  check<DTypeError>(p.dtype() == x.dtype() || (bytes_of(x.dtype()) == 2 && p.dtype() == DType::f32), op,
                    ": weight and bias of ", name_of(p.dtype()), " do not fit an input of ",
                    name_of(x.dtype()), "; convert one to the dtype of the other");
}
inline void check_floating(std::string_view op, T_ x) {
  check<UnsupportedError>(is_floating(x.dtype()), "\"", op, "\" not implemented for '", row(x.dtype()).legacy, "'");
}

// The normalisation written with ops, for derivatives of derivatives. `over`: dims of the statistics.
struct NormByOps {
  Tensor x, rstd, normalized;
  NormByOps(T_ x, const Dims& over, double eps) : x(x) {
    const Tensor centred = x - mean(x, over, true);
    rstd = 1.0 / sqrt(mean(centred * centred, over, true) + eps);
    normalized = centred * rstd;
  }
  Tensor gradient(T_ g, T_ weight, const Dims& over) const {
    const Tensor h = weight ? g * weight : g;
    return rstd * (h - mean(h, over, true) - normalized * mean(h * normalized, over, true));
  }
};

}  // namespace fb
