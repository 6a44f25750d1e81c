#include <cmath>

#include "kernels/update.h"
#include "op/build.h"
#include "ops.h"

// Optimizer steps over whole lists of parameters, each in the formula of its optimizer for one tensor.
namespace fb {

using update::Constants;
using update::Group;
using update::Preparation;

namespace {

struct SgdRule {
  static constexpr int streams = 2;
  static constexpr uint32_t written = 0b01;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T* p = s[0];
    const T* g = s[1];
    const T minus_lr = k[0];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) p[i] = p[i] + minus_lr * g[i];
  }
};

// buffer ← keep * buffer + take * g;  p ← p - lr * (gradient_share * g + buffer_share * buffer)
struct MomentumRule {
  static constexpr int streams = 3;
  static constexpr uint32_t written = 0b101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *buffer = s[2];
    const T* g = s[1];
    const T minus_lr = k[0], keep = k[1], take = k[2], gradient_share = k[3], buffer_share = k[4];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T b = keep * buffer[i] + take * g[i];
      buffer[i] = b;
      p[i] = p[i] + minus_lr * (gradient_share * g[i] + buffer_share * b);
    }
  }
};

// The square mean's running maximum is stream 4 when Largest.
template <bool Largest> struct AdamRule {
  static constexpr int streams = Largest ? 5 : 4;
  static constexpr uint32_t written = Largest ? 0b11101 : 0b1101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *mean = s[2], *square = s[3], *largest = Largest ? s[4] : nullptr;
    const T* g = s[1];
    const T take1 = k[0], beta2 = k[1], take2 = k[2], root_correction = k[3], eps = k[4], minus_step = k[5], shrink = k[6];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T m = update::lerp(mean[i], g[i], take1);
      T v = beta2 * square[i] + take2 * (g[i] * g[i]);
      mean[i] = m;
      square[i] = v;
      if constexpr (Largest) largest[i] = v = largest[i] > v ? largest[i] : v;
      p[i] = p[i] * shrink + minus_step * (m / (std::sqrt(v) / root_correction + eps));
    }
  }
};

}  // namespace

struct FusedSgd {
  static constexpr auto schema =
      "fused_sgd_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] momentum_buffers, *, float lr, float momentum=0., "
      "float dampening=0., float weight_decay=0., bool nesterov=False, bool maximize=False, bool first_step=False) -> ()";
  static constexpr auto doc = R"(
    One step of stochastic gradient descent on every parameter, in place.

    Shapes: params, grads and momentum_buffers (none without momentum) agree one by one.   Dtypes: floating, complex.
    first_step: the buffers take the gradient itself.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_sgd_([p], [fb.tensor([2.])], [],
    ...     lr=0.1)
    >>> p
    tensor([0.8000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors buffers, double lr, double momentum, double dampening,
                     double weight_decay, bool nesterov, bool maximize, bool first_step) {
    std::vector<const Tensors*> lists = {&params, &grads};
    if (momentum != 0) lists.push_back(&buffers);
    update::check_lengths("fused_sgd_", lists);
    Constants c;
    c.k[0] = -lr;
    c.k[1] = first_step ? 0 : momentum;
    c.k[2] = first_step ? 1 : 1 - dampening;
    c.k[3] = nesterov ? 1 : 0;
    c.k[4] = nesterov ? momentum : 1;
    Group group("fused_sgd_", momentum != 0 ? update::rule<MomentumRule>() : update::rule<SgdRule>(), {weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) group.add(lists, i, c);
    group.run();
  }
};

struct FusedAdam {
  static constexpr auto schema =
      "fused_adam_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] exp_avgs, Tensor(a!)[] exp_avg_sqs, "
      "Tensor(a!)[] max_exp_avg_sqs, Tensor(a!)[] steps, *, float lr, float beta1, float beta2, float weight_decay, float eps, "
      "bool amsgrad=False, bool maximize=False, bool decoupled_weight_decay=False) -> ()";
  static constexpr auto doc = R"(
    One step of Adam (or AdamW: decoupled_weight_decay) on every parameter, in place; steps are advanced.

    Shapes: the lists agree one by one; steps ().   Dtypes: floating, complex.   Source: Kingma & Ba 2015, Reddi et al. 2018.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_adam_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.zeros(1)], [], [fb.tensor(0.)],
    ...     lr=0.1, beta1=0.9, beta2=0.999, weight_decay=0., eps=1e-8)
    >>> p
    tensor([0.9000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors means, Tensors squares, Tensors largest, Tensors steps, double lr,
                     double beta1, double beta2, double weight_decay, double eps, bool amsgrad, bool maximize, bool decoupled) {
    std::vector<const Tensors*> lists = {&params, &grads, &means, &squares};
    if (amsgrad) lists.push_back(&largest);
    update::check_lengths("fused_adam_", lists);
    update::check_lengths("fused_adam_", {&params, &steps});
    Group group("fused_adam_", amsgrad ? update::rule<AdamRule<true>>() : update::rule<AdamRule<false>>(),
                {decoupled ? 0 : weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      const double t = update::advance(steps[i]);
      group.add(lists, i, {{1 - beta1, beta2, 1 - beta2, std::sqrt(1 - std::pow(beta2, t)), eps, -lr / (1 - std::pow(beta1, t)),
                            decoupled ? 1 - lr * weight_decay : 1}});
    }
    group.run();
  }
};

struct FusedZero {
  static constexpr auto schema = "fused_zero_(Tensor(a!)[] tensors) -> ()";
  static constexpr auto doc = R"(
    Every tensor of the list set to zero, in place.

    Shapes: any.   Dtypes: all.

    >>> t = fb.ones(2)
    >>> fb._C.fused_zero_([t])
    >>> t
    tensor([0., 0.])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors tensors) {
    for (const Tensor& t : tensors) zero_(t);
  }
};

struct FusedScale {
  static constexpr auto schema = "fused_scale_(Tensor(a!)[] tensors, Tensor factor) -> ()";
  static constexpr auto doc = R"(
    Every tensor of the list multiplied by one number or 0-d tensor, in place.

