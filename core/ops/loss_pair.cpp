// Binary cross-entropy, divergences, distances and the margin losses made of them.
#include <algorithm>
#include <cmath>

#include "loss.h"
#include "math/exponential.h"
#include "op/build.h"

namespace fb {

struct BceTerms; struct BceSlope; struct OutsideUnit; struct LogitTerms; struct LogitSlope; struct ClampMin; struct Minimum;
struct Xlogy; struct Sigmoid; struct Any;

namespace {

// The gradient that reaches each element of a loss.
Tensor each_gradient(T_ g, const std::string& reduction, T_ weight, int64_t n) {
  const Tensor each = reduce_of(reduction) == Reduce::mean ? g / static_cast<double>(n) : g;
  return weight ? each * weight : each;
}

void check_unit(T_ t, const char* name) {
  const Tensor outside = call_op<Any>(call_op<OutsideUnit>(t), Value(), false);
  check(!*outside.data<bool>(), "binary_cross_entropy: every element of ", name, " is a probability, from 0 "
        "to 1");
}

Tensor at_least(T_ x, double low) { return call_op<ClampMin>(x, low); }

// ‖x‖_p over the last dim.
Tensor distance(T_ difference, double p, bool keepdim) {
  const Tensor d = is_complex(difference.dtype()) ? abs(difference) : difference;
  const Dims last{-1};
  if (p == 0) return sum(to_dtype(ne(d, 0), d.dtype()), last, keepdim);
  if (p == 1) return sum(abs(d), last, keepdim);
  if (std::isinf(p)) return p > 0 ? amax(abs(d), last, keepdim) : amin(abs(d), last, keepdim);
  const Tensor s = p == 2 ? sum(d * d, last, keepdim) : sum(pow(abs(d), p), last, keepdim);
  const Scoped name(mode.grad_name, std::string_view("NormBackward1"));
  return p == 2 ? sqrt(s) : pow(s, 1 / p);
}

}  // namespace

struct OutsideUnit {
  static constexpr auto schema = "_outside_unit(Tensor self) -> Tensor";
  static constexpr auto doc = "Whether elements are not in [0, 1].";
  using kind = Elementwise<Result::same, floats_only>;
  static constexpr bool differentiable = false;
  template <class T> static bool forward(T x) { return (x < T(0.0)) | (x > T(1.0)) | (x != x); }
};

struct BceTerms {
  static constexpr auto schema = "_bce_terms(Tensor input, Tensor target) -> Tensor";
  static constexpr auto doc = "-(y log x + (1 - y) log(1 - x)) with the logarithms at least -100.";
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T x, T y) {
    const T p = math::maximum(math::log(x), T(-100.0)), q = math::maximum(math::log1p(-x), T(-100.0));
    return (y - T(1.0)) * q - y * p;
  }
  static Tensor vjp_input(Tensor g, In<0> x, In<1> y) { return call_op<BceSlope>(g, x, y); }
  static Tensor vjp_target(Tensor g, In<0> x) { return g * (at_least(log(1 - x), -100) - at_least(log(x), -100)); }
};
struct BceSlope {
  static constexpr auto schema = "_bce_slope(Tensor grad, Tensor input, Tensor target) -> Tensor";
  static constexpr auto doc = "g (x - y) / max(x (1 - x), 1e-12).";
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T g, T x, T y) { return g * (x - y) / math::maximum(x * (T(1.0) - x), T(1e-12)); }
  static Tensor vjp_grad(Tensor g, In<1> x, In<2> y) { return call_op<BceSlope>(g, x, y); }
  static Tensor vjp_input(Tensor g, In<0> grad, In<1> x, In<2> y) {
    const Tensor room = at_least(x * (1 - x), 1e-12);
    return g * grad * (1.0 / room - (x - y) * (1 - 2 * x) / (room * room));
  }
  static Tensor vjp_target(Tensor g, In<0> grad, In<1> x) { return -(g * grad / at_least(x * (1 - x), 1e-12)); }
};

struct BinaryCrossEntropy {
  static constexpr auto schema =
      "binary_cross_entropy(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    -(y log x + (1 - y) log(1 - x)) for probabilities x, times weight; the logarithms are at least -100.

    Shapes: input (*), target (*), weight broadcastable → (*), or () if reduced.   Dtypes: floating.
    Errors: RuntimeError for elements outside [0, 1].

