#include <cmath>

#include "kernels/moments.h"
#include "op/build.h"
#include "tensor/convert.h"

namespace fb {

struct VarianceOp; struct VarianceMean; struct All; struct ComplexOp; struct Imag;

// The reduced dims of a tensor as one dim of a packed one: as it lies when they are adjacent, else moved
// last.
static Tensor with_one_reduced_dim(const Tensor& x, const Dims& dims, int64_t& outer, int64_t& n,
    int64_t& inner) {
  bool is_reduced[Dims::max_count] = {};
  for (int64_t d : dims) is_reduced[d] = true;
  int groups = 0;                                      // runs of reduced dims, sizes of one aside
  bool inside = false;
  outer = n = inner = 1;
  for (int i = 0; i < x.dim(); ++i) {
    const int64_t size = x.shape()[i];
    if (size == 1) continue;
    if (is_reduced[i] && !inside) ++groups;
    inside = is_reduced[i];
    (is_reduced[i] ? n : groups ? inner : outer) *= size;
  }
  if (groups <= 1) return contiguous(x);
  Dims order;
  for (bool last : {false, true})
    for (int i = 0; i < x.dim(); ++i) if (is_reduced[i] == last) order.push(i);
  outer = x.numel() / std::max<int64_t>(n, 1);
  inner = 1;
  return contiguous(permute(x, order));
}

// One component (real or imaginary) of packed complex numbers.
static Tensor component(const Tensor& x, int which) {
  Tensor r = empty(x.shape(), real_of(x.dtype()));
  const int bytes = bytes_of(r.dtype());
  copy_strided(bytes, r.data(), bytes, x.data() + which * bytes, 2 * bytes, x.numel());
  return r;
}

static void real_moments(const Tensor& x, int64_t outer, int64_t n, int64_t inner, double* means,
    double* squares) {
  Along a(Dims{outer, n, inner}, 1);
  for_real_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>)
      moments_along(x.data<T>(), a, [&](int64_t line, const Moments& m) {
        means[line] = m.count ? m.mean : std::numeric_limits<double>::quiet_NaN();
        squares[line] += m.squares;
      });
  });
}

static Outputs<2> variance_and_mean(const Tensor& self, const Value& dim, double correction, bool keepdim,
    bool root) {
  const DType real = real_of(self.dtype());
  const Dims dims = normalized_dims(dim, self.dim());
  Dims shape;
  for (int i = 0; i < self.dim(); ++i) {
    if (!dims.contains(i)) shape.push(self.shape()[i]);
    else if (keepdim) shape.push(1);
  }
  int64_t outer, n, inner;
  const Tensor x = with_one_reduced_dim(computable(self), self.dim() ? dims : Dims(), outer, n, inner);
  const int64_t lines = shape.product();
  Tensor variance = zeros(shape, DType::f64);
  Tensor mean = empty(shape, is_complex(self.dtype()) ? DType::c128 : DType::f64);
  double* squares = variance.data<double>();
  if (is_complex(self.dtype())) {
    std::vector<double> parts[2];
    for (int k : {0, 1}) {
      parts[k].assign(static_cast<size_t>(lines), std::numeric_limits<double>::quiet_NaN());
      if (lines) real_moments(component(x, k), outer, n, inner, parts[k].data(), squares);
    }
    for (int64_t i = 0; i < lines; ++i) mean.data<math::Complex<double>>()[i] = {parts[0][i], parts[1][i]};
  } else if (lines) {
    real_moments(x, outer, n, inner, mean.data<double>(), squares);
  }
  const double divisor = std::max(0.0, static_cast<double>(n) - correction);
  for (int64_t i = 0; i < lines; ++i) {
    squares[i] = squares[i] / divisor;
    if (root) squares[i] = std::sqrt(squares[i]);
  }
  return {to_dtype(variance, real), to_dtype(mean, self.dtype())};
}

