#include "kernels/along.h"
#include "math/power.h"
#include "op/build.h"

namespace fb {

struct AbsPow; struct NormOne; struct NormTwo; struct NormLargest; struct NormSmallest; struct CountNonzero;
struct LinalgVectorNorm; struct LinalgMatrixNormNamed;

template <class T> static auto size_of(T x) {
  if constexpr (requires { x.re; }) return std::hypot(x.re, x.im);
  else return x < T{} ? -x : x;
}
template <class T> static auto squared_size(T x) {
  if constexpr (requires { x.re; }) return x.re * x.re + x.im * x.im;
  else return x * x;
}

struct AbsPow {
  static constexpr auto schema = "_abs_pow(Tensor self, Scalar exponent) -> Tensor";
  static constexpr auto doc = "|x|^p of each element; real for complex ones.";
  using kind = Scalarwise<Result::same, floats_and_complex>;
  template <class T> static auto forward(T x, T p) {
    if constexpr (requires { x.re; }) return math::pow(size_of(x), p.re);
    else return math::pow(size_of(x), p);
  }
  // The slope is taken as zero at zero.
  static Tensor vjp(Tensor g, In<0> x, Arg<1, double> p) {
    return where(eq(x, 0), Scalar(0), g * p.value * x * call_op<AbsPow>(x, p.value - 2));
  }
};

struct NormOne {
  static constexpr auto schema = "_norm_one(Tensor self, int[]? dim, bool keepdim) -> Tensor";
  static constexpr auto doc = "Sum of absolute values.";
  using kind = Reduction<Result::same, floats_and_complex>;
  static constexpr bool differentiable = false;
  template <class A> static A start() { return A{}; }
  template <class T> static auto map(T x) { return size_of(x); }
  template <class A> static A combine(A a, A b) { return a + b; }
  template <class A> static A finish(A a, int64_t) { return a; }
};

struct NormTwo {
  static constexpr auto schema = "_norm_two(Tensor self, int[]? dim, bool keepdim) -> Tensor";
  static constexpr auto doc = "Root of the sum of squared absolute values.";
  using kind = Reduction<Result::same, floats_and_complex>;
  static constexpr bool differentiable = false;
  template <class A> static A start() { return A{}; }
  template <class T> static auto map(T x) { return squared_size(x); }
  template <class A> static A combine(A a, A b) { return a + b; }
  template <class A> static A finish(A a, int64_t) { return std::sqrt(a); }
};

struct NormLargest {
  static constexpr auto schema = "_norm_largest(Tensor self, int[]? dim, bool keepdim) -> Tensor";
  static constexpr auto doc = "Largest absolute value; nan if there is one.";
  using kind = Reduction<Result::same, floats_and_complex>;
  static constexpr bool differentiable = false;
  template <class A> static A start() { return A{}; }
  template <class T> static auto map(T x) { return size_of(x); }
  template <class A> static A combine(A a, A b) { return (a > b) | (a != a) ? a : b; }
  template <class A> static A finish(A a, int64_t) { return a; }
};

struct NormSmallest {
  static constexpr auto schema = "_norm_smallest(Tensor self, int[]? dim, bool keepdim) -> Tensor";
  static constexpr auto doc = "Smallest absolute value; nan if there is one.";
  using kind = Reduction<Result::same, floats_and_complex>;
  static constexpr bool differentiable = false;
  template <class A> static A start() { return std::numeric_limits<A>::infinity(); }
  template <class T> static auto map(T x) { return size_of(x); }
  template <class A> static A combine(A a, A b) { return (a < b) | (a != a) ? a : b; }
  template <class A> static A finish(A a, int64_t) { return a; }
};

static Tensor direction(const Tensor& x) {             // x / |x|, and 0 at 0
  return where(eq(x, 0), Scalar(0), x / call_op<AbsPow>(x, 1.0));
}

// The gradient of the p-norm y of x over `dim`: g x |x|^(p-2) / y^(p-1), zero where it is undefined.
static Tensor norm_vjp(const Tensor& g_small, const Tensor& x, const Tensor& y_small, double p,
    const Value& dim,
                       bool keepdim) {
  if (p == 0) return zeros_like(x);
  const Tensor g = spread(g_small, x.shape(), dim, keepdim);
  if (p == 1) return g * direction(x);
  const Tensor y = spread(y_small, x.shape(), dim, keepdim);
  if (std::isinf(p)) {
    const Tensor hit = to_dtype(eq(call_op<AbsPow>(x, 1.0), y), g.dtype());
    return direction(x) * (hit / sum(hit, dim, true) * g);
  }
  const Tensor zero = eq(y, 0);
  if (p == 2) return where(zero, Scalar(0), x * (g / y));
  const Tensor slope = where(eq(x, 0), Scalar(0), x * call_op<AbsPow>(x, p - 2));
  return where(zero, Scalar(0), slope * (g / call_op<AbsPow>(y, p - 1)));
}

struct LinalgVectorNorm {
  static constexpr auto schema =
      "linalg_vector_norm(Tensor self, Scalar ord=2, int[]? dim=None, bool keepdim=False, *, dtype? "
          "dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    The p-norm of all elements, or over `dim`: (Σ|x|^p)^(1/p); ±inf gives the largest or smallest |x|, 0
    counts.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.
    Dtypes: floating, complex; real.
    Errors: RuntimeError for an order without value on no elements (inf and negative ones).