    >>> fb._C.binary_cross_entropy(fb.tensor([0.5]), fb.tensor([1.]))
    tensor(0.6931)
  )";
  using kind = Fused;
  static void examine(const Args& args) {
    const Tensor &x = args[0].as_tensor(), &y = args[1].as_tensor();
    check<DTypeError>(x.dtype() == y.dtype(), "Found dtype ", row(y.dtype()).legacy, " but expected ", row(x.dtype()).legacy);
    check<UnsupportedError>(is_floating(x.dtype()), "\"binary_cross_entropy\" not implemented for '", row(x.dtype()).legacy, "'");
  }
  static Tensor kernel(Tensor input, Tensor target, Tensor weight, std::string reduction) {
    check_unit(input, "input");
    check_unit(target, "target");
    return decompose(input, target, weight, reduction);
  }
  static Tensor decompose(Tensor input, Tensor target, Tensor weight, std::string reduction) {
    const Tensor terms = call_op<BceTerms>(input, target);
    return reduced(weight ? terms * weight : terms, reduction);
  }
  static Tensor vjp_input(Tensor g, In<0> x, In<1> y, In<2> w, Arg<3, std::string> r) {
    return sum_to_shape(call_op<BceSlope>(each_gradient(g, r.value, w, x.numel()), x, y), x.shape());
  }
  static Tensor vjp_target(Tensor g, In<0> x, In<1> y, In<2> w, Arg<3, std::string> r) {
    const Tensor slope = at_least(log(1 - x), -100) - at_least(log(x), -100);
    return sum_to_shape(each_gradient(g, r.value, w, x.numel()) * slope, y.shape());
  }
  static NoGrad vjp_weight();
};

// With l = 1 + (p - 1) y, p the weight of positive examples: (1 - y) x + l log(1 + exp(-x)).
struct LogitTerms {
  static constexpr auto schema = "_bce_logit_terms(Tensor input, Tensor target, Tensor pos_weight) -> Tensor";
  static constexpr auto doc = "Binary cross-entropy of sigmoid(x), element by element.";
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T x, T y, T p) {
    return (T(1.0) - y) * x + (T(1.0) + (p - T(1.0)) * y) * math::log1p_exp(-x);
  }
  static Tensor vjp_input(Tensor g, In<0> x, In<1> y, In<2> p) { return call_op<LogitSlope>(g, x, y, p); }
  static Tensor vjp_target(Tensor g, In<0> x, In<2> p) { return g * target_slope(x, p); }
  static Tensor target_slope(T_ x, T_ p) { return (p - 1) * call_op<LogitTerms>(x, 1, 1) - x; }
  static NoGrad vjp_pos_weight();
};
struct LogitSlope {
  static constexpr auto schema = "_bce_logit_slope(Tensor grad, Tensor input, Tensor target, Tensor pos_weight) -> Tensor";
  static constexpr auto doc = "The gradient of binary cross-entropy with logits, element by element.";
  using kind = Elementwise<Result::same, floats_only>;
  template <class T> static T forward(T g, T x, T y, T p) {
    return g * (T(1.0) - y - (T(1.0) + (p - T(1.0)) * y) * math::sigmoid(-x));
  }
  static Tensor vjp_grad(Tensor g, In<1> x, In<2> y, In<3> p) { return call_op<LogitSlope>(g, x, y, p); }
  static Tensor vjp_input(Tensor g, In<0> grad, In<1> x, In<2> y, In<3> p) {
    const Tensor s = call_op<Sigmoid>(x);
    return g * grad * (1 + (p - 1) * y) * s * (1 - s);
  }
  static Tensor vjp_target(Tensor g, In<0> grad, In<1> x, In<3> p) {
    return -(g * grad * (1 + (p - 1) * call_op<Sigmoid>(-x)));
  }
  static NoGrad vjp_pos_weight();
};

struct BceWithLogits {
  static constexpr auto schema = "binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight=None, "
                                 "Tensor? pos_weight=None, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    Binary cross-entropy of sigmoid(input), computed stably, times weight; pos_weight scales the positive part.

    Shapes: input (*), target (*), weights broadcastable → (*), or () if reduced.   Dtypes: floating.

