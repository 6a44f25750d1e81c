#include <cmath>

#include "kernels/update.h"
#include "op/build.h"
#include "ops.h"

// The steps of the less common optimizers, in the formulas of their papers as PyTorch arranges them.
namespace fb {

using update::Constants;
using update::Group;
using Lists = std::vector<const Tensors*>;

namespace {

struct AdagradRule {
  static constexpr int streams = 3;
  static constexpr uint32_t written = 0b101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *total = s[2];
    const T* g = s[1];
    const T minus_lr = k[0], eps = k[1];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T v = total[i] + g[i] * g[i];
      total[i] = v;
      p[i] = p[i] + minus_lr * (g[i] / (std::sqrt(v) + eps));
    }
  }
};

// Streams: parameter, gradient, square mean, then the momentum buffer and the mean, as far as they are used.
template <bool Momentum, bool Centered> struct RmspropRule {
  static constexpr int streams = 3 + Momentum + Centered;
  static constexpr uint32_t written = 0b11101 & ((1 << streams) - 1);
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *square = s[2], *buffer = Momentum ? s[3] : nullptr, *mean = Centered ? s[3 + Momentum] : nullptr;
    const T* g = s[1];
    const T minus_lr = k[0], alpha = k[1], take = k[2], eps = k[3], momentum = k[4];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      T v = alpha * square[i] + take * (g[i] * g[i]);
      square[i] = v;
      if constexpr (Centered) {
        const T m = update::lerp(mean[i], g[i], take);
        mean[i] = m;
        v = v - m * m;
      }
      T d = g[i] / (std::sqrt(v) + eps);
      if constexpr (Momentum) buffer[i] = d = momentum * buffer[i] + d;
      p[i] = p[i] + minus_lr * d;
    }
  }
};

struct AdadeltaRule {
  static constexpr int streams = 4;
  static constexpr uint32_t written = 0b1101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *square = s[2], *deltas = s[3];
    const T* g = s[1];
    const T minus_lr = k[0], rho = k[1], take = k[2], eps = k[3];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T v = rho * square[i] + take * (g[i] * g[i]);
      const T delta = std::sqrt(deltas[i] + eps) / std::sqrt(v + eps) * g[i];
      square[i] = v;
      deltas[i] = rho * deltas[i] + take * (delta * delta);
      p[i] = p[i] + minus_lr * delta;
    }
  }
};

struct AdamaxRule {
  static constexpr int streams = 4;
  static constexpr uint32_t written = 0b1101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *mean = s[2], *largest = s[3];
    const T* g = s[1];
    const T take1 = k[0], beta2 = k[1], eps = k[2], minus_step = k[3];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T m = update::lerp(mean[i], g[i], take1), old = beta2 * largest[i], now = std::abs(g[i]) + eps;
      const T v = old > now ? old : now;
      mean[i] = m;
      largest[i] = v;
      p[i] = p[i] + minus_step * (m / v);
    }
  }
};

struct NadamRule {
  static constexpr int streams = 4;
  static constexpr uint32_t written = 0b1101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *mean = s[2], *square = s[3];
    const T* g = s[1];
    const T take1 = k[0], beta2 = k[1], take2 = k[2], correction2 = k[3], eps = k[4], by_gradient = k[5], by_mean = k[6],
            shrink = k[7];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T m = update::lerp(mean[i], g[i], take1), v = beta2 * square[i] + take2 * (g[i] * g[i]);
      mean[i] = m;
      square[i] = v;
      const T d = std::sqrt(v / correction2) + eps;
      p[i] = p[i] * shrink + by_gradient * (g[i] / d) + by_mean * (m / d);
    }
  }
};

// Rectified: the variance of the adaptive rate is known well enough to be used.
template <bool Rectified> struct RadamRule {
  static constexpr int streams = 4;
  static constexpr uint32_t written = 0b1101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *mean = s[2], *square = s[3];
    const T* g = s[1];
    const T take1 = k[0], beta2 = k[1], take2 = k[2], minus_step = k[3], root_correction = k[4], eps = k[5], shrink = k[6];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T m = update::lerp(mean[i], g[i], take1), v = beta2 * square[i] + take2 * (g[i] * g[i]);
      mean[i] = m;
      square[i] = v;
      p[i] = p[i] * shrink + minus_step * (Rectified ? m * (root_correction / (std::sqrt(v) + eps)) : m);
    }
  }
};