    >>> fb._C.linalg_vector_norm(fb.tensor([3., 4.]))
    tensor(5.)
  )";
  using kind = Opaque;
  static void examine(const Args& args) {
    const Tensor& x = args[0].as_tensor();
    check(is_differentiable(x.dtype()), "linalg.vector_norm: the input must be of floating or complex "
          "numbers, it is ", row(x.dtype()).legacy);
    if (!args[4]) return;
    const DType d = unbox<DType>(args[4]);
    check(is_differentiable(d), "linalg.vector_norm: dtype must be floating or complex, not ", row(d).legacy);
    check(is_complex(d) == is_complex(x.dtype()), "linalg.vector_norm: dtype should be ",
          is_complex(x.dtype()) ? "complex for complex" : "real for real", " inputs, but got ",
              row(d).legacy);
    check(promote(d, x.dtype()) == d, "linalg.vector_norm: dtype=", row(d).legacy, " would lose part of the "
          "input, which is ", row(x.dtype()).legacy);
  }
  static void check_identity(const Tensor& x, double p, const Value& dim) {
    if (x.numel() != 0 || (p >= 0 && !std::isinf(p))) return;
    check(dim && !(dim.tag == Value::ints && dim.as_ints().empty()), "linalg.vector_norm: an empty tensor "
          "has no norm of order ", p);
    for (int64_t d : normalized_dims(dim, x.dim()))
      check(x.shape()[int(d)] != 0, "linalg.vector_norm: dim ", d, " has size 0, so there is no norm of "
            "order ", p, " along it");
  }
  static Tensor kernel(Tensor self, double p, Value dim, bool keepdim, std::optional<DType> dtype) {
    const Tensor x = to_dtype(self, dtype.value_or(self.dtype()));
    check_identity(x, p, dim);
    if (p == 2) return call_op<NormTwo>(x, dim, keepdim);
    if (p == 1) return call_op<NormOne>(x, dim, keepdim);
    if (std::isinf(p)) return p > 0 ? call_op<NormLargest>(x, dim, keepdim)
      : call_op<NormSmallest>(x, dim, keepdim);
    const DType real = real_of(x.dtype());
    if (p == 0) return sum(to_dtype(ne(x, 0), real), dim, keepdim);
    const DType wide = real == DType::f64 ? real : DType::f32;   // powers of 16-bit floats would overflow
    const Tensor powers = call_op<AbsPow>(to_dtype(x, is_complex(x.dtype()) ? x.dtype() : wide), p);
    return to_dtype(call_op<AbsPow>(sum(powers, dim, keepdim), 1 / p), real);
  }
  static Tensor vjp(Tensor g, In<0> x, Out y, Arg<1, double> p, Arg<2, Value> dim, Arg<3, bool> keepdim) {
    const Tensor wide = to_dtype(x, is_complex(x.dtype()) ? complex_of(y.dtype()) : y.dtype());
    return norm_vjp(g, wide, y, p, dim, keepdim);
  }
};

static Tensor vector_norm(const Tensor& x, double p, const Value& dim, bool keepdim, const Value& dtype) {
  return call_op<LinalgVectorNorm>(x, p, dim, keepdim, dtype);
}

