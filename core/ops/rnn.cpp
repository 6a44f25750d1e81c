#include "op/build.h"
#include "ops.h"

namespace fb {

struct Linear;
struct Tanh;
struct Sigmoid;
struct Relu;
struct Stack;
struct Dropout;

namespace {

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b) { return call_op<Linear>(x, w, b); }
Tensor tanh(const Tensor& x) { return call_op<Tanh>(x); }
Tensor sigmoid(const Tensor& x) { return call_op<Sigmoid>(x); }
Tensor relu(const Tensor& x) { return call_op<Relu>(x); }
Tensor rows(const Tensor& x, int64_t first, int64_t count) { return narrow(x, 0, first, count); }
Tensor gate(const Tensor& gates, int64_t k, int64_t width) { return narrow(gates, -1, k * width, width); }

// The weights of one layer in one direction, as modules hold them.
struct Weights {
  Tensor w_ih, w_hh, b_ih, b_hh, w_hr;
};
// The hidden state, and for LSTM the cell state.
struct State { Tensor h, c; };

enum class CellKind { tanh, relu, lstm, gru };

// One step: `gates` is W_ih x + b_ih of this step, already computed for all steps at once.
State step(CellKind kind, const Tensor& gates, const State& s, const Weights& w) {
  const Tensor recurrent = linear(s.h, w.w_hh, w.b_hh);
  if (kind == CellKind::tanh) return {tanh(gates + recurrent), {}};
  if (kind == CellKind::relu) return {relu(gates + recurrent), {}};
  if (kind == CellKind::gru) {                             // Cho et al. 2014, with the reset gate after the product
    const int64_t width = recurrent.size(-1) / 3;
    const Tensor r = sigmoid(gate(gates, 0, width) + gate(recurrent, 0, width));
    const Tensor z = sigmoid(gate(gates, 1, width) + gate(recurrent, 1, width));
    const Tensor n = tanh(gate(gates, 2, width) + r * gate(recurrent, 2, width));
    return {n + z * (s.h - n), {}};
  }
  const Tensor sum = gates + recurrent;                // Hochreiter & Schmidhuber 1997, with forget gates
  const int64_t width = sum.size(-1) / 4;
  const Tensor i = sigmoid(gate(sum, 0, width)), f = sigmoid(gate(sum, 1, width));
  const Tensor g = tanh(gate(sum, 2, width)), o = sigmoid(gate(sum, 3, width));
  const Tensor c = f * s.c + i * g;
  const Tensor h = o * tanh(c);
  return {w.w_hr ? linear(h, w.w_hr, {}) : h, c};
}

struct Layer { Tensor output; State last; };

// x (T, B, in) → output (T, B, hidden), the last state.
Layer run_padded(CellKind kind, const Tensor& x, State s, const Weights& w, bool reverse) {
  const Tensor gates = linear(x, w.w_ih, w.b_ih);
  const int64_t steps = x.size(0);
  Tensors outputs(static_cast<size_t>(steps));
  for (int64_t k = 0; k < steps; ++k) {
    const int64_t t = reverse ? steps - 1 - k : k;
    s = step(kind, select(gates, 0, t), s, w);
    outputs[t] = s.h;
  }
  return {call_op<Stack>(outputs, int64_t(0)), s};
}

State head(const State& s, int64_t n) { return {rows(s.h, 0, n), s.c ? rows(s.c, 0, n) : Tensor()}; }
State tail(const State& s, int64_t n) { return {rows(s.h, n, s.h.size(0) - n), s.c ? rows(s.c, n, s.c.size(0) - n) : Tensor()}; }
State joined(const State& a, const State& b) { return {cat({a.h, b.h}, 0), a.c ? cat({a.c, b.c}, 0) : Tensor()}; }

// Packed sequences: data (sum of batch sizes, in); sequences are sorted by falling length.
Layer run_packed(CellKind kind, const Tensor& data, const int64_t* sizes, int64_t steps, const State& first, const Weights& w, bool reverse) {
  const Tensor gates = linear(data, w.w_ih, w.b_ih);
  Tensors outputs(static_cast<size_t>(steps));
  if (!reverse) {
    State s = first;
    std::vector<State> finished;                       // of shorter sequences, shortest first
    int64_t start = 0;
    for (int64_t t = 0; t < steps; ++t) {
      const int64_t running = s.h.size(0);
      if (sizes[t] < running) {
        finished.push_back(tail(s, sizes[t]));
        s = head(s, sizes[t]);
      }
      s = step(kind, rows(gates, start, sizes[t]), s, w);
      outputs[t] = s.h;
      start += sizes[t];
    }
    for (size_t k = finished.size(); k-- > 0;) s = joined(s, finished[k]);
    return {cat(outputs, 0), s};
  }
  State s = head(first, sizes[steps - 1]);
  int64_t start = data.size(0);
  for (int64_t t = steps - 1; t >= 0; --t) {
    start -= sizes[t];
    const int64_t running = s.h.size(0);
    if (sizes[t] > running) {
      const State more = tail(head(first, sizes[t]), running);
      s = joined(s, more);
    }
    s = step(kind, rows(gates, start, sizes[t]), s, w);
    outputs[t] = s.h;
  }
  return {cat(outputs, 0), s};
}

struct Network {
  CellKind kind;
  bool has_biases, train, bidirectional;
  int64_t layers;
  double dropout;

