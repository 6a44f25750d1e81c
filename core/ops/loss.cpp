// Losses of pairs of elements: one pass over both tensors, reduced on the way, and one pass for the gradient.
#include "loss.h"

#include <algorithm>

#include "kernels/rows.h"
#include "math/exponential.h"
#include "op/build.h"

namespace fb {
namespace {

constexpr int64_t block = 4096;                        // elements summed in lanes before they join the total

// ---- the rules: value and slope in x, k being the loss's parameter; and the slope written with ops
struct SquaredError {
  static constexpr std::string_view name = "mse_loss";
  template <class T> static T value(T x, T y, T) { return (x - y) * (x - y); }
  template <class T> static T slope(T x, T y, T) { return T(2) * (x - y); }
  static Tensor value(T_ x, T_ y, double) { return (x - y) * (x - y); }
  static Tensor slope(T_ x, T_ y, double) { return 2 * (x - y); }
};
struct AbsoluteError {
  static constexpr std::string_view name = "l1_loss";
  template <class T> static T value(T x, T y, T) { return math::fabs(x - y); }
  template <class T> static T slope(T x, T y, T) {
    const T d = x - y;
    return d > T(0) ? T(1) : d < T(0) ? T(-1) : T(0);
  }
  static Tensor value(T_ x, T_ y, double) { return abs(x - y); }
  static Tensor slope(T_ x, T_ y, double) { return sign(x - y); }
};
struct SmoothError {
  static constexpr std::string_view name = "smooth_l1_loss";
  template <class T> static T value(T x, T y, T beta) {
    const T d = math::fabs(x - y);
    return d < beta ? T(0.5) * d * d / beta : d - T(0.5) * beta;
  }
  template <class T> static T slope(T x, T y, T beta) {
    const T d = x - y;
    return d <= -beta ? T(-1) : d >= beta ? T(1) : d / beta;
  }
  static Tensor value(T_ x, T_ y, double beta) {
    const Tensor d = abs(x - y);
    return where(lt(d, beta), 0.5 / beta * (d * d), d - 0.5 * beta);
  }
  static Tensor slope(T_ x, T_ y, double beta) {
    const Tensor d = x - y;
    return where(lt(abs(d), beta), d / beta, sign(d));
  }
};
struct HuberError {
  static constexpr std::string_view name = "huber_loss";
  template <class T> static T value(T x, T y, T delta) {
    const T d = math::fabs(x - y);
    return d <= delta ? T(0.5) * d * d : delta * (d - T(0.5) * delta);
  }
  template <class T> static T slope(T x, T y, T delta) {
    const T d = x - y;
    return d <= -delta ? -delta : d >= delta ? delta : d;
  }
  static Tensor value(T_ x, T_ y, double delta) {
    const Tensor d = abs(x - y);
    return where(le(d, delta), 0.5 * (d * d), delta * (d - 0.5 * delta));
  }
  static Tensor slope(T_ x, T_ y, double delta) {
    const Tensor d = x - y;
    return where(le(abs(d), delta), d, delta * sign(d));
  }
};
struct SoftMargin {
  static constexpr std::string_view name = "soft_margin_loss";
  template <class T> static T value(T x, T y, T) { return math::log1p_exp(-x * y); }
  template <class T> static T slope(T x, T y, T) { return -y * math::sigmoid(-x * y); }
  static Tensor value(T_ x, T_ y, double) { return log(1 + exp(-(x * y))); }
  static Tensor slope(T_ x, T_ y, double) { return -(y / (1 + exp(x * y))); }
};

// ---- the loops
template <class T, class F> inline void pair_values(const T* x, const T* y, T k, T* out, int64_t begin, int64_t end) {
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) out[i] = F::value(x[i], y[i], k);
}
template <class T, class F>
inline void pair_sums(const T* x, const T* y, T k, double* sums, int64_t n, int64_t begin, int64_t end) {
  for (int64_t b = begin; b < end; ++b) {
    const T *p = x + b * block, *q = y + b * block;
    sums[b] = sum_lanes<T>(std::min(block, n - b * block), [=](int64_t i) { return F::value(p[i], q[i], k); });
  }
}
template <class T, class F>
inline void pair_slopes(const T* g, const T* x, const T* y, T k, T scale, bool one, T* out, int64_t begin, int64_t end) {
  if (one) {
    const T c = g[0] * scale;
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) out[i] = c * F::slope(x[i], y[i], k);
  } else {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) out[i] = g[i] * F::slope(x[i], y[i], k);
  }
}