struct AsgdRule {
  static constexpr int streams = 3;
  static constexpr uint32_t written = 0b101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *average = s[2];
    const T* g = s[1];
    const T shrink = k[0], minus_eta = k[1], mu = k[2];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const T x = p[i] * shrink + minus_eta * g[i];
      p[i] = x;
      average[i] = mu == T(1) ? x : average[i] + (x - average[i]) * mu;
    }
  }
};

struct RpropRule {
  static constexpr int streams = 4;
  static constexpr uint32_t written = 0b1101;
  template <class T> static void step(T* const* s, const T* k, int64_t n) {
    T *p = s[0], *previous = s[2], *size = s[3];
    const T* gradient = s[1];
    const T minus = k[0], plus = k[1], smallest = k[2], largest = k[3];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      T g = gradient[i];
      const T turn = g * previous[i], factor = turn > 0 ? plus : turn < 0 ? minus : T(1);
      T step = size[i] * factor;
      step = step < smallest ? smallest : step;
      step = step > largest ? largest : step;
      g = turn < 0 ? T(0) : g;
      p[i] = p[i] - (g > 0 ? step : g < 0 ? -step : T(0));
      previous[i] = g;
      size[i] = step;
    }
  }
};

}  // namespace

struct FusedAdagrad {
  static constexpr auto schema =
      "fused_adagrad_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] sums, Tensor(a!)[] steps, *, float lr, float lr_decay, "
      "float weight_decay, float eps, bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of Adagrad on every parameter, in place; steps are advanced.