    >>> fb.binary_cross_entropy_with_logits(fb.tensor([0.]), fb.tensor([1.]))
    tensor(0.6931)
  )";
  using kind = Fused;
  static constexpr auto grad_name = "BinaryCrossEntropyWithLogitsBackward0";
  static Value factor(T_ pos_weight) { return pos_weight ? Value(pos_weight) : Value(1.0); }
  static Tensor kernel(Tensor x, Tensor y, Tensor weight, Tensor pos_weight, std::string reduction) {
    return decompose(x, y, weight, pos_weight, reduction);
  }
  static Tensor decompose(Tensor x, Tensor y, Tensor weight, Tensor pos_weight, std::string reduction) {
    const Tensor terms = call_op<LogitTerms>(x, y, factor(pos_weight));
    return reduced(weight ? terms * weight : terms, reduction);
  }
  static Tensor vjp_input(Tensor g, In<0> x, In<1> y, In<2> w, In<3> p, Arg<4, std::string> r) {
    return sum_to_shape(call_op<LogitSlope>(each_gradient(g, r.value, w, x.numel()), x, y, factor(p)), x.shape());
  }
  static Tensor vjp_target(Tensor g, In<0> x, In<1> y, In<2> w, In<3> p, Arg<4, std::string> r) {
    const Tensor one = full(Dims(), Scalar(1.0), x.dtype());
    return sum_to_shape(each_gradient(g, r.value, w, x.numel()) * LogitTerms::target_slope(x, p ? static_cast<T_>(p) : one), y.shape());
  }
  static NoGrad vjp_weight();
  static NoGrad vjp_pos_weight();
};

struct KlDiv {
  static constexpr auto schema = "kl_div(Tensor input, Tensor target, str reduction='mean', *, bool log_target=False) -> Tensor";
  static constexpr auto doc = R"(
    y (log y - x) for log-probabilities x; with log_target, y is given as its logarithm.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: floating.

    >>> fb.kl_div(fb.tensor([0.]), fb.tensor([1.]))
    tensor(0.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor y, std::string reduction, bool log_target) {
    check(!is_integral(x.dtype()) && !is_integral(y.dtype()), "kl_div: input and target must be floating; "
          "convert them, e.g. with .float()");
    return reduced(log_target ? exp(y) * (y - x) : call_op<Xlogy>(y, y) - y * x, reduction);
  }
};

struct PoissonNllLoss {
  static constexpr auto schema =
      "poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, str reduction) -> Tensor";
  static constexpr auto doc = R"(
    Negative log-likelihood of counts under Poisson(exp(input)), or Poisson(input) unless log_input.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: floating.
    Source: with `full`, Stirling's approximation of log(y!) for y > 1.

    >>> fb.poisson_nll_loss(fb.tensor([0.]), fb.tensor([1.]), True, False, 1e-8, 'mean')
    tensor(1.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor y, bool log_input, bool whole, double eps, std::string reduction) {
    Tensor loss = log_input ? exp(x) - y * x : x - y * log(x + eps);
    if (whole) {
      const Tensor stirling = y * log(y) - y + 0.5 * log(2 * M_PI * y);
      loss = loss + where(le(y, 1), zeros(Dims(), stirling.dtype()), stirling);
    }
    return reduced(loss, reduction);
  }
};

struct HingeEmbeddingLoss {
  static constexpr auto schema =
      "hinge_embedding_loss(Tensor input, Tensor target, float margin=1.0, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    x where y = 1, max(0, margin - x) where y = -1.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: floating.

    >>> fb.hinge_embedding_loss(fb.tensor([0.5]), fb.tensor([-1.]))
    tensor(0.5000)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor y, double margin, std::string reduction) {
    const Tensor zero = zeros(Dims(), x.dtype());
    return reduced(where(ne(y, 1), to_dtype(at_least(margin - x, 0), x.dtype()), zero) + where(ne(y, -1), x, zero), reduction);
  }
};

struct MarginRankingLoss {
  static constexpr auto schema =
      "margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    max(0, -y (x1 - x2) + margin).

    Shapes: all broadcast → (*), or () if reduced.   Dtypes: real.

    >>> fb.margin_ranking_loss(fb.tensor([1.]), fb.tensor([2.]), fb.tensor([1.]))
    tensor(1.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b, Tensor y, double margin, std::string reduction) {
    return reduced(at_least(neg(y) * (a - b) + margin, 0), reduction);
  }
};

struct CosineSimilarity {
  static constexpr auto schema = "cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor";
  static constexpr auto doc = R"(
    x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along `dim`.

    Shapes: both broadcast (*) → without `dim`.   Dtypes: floating.