// d var / dx = 2 (x - mean) / (n - correction); of the root, half of that over it.
static Tensor variance_vjp(const Tensor& g, const Tensor& x, const Tensor& y, const Value& dim,
    double correction,
                           bool keepdim, bool root) {
  int64_t n = 1;
  if (x.dim()) for (int64_t d : normalized_dims(dim, x.dim())) n *= x.shape()[int(d)];
  const double divisor = static_cast<double>(n) - correction;
  const double scale = (root ? 1 : 2) / divisor;
  const Tensor small = root ? where(eq(y, 0), Scalar(0), g / y) : g;
  return spread(small * scale, x.shape(), dim, keepdim) * (x - mean(x, dim, true));
}

struct VarianceOp {
  static constexpr auto schema =
      "_variance(Tensor self, int[]? dim, float correction, bool keepdim, bool root) -> Tensor";
  static constexpr auto doc = "Variance, or its root, over `dim`; the divisor is n - correction.";
  using kind = Opaque;
  static Tensor kernel(Tensor x, Value dim, double correction, bool keepdim, bool root) {
    return variance_and_mean(x, dim, correction, keepdim, root)[0];
  }
  static Tensor vjp(Tensor g, In<0> x, Out y, Arg<1, Value> dim, Arg<2, double> correction,
      Arg<3, bool> keepdim,
                    Arg<4, bool> root) {
    return variance_vjp(g, x, y, dim, correction, keepdim, root);
  }
};

struct VarianceMean {
  static constexpr auto schema =
      "_variance_mean(Tensor self, int[]? dim, float correction, bool keepdim, bool root) -> (Tensor, "
          "Tensor)";
  static constexpr auto doc =
      "Variance, or its root, and mean over `dim`, from one pass; the divisor is n - correction.";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor x, Value dim, double correction, bool keepdim, bool root) {
    return variance_and_mean(x, dim, correction, keepdim, root);
  }
  static Tensor vjp(Tensor g, Tensor g_mean, In<0> x, Out y, Arg<1, Value> dim, Arg<2, double> correction,
                    Arg<3, bool> keepdim, Arg<4, bool> root) {
    const double n = static_cast<double>(x.numel()) / static_cast<double>(std::max<int64_t>(1, y.numel()));
    return variance_vjp(g, x, y, dim, correction, keepdim, root)
        + spread(g_mean / n, x.shape(), dim, keepdim);
  }
};

static double correction_of(std::string_view op, std::optional<bool> unbiased,
    std::optional<Scalar> correction) {
  check<TypeError>(!unbiased || !correction, op, ": pass unbiased or correction, not both");
  return correction ? correction->real() : unbiased.value_or(true) ? 1 : 0;
}
static void check_floating(const Tensor& x) {
  check(is_differentiable(x.dtype()), "std and var need floating or complex numbers, the input is ",
        row(x.dtype()).legacy);
}
static Tensor spread_of(std::string_view grad_name, const Tensor& x, const Value& dim, double correction,
    bool keepdim,
                        bool root) {
  check_floating(x);
  Scoped named(mode.grad_name, grad_name);
  return call_op<VarianceOp>(x, dim, correction, keepdim, root);
}
static Outputs<2> spread_and_mean(std::string_view grad_name, const Tensor& x, const Value& dim,
    double correction,
                                  bool keepdim, bool root) {
  check_floating(x);
  Scoped named(mode.grad_name, grad_name);
  return call_outputs<2, VarianceMean>(x, dim, correction, keepdim, root);
}

struct VarAll {
  static constexpr auto schema = "var.all(Tensor self, bool unbiased) -> Tensor";
  static constexpr auto doc = "Variance of all elements, with divisor n - 1 if unbiased, else n.";
  using kind = Composite;
  static Tensor decompose(Tensor x, bool unbiased) {
    return spread_of("VarBackward0", x, Value(), unbiased, false, false);
  }
};

struct Var {
  static constexpr auto schema =
      "var(Tensor self, int[]? dim=None, bool? unbiased=None, bool keepdim=False, *, Scalar? "
          "correction=None) -> Tensor";
  static constexpr auto doc = R"(
    Variance of all elements, or over `dim`, with divisor n - correction (1 unless given; unbiased=False
    means 0).

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.
    Dtypes: floating, complex; real.
    Source: deviations from block means, merged after Chan, Golub and LeVeque (1983).