// Two tensors broadcast to one shape, packed, in the type the loss is computed in.
struct Pairs {
  Tensor x, y;
  DType result, type;
  Pairs(std::string_view name, T_ a, T_ b) {
    Args both(a, b);
    result = a.dtype() == b.dtype() ? a.dtype() : result_type(both, 0, 2);
    check<UnsupportedError>(is_floating(result), "\"", name, "\" not implemented for '", row(result).legacy, "'");
    type = computed_as(result);
    const Dims shape = a.shape() == b.shape() ? a.shape() : broadcast_shapes(name, a.shape(), b.shape());
    x = packed(a, shape);
    y = packed(b, shape);
  }
  Tensor packed(T_ t, const Dims& shape) const {
    const Tensor u = to_dtype(t, type);
    return contiguous(u.shape() == shape ? u : expand(u, shape));
  }
};

template <class F> Tensor pair_loss(T_ a, T_ b, const std::string& reduction, double k) {
  const Reduce r = reduce_of(reduction);
  const Pairs p(F::name, a, b);
  const int64_t n = p.x.numel();
  Tensor out = empty(r == Reduce::none ? p.x.shape() : Dims(), p.type);
  by_real(p.type, [&]<class T>(T) {
    const T *x = p.x.data<T>(), *y = p.y.data<T>();
    T* o = out.data<T>();
    const T c = static_cast<T>(k);
    if (r == Reduce::none) {
      const auto values = Clones<&pair_values<T, F>>::pick();
      return parallel_for(n, elementwise_grain, [=](int64_t begin, int64_t end) { values(x, y, c, o, begin, end); });
    }
    const auto sums = Clones<&pair_sums<T, F>>::pick();
    const int64_t blocks = (n + block - 1) / block;
    std::vector<double> partial(blocks);
    double* to = partial.data();
    parallel_for(blocks, elementwise_grain / block, [=](int64_t begin, int64_t end) { sums(x, y, c, to, n, begin, end); });
    double total = 0;
    for (double s : partial) total += s;
    *o = static_cast<T>(r == Reduce::mean ? total / static_cast<double>(n) : total);
  });
  return to_dtype(out, p.result);
}

template <class F> Tensor pair_gradient(T_ grad, T_ a, T_ b, const std::string& reduction, double k) {
  const Reduce r = reduce_of(reduction);
  const Pairs p(F::name, a, b);
  const int64_t n = p.x.numel();
  const bool one = grad.numel() == 1 && n != 1;
  const Tensor g = one ? to_dtype(grad, p.type) : p.packed(grad, p.x.shape());
  Tensor out = empty(p.x.shape(), p.type);
  by_real(p.type, [&]<class T>(T) {
    const auto slopes = Clones<&pair_slopes<T, F>>::pick();
    const T *x = p.x.data<T>(), *y = p.y.data<T>(), *from = g.data<T>();
    T* o = out.data<T>();
    const T c = static_cast<T>(k), scale = static_cast<T>(r == Reduce::mean ? 1.0 / static_cast<double>(n) : 1.0);
    const bool whole = r != Reduce::none || one;
    parallel_for(n, elementwise_grain,
                 [=](int64_t begin, int64_t end) { slopes(from, x, y, c, scale, whole, o, begin, end); });
  });
  return to_dtype(out, p.result);
}

template <class F> Tensor pair_gradient_by_ops(T_ grad, T_ a, T_ b, const std::string& reduction, double k) {
  const Tensor slope = F::slope(a, b, k);
  const Tensor g = grad * slope;
  return reduce_of(reduction) == Reduce::mean ? g / static_cast<double>(slope.numel()) : g;
}

