// Recurrent layers. The products with the inputs of a whole sequence are one product; steps follow one another.
#include <algorithm>

#include "op/build.h"
#include "op/joined.h"
#include "ops/rnn_sequence.h"

namespace fb {

struct Linear; struct Tanh; struct Sigmoid; struct Relu; struct Dropout;

namespace {

enum class Cell { tanh, relu, lstm, gru };

struct CellWeights { Tensor ih, hh, b_ih, b_hh, hr; };   // hr: the projection of an LSTM's state, or undefined
struct State { Tensor h, c; };

Tensor linear(T_ x, T_ w, T_ b) { return call_op<Linear>(x, w, b); }
Tensor sigmoid(T_ x) { return call_op<Sigmoid>(x); }
Tensor tanh(T_ x) { return call_op<Tanh>(x); }
Tensor part(T_ gates, int64_t i, int64_t size) { return narrow(gates, -1, i * size, size); }

// One step; `gx` is the input's share of the gates, bias included.
State step(Cell cell, T_ gx, const State& s, const CellWeights& w) {
  const Tensor gh = linear(s.h, w.hh, w.b_hh);
  if (cell == Cell::tanh) return {tanh(gx + gh), {}};
  if (cell == Cell::relu) return {call_op<Relu>(gx + gh), {}};
  if (cell == Cell::lstm) {
    const Tensor gates = gx + gh;
    const int64_t n = gates.size(-1) / 4;
    const Tensor c = sigmoid(part(gates, 1, n)) * s.c + sigmoid(part(gates, 0, n)) * tanh(part(gates, 2, n));
    const Tensor h = sigmoid(part(gates, 3, n)) * tanh(c);
    return {w.hr ? linear(h, w.hr, Tensor()) : h, c};
  }
  const int64_t n = gx.size(-1) / 3;
  const Tensor r = sigmoid(part(gx, 0, n) + part(gh, 0, n)), z = sigmoid(part(gx, 1, n) + part(gh, 1, n));
  const Tensor fresh = tanh(part(gx, 2, n) + r * part(gh, 2, n));
  return {fresh + z * (s.h - fresh), {}};
}

State rows(const State& s, int64_t first, int64_t n) { return {narrow(s.h, 0, first, n), s.c ? narrow(s.c, 0, first, n) : s.c}; }
State joined(const State& a, const State& b) { return {cat({a.h, b.h}, 0), a.c ? cat({a.c, b.c}, 0) : a.c}; }

// The rows of each step within packed data: all samples, or those whose sequences are long enough.
struct Sequence {
  std::vector<int64_t> first, count;
  bool even() const { return std::equal(count.begin() + 1, count.end(), count.begin()); }
  // Does one op take all steps? Others are refused, or run, one by one; so are those of mixed precision, whose products
  // are of another dtype than their inputs and states.
  bool takes_whole(Cell cell, T_ data, const State& start, const CellWeights& w) const {
    const DType d = data.dtype();
    if (mode.autocast || !even() || w.hr || data.dim() != 2 || (d != DType::f32 && d != DType::f64)) return false;
    for (const Tensor* t : {&start.h, &start.c, &w.ih, &w.hh, &w.b_ih, &w.b_hh}) if (*t && t->dtype() != d) return false;
    if (start.h.dim() != 2 || start.h.shape()[0] != count[0] || (start.c && !(start.c.shape() == start.h.shape()))) return false;
    const int64_t size = start.h.shape()[1], width = size * (cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1);
    return size > 0 && count[0] > 0 && w.hh.shape() == Dims{width, size} && w.ih.dim() == 2 && w.ih.shape()[0] == width &&
           (!w.b_hh || w.b_hh.shape() == Dims{width});
  }
  Tensor run_whole(Cell cell, T_ gx, const State& start, const CellWeights& w, bool backwards, State& last) const {
    const int64_t end = backwards ? 0 : static_cast<int64_t>(count.size()) - 1;
    Tensor y, cells;
    if (cell == Cell::lstm) {
      const Outputs<3> r = call_outputs<3, LstmSteps>(gx, start.h, start.c, w.hh, backwards);
      y = r[0], cells = r[1];
    } else if (cell == Cell::gru) y = call_outputs<2, GruSteps>(gx, start.h, w.hh, w.b_hh, backwards)[0];
    else y = call_op<RnnSteps>(gx, start.h, w.hh, cell == Cell::relu, backwards);
    last = {narrow(y, 0, first[end], count[end]), cells ? narrow(cells, 0, first[end], count[end]) : cells};
    return y;
  }
  Tensor run(Cell cell, T_ data, State start, const CellWeights& w, bool backwards, State& last) const {
    if (takes_whole(cell, data, start, w)) {           // a GRU's reset gate is between the two biases of its candidate
      const Tensor b = w.b_ih && cell != Cell::gru ? w.b_ih + w.b_hh : w.b_ih;
      return run_whole(cell, linear(data, w.ih, b), start, w, backwards, last);
    }
    const Tensor gx = linear(data, w.ih, w.b_ih);
    const int64_t time = static_cast<int64_t>(count.size());
    Tensors outputs(time);
    State s = backwards ? rows(start, 0, count[time - 1]) : start;
    std::vector<State> finished;
    for (int64_t k = 0; k < time; ++k) {
      const int64_t t = backwards ? time - 1 - k : k, n = count[t], now = s.h.shape()[0];
      if (n < now) {                                   // shorter sequences have ended
        finished.push_back(rows(s, n, now - n));
        s = rows(s, 0, n);
      } else if (n > now) s = joined(s, rows(start, now, n - now));
      s = step(cell, narrow(gx, 0, first[t], n), s, w);
      outputs[t] = s.h;
    }
    for (size_t i = finished.size(); i-- > 0;) s = joined(s, finished[i]);
    last = s;
    return cat(outputs, 0);
  }
};

struct Layers {
  Cell cell;
  bool has_biases, bidirectional, train;
  int64_t count;
  double dropout;
  // data: packed rows; h and c: (layers · directions, N, size)
  Outputs<3> run(Tensor data, const Sequence& sequence, const State& start, const Tensors& params) const {
    const int64_t directions = bidirectional ? 2 : 1, all = count * directions;
    const int64_t each = (has_biases ? 4 : 2) + (cell == Cell::lstm && static_cast<int64_t>(params.size()) == all * (has_biases ? 5 : 3));
    check(static_cast<int64_t>(params.size()) == all * each, "rnn: ", static_cast<int64_t>(params.size()),
          " parameters do not fit ", all, " layers and directions");
    check(start.h.dim() == 3 && start.h.shape()[0] == all, "Expected hidden size (", all, ", N, H), got ", start.h.shape());
    Tensors h, c;
    for (int64_t layer = 0; layer < count; ++layer) {
      Tensors outputs;
      for (int64_t d = 0; d < directions; ++d) {
        const int64_t i = layer * directions + d;
        const Tensor* p = params.data() + i * each;
        const CellWeights w{p[0], p[1], has_biases ? p[2] : Tensor(), has_biases ? p[3] : Tensor(), each % 2 ? p[each - 1] : Tensor()};
        State last;
        outputs.push_back(sequence.run(cell, data, {select(start.h, 0, i), start.c ? select(start.c, 0, i) : start.c}, w, d == 1, last));
        h.push_back(unsqueeze(last.h, 0));
        if (last.c) c.push_back(unsqueeze(last.c, 0));
      }
      data = directions == 1 ? outputs[0] : cat(outputs, -1);
      if (dropout > 0 && train && layer + 1 < count) data = call_op<Dropout>(data, dropout, true);
    }
    const Scoped name(mode.grad_name, std::string_view("StackBackward0"));
    return {data, cat(h, 0), c.empty() ? Tensor() : cat(c, 0)};
  }
  Outputs<3> run_padded(T_ input, const State& start, const Tensors& params, bool batch_first) const {
    check(input.dim() == 3, "Expected a 3-D input, got ", input.dim(), "-D");
    const Tensor x = batch_first ? transpose(input, 0, 1) : input;
    const int64_t time = x.shape()[0], batch = x.shape()[1];
    check(time > 0, "rnn: the sequence has no steps, it needs one at least");
    Sequence s;
    for (int64_t t = 0; t < time; ++t) s.first.push_back(t * batch), s.count.push_back(batch);
    Outputs<3> r = run(reshape(x, Dims{time * batch, x.shape()[2]}), s, start, params);
    {
      const bool whole = cell == Cell::lstm && x.dtype() == DType::f32 && r[0].size(-1) == r[2].size(-1);   // by one op of oneDNN in PyTorch
      const Scoped name(mode.grad_name, std::string_view(bidirectional ? "CatBackward0" : whole ? "MkldnnRnnLayerBackward0" : "StackBackward0"));
      r[0] = view(r[0], Dims{time, batch, r[0].size(-1)});
    }
    if (batch_first) {
      const Scoped name(mode.grad_name, cell == Cell::lstm ? std::string_view() : std::string_view("TransposeBackward1"));
      r[0] = transpose(r[0], 0, 1);
    }
    return r;
  }
  Outputs<3> run_packed(T_ data, T_ batch_sizes, const State& start, const Tensors& params) const {
    check(batch_sizes.dim() == 1 && batch_sizes.dtype() == DType::i64 && batch_sizes.numel() > 0,
          "rnn: batch_sizes must be a vector of int64 with one entry at least, its shape is ",
          batch_sizes.shape());
    const Tensor sizes = contiguous(batch_sizes);
    Sequence s;
    int64_t at = 0;
    for (int64_t t = 0; t < sizes.numel(); ++t) {
      const int64_t n = sizes.data<int64_t>()[t];
      check(n > 0 && (t == 0 || n <= s.count.back()), "batch_sizes must be positive and not increase");
      s.first.push_back(at);
      s.count.push_back(n);
      at += n;
    }
    check(at == data.shape()[0], "batch_sizes add up to ", at, ", but data has ", data.shape()[0], " rows");
    return run(data, s, start, params);
  }
};

State state_of(const Tensors& hx) {
  check(hx.size() == 2, "lstm: hx holds the hidden state and the cell state, two tensors; got ", hx.size());
  return {hx[0], hx[1]};
}

void check_cell(const char* name, T_ input, T_ h, T_ w_ih, T_ w_hh) {
  const bool gated = std::string_view(name).starts_with("lstm") || std::string_view(name).starts_with("gru");
  check<DTypeError>(!gated || is_floating(input.dtype()), name, ": the input must have a floating "
                    "dtype as the gates do, it is ", name_of(input.dtype()));
  check(input.dim() >= 1 && input.size(-1) == w_ih.size(-1), name, ": input_size is ", w_ih.size(-1),
        ", the input has ", input.size(-1), " features");
  check(h.dim() >= 1 && h.size(-1) == w_hh.size(-1), name, ": hidden_size is ", w_hh.size(-1), ", the "
        "hidden state has ", h.size(-1), " features");
  check(h.dim() == 1 || h.shape()[0] == input.shape()[0], name, ": the input holds a batch of ",
        input.shape()[0], ", the hidden state one of ", h.shape()[0]);
}

}  // namespace

namespace {

// What tells the cells with one state apart. once and twice: the state after one and two steps from zero on
// ones, all weights one.
struct RnnTanh {
  static constexpr Cell cell = Cell::tanh;
  static constexpr char name[] = "rnn_tanh", gates[] = "1", once[] = "0.7616", twice[] = "0.9427";
};
struct RnnRelu {
  static constexpr Cell cell = Cell::relu;
  static constexpr char name[] = "rnn_relu", gates[] = "1", once[] = "1.", twice[] = "2.";
};
struct Gru {
  static constexpr Cell cell = Cell::gru;
  static constexpr char name[] = "gru", gates[] = "3", once[] = "0.2048", twice[] = "0.3468";
};

}  // namespace

template <class C> struct PaddedLayers {
  static constexpr auto schema =
      joined(C::name, ".input(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, "
             "float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)");
  static constexpr auto doc = joined(R"(
    Layers of )", C::name, R"( cells: (T, N, F) or, if batch_first, (N, T, F) → outputs and last states.

    >>> w = fb.ones()", C::gates, R"(, 1)
    >>> fb.)", C::name, R"((fb.ones(2, 1, 1), fb.zeros(1, 1, 1), [w, w], False, 1, 0., False, False, False)[1]
    tensor([[[)", C::twice, R"(]]])
  )");
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Tensor hx, Tensors params, bool biases, int64_t layers, double p,
                              bool train, bool bidirectional, bool batch_first) {
    const Layers l{C::cell, biases, bidirectional, train, layers, p};
    const Outputs<3> r = l.run_padded(x, {hx, {}}, params, batch_first);
    return {r[0], r[1]};
  }
};

