#include "math/gamma_gradient.h"
#include "op/build.h"
#include "ops/random_fill.h"

// Gamma and Dirichlet numbers, and how they move with their parameters.
namespace fb {

struct StandardGammaGrad {
  static constexpr auto schema = "_standard_gamma_grad(Tensor self, Tensor output) -> Tensor";
  static constexpr auto doc = R"(
    d output / d self for gamma numbers `output` with shape parameters `self`, at a fixed level of the distribution.

    Shapes: self (*), output (*) → broadcast of both.   Dtypes: floating.   Accuracy: about 10⁻¹².
    Source: Figurnov, Mohamed and Mnih, NeurIPS 2018.
  )";
  using kind = Scalarwise<Result::same, floats_only>;
  static constexpr uint32_t number_params = 0;
  template <class T> static T forward(T alpha, T x) { return math::scalar::gamma_slope(alpha, x); }
  static Tensor vjp_self(Tensor) { throw UnsupportedError("the derivative for '_standard_gamma_grad' is not implemented."); }
  static Tensor vjp_output(Tensor) { throw UnsupportedError("the derivative for '_standard_gamma_grad' is not implemented."); }
};

struct DirichletGrad {
  static constexpr auto schema = "_dirichlet_grad(Tensor x, Tensor concentration, Tensor total) -> Tensor";
  static constexpr auto doc = R"(
    dx / da / (1 - x) for beta numbers x with parameters a = concentration and total - a, the latter fixed.

    Shapes: broadcast of all three.   Dtypes: floating.
    Source: Jankowiak and Obermeyer, Pathwise derivatives beyond the reparameterization trick, ICML 2018.
  )";
  using kind = Scalarwise<Result::same, floats_only>;
  static constexpr uint32_t number_params = 0;
  template <class T> static T forward(T x, T a, T total) { return math::scalar::dirichlet_slope(x, a, total); }
  static Tensor vjp_x(Tensor) { throw UnsupportedError("the derivative for '_dirichlet_grad' is not implemented."); }
  static Tensor vjp_concentration(Tensor) { throw UnsupportedError("the derivative for '_dirichlet_grad' is not implemented."); }
  static Tensor vjp_total(Tensor) { throw UnsupportedError("the derivative for '_dirichlet_grad' is not implemented."); }
};

struct StandardGamma {
  static constexpr auto schema = "_standard_gamma(Tensor self, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Gamma numbers of the shape parameter that each element states and rate one.";
  using kind = Opaque;
  static Tensor kernel(Tensor alpha, Generator* g) {
    return drawn_like(alpha, {}, [&]<class T>(T* out, const T* a, const T*, int64_t n) { standard_gamma(out, a, n, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g, In<0> alpha, Out x) { return g * call_op<StandardGammaGrad>(alpha, x); }
};

struct SampleDirichlet {
  static constexpr auto schema = "_sample_dirichlet(Tensor self, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Dirichlet numbers: each row of concentrations gives a row that sums to one.";
  using kind = Opaque;
  static Tensor kernel(Tensor alpha, Generator* g) {
    const int64_t categories = alpha.dim() ? alpha.shape().back() : 1;
    return drawn_like(alpha, {}, [&]<class T>(T* out, const T* a, const T*, int64_t n) {
      dirichlet(out, a, categories ? n / categories : 0, categories, generator_or_default(g));
    });
  }
  static Tensor vjp(Tensor g, In<0> alpha, Out x) {
    const Tensor total = expand(sum(alpha, Dims{-1}, true), alpha.shape());
    return call_op<DirichletGrad>(x, alpha, total) * (g - sum(x * g, Dims{-1}, true));
  }
};

FB_GROUP(random_gamma, StandardGammaGrad, DirichletGrad, StandardGamma, SampleDirichlet)

}  // namespace fb