  std::vector<Weights> weights(const Tensors& params) const {
    const int directions = bidirectional ? 2 : 1;
    const size_t each = params.size() / static_cast<size_t>(layers * directions);
    const size_t plain = has_biases ? 4 : 2;
    check(params.size() == each * static_cast<size_t>(layers * directions) && (each == plain || each == plain + 1),
          "got an incorrect number of RNN parameters: ", params.size(), " for ", layers, " layers");
    std::vector<Weights> r;
    for (size_t i = 0; i < params.size(); i += each) {
      Weights w{params[i], params[i + 1], {}, {}, {}};
      if (has_biases) {
        w.b_ih = params[i + 2];
        w.b_hh = params[i + 3];
      }
      if (each == plain + 1) w.w_hr = params[i + plain];
      r.push_back(w);
    }
    return r;
  }

  // `run(x, state, weights, reverse)` runs one layer in one direction.
  template <class Run> Outputs<3> go(Tensor x, const Tensors& hx, const Tensors& params, Run&& run) const {
    const std::vector<Weights> w = weights(params);
    const int directions = bidirectional ? 2 : 1;
    Tensors last_h, last_c;
    for (int64_t layer = 0; layer < layers; ++layer) {
      Tensors outputs;
      for (int d = 0; d < directions; ++d) {
        const int64_t k = layer * directions + d;
        const State first{select(hx[0], 0, k), hx.size() > 1 ? select(hx[1], 0, k) : Tensor()};
        const Layer r = run(x, first, w[k], d == 1);
        outputs.push_back(r.output);
        last_h.push_back(r.last.h);
        last_c.push_back(r.last.c);
      }
      x = directions == 2 ? cat(outputs, -1) : outputs[0];
      if (dropout > 0 && train && layer + 1 < layers) x = call_op<Dropout>(x, dropout, true);
    }
    return {x, call_op<Stack>(last_h, int64_t(0)), kind == CellKind::lstm ? call_op<Stack>(last_c, int64_t(0)) : Tensor()};
  }

  Outputs<3> padded(const Tensor& input, const Tensors& hx, const Tensors& params, bool batch_first) const {
    check(input.dim() == 3, "RNN: Expected input to be 3-D, got ", input.dim(), "-D of shape ", input.shape());
    const Tensor x = batch_first ? transpose(input, 0, 1) : input;
    check(x.size(0) > 0, "Expected sequence length to be larger than 0 in RNN");
    Outputs<3> r = go(x, hx, params, [&](const Tensor& in, const State& s, const Weights& w, bool reverse) {
      return run_padded(kind, in, s, w, reverse);
    });
    if (batch_first) r[0] = transpose(r[0], 0, 1);
    return r;
  }
  Outputs<3> packed(const Tensor& data, const Tensor& batch_sizes, const Tensors& hx, const Tensors& params) const {
    const Tensor sizes = contiguous(to_dtype(batch_sizes, DType::i64));
    check(sizes.dim() == 1 && sizes.numel() > 0, "batch_sizes must be a non-empty 1-D tensor, got shape ", sizes.shape());
    return go(data, hx, params, [&](const Tensor& in, const State& s, const Weights& w, bool reverse) {
      return run_packed(kind, in, sizes.data<int64_t>(), sizes.numel(), s, w, reverse);
    });
  }
};

}  // namespace

#define FB_RNN_DOC(name)                                                                                     \
  "Layers of " name " over a sequence.\n\n"                                                                  \
  "    Shapes: input (T, B, in), hx (layers·directions, B, hidden) → output (T, B, directions·hidden), hx.\n" \
  "    Dtypes: floating.   Packed sequences come as data and batch_sizes."