// ---- the ops: a loss and its gradient, without and with a parameter
template <class F, class Gradient> struct PairLoss {
  using kind = Fused;
  static Tensor kernel(Tensor x, Tensor y, std::string reduction) { return pair_loss<F>(x, y, reduction, 0); }
  static Tensor decompose(Tensor x, Tensor y, std::string reduction) { return reduced(F::value(x, y, 0.0), reduction); }
  static Tensor vjp_input(Tensor g, In<0> x, In<1> y, Arg<2, std::string> reduction) {
    return sum_to_shape(call_op<Gradient>(g, x, y, reduction.value), x.shape());
  }
  static Tensor vjp_target(Tensor g, In<0> x, In<1> y, Arg<2, std::string> reduction) {
    return sum_to_shape(call_op<Gradient>(g, y, x, reduction.value), y.shape());
  }
};
template <class F> struct PairGradient {
  using kind = Fused;
  static Tensor kernel(Tensor g, Tensor x, Tensor y, std::string reduction) {
    return pair_gradient<F>(g, x, y, reduction, 0);
  }
  static Tensor decompose(Tensor g, Tensor x, Tensor y, std::string reduction) {
    return pair_gradient_by_ops<F>(g, x, y, reduction, 0);
  }
};
template <class F, class Gradient> struct PairLossWith {
  using kind = Fused;
  static Tensor kernel(Tensor x, Tensor y, std::string reduction, double k) { return pair_loss<F>(x, y, reduction, k); }
  static Tensor decompose(Tensor x, Tensor y, std::string reduction, double k) { return reduced(F::value(x, y, k), reduction); }
  static Tensor vjp_input(Tensor g, In<0> x, In<1> y, Arg<2, std::string> reduction, Arg<3, double> k) {
    return sum_to_shape(call_op<Gradient>(g, x, y, reduction.value, k.value), x.shape());
  }
  static Tensor vjp_target(Tensor g, In<0> x, In<1> y, Arg<2, std::string> reduction, Arg<3, double> k) {
    return sum_to_shape(call_op<Gradient>(g, y, x, reduction.value, k.value), y.shape());
  }
};
template <class F> struct PairGradientWith {
  using kind = Fused;
  static Tensor kernel(Tensor g, Tensor x, Tensor y, std::string reduction, double k) {
    return pair_gradient<F>(g, x, y, reduction, k);
  }
  static Tensor decompose(Tensor g, Tensor x, Tensor y, std::string reduction, double k) {
    return pair_gradient_by_ops<F>(g, x, y, reduction, k);
  }
};

}  // namespace

struct MseLoss : PairLoss<SquaredError, MseLossBackward> {
  static constexpr auto schema = "mse_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    Squared error (x - y)², or its mean or sum.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: floating.

    >>> fb._C.mse_loss(fb.tensor([1., 2.]), fb.tensor([1., 4.]))
    tensor(2.)
  )";
};
struct MseLossBackward : PairGradient<SquaredError> {
  static constexpr auto schema = "mse_loss_backward(Tensor grad, Tensor input, Tensor target, str reduction) -> Tensor";
  static constexpr auto doc = "Gradient of mse_loss in its input.";
};

struct L1Loss {
  static constexpr auto schema = "l1_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    Absolute error |x - y|, or its mean or sum.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: all but bool; mean: floating, complex.

    >>> fb._C.l1_loss(fb.tensor([1., 2.]), fb.tensor([1., 4.]))
    tensor(1.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, Tensor target, std::string reduction) {
    if (is_floating(input.dtype()) && is_floating(target.dtype())) return call_op<L1LossReal>(input, target, reduction);
    return reduced(abs(input - target), reduction);
  }
};
struct L1LossReal : PairLoss<AbsoluteError, L1LossBackward> {
  static constexpr auto schema = "_l1_loss(Tensor input, Tensor target, str reduction) -> Tensor";
  static constexpr auto doc = "l1_loss of floating tensors.";
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const Reduce r = reduce_of(args[2].as_string());
    return r == Reduce::none ? "AbsBackward0" : r == Reduce::mean ? "MeanBackward0" : "SumBackward0";
  }
};
struct L1LossBackward : PairGradient<AbsoluteError> {
  static constexpr auto schema = "l1_loss_backward(Tensor grad, Tensor input, Tensor target, str reduction) -> Tensor";
  static constexpr auto doc = "Gradient of l1_loss in its input.";
};

