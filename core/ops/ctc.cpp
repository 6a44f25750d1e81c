// Connectionist temporal classification. Source: Graves, Fernández, Gomez & Schmidhuber, ICML 2006; names as there.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/rows.h"
#include "loss.h"
#include "op/build.h"

namespace fb {

struct Ctc; struct CtcBackward; struct ClampMin; struct Isinf;

namespace {

template <class T> constexpr T nothing = -std::numeric_limits<T>::infinity();   // log 0

template <class T> T log_add(T a, T b, T c = nothing<T>) {
  const T top = std::max({a, b, c});
  if (top == nothing<T>) return top;
  return std::log(std::exp(a - top) + std::exp(b - top) + std::exp(c - top)) + top;
}

// Sizes and label sequences of a batch: log_probs (T, N, C), targets (N, S) or all in a row, lengths (2, N).
struct Sequences {
  int64_t steps, batch, classes, blank, states = 1;    // states: of the longest label sequence with its blanks
  const int64_t *labels, *input_length, *target_length;
  std::vector<int64_t> first;                          // where each sample's labels begin
  Sequences(T_ log_probs, T_ targets, T_ lengths, int64_t blank_label) : blank(blank_label) {
    check(log_probs.dim() == 3 && (log_probs.dtype() == DType::f32 || log_probs.dtype() == DType::f64),
          "ctc_loss: log_probs must be float32 or float64 of 3 dims, but got ", row(log_probs.dtype()).legacy, " of shape ", log_probs.shape().list());
    steps = log_probs.shape()[0], batch = log_probs.shape()[1], classes = log_probs.shape()[2];
    for (const Tensor& t : {targets, lengths})
      check(t.dtype() == DType::i64 && t.is_contiguous(), "ctc_loss: targets and lengths must be packed int64, but got ", row(t.dtype()).legacy);
    check(lengths.numel() == 2 * batch && blank >= 0 && blank < classes, "ctc_loss: lengths of shape ", lengths.shape().list(), " or blank ", blank,
          " do not fit log_probs of shape ", log_probs.shape().list());
    labels = targets.data<int64_t>(), input_length = lengths.data<int64_t>(), target_length = input_length + batch;
    int64_t at = 0;
    for (int64_t n = 0; n < batch; ++n) {
      first.push_back(targets.dim() == 2 ? n * targets.shape()[1] : at);
      at += target_length[n];
      check(target_length[n] >= 0 && input_length[n] >= 0 && input_length[n] <= steps && first[n] + target_length[n] <= targets.numel(),
            "ctc_loss: lengths ", input_length[n], " and ", target_length[n], " of sample ", n, " do not fit");
      for (int64_t i = first[n]; i < first[n] + target_length[n]; ++i)
        check(labels[i] >= 0 && labels[i] < classes, "ctc_loss: target ", labels[i], " is not one of ", classes, " classes");
      states = std::max(states, 2 * target_length[n] + 1);
    }
  }
  // The label of state s: blanks stand before, between and after the labels.
  int64_t label(int64_t n, int64_t s) const { return s % 2 ? labels[first[n] + s / 2] : blank; }
  // Whether state s may be entered from two states before, over a blank.
  bool skips(int64_t n, int64_t s) const { return s >= 2 && s % 2 && label(n, s) != label(n, s - 2); }
};

// log α of one sample; gives its negative log-likelihood.
template <class T> T run_forward(const Sequences& k, const T* x, T* alpha, int64_t n) {
  const int64_t states = 2 * k.target_length[n] + 1, step = k.batch * k.classes;
  std::fill(alpha, alpha + k.steps * k.states, nothing<T>);
  const T* p = x + n * k.classes;
  if (k.input_length[n] == 0) return k.target_length[n] == 0 ? T(0) : -nothing<T>;
  alpha[0] = p[k.blank];
  if (states > 1) alpha[1] = p[k.label(n, 1)];
  for (int64_t t = 1; t < k.input_length[n]; ++t) {
    const T* before = alpha + (t - 1) * k.states;
    for (int64_t s = 0; s < states; ++s)
      alpha[t * k.states + s] = log_add(before[s], s > 0 ? before[s - 1] : nothing<T>, k.skips(n, s) ? before[s - 2] : nothing<T>) +
                                p[t * step + k.label(n, s)];
  }
  const T* last = alpha + (k.input_length[n] - 1) * k.states;
  return -log_add(last[states - 1], states > 1 ? last[states - 2] : nothing<T>);
}

// The gradient of one sample, ∂nll/∂log p = p − Σ αβ / (p · likelihood), for probabilities that sum to 1.
template <class T> void run_backward(const Sequences& k, const T* x, const T* alpha, T nll, T grad, T* out, int64_t n) {
  const int64_t states = 2 * k.target_length[n] + 1, step = k.batch * k.classes, length = k.input_length[n];
  std::vector<T> beta(states, nothing<T>), next(states, nothing<T>), sum(k.classes);
  for (int64_t t = length - 1; t >= 0; --t) {
    const T *p = x + t * step + n * k.classes, *a = alpha + t * k.states;
    std::fill(sum.begin(), sum.end(), nothing<T>);
    for (int64_t s = 0; s < states; ++s) {
      const T from = t == length - 1 ? (s >= states - 2 ? T(0) : nothing<T>)
                                     : log_add(next[s], s + 1 < states ? next[s + 1] : nothing<T>,
                                               s + 2 < states && k.skips(n, s + 2) ? next[s + 2] : nothing<T>);
      const int64_t c = k.label(n, s);
      beta[s] = from + p[c];
      sum[c] = log_add(sum[c], a[s] + beta[s]);
    }
    T* o = out + t * step + n * k.classes;
    for (int64_t c = 0; c < k.classes; ++c) o[c] = (std::exp(p[c]) - std::exp(sum[c] + nll - p[c])) * grad;
    std::swap(beta, next);
  }
}

}  // namespace

struct Ctc {
  static constexpr auto schema = "_ctc(Tensor log_probs, Tensor targets, Tensor lengths, int blank, bool zero_infinity) -> (Tensor, Tensor)";
  static constexpr auto doc = "Negative log-likelihood of each sample (N), and the logarithms of its forward variables.";
  using kind = Opaque;
  static constexpr auto grad_name = "CtcLossBackward0";
  static Outputs<2> kernel(Tensor log_probs, Tensor targets, Tensor lengths, int64_t blank, bool) {
    const Sequences k(log_probs, targets, lengths, blank);
    const Tensor x = contiguous(log_probs);
    Tensor nll = empty({k.batch}, x.dtype()), alpha = empty({k.batch, k.steps, k.states}, x.dtype());
    by_real(x.dtype(), [&]<class T>(T) {
      const T* from = x.data<T>();
      T *a = alpha.data<T>(), *to = nll.data<T>();
      parallel_for(k.batch, row_grain(k.steps * k.states * 16), [&](int64_t b, int64_t e) {
        for (int64_t n = b; n < e; ++n) to[n] = run_forward(k, from, a + n * k.steps * k.states, n);
      });
    });
    return {nll, alpha};
  }
  static Tensor vjp_log_probs(Tensor g, In<0> log_probs, In<1> targets, In<2> lengths, OutAt<0> nll, OutAt<1> alpha, Arg<3, int64_t> blank,
                              Arg<4, bool> zero_infinity) {
    return call_op<CtcBackward>(g, log_probs, targets, lengths, nll, alpha, blank.value, zero_infinity.value);
  }
  static NoGrad vjp_targets();
  static NoGrad vjp_lengths();
};

struct CtcBackward {
  static constexpr auto schema = "_ctc_backward(Tensor grad, Tensor log_probs, Tensor targets, Tensor lengths, Tensor value, Tensor values, "
                                 "int blank, bool zero_infinity) -> Tensor";
  static constexpr auto doc = "Gradient of the losses of ctc_loss in log_probs that are logarithms of probabilities.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor grad, Tensor log_probs, Tensor targets, Tensor lengths, Tensor nll, Tensor alpha, int64_t blank,
                       bool zero_infinity) {
    const Sequences k(log_probs, targets, lengths, blank);
    const Tensor x = contiguous(log_probs), g = contiguous(grad);
    for (const Tensor& t : {g, nll, alpha})
      check(t.dtype() == x.dtype() && t.is_contiguous() && t.numel() == (t.dim() == 3 ? k.batch * k.steps * k.states : k.batch),
            "ctc_loss: values of shape ", t.shape().list(), " do not belong to log_probs of shape ", x.shape().list());
    check(alpha.dim() == 3, "ctc_loss: forward variables must have 3 dims, but have shape ", alpha.shape().list());
    Tensor out = zeros(x.shape(), x.dtype());
    by_real(x.dtype(), [&]<class T>(T) {
      const T *from = x.data<T>(), *a = alpha.data<T>(), *loss = nll.data<T>(), *each = g.data<T>();
      T* to = out.data<T>();
      parallel_for(k.batch, row_grain(k.steps * k.states * 16), [&](int64_t b, int64_t e) {
        for (int64_t n = b; n < e; ++n)
          if (!zero_infinity || !std::isinf(loss[n])) run_backward(k, from, a + n * k.steps * k.states, loss[n], each[n], to, n);
      });
    });
    return out;
  }
};