    Shapes: tensors any, factor ().   Dtypes: all that the factor's can be cast to.

    >>> t = fb.ones(2)
    >>> fb._C.fused_scale_([t], 3.)
    >>> t
    tensor([3., 3.])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors tensors, Value factor) {
    check<ShapeError>(factor.is_number() || factor.as_tensor().numel() == 1, "fused_scale_: the factor must be one number");
    for (const Tensor& t : tensors) mul_(t, factor);
  }
};

namespace {

// Sums (or, for an infinite order, the extreme) of one run of magnitudes.
enum class NormKind { square, magnitude, largest, smallest, count, power };

template <class T, NormKind kind> inline double term(T x, double order) {
  if constexpr (kind == NormKind::square) return double(x) * double(x);
  else if constexpr (kind == NormKind::count) return x != 0;
  else if constexpr (kind == NormKind::power) return std::pow(std::abs(double(x)), order);
  else return std::abs(double(x));
}
template <NormKind kind> inline double joined(double a, double b) {
  if constexpr (kind == NormKind::largest) return b > a || b != b ? b : a;
  else if constexpr (kind == NormKind::smallest) return b < a || b != b ? b : a;
  else return a + b;
}
template <class T, NormKind kind> inline void fold_norm(double* total, const T* x, int64_t n, double order) {
  constexpr int lanes = 16;
  const double start = kind == NormKind::smallest ? INFINITY : 0;
  double s[lanes];
  for (int c = 0; c < lanes; ++c) s[c] = start;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int c = 0; c < lanes; ++c) s[c] = joined<kind>(s[c], term<T, kind>(x[i + c], order));
  for (; i < n; ++i) s[0] = joined<kind>(s[0], term<T, kind>(x[i], order));
  for (int c = 0; c < lanes; ++c) *total = joined<kind>(*total, s[c]);
}
template <NormKind kind> void fold_tensor(double& total, const Tensor& t, double order) {
  static const auto in_float = Clones<&fold_norm<float, kind>>::pick();
  static const auto in_double = Clones<&fold_norm<double, kind>>::pick();
  if (t.dtype() == DType::f32) in_float(&total, t.data<float>(), t.numel(), order);
  else in_double(&total, t.data<double>(), t.numel(), order);
}
void fold_any(NormKind kind, double& total, const Tensor& t, double order) {
  switch (kind) {
    case NormKind::square: return fold_tensor<NormKind::square>(total, t, order);
    case NormKind::magnitude: return fold_tensor<NormKind::magnitude>(total, t, order);
    case NormKind::largest: return fold_tensor<NormKind::largest>(total, t, order);
    case NormKind::smallest: return fold_tensor<NormKind::smallest>(total, t, order);
    case NormKind::count: return fold_tensor<NormKind::count>(total, t, order);
    default: return fold_tensor<NormKind::power>(total, t, order);
  }
}
NormKind norm_kind(double order) {
  if (std::isinf(order)) return order > 0 ? NormKind::largest : NormKind::smallest;
  return order == 2 ? NormKind::square : order == 1 ? NormKind::magnitude : order == 0 ? NormKind::count : NormKind::power;
}

}  // namespace

struct FusedNorm {
  static constexpr auto schema = "fused_norm(Tensor[] tensors, float ord=2.) -> Tensor";
  static constexpr auto doc = R"(
    The norm of the norms of all tensors; for ord > 0 that is the norm of all elements as one vector.

    Shapes: any → ().   Dtypes: floating, complex; the result is real, of the promoted dtype.

    >>> fb.fused_norm([fb.tensor([3.]), fb.tensor([4.])])
    tensor(5.)
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensors tensors, double order) {
    DType dtype = tensors.empty() ? default_dtype() : real_of(tensors[0].dtype());
    const NormKind kind = norm_kind(order);
    double total = kind == NormKind::smallest ? INFINITY : 0;
    for (const Tensor& t : tensors) {
      check<DTypeError>(is_differentiable(t.dtype()), "fused_norm: expected floating or complex tensors, got ", name_of(t.dtype()));
      dtype = promote(dtype, real_of(t.dtype()));
      const Tensor real = is_complex(t.dtype()) ? abs(t) : t;
      const Tensor packed = contiguous(to_dtype(real, real.dtype() == DType::f64 ? DType::f64 : DType::f32));
      if (kind != NormKind::count) {
        fold_any(kind, total, packed, order);
        continue;
      }
      double nonzero = 0;
      fold_any(kind, nonzero, packed, order);
      total += nonzero != 0;
    }
    if (tensors.empty()) total = 0;
    if (kind == NormKind::square) total = std::sqrt(total);
    else if (kind == NormKind::power) total = std::pow(total, 1 / order);
    return full(Dims(), Scalar(total), dtype);
  }
};

FB_GROUP(update, FusedSgd, FusedAdam, FusedZero, FusedScale, FusedNorm)

}  // namespace fb