struct Norm {
  static constexpr auto schema =
      "norm.number(Tensor self, Scalar? p, int[]? dim=None, bool keepdim=False, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = "The p-norm of all elements, or over `dim`; p=None means 2.";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<Scalar> p, Value dim, bool keepdim, Value dtype) {
    return vector_norm(x, p ? p->real() : 2, dim, keepdim, dtype);
  }
};

struct NormNamed {
  static constexpr auto schema =
      "norm(Tensor self, str p=\"fro\", int[]? dim=None, bool keepdim=False, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Norm of a tensor: 'fro' is the root of the sum of squares, a number p the p-norm of the elements.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.
    Dtypes: floating, complex; real.
    Errors: RuntimeError for other words.

    >>> fb.norm(fb.tensor([3., 4.]))
    tensor(5.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::string p, Value dim, bool keepdim, Value dtype) {
    if (p == "nuc") {
      const bool all = !dim || (dim.tag == Value::ints && dim.as_ints().empty());
      check(!all || x.dim() == 2, "norm: the nuclear norm is one of matrices, got ", x.dim(), " dims; name two with dim=");
      return call_op<LinalgMatrixNormNamed>(x, p, all ? Dims{0, 1} : unbox<Dims>(dim), keepdim, dtype);
    }
    check(p == "fro", "norm: only 'fro', 'nuc' and numbers are norms, got '", p, "'");
    return vector_norm(x, 2, dim, keepdim, dtype);
  }
};

struct Dist {
  static constexpr auto schema = "dist(Tensor self, Tensor other, Scalar p=2) -> Tensor";
  static constexpr auto doc = R"(
    The p-norm of self - other, broadcast.

    Shapes: self (*), other (*) → ().   Dtypes: floating, complex; real.

    >>> fb.dist(fb.tensor([3., 4.]), fb.zeros(2))
    tensor(5.)
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor self, Tensor other, double p) {
    return vector_norm(self - other, p, Value(), false, Value());
  }
  static Outputs<2> vjp_all(Tensor g, In<0> self, In<1> other, Out y, Arg<2, double> p) {
    const Tensor grad = norm_vjp(g, self - other, y, p, Value(), false);
    return {sum_to_shape(grad, self.shape()), sum_to_shape(-grad, other.shape())};
  }
};

struct Renorm {
  static constexpr auto schema = "renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor";
  static constexpr auto doc = R"(
    Slices along `dim` scaled down so that their p-norm is at most maxnorm.

    Shapes: self (*), of two dims or more → (*).   Dtypes: floating, complex.
    Limits: the factor is maxnorm / (norm + 1e-7).

    >>> fb.renorm(fb.tensor([[3., 4.], [0., 1.]]), 2, 0, 1.)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
  )";
  using kind = Fused;
  static constexpr bool in_place = true;
  static void examine(const Args& args) {
    const Tensor& x = args[0].as_tensor();
    const Scalar p = args[1].as_scalar(), maxnorm = args[3].as_scalar();
    check(!p.is_complex() && !maxnorm.is_complex(), "renorm: p and maxnorm must be real-valued");
    check(p.real() > 0, "renorm: p must be positive, got ", p.real());
    check(maxnorm.real() >= 0, "renorm: maxnorm must not be negative, got ", maxnorm.real());
    check(x.dim() > 1, "renorm: an input of ", x.dim(), " dims has no slices, it needs two dims at least");
  }
  static Tensor kernel(Tensor x, Scalar p, int64_t dim, Scalar maxnorm) {
    return decompose(x, p, dim, maxnorm);
  }
  static Tensor decompose(Tensor x, Scalar p, int64_t dim, Scalar maxnorm) {
    const int kept = wrap_dim(dim, x.dim());
    Dims others;
    for (int i = 0; i < x.dim(); ++i) if (i != kept) others.push(i);
    const Tensor norms = vector_norm(x, p.real(), others, true, Value());
    const Tensor factor = maxnorm.real() / (norms + 1e-7);
    return x * where(gt(norms, maxnorm), factor, Scalar(1.0));
  }
};

FB_GROUP(norm, AbsPow, NormOne, NormTwo, NormLargest, NormSmallest, LinalgVectorNorm, Norm, NormNamed, Dist,
    Renorm)

}  // namespace fb