    >>> fb.var(fb.tensor([1., 2., 3.]))
    tensor(1.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Value dim, std::optional<bool> unbiased, bool keepdim,
      std::optional<Scalar> correction) {
    return spread_of("VarBackward0", x, dim, correction_of("var", unbiased, correction), keepdim, false);
  }
};

struct StdAll {
  static constexpr auto schema = "std.all(Tensor self, bool unbiased) -> Tensor";
  static constexpr auto doc = "Standard deviation of all elements, with divisor n - 1 if unbiased, else n.";
  using kind = Composite;
  static Tensor decompose(Tensor x, bool unbiased) {
    return spread_of("StdBackward0", x, Value(), unbiased, false, true);
  }
};

struct Std {
  static constexpr auto schema =
      "std(Tensor self, int[]? dim=None, bool? unbiased=None, bool keepdim=False, *, Scalar? "
          "correction=None) -> Tensor";
  static constexpr auto doc = R"(
    Standard deviation of all elements, or over `dim`: the root of var.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.
    Dtypes: floating, complex; real.

    >>> fb.std(fb.tensor([1., 2., 3.]))
    tensor(1.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Value dim, std::optional<bool> unbiased, bool keepdim,
      std::optional<Scalar> correction) {
    return spread_of("StdBackward0", x, dim, correction_of("std", unbiased, correction), keepdim, true);
  }
};

struct VarMeanAll {
  static constexpr auto schema = "var_mean.all(Tensor self, bool unbiased) -> (Tensor, Tensor)";
  static constexpr auto doc = "Variance and mean of all elements.";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, bool unbiased) {
    return spread_and_mean("VarMeanBackward0", x, Value(), unbiased, false, false);
  }
};

struct VarMean {
  static constexpr auto schema =
      "var_mean(Tensor self, int[]? dim=None, bool? unbiased=None, bool keepdim=False, *, Scalar? "
          "correction=None)"
      " -> (Tensor, Tensor)";
  static constexpr auto doc = R"(
    Variance and mean, of all elements or over `dim`; arguments as for var.

    Shapes: self (*) → twice self without the dims, or with size 1 there if keepdim.
    Dtypes: floating, complex.

    >>> fb.var_mean(fb.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Value dim, std::optional<bool> unbiased, bool keepdim,
      std::optional<Scalar> correction) {
    return spread_and_mean("VarMeanBackward0", x, dim, correction_of("var_mean", unbiased, correction),
        keepdim, false);
  }
};

struct StdMeanAll {
  static constexpr auto schema = "std_mean.all(Tensor self, bool unbiased) -> (Tensor, Tensor)";
  static constexpr auto doc = "Standard deviation and mean of all elements.";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, bool unbiased) {
    return spread_and_mean("StdMeanBackward0", x, Value(), unbiased, false, true);
  }
};

struct StdMean {
  static constexpr auto schema =
      "std_mean(Tensor self, int[]? dim=None, bool? unbiased=None, bool keepdim=False, *, Scalar? "
          "correction=None)"
      " -> (Tensor, Tensor)";
  static constexpr auto doc = R"(
    Standard deviation and mean, of all elements or over `dim`; arguments as for std.

    Shapes: self (*) → twice self without the dims, or with size 1 there if keepdim.
    Dtypes: floating, complex.

    >>> fb.std_mean(fb.tensor([1., 2., 3.]))
    (tensor(1.), tensor(2.))
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Value dim, std::optional<bool> unbiased, bool keepdim,
      std::optional<Scalar> correction) {
    return spread_and_mean("StdMeanBackward0", x, dim, correction_of("std_mean", unbiased, correction),
        keepdim, true);
  }
};

