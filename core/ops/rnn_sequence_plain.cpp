// All steps of a layer of Elman's cells as one op, and their gradients as another.
#include "op/build.h"
#include "ops/activation_vjp.h"
#include "ops/rnn_sequence.h"

namespace fb {

struct Relu; struct RnnStepsBackward;

struct RnnSteps {
  static constexpr auto schema = "_rnn_steps(Tensor input, Tensor hx, Tensor w_hh, bool relu, bool backwards) -> Tensor";
  static constexpr auto doc = "Outputs (T·N, H) of a layer of tanh or relu cells, from the inputs' share (T·N, H).";
  using kind = Fused;
  static constexpr auto grad_name = "RnnBackward0";
  static void examine(const Args& args) {
    check_steps("_rnn_steps", 1, args[0].as_tensor(), args[1].as_tensor(), args[2].as_tensor());
  }
  static Tensor kernel(Tensor input, Tensor hx, Tensor w_hh, bool relu, bool backwards) {
    const Tensor y = empty(input.shape(), input.dtype());
    rnn_forward(recurrence_of(input, hx, backwards), relu, contiguous(input), contiguous(hx), contiguous(w_hh), y);
    return y;
  }
  static Tensor decompose(Tensor input, Tensor hx, Tensor w_hh, bool relu, bool backwards) {
    const Recurrence s = recurrence_of(input, hx, backwards);
    Tensors y(size_t(s.time));
    Tensor h = hx;
    for (int64_t k = 0; k < s.time; ++k) {
      const Tensor x = rows_of(input, s, s.step(k)) + times_turned(h, w_hh);
      h = relu ? call_op<Relu>(x) : call_op<Tanh>(x);
      y[size_t(s.step(k))] = h;
    }
    return cat(y, 0);
  }
  static Outputs<3> vjp_all(Tensor g, In<1> hx, In<2> w_hh, Out y, Arg<3, bool> relu, Arg<4, bool> backwards, Needs needs) {
    return call_outputs<3, RnnStepsBackward>(g, hx, w_hh, y, relu.value, backwards.value, needs[2]);
  }
};

struct RnnStepsBackward {
  static constexpr auto schema = "_rnn_steps_backward(Tensor grad, Tensor hx, Tensor w_hh, Tensor y, bool relu, bool backwards, "
                                 "bool needs_weight) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "Gradients in the inputs, the first state and w_hh of a layer of tanh or relu cells.";
  using kind = Fused;
  static void examine(const Args& args) {
    T_ y = args[3].as_tensor();
    check_steps("_rnn_steps_backward", 1, y, args[1].as_tensor(), args[2].as_tensor());
    check_alike("_rnn_steps_backward", args[0].as_tensor(), y.shape(), y.dtype());
  }
  static Outputs<3> kernel(Tensor grad, Tensor hx, Tensor w_hh, Tensor y, bool relu, bool backwards, bool needs_weight) {
    const DType d = y.dtype();
    const RnnGradients dg{contiguous(grad), empty(y.shape(), d), empty(hx.shape(), d), needs_weight ? empty(w_hh.shape(), d) : Tensor()};
    rnn_backward(recurrence_of(y, hx, backwards), relu, contiguous(hx), contiguous(w_hh), contiguous(y), dg);
    return {dg.x, dg.h0, dg.w};
  }
  static Outputs<3> decompose(Tensor grad, Tensor hx, Tensor w_hh, Tensor y, bool relu, bool backwards, bool needs_weight) {
    const Recurrence s = recurrence_of(y, hx, backwards);
    Tensors all(size_t(s.time));
    Tensor grad_h = zeros_like(hx), grad_w;
    for (int64_t k = s.time; k-- > 0;) {
      const int64_t t = s.step(k);
      const Tensor dy = rows_of(grad, s, t) + grad_h, here = rows_of(y, s, t);
      const Tensor step = relu ? relu_vjp(dy, here) : dy * (1.0 - here * here);
      all[size_t(t)] = step;
      grad_h = matmul(step, w_hh);
      if (needs_weight) grad_w = plus_product(grad_w, step, state_before(y, hx, s, k));
    }
    return {cat(all, 0), grad_h, grad_w};
  }
};

FB_GROUP(rnn_sequence_plain, RnnSteps, RnnStepsBackward)

}  // namespace fb