namespace {

Tensor ctc_loss_of(T_ log_probs, T_ targets, T_ input_lengths, T_ target_lengths, int64_t blank, const std::string& reduction, bool zero_infinity) {
  const Reduce r = reduce_of(reduction);
  check(log_probs.dim() == 2 || log_probs.dim() == 3, "ctc_loss: log_probs has shape ",
        log_probs.shape().list(), ", its dims must be time, batch and class, or time and class");
  check<UnsupportedError>(log_probs.dtype() == DType::f32 || log_probs.dtype() == DType::f64, "\"ctc_loss_cpu\" not implemented for '",
                          row(log_probs.dtype()).legacy, "'");
  const bool batched = log_probs.dim() == 3;
  const Tensor x = batched ? log_probs : unsqueeze(log_probs, 1);
  const int64_t steps = x.shape()[0], batch = x.shape()[1], classes = x.shape()[2];
  check(blank >= 0 && blank < classes, "ctc_loss: blank=", blank, " is no class; the classes are 0 to ",
        classes - 1);
  for (const Tensor& t : {targets, input_lengths, target_lengths})
    check(category_of(t.dtype()) == Category::integral, "ctc_loss: targets and lengths must be integral, but got ", row(t.dtype()).legacy);
  check(input_lengths.numel() == batch, "ctc_loss: a batch of ", batch, " needs as many input_lengths, got ",
        input_lengths.numel());
  check(target_lengths.numel() == batch, "ctc_loss: a batch of ", batch, " needs as many target_lengths, "
        "got ", target_lengths.numel());
  const Tensor lengths = cat({reshape(to_dtype(input_lengths, DType::i64), Dims{batch}), reshape(to_dtype(target_lengths, DType::i64), Dims{batch})}, 0);
  check(targets.dim() == 1 || targets.dim() == 2, "ctc_loss: targets must have one dim or two, the shape is ",
        targets.shape().list());
  check(targets.dim() == 1 || targets.shape()[0] == batch, "ctc_loss: targets has ", targets.shape()[0],
        " rows for a batch of ", batch);
  const int64_t* l = lengths.data<int64_t>();
  int64_t total = 0;
  for (int64_t n = 0; n < batch; ++n) {
    check(l[n] >= 0 && l[n] <= steps, "ctc_loss: input_lengths holds ", l[n], ", log_probs has ", steps,
          " time steps");
    check(l[batch + n] >= 0 && (targets.dim() == 1 || l[batch + n] <= targets.shape()[1]), "Expected target_lengths to be at least 0 and at most ",
          targets.shape().back(), ", but got ", l[batch + n]);
    total += l[batch + n];
  }
  check(targets.dim() == 2 || (batched ? total == targets.numel() : total <= targets.numel()), "ctc_loss: "
        "target_lengths add up to ", total, ", targets holds ", targets.numel(), " labels");
  const Tensor labels = contiguous(to_dtype(targets, DType::i64));
  Tensor losses = call_outputs<2, Ctc>(x, labels, lengths, blank, zero_infinity)[0];
  if (zero_infinity) losses = where(eq(losses, std::numeric_limits<double>::infinity()), zeros(Dims(), x.dtype()), losses);
  if (r == Reduce::none) return batched ? losses : squeeze(losses, 0);
  if (r == Reduce::sum) return sum(losses);
  return mean(losses / to_dtype(call_op<ClampMin>(narrow(lengths, 0, batch, batch), 1), x.dtype()));
}

Tensor lengths_of(const Dims& given) {
  Tensor t = empty({given.size()}, DType::i64);
  std::copy(given.begin(), given.end(), t.data<int64_t>());
  return t;
}

}  // namespace