    Shapes: the lists agree one by one; steps ().   Dtypes: floating, complex.   Source: Duchi et al. 2011.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_adagrad_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.tensor(0.)],
    ...     lr=0.1, lr_decay=0., weight_decay=0., eps=1e-10)
    >>> p
    tensor([0.9000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors sums, Tensors steps, double lr, double lr_decay, double weight_decay,
                     double eps, bool maximize) {
    const Lists lists = {&params, &grads, &sums};
    update::check_lengths("fused_adagrad_", {&params, &grads, &sums, &steps});
    Group group("fused_adagrad_", update::rule<AdagradRule>(), {weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      const double t = update::advance(steps[i]);
      group.add(lists, i, {{-lr / (1 + (t - 1) * lr_decay), eps}});
    }
    group.run();
  }
};

struct FusedRmsprop {
  static constexpr auto schema =
      "fused_rmsprop_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] square_avgs, Tensor(a!)[] momentum_buffers, "
      "Tensor(a!)[] grad_avgs, Tensor(a!)[] steps, *, float lr, float alpha, float eps, float weight_decay, float momentum, "
      "bool centered=False, bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of RMSprop on every parameter, in place; steps are advanced.

    Shapes: the lists agree one by one (momentum_buffers and grad_avgs only where used); steps ().
    Dtypes: floating, complex.   Source: Hinton's lecture 6e; centered: Graves 2013.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_rmsprop_([p], [fb.tensor([2.])], [fb.zeros(1)], [], [], [fb.tensor(0.)],
    ...     lr=0.1, alpha=0.75, eps=1e-8, weight_decay=0., momentum=0.)
    >>> p
    tensor([0.8000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static const update::Rule& rule(bool momentum, bool centered) {
    if (momentum) return centered ? update::rule<RmspropRule<true, true>>() : update::rule<RmspropRule<true, false>>();
    return centered ? update::rule<RmspropRule<false, true>>() : update::rule<RmspropRule<false, false>>();
  }
  static void kernel(Tensors params, Tensors grads, Tensors squares, Tensors buffers, Tensors means, Tensors steps, double lr,
                     double alpha, double eps, double weight_decay, double momentum, bool centered, bool maximize) {
    Lists lists = {&params, &grads, &squares};
    if (momentum > 0) lists.push_back(&buffers);
    if (centered) lists.push_back(&means);
    update::check_lengths("fused_rmsprop_", lists);
    update::check_lengths("fused_rmsprop_", {&params, &steps});
    Group group("fused_rmsprop_", rule(momentum > 0, centered), {weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      update::advance(steps[i]);
      group.add(lists, i, {{-lr, alpha, 1 - alpha, eps, momentum}});
    }
    group.run();
  }
};

struct FusedAdadelta {
  static constexpr auto schema =
      "fused_adadelta_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] square_avgs, Tensor(a!)[] acc_deltas, "
      "Tensor(a!)[] steps, *, float lr, float rho, float eps, float weight_decay, bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of Adadelta on every parameter, in place; steps are advanced.

    Shapes: the lists agree one by one; steps ().   Dtypes: floating, complex.   Source: Zeiler 2012.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_adadelta_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.zeros(1)], [fb.tensor(0.)],
    ...     lr=1., rho=0.75, eps=1., weight_decay=0.)
    >>> p
    tensor([-0.4142])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors squares, Tensors deltas, Tensors steps, double lr, double rho, double eps,
                     double weight_decay, bool maximize) {
    const Lists lists = {&params, &grads, &squares, &deltas};
    update::check_lengths("fused_adadelta_", {&params, &grads, &squares, &deltas, &steps});
    Group group("fused_adadelta_", update::rule<AdadeltaRule>(), {weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      update::advance(steps[i]);
      group.add(lists, i, {{-lr, rho, 1 - rho, eps}});
    }
    group.run();
  }
};

struct FusedAdamax {
  static constexpr auto schema =
      "fused_adamax_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] exp_avgs, Tensor(a!)[] exp_infs, Tensor(a!)[] steps, *, "
      "float lr, float beta1, float beta2, float eps, float weight_decay, bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of Adamax on every parameter, in place; steps are advanced.

    Shapes: the lists agree one by one; steps ().   Dtypes: floating, complex.   Source: Kingma & Ba 2015, section 7.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_adamax_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.zeros(1)], [fb.tensor(0.)],
    ...     lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.)
    >>> p
    tensor([0.9000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors means, Tensors largest, Tensors steps, double lr, double beta1,
                     double beta2, double eps, double weight_decay, bool maximize) {
    const Lists lists = {&params, &grads, &means, &largest};
    update::check_lengths("fused_adamax_", {&params, &grads, &means, &largest, &steps});
    Group group("fused_adamax_", update::rule<AdamaxRule>(), {weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      const double t = update::advance(steps[i]);
      group.add(lists, i, {{1 - beta1, beta2, eps, -lr / (1 - std::pow(beta1, t))}});
    }
    group.run();
  }
};

struct FusedNadam {
  static constexpr auto schema =
      "fused_nadam_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] exp_avgs, Tensor(a!)[] exp_avg_sqs, "
      "Tensor(a!)[] mu_products, Tensor(a!)[] steps, *, float lr, float beta1, float beta2, float weight_decay, "
      "float momentum_decay, float eps, bool decoupled_weight_decay=False, bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of NAdam on every parameter, in place; steps and mu_products are advanced.

    Shapes: the lists agree one by one; mu_products and steps ().   Dtypes: floating, complex.   Source: Dozat 2016.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_nadam_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.zeros(1)], [fb.tensor(1.)], [fb.tensor(0.)],
    ...     lr=0.1, beta1=0.9, beta2=0.999, weight_decay=0., momentum_decay=0.004, eps=1e-8)
    >>> p
    tensor([0.8944])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors means, Tensors squares, Tensors products, Tensors steps, double lr,
                     double beta1, double beta2, double weight_decay, double momentum_decay, double eps, bool decoupled,
                     bool maximize) {
    const Lists lists = {&params, &grads, &means, &squares};
    update::check_lengths("fused_nadam_", {&params, &grads, &means, &squares, &products, &steps});
    Group group("fused_nadam_", update::rule<NadamRule>(), {decoupled ? 0 : weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      const double t = update::advance(steps[i]);
      auto mu_at = [&](double step) { return beta1 * (1 - 0.5 * std::pow(0.96, step * momentum_decay)); };
      const double mu = mu_at(t), next = mu_at(t + 1);
      update::multiply_number(products[i], mu);
      const double product = update::number_in(products[i]);
      group.add(lists, i, {{1 - beta1, beta2, 1 - beta2, 1 - std::pow(beta2, t), eps, -lr * (1 - mu) / (1 - product),
                            -lr * next / (1 - product * next), decoupled ? 1 - lr * weight_decay : 1}});
    }
    group.run();
  }
};

struct FusedRadam {
  static constexpr auto schema =
      "fused_radam_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] exp_avgs, Tensor(a!)[] exp_avg_sqs, Tensor(a!)[] steps, *, "
      "float lr, float beta1, float beta2, float weight_decay, float eps, bool decoupled_weight_decay=False, "
      "bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of RAdam on every parameter, in place; steps are advanced.