#define FB_RNN(Struct, name, mode, words)                                                                    \
  struct Struct {                                                                                            \
    static constexpr auto schema = name ".input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, " \
                                   "float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)"; \
    static constexpr auto doc = FB_RNN_DOC(words);                                                           \
    using kind = Composite;                                                                                  \
    static Outputs<2> decompose(Tensor x, Tensor hx, Tensors params, bool has_biases, int64_t layers, double dropout, \
                                bool train, bool bidirectional, bool batch_first) {                          \
      const Network n{mode, has_biases, train, bidirectional, layers, dropout};                              \
      const Outputs<3> r = n.padded(x, {hx}, params, batch_first);                                           \
      return {r[0], r[1]};                                                                                   \
    }                                                                                                        \
  };                                                                                                         \
  struct Struct##Packed {                                                                                    \
    static constexpr auto schema = name ".data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, " \
                                   "int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)"; \
    static constexpr auto doc = FB_RNN_DOC(words);                                                           \
    using kind = Composite;                                                                                  \
    static Outputs<2> decompose(Tensor data, Tensor sizes, Tensor hx, Tensors params, bool has_biases, int64_t layers, \
                                double dropout, bool train, bool bidirectional) {                            \
      const Network n{mode, has_biases, train, bidirectional, layers, dropout};                              \
      const Outputs<3> r = n.packed(data, sizes, {hx}, params);                                              \
      return {r[0], r[1]};                                                                                   \
    }                                                                                                        \
  };
FB_RNN(RnnTanh, "rnn_tanh", CellKind::tanh, "h = tanh(W_ih x + b_ih + W_hh h + b_hh)")
FB_RNN(RnnRelu, "rnn_relu", CellKind::relu, "h = relu(W_ih x + b_ih + W_hh h + b_hh)")
FB_RNN(Gru, "gru", CellKind::gru, "gated recurrent units")
#undef FB_RNN

struct Lstm {
  static constexpr auto schema = "lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, "
                                 "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = FB_RNN_DOC("long short-term memory");
  using kind = Composite;
  static Outputs<3> decompose(Tensor x, Tensors hx, Tensors params, bool has_biases, int64_t layers, double dropout, bool train,
                              bool bidirectional, bool batch_first) {
    check(hx.size() == 2, "lstm expects two hidden states, got ", hx.size());
    return Network{CellKind::lstm, has_biases, train, bidirectional, layers, dropout}.padded(x, hx, params, batch_first);
  }
};
struct LstmPacked {
  static constexpr auto schema = "lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, "
                                 "float dropout, bool train, bool bidirectional) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = FB_RNN_DOC("long short-term memory");
  using kind = Composite;
  static Outputs<3> decompose(Tensor data, Tensor sizes, Tensors hx, Tensors params, bool has_biases, int64_t layers, double dropout,
                              bool train, bool bidirectional) {
    check(hx.size() == 2, "lstm expects two hidden states, got ", hx.size());
    return Network{CellKind::lstm, has_biases, train, bidirectional, layers, dropout}.packed(data, sizes, hx, params);
  }
};

// ---- one step
static Tensor cell(CellKind kind, const Tensor& x, const Tensor& h, const Weights& w) {
  return step(kind, linear(x, w.w_ih, w.b_ih), {h, {}}, w).h;
}
struct RnnTanhCell {
  static constexpr auto schema = "rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor";
  static constexpr auto doc = "One step h' = tanh(W_ih x + b_ih + W_hh h + b_hh).";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor h, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) { return cell(CellKind::tanh, x, h, {w_ih, w_hh, b_ih, b_hh, {}}); }
};
struct RnnReluCell {
  static constexpr auto schema = "rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor";
  static constexpr auto doc = "One step h' = relu(W_ih x + b_ih + W_hh h + b_hh).";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor h, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) { return cell(CellKind::relu, x, h, {w_ih, w_hh, b_ih, b_hh, {}}); }
};
struct GruCell {
  static constexpr auto schema = "gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor";
  static constexpr auto doc = "One step of a gated recurrent unit.";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor h, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) { return cell(CellKind::gru, x, h, {w_ih, w_hh, b_ih, b_hh, {}}); }
};
struct LstmCell {
  static constexpr auto schema = "lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> (Tensor, Tensor)";
  static constexpr auto doc = "One step of long short-term memory: the new hidden and cell states.";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Tensors hx, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) {
    check(hx.size() == 2, "lstm_cell expects two hidden states, got ", hx.size());
    const State s = step(CellKind::lstm, linear(x, w_ih, b_ih), {hx[0], hx[1]}, {w_ih, w_hh, b_ih, b_hh, {}});
    return {s.h, s.c};
  }
};

FB_GROUP(rnn, RnnTanh, RnnTanhPacked, RnnRelu, RnnReluPacked, Gru, GruPacked, Lstm, LstmPacked, RnnTanhCell, RnnReluCell, GruCell, LstmCell)

}  // namespace fb
