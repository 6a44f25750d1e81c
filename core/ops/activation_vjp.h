#pragma once
#include "ops.h"

// Gradients of activations, each one fused loop, for the ops that name them as their vjp.
namespace fb {

struct ReluVjp; struct SigmoidVjp; struct TanhVjp; struct HardtanhVjp; struct LeakyReluVjp; struct EluVjp; struct GeluErfVjp;
struct GeluTanhVjp; struct SiluVjp; struct MishVjp; struct SoftplusVjp; struct ShrinkVjp; struct ThresholdVjp;
struct HardsigmoidVjp; struct HardswishVjp; struct LogSigmoidVjp; struct PreluVjp; struct LeakyRelu; struct Sigmoid; struct Tanh;

inline Tensor sigmoid(T_ x) { return call_op<Sigmoid>(x); }
inline Tensor tanh(T_ x) { return call_op<Tanh>(x); }
inline Tensor relu_vjp(T_ g, T_ y) { return call_op<ReluVjp>(g, y); }
inline Tensor sigmoid_vjp(T_ g, T_ y) { return call_op<SigmoidVjp>(g, y); }
inline Tensor tanh_vjp(T_ g, T_ y) { return call_op<TanhVjp>(g, y); }

}  // namespace fb