struct CtcLoss {
  static constexpr auto schema = "ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, "
                                 "str reduction='mean', bool zero_infinity=False) -> Tensor";
  static constexpr auto doc = R"(
    Negative log-likelihood of label sequences, summed over their alignments with the steps; blank separates labels.

    The mean divides each loss by its target's length first. Shapes: log_probs (T, N, C) or (T, C), targets (N, S) or
    all labels in a row, lengths (N) or () → (N) or (), or () if reduced.   Dtypes: log_probs float32, float64.
    Errors: RuntimeError for labels that are not classes, or lengths beyond T or S.
    Source: Graves, Fernández, Gomez & Schmidhuber, ICML 2006.

    >>> fb._C.ctc_loss(fb.zeros(1, 1, 2), fb.tensor([[1]]), (1,), (1,))
    tensor(0.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int64_t blank, std::string reduction,
                          bool zero_infinity) {
    return ctc_loss_of(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity);
  }
};
struct CtcLossInts {
  static constexpr auto schema = "ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, "
                                 "str reduction='mean', bool zero_infinity=False) -> Tensor";
  static constexpr auto doc = "ctc_loss with lengths given as numbers.";
  using kind = Composite;
  static Tensor decompose(Tensor log_probs, Tensor targets, Dims input_lengths, Dims target_lengths, int64_t blank, std::string reduction,
                          bool zero_infinity) {
    return ctc_loss_of(log_probs, targets, lengths_of(input_lengths), lengths_of(target_lengths), blank, reduction, zero_infinity);
  }
};

FB_GROUP(ctc, Ctc, CtcBackward, CtcLoss, CtcLossInts)

}  // namespace fb