    Shapes: the lists agree one by one; steps ().   Dtypes: floating, complex.   Source: Liu et al. 2020, algorithm 2.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_radam_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.zeros(1)], [fb.tensor(0.)],
    ...     lr=0.1, beta1=0.9, beta2=0.999, weight_decay=0., eps=1e-8)
    >>> p
    tensor([0.8000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors means, Tensors squares, Tensors steps, double lr, double beta1,
                     double beta2, double weight_decay, double eps, bool decoupled, bool maximize) {
    const Lists lists = {&params, &grads, &means, &squares};
    update::check_lengths("fused_radam_", {&params, &grads, &means, &squares, &steps});
    // Parameters differ in their step counts, so each may or may not be rectified yet.
    const update::Preparation preparation{decoupled ? 0 : weight_decay, maximize};
    Group rectified("fused_radam_", update::rule<RadamRule<true>>(), preparation);
    Group plain("fused_radam_", update::rule<RadamRule<false>>(), preparation);
    const double limit = 2 / (1 - beta2) - 1;
    for (size_t i = 0; i < params.size(); ++i) {
      const double t = update::advance(steps[i]), power = std::pow(beta2, t), correction2 = 1 - power;
      const double length = limit - 2 * t * power / correction2;
      const double rate = lr / (1 - std::pow(beta1, t)), shrink = decoupled ? 1 - lr * weight_decay : 1;
      const double rect = length > 5 ? std::sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)) : 1;
      (length > 5 ? rectified : plain)
          .add(lists, i, {{1 - beta1, beta2, 1 - beta2, -rate * rect, std::sqrt(correction2), eps, shrink}});
    }
    rectified.run();
    plain.run();
  }
};

struct FusedAsgd {
  static constexpr auto schema =
      "fused_asgd_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] axs, Tensor(a!)[] mus, Tensor(a!)[] etas, Tensor(a!)[] steps, "
      "*, float lr, float lambd, float alpha, float t0, float weight_decay, bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of averaged SGD on every parameter, in place; steps, mus and etas are advanced.

    Shapes: params, grads and axs agree one by one; mus, etas and steps ().   Dtypes: floating, complex.
    Source: Polyak & Juditsky 1992.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_asgd_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.tensor(1.)], [fb.tensor(0.1)], [fb.tensor(0.)],
    ...     lr=0.1, lambd=0., alpha=0.75, t0=1e6, weight_decay=0.)
    >>> p
    tensor([0.8000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors averages, Tensors mus, Tensors etas, Tensors steps, double lr,
                     double lambd, double alpha, double t0, double weight_decay, bool maximize) {
    const Lists lists = {&params, &grads, &averages};
    update::check_lengths("fused_asgd_", {&params, &grads, &averages, &mus, &etas, &steps});
    Group group("fused_asgd_", update::rule<AsgdRule>(), {weight_decay, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      const double t = update::advance(steps[i]), eta = update::number_in(etas[i]);
      group.add(lists, i, {{1 - lambd * eta, -eta, update::number_in(mus[i])}});
      update::write_number(etas[i], lr / std::pow(1 + lambd * lr * t, alpha));
      update::write_number(mus[i], 1 / std::max(1.0, t - t0));
    }
    group.run();
  }
};

struct FusedRprop {
  static constexpr auto schema =
      "fused_rprop_(Tensor(a!)[] params, Tensor[] grads, Tensor(a!)[] prevs, Tensor(a!)[] step_sizes, Tensor(a!)[] steps, *, "
      "float etaminus, float etaplus, float step_size_min, float step_size_max, bool maximize=False) -> ()";
  static constexpr auto doc = R"(
    One step of resilient backpropagation on every parameter, in place; steps are advanced.

    Shapes: the lists agree one by one; steps ().   Dtypes: floating, complex.   Source: Riedmiller & Braun 1993.

    >>> p = fb.tensor([1.])
    >>> fb._C.fused_rprop_([p], [fb.tensor([2.])], [fb.zeros(1)], [fb.tensor([0.1])], [fb.tensor(0.)],
    ...     etaminus=0.5, etaplus=1.2, step_size_min=1e-6, step_size_max=50.)
    >>> p
    tensor([0.9000])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void kernel(Tensors params, Tensors grads, Tensors previous, Tensors sizes, Tensors steps, double minus, double plus,
                     double smallest, double largest, bool maximize) {
    const Lists lists = {&params, &grads, &previous, &sizes};
    update::check_lengths("fused_rprop_", {&params, &grads, &previous, &sizes, &steps});
    Group group("fused_rprop_", update::rule<RpropRule>(), {0, maximize});
    for (size_t i = 0; i < params.size(); ++i) {
      update::advance(steps[i]);
      group.add(lists, i, {{minus, plus, smallest, largest}});
    }
    group.run();
  }
};

FB_GROUP(update_adaptive, FusedAdagrad, FusedRmsprop, FusedAdadelta, FusedAdamax, FusedNadam, FusedRadam, FusedAsgd, FusedRprop)

}  // namespace fb