template <class C> struct PackedLayers {
  static constexpr auto schema =
      joined(C::name, ".data(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, "
             "int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)");
  static constexpr auto doc = PaddedLayers<C>::doc;
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Tensor sizes, Tensor hx, Tensors params, bool biases, int64_t layers,
                              double p, bool train, bool bidirectional) {
    const Layers l{C::cell, biases, bidirectional, train, layers, p};
    const Outputs<3> r = l.run_packed(x, sizes, {hx, {}}, params);
    return {r[0], r[1]};
  }
};

template <class C> struct SingleStep {
  static constexpr auto name = joined(C::name, "_cell");
  static constexpr auto schema = joined(name, "(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, "
                                        "Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor");
  static constexpr auto doc = joined(R"(
    One step of a )", C::name, R"( cell: input (N, F), state (N, H) → state (N, H).

    >>> w = fb.ones()", C::gates, R"(, 1)
    >>> fb.)", name, R"((fb.ones(1, 1), fb.zeros(1, 1), w, w)
    tensor([[)", C::once, R"(]])
  )");
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor h, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) {
    check_cell(name, x, h, w_ih, w_hh);
    return step(C::cell, linear(x, w_ih, b_ih), {h, {}}, {w_ih, w_hh, b_ih, b_hh, {}}).h;
  }
};