    >>> fb.cosine_similarity(fb.tensor([[1., 0.]]), fb.tensor([[2., 0.]]))
    tensor([1.])
  )";
  using kind = Composite;
  static Tensor length(T_ x, int64_t dim, double eps) { return sqrt(at_least(sum(x * x, Dims{dim}, true), eps * eps)); }
  static Tensor decompose(Tensor a, Tensor b, int64_t dim, double eps) {
    const Args both(a, b);
    const DType d = result_type(both, 0, 2);
    check(is_floating(d), "cosine_similarity: the vectors must have a floating dtype, theirs is ",
          row(d).legacy);
    const Dims shape = broadcast_shapes("cosine_similarity", a.shape(), b.shape());
    const Tensor x = expand(to_dtype(a, d), shape), y = expand(to_dtype(b, d), shape);
    return sum((x / length(x, dim, eps)) * (y / length(y, dim, eps)), Dims{dim});
  }
};

struct CosineEmbeddingLoss {
  static constexpr auto schema =
      "cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    1 - cos(x1, x2) where y = 1, max(0, cos(x1, x2) - margin) where y = -1.

    Shapes: input1, input2 (N, D), target (N), or (D) and () → target's, or () if reduced.   Dtypes: floating.

    >>> fb.cosine_embedding_loss(fb.tensor([[1., 0.]]), fb.tensor([[1., 0.]]), fb.tensor([1.]))
    tensor(0.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b, Tensor y, double margin, std::string reduction) {
    check(y.dim() <= 1, "cosine_embedding_loss: target has one number per pair and so at most one dim, its "
          "shape is ", y.shape().list());
    const int wanted = y.dim() + 1;
    check(a.dim() == wanted && b.dim() == wanted, "cosine_embedding_loss: a target of ", y.dim(),
          " dims needs inputs of ", wanted, ", their shapes are ", a.shape().list(), " and ",
          b.shape().list());
    constexpr double eps = 1e-12;
    const Dims last{-1};
    const Tensor cosine = sum(a * b, last) / sqrt((sum(a * a, last) + eps) * (sum(b * b, last) + eps));
    const Tensor zero = zeros(Dims(), cosine.dtype());
    return reduced(where(eq(y, 1), 1 - cosine, zero) + where(eq(y, -1), at_least(cosine - margin, 0), zero), reduction);
  }
};

struct PairwiseDistance {
  static constexpr auto schema =
      "pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    ‖x1 - x2 + eps‖_p over the last dim.

    Shapes: both broadcast (*, D) → (*), or (*, 1) if keepdim.   Dtypes: floating.

    >>> fb.pairwise_distance(fb.tensor([[3., 4.]]), fb.tensor([[0., 0.]]), eps=0.)
    tensor([5.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b, double p, double eps, bool keepdim) { return distance(a - b + eps, p, keepdim); }
};

struct TripletMarginLoss {
  static constexpr auto schema = "triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, "
                                 "float eps=1e-06, bool swap=False, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    max(0, d(anchor, positive) - d(anchor, negative) + margin) with d the p-norm distance.

    Shapes: all (*, D) → (*), or () if reduced.   Dtypes: floating.

    >>> fb.triplet_margin_loss(fb.tensor([[0.]]), fb.tensor([[0.]]), fb.tensor([[0.]]))
    tensor(1.0000)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor anchor, Tensor positive, Tensor negative, double margin, double p, double eps, bool swap,
                          std::string reduction) {
    check(anchor.dim() == positive.dim() && positive.dim() == negative.dim(), "triplet_margin_loss: anchor, "
          "positive and negative differ in their number of dims, ", anchor.dim(), ", ", positive.dim(),
          " and ", negative.dim());
    const Tensor near = distance(anchor - positive + eps, p, false);
    Tensor far = distance(anchor - negative + eps, p, false);
    if (swap) far = call_op<Minimum>(far, distance(positive - negative + eps, p, false));
    return reduced(at_least(margin + near - far, 0), reduction);
  }
};

FB_GROUP(loss_pair, OutsideUnit, BceTerms, BceSlope, BinaryCrossEntropy, LogitTerms, LogitSlope, BceWithLogits, KlDiv, PoissonNllLoss,
         HingeEmbeddingLoss, MarginRankingLoss, CosineSimilarity, CosineEmbeddingLoss, PairwiseDistance, TripletMarginLoss)

}  // namespace fb
