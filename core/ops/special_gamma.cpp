#include "math/gamma.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct Lgamma;
struct Digamma;
struct PolygammaOf;
struct Polygamma;
struct Zeta;

struct Lgamma {
  static constexpr auto schema = "lgamma(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm of |Γ(x)| for each element.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: inf at 0 and negative integers.

    >>> fb.lgamma(fb.tensor([0.5, 4.]))
    tensor([0.5724, 1.7918])
  )";
  using kind = Scalarwise<Result::floating>;
  template <class T> static T forward(T x) { return math::scalar::lgamma(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * call_op<Digamma>(x); }
};

struct Digamma {
  static constexpr auto schema = "digamma(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Digamma: Γ'(x) / Γ(x), which differentiates log Γ(x), for each element.

    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: digamma(±0) = ∓inf, negative integers → nan.   Accuracy: 3 ulp for x > 0.

    >>> fb.digamma(fb.tensor([0.5, 4.]))
    tensor([-1.9635,  1.2561])
  )";
  using kind = Scalarwise<Result::floating>;
  template <class T> static T forward(T x) { return math::scalar::digamma(x); }
  static Tensor vjp(Tensor g, In<0> x) { return g * call_op<Polygamma>(x, 1); }
};

struct PolygammaOf {
  static constexpr auto schema = "_polygamma(Tensor self, Scalar n) -> Tensor";
  static constexpr auto doc = "The n-th derivative of digamma, for n ≥ 0.";
  using kind = Scalarwise<Result::floating>;
  static constexpr bool differentiable = false;
  template <class T> static T forward(T x, T n) { return math::scalar::polygamma(int64_t(n), x); }
};

// Of the two orders of arguments, this is the method's.
struct Polygamma {
  static constexpr auto schema = "polygamma.method(Tensor self, int n) -> Tensor";
  static constexpr auto doc = R"(
    The n-th derivative of digamma, for each element; also called as polygamma(n, input).

    n: order, at least 0.
    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Limits: poles at 0 and the negative integers.   Errors: RuntimeError if n is negative.

    >>> fb.polygamma(1, fb.tensor([1., 2.]))
    tensor([1.6449, 0.6449])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static void examine(const Args& args) {
    check(args[1].as_int() >= 0, "polygamma: n is an order of derivatives and must not be negative, got ",
          args[1].as_int());
  }
  static Tensor kernel(Tensor x, int64_t n) { return call_op<PolygammaOf>(x, n); }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, int64_t> n) { return g * call_op<Polygamma>(x, n + 1); }
};

struct PolygammaFunction {
  static constexpr auto schema = "polygamma(int n, Tensor input) -> Tensor";
  static constexpr auto doc = Polygamma::doc;
  using kind = Composite;
  static Tensor decompose(int64_t n, Tensor x) { return call_op<Polygamma>(x, n); }
};

struct Mvlgamma {
  static constexpr auto schema = "mvlgamma(Tensor self, int p) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm of the multivariate gamma function of dimension p, for each element.

    It is p (p - 1) / 4 · log π + Σ lgamma(x - i/2) over i < p.

    p: dimension, at least 1.
    Shapes: self (*) → (*).   Dtypes: real; integers give the default float.
    Errors: RuntimeError if p < 1.

    >>> fb.mvlgamma(fb.tensor([1., 2.]), 2)
    tensor([1.1447, 0.4516])
  )";
  using kind = Scalarwise<Result::floating>;
  static void examine(const Args& args) {
    check(args[1].as_int() >= 1, "mvlgamma: p must be at least 1, got ", args[1].as_int());
  }
  template <class T> static T forward(T x, T p) {
    constexpr double log_pi = 1.1447298858494002;
    double sum = 0.25 * log_pi * double(p) * (double(p) - 1.0);
    for (int64_t i = 0; i < int64_t(p); ++i) sum += math::scalar::lgamma(double(x) - 0.5 * double(i));
    return T(sum);
  }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, int64_t> p) {
    Tensor sum = call_op<Digamma>(x);
    for (int64_t i = 1; i < p; ++i) sum = sum + call_op<Digamma>(x - 0.5 * double(i));
    return g * sum;
  }
};

// d/dx P(a, x) = x^(a-1) e^-x / Γ(a)
static Tensor gamma_density(T_ a, T_ x) { return exp((a - 1.0) * log(x) - x - call_op<Lgamma>(a)); }

struct Igamma {
  static constexpr auto schema = "igamma(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Regularised lower incomplete gamma function P(self, other), broadcast.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: floating.
    Limits: nan for negative arguments; only other has a derivative.

    >>> fb.igamma(fb.tensor([2.]), fb.tensor([1.]))
    tensor([0.2642])
  )";
  using kind = Scalarwise<Result::same, floats_only>;
  static constexpr uint32_t number_params = 0;         // tensors only
  template <class T> static T forward(T a, T x) { return math::scalar::igamma(a, x); }
  static Tensor vjp_self(Tensor) {
    throw UnsupportedError("the derivative for 'igamma: input' is not implemented.");
  }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> x) { return g * gamma_density(a, x); }
};

struct Igammac {
  static constexpr auto schema = "igammac(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Regularised upper incomplete gamma function 1 - P(self, other), broadcast, accurate in the tail.

    Shapes: self (*), other (*) → broadcast of both.   Dtypes: floating.
    Limits: nan for negative arguments; only other has a derivative.

    >>> fb.igammac(fb.tensor([2.]), fb.tensor([1.]))
    tensor([0.7358])
  )";
  using kind = Scalarwise<Result::same, floats_only>;
  static constexpr uint32_t number_params = 0;         // tensors only
  template <class T> static T forward(T a, T x) { return math::scalar::igammac(a, x); }
  static Tensor vjp_self(Tensor) {
    throw UnsupportedError("the derivative for 'igammac: input' is not implemented.");
  }
  static Tensor vjp_other(Tensor g, In<0> a, In<1> x) { return -(g * gamma_density(a, x)); }
};

struct Zeta {
  static constexpr auto schema = "special_zeta(Tensor input, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Hurwitz zeta function Σ (other + n)^-input over n ≥ 0, broadcast; other = 1 gives Riemann's.

    Shapes: input (*), other (*) → broadcast of both.   Dtypes: real; integers give the default float.
    Limits: inf at input = 1, nan below; only other has a derivative.

    >>> fb.special.zeta(fb.tensor([2., 4.]), 1.)
    tensor([1.6449, 1.0823])
  )";
  using kind = Scalarwise<Result::floating>;
  static constexpr bool in_place = false, takes_only_numbers = false;
  template <class T> static T forward(T s, T q) { return math::scalar::zeta(s, q); }
  static Tensor vjp_input(Tensor) { throw UnsupportedError("zeta: there is no gradient by the first "
                                                           "argument"); }
  static Tensor vjp_other(Tensor g, In<0> s, In<1> q) { return -(g * (s * call_op<Zeta>(s + 1.0, q))); }
};

FB_GROUP(special_gamma, Lgamma, Digamma, PolygammaOf, Polygamma, PolygammaFunction, Mvlgamma, Igamma, Igammac,
         Zeta)

}  // namespace fb
