// All steps of an LSTM layer as one op, and their gradients as another.
#include "ops/rnn_sequence.h"

#include "kernels/lstm.h"
#include "op/build.h"

namespace fb {

struct LstmStepsBackward;

namespace {

void check_states(const char* op, T_ gates, T_ h0, T_ c0, T_ w) {
  check_steps(op, 4, gates, h0, w);
  check_alike(op, c0, h0.shape(), h0.dtype());
}
Tensor tanh(T_ x) { return call_op<Tanh>(x); }
Tensor sigmoid(T_ x) { return call_op<Sigmoid>(x); }

}  // namespace

struct LstmSteps {
  static constexpr auto schema = "_lstm_steps(Tensor input, Tensor hx, Tensor cx, Tensor w_hh, bool backwards) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = "Outputs, cells and activated gates (T·N, …) of an LSTM layer, from the inputs' share of its gates (T·N, 4H).";
  using kind = Fused;
  static constexpr auto grad_name = "LstmBackward0";
  static void examine(const Args& args) {
    check_states("_lstm_steps", args[0].as_tensor(), args[1].as_tensor(), args[2].as_tensor(), args[3].as_tensor());
  }
  static Outputs<3> kernel(Tensor input, Tensor hx, Tensor cx, Tensor w_hh, bool backwards) {
    const Recurrence s = recurrence_of(input, hx, backwards);
    Tensor gates = empty(input.shape(), input.dtype());
    copy_(gates, input);
    const Dims states{input.shape()[0], s.size};
    Tensor y = empty(states, input.dtype()), cells = empty(states, input.dtype());
    lstm_forward(s, gates, contiguous(hx), contiguous(cx), contiguous(w_hh), y, cells);
    return {y, cells, gates};
  }
  static Outputs<3> decompose(Tensor input, Tensor hx, Tensor cx, Tensor w_hh, bool backwards) {
    const Recurrence s = recurrence_of(input, hx, backwards);
    Tensors y(size_t(s.time)), cells(size_t(s.time)), gates(size_t(s.time));
    Tensor h = hx, c = cx;
    for (int64_t k = 0; k < s.time; ++k) {
      const size_t t = size_t(s.step(k));
      const Tensor x = rows_of(input, s, int64_t(t)) + times_turned(h, w_hh);
      const Tensor i = sigmoid(gate_of(x, s, 0)), f = sigmoid(gate_of(x, s, 1)), a = tanh(gate_of(x, s, 2)), o = sigmoid(gate_of(x, s, 3));
      c = f * c + i * a;
      h = o * tanh(c);
      y[t] = h;
      cells[t] = c;
      gates[t] = cat({i, f, a, o}, 1);
    }
    return {cat(y, 0), cat(cells, 0), cat(gates, 0)};
  }
  static Outputs<4> vjp_all(Tensor grad_y, Tensor grad_cells, Tensor grad_gates, In<1> hx, In<2> cx, In<3> w_hh, OutAt<0> y, OutAt<1> cells,
                            OutAt<2> gates, Arg<4, bool> backwards, Needs needs) {
    return call_outputs<4, LstmStepsBackward>(grad_y, grad_cells, grad_gates, hx, cx, w_hh, y, cells, gates, backwards.value, needs[3]);
  }
};

struct LstmStepsBackward {
  static constexpr auto schema = "_lstm_steps_backward(Tensor grad, Tensor x, Tensor values, Tensor hx, Tensor cx, Tensor w_hh, Tensor y, "
                                 "Tensor data, Tensor weights, bool backwards, bool needs_weight) -> (Tensor, Tensor, Tensor, Tensor)";
  static constexpr auto doc = "Gradients in the gates' inputs, both first states and w_hh, of the gradients in outputs (grad), cells (x) and "
                              "activated gates (values); data are the cells, weights the gates.";
  using kind = Fused;
  static void examine(const Args& args) {
    const auto tensor = [&](int i) -> T_ { return args[i].as_tensor(); };
    T_ y = tensor(6), cells = tensor(7), gates = tensor(8);
    check_states("_lstm_steps_backward", gates, tensor(3), tensor(4), tensor(5));
    const Dims states{gates.shape()[0], tensor(3).shape()[1]};
    check<ShapeError>(y.shape() == states && cells.shape() == states && tensor(0).shape() == states && tensor(1).shape() == states &&
                      tensor(2).shape() == gates.shape(), "_lstm_steps_backward: expected outputs, cells and their gradients of shape ", states,
                      ", but got ", y.shape(), ", ", cells.shape(), ", ", tensor(0).shape(), ", ", tensor(1).shape(), " and ", tensor(2).shape());
    for (int i : {0, 1, 2, 6, 7})
      check<DTypeError>(tensor(i).dtype() == gates.dtype(), "_lstm_steps_backward: expected tensors of one dtype, but got ",
                        name_of(tensor(i).dtype()), " and ", name_of(gates.dtype()));
  }
  static Outputs<4> kernel(Tensor grad_y, Tensor grad_cells, Tensor grad_gates, Tensor hx, Tensor cx, Tensor w_hh, Tensor y, Tensor cells,
                           Tensor gates, bool backwards, bool needs_weight) {
    const DType d = gates.dtype();
    const LstmGradients dg{contiguous(grad_y), contiguous(grad_cells), contiguous(grad_gates), empty(gates.shape(), d), empty(hx.shape(), d),
                           empty(hx.shape(), d), needs_weight ? empty(w_hh.shape(), d) : Tensor()};
    lstm_backward(recurrence_of(gates, hx, backwards), contiguous(gates), contiguous(cx), contiguous(hx), contiguous(w_hh), contiguous(y),
                  contiguous(cells), dg);
    return {dg.gates, dg.h0, dg.c0, dg.w};
  }
  static Outputs<4> decompose(Tensor grad_y, Tensor grad_cells, Tensor grad_gates, Tensor hx, Tensor cx, Tensor w_hh, Tensor y, Tensor cells,
                              Tensor gates, bool backwards, bool needs_weight) {
    const Recurrence s = recurrence_of(gates, hx, backwards);
    Tensors all(size_t(s.time));
    Tensor grad_h = zeros_like(hx), grad_c = zeros_like(cx), grad_w;
    for (int64_t k = s.time; k-- > 0;) {
      const int64_t t = s.step(k);
      const Tensor g = rows_of(gates, s, t), more = rows_of(grad_gates, s, t), level = tanh(rows_of(cells, s, t));
      const Tensor i = gate_of(g, s, 0), f = gate_of(g, s, 1), a = gate_of(g, s, 2), o = gate_of(g, s, 3);
      const Tensor c = state_before(cells, cx, s, k), h = state_before(y, hx, s, k);
      const Tensor dh = rows_of(grad_y, s, t) + grad_h;
      const Tensor dc = grad_c + rows_of(grad_cells, s, t) + dh * o * (1.0 - level * level);
      const Tensor di = (dc * a + gate_of(more, s, 0)) * i * (1.0 - i), df = (dc * c + gate_of(more, s, 1)) * f * (1.0 - f);
      const Tensor da = (dc * i + gate_of(more, s, 2)) * (1.0 - a * a), d_o = (dh * level + gate_of(more, s, 3)) * o * (1.0 - o);
      const Tensor step = cat({di, df, da, d_o}, 1);
      all[size_t(t)] = step;
      grad_c = dc * f;
      grad_h = matmul(step, w_hh);
      if (needs_weight) grad_w = plus_product(grad_w, step, h);
    }
    return {cat(all, 0), grad_h, grad_c, grad_w};
  }
};

FB_GROUP(rnn_sequence, LstmSteps, LstmStepsBackward)

}  // namespace fb
