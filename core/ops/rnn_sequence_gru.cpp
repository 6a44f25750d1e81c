// All steps of a GRU layer as one op, and their gradients as another.
#include "op/build.h"
#include "ops/rnn_sequence.h"

namespace fb {

struct GruStepsBackward;

struct GruSteps {
  static constexpr auto schema = "_gru_steps(Tensor input, Tensor hx, Tensor w_hh, Tensor? b_hh, bool backwards) -> (Tensor, Tensor)";
  static constexpr auto doc = "Outputs (T·N, H) and gates (T·N, 4H) of a GRU layer, from the inputs' share of its gates (T·N, 3H). "
                              "Gates: reset, update, candidate, and the candidate's recurrent share.";
  using kind = Fused;
  static constexpr auto grad_name = "GruBackward0";
  static void examine(const Args& args) {
    T_ x = args[0].as_tensor();
    check_steps("_gru_steps", 3, x, args[1].as_tensor(), args[2].as_tensor());
    if (args[3].tag == Value::tensor) check_alike("_gru_steps", args[3].as_tensor(), Dims{x.shape()[1]}, x.dtype());
  }
  static Outputs<2> kernel(Tensor input, Tensor hx, Tensor w_hh, Tensor b_hh, bool backwards) {
    const Recurrence s = recurrence_of(input, hx, backwards);
    const int64_t rows = input.shape()[0];
    Tensor y = empty(Dims{rows, s.size}, input.dtype()), gates = empty(Dims{rows, 4 * s.size}, input.dtype());
    gru_forward(s, contiguous(input), contiguous(hx), contiguous(w_hh), b_hh ? contiguous(b_hh) : b_hh, y, gates);
    return {y, gates};
  }
  static Outputs<2> decompose(Tensor input, Tensor hx, Tensor w_hh, Tensor b_hh, bool backwards) {
    const Recurrence s = recurrence_of(input, hx, backwards);
    Tensors y(size_t(s.time)), gates(size_t(s.time));
    Tensor h = hx;
    for (int64_t k = 0; k < s.time; ++k) {
      const int64_t t = s.step(k);
      Tensor p = times_turned(h, w_hh);
      if (b_hh) p = p + b_hh;
      const Tensor x = rows_of(input, s, t), share = gate_of(p, s, 2);
      const Tensor r = call_op<Sigmoid>(gate_of(x, s, 0) + gate_of(p, s, 0)), z = call_op<Sigmoid>(gate_of(x, s, 1) + gate_of(p, s, 1));
      const Tensor n = call_op<Tanh>(gate_of(x, s, 2) + r * share);
      h = n + z * (h - n);
      y[size_t(t)] = h;
      gates[size_t(t)] = cat({r, z, n, share}, 1);
    }
    return {cat(y, 0), cat(gates, 0)};
  }
  static Outputs<4> vjp_all(Tensor grad_y, Tensor grad_gates, In<1> hx, In<2> w_hh, OutAt<0> y, OutAt<1> gates, Arg<4, bool> backwards,
                            Needs needs) {
    const Outputs<4> g = call_outputs<4, GruStepsBackward>(grad_y, grad_gates, hx, w_hh, y, gates, backwards.value, needs[2]);
    return {g[0], g[2], g[3], needs[3] ? sum(g[1], 0) : Tensor()};
  }
};

struct GruStepsBackward {
  static constexpr auto schema = "_gru_steps_backward(Tensor grad, Tensor values, Tensor hx, Tensor w_hh, Tensor y, Tensor weights, "
                                 "bool backwards, bool needs_weight) -> (Tensor, Tensor, Tensor, Tensor)";
  static constexpr auto doc = "Gradients in the inputs, the recurrent products, the first state and w_hh, of the gradients in outputs "
                              "(grad) and gates (values); weights are the gates.";
  using kind = Fused;
  static void examine(const Args& args) {
    constexpr auto name = "_gru_steps_backward";
    T_ hx = args[2].as_tensor(), w = args[3].as_tensor(), y = args[4].as_tensor(), gates = args[5].as_tensor();
    check<ShapeError>(y.dim() == 2 && hx.dim() == 2 && w.dim() == 2 && hx.shape()[0] > 0 && hx.shape()[1] > 0 && y.shape()[0] > 0 &&
                      y.shape()[1] == hx.shape()[1] && y.shape()[0] % hx.shape()[0] == 0 && w.shape() == Dims{3 * hx.shape()[1], hx.shape()[1]},
                      name, ": expected outputs (T·N, H), states (N, H) and w_hh (3H, H), but got ", y.shape(), ", ", hx.shape(), " and ",
                      w.shape());
    for (int i : {0, 2, 3, 4}) check_alike(name, args[i].as_tensor(), i == 0 ? y.shape() : args[i].as_tensor().shape(), gates.dtype());
    const Dims wide{y.shape()[0], 4 * hx.shape()[1]};
    check_alike(name, gates, wide, gates.dtype());
    check_alike(name, args[1].as_tensor(), wide, gates.dtype());
  }
  static Outputs<4> kernel(Tensor grad_y, Tensor grad_gates, Tensor hx, Tensor w_hh, Tensor y, Tensor gates, bool backwards,
                           bool needs_weight) {
    const DType d = gates.dtype();
    const Dims inputs{y.shape()[0], 3 * hx.shape()[1]};
    const GruGradients dg{contiguous(grad_y), contiguous(grad_gates), empty(inputs, d), empty(inputs, d), empty(hx.shape(), d),
                          needs_weight ? empty(w_hh.shape(), d) : Tensor()};
    gru_backward(recurrence_of(y, hx, backwards), contiguous(gates), contiguous(hx), contiguous(w_hh), contiguous(y), dg);
    return {dg.x, dg.products, dg.h0, dg.w};
  }
  static Outputs<4> decompose(Tensor grad_y, Tensor grad_gates, Tensor hx, Tensor w_hh, Tensor y, Tensor gates, bool backwards,
                              bool needs_weight) {
    const Recurrence s = recurrence_of(y, hx, backwards);
    Tensors inputs(size_t(s.time)), products(size_t(s.time));
    Tensor grad_h = zeros_like(hx), grad_w;
    for (int64_t k = s.time; k-- > 0;) {
      const int64_t t = s.step(k);
      const Tensor g = rows_of(gates, s, t), more = rows_of(grad_gates, s, t), h = state_before(y, hx, s, k);
      const Tensor r = gate_of(g, s, 0), z = gate_of(g, s, 1), n = gate_of(g, s, 2), share = gate_of(g, s, 3);
      const Tensor dy = rows_of(grad_y, s, t) + grad_h;
      const Tensor dn = (dy * (1.0 - z) + gate_of(more, s, 2)) * (1.0 - n * n);
      const Tensor dr = (dn * share + gate_of(more, s, 0)) * r * (1.0 - r);
      const Tensor dz = (dy * (h - n) + gate_of(more, s, 1)) * z * (1.0 - z);
      const Tensor step = cat({dr, dz, dn * r + gate_of(more, s, 3)}, 1);
      inputs[size_t(t)] = cat({dr, dz, dn}, 1);
      products[size_t(t)] = step;
      grad_h = dy * z + matmul(step, w_hh);
      if (needs_weight) grad_w = plus_product(grad_w, step, h);
    }
    return {cat(inputs, 0), cat(products, 0), grad_h, grad_w};
  }
};

FB_GROUP(rnn_sequence_gru, GruSteps, GruStepsBackward)

}  // namespace fb