struct Lstm {
  static constexpr auto schema = "lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, "
                                 "bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = R"(
    Layers of LSTM cells: (T, N, F) or, if batch_first, (N, T, F) → outputs and both last states.

    >>> h, w = fb.zeros(1, 1, 1), fb.ones(4, 1)
    >>> fb.lstm(fb.ones(2, 1, 1), [h, h], [w, w], False, 1, 0., False, False, False)[1]
    tensor([[[0.6505]]])
  )";
  using kind = Composite;
  static Outputs<3> decompose(Tensor x, Tensors hx, Tensors params, bool biases, int64_t layers, double p, bool train, bool bidirectional,
                              bool batch_first) {
    return Layers{Cell::lstm, biases, bidirectional, train, layers, p}.run_padded(x, state_of(hx), params, batch_first);
  }
};
struct LstmPacked {
  static constexpr auto schema = "lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, "
                                 "float dropout, bool train, bool bidirectional) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = Lstm::doc;
  using kind = Composite;
  static Outputs<3> decompose(Tensor x, Tensor sizes, Tensors hx, Tensors params, bool biases, int64_t layers, double p, bool train,
                              bool bidirectional) {
    return Layers{Cell::lstm, biases, bidirectional, train, layers, p}.run_packed(x, sizes, state_of(hx), params);
  }
};
struct LstmCell {
  static constexpr auto schema = "lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) "
                                 "-> (Tensor, Tensor)";
  static constexpr auto doc = R"(
    One step of an LSTM cell: input (N, F), states (N, H) → both states.

    >>> h, w = fb.zeros(1, 1), fb.ones(4, 1)
    >>> fb.lstm_cell(fb.ones(1, 1), [h, h], w, w)
    (tensor([[0.3696]]), tensor([[0.5568]]))
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Tensors hx, Tensor w_ih, Tensor w_hh, Tensor b_ih, Tensor b_hh) {
    const State s = state_of(hx);
    check_cell("lstm_cell", x, s.h, w_ih, w_hh);
    const State r = step(Cell::lstm, linear(x, w_ih, b_ih), s, {w_ih, w_hh, b_ih, b_hh, {}});
    return {r.h, r.c};
  }
};

FB_GROUP(rnn, PaddedLayers<RnnTanh>, PackedLayers<RnnTanh>, SingleStep<RnnTanh>, PaddedLayers<RnnRelu>,
         PackedLayers<RnnRelu>, SingleStep<RnnRelu>, PaddedLayers<Gru>, PackedLayers<Gru>, SingleStep<Gru>,
         Lstm, LstmPacked, LstmCell)

}  // namespace fb