struct SmoothL1Loss : PairLossWith<SmoothError, SmoothL1LossBackward> {
  static constexpr auto schema =
      "smooth_l1_loss(Tensor input, Tensor target, str reduction='mean', float beta=1.0) -> Tensor";
  static constexpr auto doc = R"(
    (x - y)² / (2 beta) where |x - y| < beta, elsewhere |x - y| - beta / 2; or its mean or sum.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: floating.
    Errors: RuntimeError if beta is negative.

    >>> fb._C.smooth_l1_loss(fb.tensor([1., 2.]), fb.tensor([1., 4.]))
    tensor(0.7500)
  )";
  static void examine(const Args& args) {
    check(!(args[3].as_double() < 0), "smooth_l1_loss: beta must not be negative, got ", args[3].as_double());
  }
  static Tensor kernel(Tensor x, Tensor y, std::string reduction, double beta) {
    return beta == 0 ? pair_loss<AbsoluteError>(x, y, reduction, 0) : pair_loss<SmoothError>(x, y, reduction, beta);
  }
};
struct SmoothL1LossBackward : PairGradientWith<SmoothError> {
  static constexpr auto schema =
      "smooth_l1_loss_backward(Tensor grad, Tensor input, Tensor target, str reduction, float beta) -> Tensor";
  static constexpr auto doc = "Gradient of smooth_l1_loss in its input.";
};

struct HuberLoss : PairLossWith<HuberError, HuberLossBackward> {
  static constexpr auto schema =
      "huber_loss(Tensor input, Tensor target, str reduction='mean', float delta=1.0) -> Tensor";
  static constexpr auto doc = R"(
    (x - y)² / 2 where |x - y| <= delta, elsewhere delta (|x - y| - delta / 2); or its mean or sum.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: floating.
    Errors: RuntimeError unless delta > 0.

    >>> fb._C.huber_loss(fb.tensor([1., 2.]), fb.tensor([1., 4.]))
    tensor(0.7500)
  )";
  static void examine(const Args& args) {
    check(args[3].as_double() > 0, "huber_loss: delta must be positive, got ", args[3].as_double());
  }
};
struct HuberLossBackward : PairGradientWith<HuberError> {
  static constexpr auto schema =
      "huber_loss_backward(Tensor grad, Tensor input, Tensor target, str reduction, float delta) -> Tensor";
  static constexpr auto doc = "Gradient of huber_loss in its input.";
};

struct SoftMarginLoss : PairLoss<SoftMargin, SoftMarginLossBackward> {
  static constexpr auto schema = "soft_margin_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    log(1 + exp(-y x)) for y in {-1, 1}, or its mean or sum.

    Shapes: input (*), target broadcastable → (*), or () if reduced.   Dtypes: floating.

    >>> fb._C.soft_margin_loss(fb.tensor([0.]), fb.tensor([1.]))
    tensor(0.6931)
  )";
  static NoGrad vjp_target();
};
struct SoftMarginLossBackward : PairGradient<SoftMargin> {
  static constexpr auto schema =
      "soft_margin_loss_backward(Tensor grad, Tensor input, Tensor target, str reduction) -> Tensor";
  static constexpr auto doc = "Gradient of soft_margin_loss in its input.";
};

FB_GROUP(loss, MseLoss, MseLossBackward, L1Loss, L1LossReal, L1LossBackward, SmoothL1Loss, SmoothL1LossBackward,
         HuberLoss, HuberLossBackward, SoftMarginLoss, SoftMarginLossBackward)

}  // namespace fb