static Tensor checked_weights(const char* name, const Tensor& w, int64_t observations, bool whole) {
  check(w.dim() <= 1, "cov: ", name, " must be a vector or a number, it has ", w.dim(), " dims");
  check(whole ? is_integral(w.dtype()) : is_floating(w.dtype()), "cov(): expected ", name, " to have ",
        whole ? "integral" : "floating point", " dtype but got ", name, " with ", row(w.dtype()).legacy,
            " dtype");
  check(w.numel() == observations, "cov: ", name, " has ", w.numel(), " weights for ", observations,
        " observations");
  check(w.numel() == 0 || *call_op<All>(ge(w, 0), Value(), false).data<bool>(), "cov(): ", name,
      " cannot be negative");
  return w;
}

struct Cov {
  static constexpr auto schema =
      "cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor";
  static constexpr auto doc = R"(
    Covariance matrix of variables (rows) over observations (columns), weighted by frequencies and
    importances.

    Shapes: self (v, o), (o,) or () → (v, v) or ().   Dtypes: all but bool; integers give the default float.
    Errors: RuntimeError for more dims, for weights that do not fit or are negative.

    >>> fb.cov(fb.tensor([[0., 1., 2.], [2., 1., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor self, int64_t correction, Value fweights, Value aweights) {
    check(self.dim() <= 2, "cov: the input must be a matrix of observations or a vector, it has ", self.dim(),
          " dims");
    check(self.dtype() != DType::boolean, "cov: bool observations have no covariance; convert the input, "
          "e.g. with .float()");
    const Tensor in = self.dim() < 2 ? reshape(self, {1, -1}) : self;
    const int64_t observations = in.shape()[1];
    Tensor w;
    if (fweights) w = checked_weights("fweights", fweights.as_tensor(), observations, true);
    if (aweights) {
      const Tensor a = checked_weights("aweights", aweights.as_tensor(), observations, false);
      w = w ? w * a : a;
    }
    const Tensor x = is_differentiable(in.dtype()) ? in : to_dtype(in, default_dtype());
    const bool some = observations > 0;
    const Tensor total = w ? sum(w) : full(Dims(), Scalar(observations), DType::i64);
    const Tensor average = w && some ? sum(x * w, 1) / total : mean(x, 1);
    const Tensor centered = x - unsqueeze(average, 1);
    Tensor norm = total;
    if (w && aweights && correction != 0) {
      const Tensor a = aweights.as_tensor();
      norm = total - sum(w * a) / total * static_cast<double>(correction);
    } else norm = sub(total, correction);
    norm = where(lt(norm, 0), Scalar(0), norm);
    const Tensor c = mm(centered, transpose(conj(w ? centered * w : centered), 0, 1)) / norm;
    return in.shape()[0] == 1 ? reshape(c, Dims()) : c;
  }
};

struct Corrcoef {
  static constexpr auto schema = "corrcoef(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Pearson correlation of variables (rows) over observations (columns), kept within [-1, 1].

    Shapes: self (v, o), (o,) or () → (v, v) or ().   Dtypes: all but bool; integers give the default float.

    >>> fb.corrcoef(fb.tensor([[0., 1., 2.], [2., 1., 0.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) {
    check(x.dim() <= 2, "corrcoef: the input must be a matrix of observations or a vector, it has ", x.dim(),
          " dims");
    const Tensor c = call_op<Cov>(x, 1, Value(), Value());
    if (c.dim() == 0) return c / c;
    const int64_t n = c.shape()[0];
    const Tensor deviation = sqrt(real_part(call_op<AsStrided>(contiguous(c), Dims{n}, Dims{n + 1},
        Value())));
    const Tensor r = c / unsqueeze(deviation, 1) / unsqueeze(deviation, 0);
    if (is_complex(r.dtype())) return call_op<ComplexOp>(limited(real_part(r)), limited(call_op<Imag>(r)));
    return limited(r);
  }
  static Tensor limited(const Tensor& r) {
    return where(gt(r, 1), Scalar(1.0), where(lt(r, -1), Scalar(-1.0), r));
  }
};

FB_GROUP(statistics, VarianceOp, VarianceMean, VarAll, Var, StdAll, Std, VarMeanAll, VarMean, StdMeanAll,
    StdMean, Cov, Corrcoef)

}  // namespace fb
