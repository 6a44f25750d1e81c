#include "op/build.h"
#include "ops/linalg.h"

// Norms of vectors and matrices, condition numbers.
namespace fb {

struct LinalgNorm; struct LinalgNormNamed; struct NuclearNorm; struct FrobeniusNorm; struct LinalgCond;
    struct Movedim;

static Tensor vector_norm(const Tensor& a, const Scalar& ord, const Value& dim, bool keepdim,
                          const Value& dtype = {}) {
  return call_op<LinalgVectorNorm>(a, Value(ord), dim, keepdim, dtype);
}

struct MatrixDims {
  int rows, cols;                                      // of the matrices, not negative
};
static MatrixDims matrix_dims(std::string_view op, const Tensor& a, const Dims& dim) {
  check<ShapeError>(a.dim() >= 2, op, ": A must be a matrix or a batch of them, its shape is ",
                    a.shape().list());
  check(dim.size() == 2, op, ": dim must name two dims, got ", dim.list());
  const MatrixDims d{wrap_dim(dim[0], a.dim()), wrap_dim(dim[1], a.dim())};
  check(d.rows != d.cols, op, ": dims must be different. Got (", dim[0], ", ", dim[1], ")");
  return d;
}

// The largest or smallest along a dim; of nothing, the largest norm is 0.
static Tensor extreme(const Tensor& x, int64_t dim, bool keepdim, bool largest) {
  if (largest && x.size(int(dim)) == 0) return sum(x, Dims{dim}, keepdim);
  return largest ? amax(x, Dims{dim}, keepdim) : amin(x, Dims{dim}, keepdim);
}

// ‖A‖ by its singular values: the largest, the smallest, or their sum.
static Tensor spectral(const Tensor& a, const MatrixDims& d, bool keepdim, double ord) {
  const Tensor moved = call_op<Movedim>(a, Dims{d.rows, d.cols}, Dims{-2, -1});
  const Tensor s = call_op<LinalgSvdvals>(moved, Value());
  const Tensor r = ord == 0 ? sum(s, Dims{-1}) : extreme(s, -1, false, ord > 0);
  if (!keepdim) return r;
  const int low = std::min(d.rows, d.cols), high = std::max(d.rows, d.cols);
  return unsqueeze(unsqueeze(r, low), high);
}

static Tensor in_dtype(std::string_view op, const Tensor& a, const Value& dtype) {
  check_floating(op, a, true);
  if (!dtype) return a;
  const DType d = unbox<DType>(dtype);
  check(is_differentiable(d) && is_complex(d) == is_complex(a.dtype()) && promote(d, a.dtype()) == d, op,
        ": dtype=", row(d).legacy, " would lose part of the input, which is ", row(a.dtype()).legacy);
  return to_dtype(a, d);
}

struct LinalgMatrixNorm {
  static constexpr auto schema = "linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2,-1], bool "
      "keepdim=False, *, "
                                 "dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Norms of matrices: ord 2 and -2 are the largest and smallest singular value, 1 and -1 the largest and
    smallest sum of |elements| of a column, inf and -inf of a row; "fro" (default) is the root of the sum of
    squares, "nuc" the sum of the singular values.

    Shapes: self (*, m, n), the matrices in the two dims `dim` → (*), with sizes 1 if keepdim.
    Dtypes: floating, complex; real.   Errors: RuntimeError for another ord, or dims that are not two.

    >>> fb.linalg.matrix_norm(fb.tensor([[3., 0.], [0., 4.]]), 2)
    tensor(4.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Scalar ord, Dims dim, bool keepdim, Value dtype) {
    const double p = ord.real(), size = std::fabs(p);
    check(size == 2 || size == 1 || std::isinf(size), "linalg.matrix_norm: Order ", p, " not supported.");
    const MatrixDims d = matrix_dims("linalg.matrix_norm", a, dim);
    const Tensor x = in_dtype("linalg.matrix_norm", a, dtype);
    if (size == 2) return spectral(x, d, keepdim, p);
    const bool columns = size == 1;
    int along = columns ? d.rows : d.cols, then = columns ? d.cols : d.rows;
    const Tensor sums = vector_norm(x, Scalar(1.0), Dims{along}, keepdim);
    if (!keepdim && along < then) --then;
    return extreme(sums, then, keepdim, p > 0);
  }
};

struct LinalgMatrixNormNamed {
  static constexpr auto schema = "linalg_matrix_norm.str_ord(Tensor self, str ord=\"fro\", int[] "
      "dim=[-2,-1], bool keepdim=False, *, "
                                 "dtype? dtype=None) -> Tensor";
  static constexpr auto doc = "Norms of matrices by name: \"fro\" or \"nuc\".";
  using kind = Composite;
  static Tensor decompose(Tensor a, std::string ord, Dims dim, bool keepdim, Value dtype) {
    check(ord == "fro" || ord == "nuc", "linalg.matrix_norm: Order ", ord, " not supported.");
    const MatrixDims d = matrix_dims("linalg.matrix_norm", a, dim);
    const Tensor x = in_dtype("linalg.matrix_norm", a, dtype);
    return ord == "fro" ? vector_norm(x, Scalar(2.0), Dims{d.rows, d.cols}, keepdim) : spectral(x, d, keepdim,
          0);
  }
};

struct LinalgNorm {
  static constexpr auto schema =
      "linalg_norm(Tensor self, Scalar? ord=None, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) "
          "-> Tensor";
  static constexpr auto doc = R"(
    The norm of vectors, one dim, or matrices, two: linalg.vector_norm and linalg.matrix_norm. Without `ord`,
    the root of the sum of squares of all elements, or of those along any dims.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.   Dtypes: floating, complex;
    real.
    Errors: RuntimeError for an ord without dim of a tensor that is no vector or matrix.

    >>> fb.linalg.norm(fb.tensor([3., 4.]))
    tensor(5.)
  )";
  using kind = Composite;
  static bool given(const Value& dim) { return dim && !(dim.tag == Value::ints && dim.as_ints().empty()); }
  static Tensor decompose(Tensor a, std::optional<Scalar> ord, Value dim, bool keepdim, Value dtype) {
    if (ord) {
      const Dims d = unbox<Dims>(dim);
      check(!dim || d.size() == 1 || d.size() == 2,
            "linalg.norm: dim names one dim for vectors or two for matrices, got ", d.list());
      check(dim || a.dim() == 1 || a.dim() == 2,
            "linalg.norm: an input of ", a.dim(), " dims is neither vector nor matrix; pass dim along with "
            "ord");
      if (dim ? d.size() == 2 : a.dim() == 2)
        return call_op<LinalgMatrixNorm>(a, Value(*ord), dim ? d : Dims{0, 1}, keepdim, dtype);
    }
    check(is_differentiable(a.dtype()),
          "linalg.vector_norm: the input must be of floating or complex numbers, it is ",
          row(a.dtype()).legacy);
    return vector_norm(a, ord.value_or(Scalar(2.0)), given(dim) ? dim : Value(), keepdim, dtype);
  }
};

struct LinalgNormNamed {
  static constexpr auto schema =
      "linalg_norm.ord_str(Tensor self, str ord, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) "
          "-> Tensor";
  static constexpr auto doc = "The norm of matrices by name: \"fro\" or \"nuc\".";
  using kind = Composite;
  static Tensor decompose(Tensor a, std::string ord, Value dim, bool keepdim, Value dtype) {
    const Dims d = unbox<Dims>(dim);
    check(!dim || d.size() == 1 || d.size() == 2,
          "linalg.norm: dim names one dim for vectors or two for matrices, got ", d.list());
    check(dim || a.dim() == 1 || a.dim() == 2,
          "linalg.norm: an input of ", a.dim(), " dims is neither vector nor matrix; pass dim along with "
          "ord");
    return call_op<LinalgMatrixNormNamed>(a, ord, dim ? d : a.dim() == 1 ? Dims{0} : Dims{0, 1}, keepdim,
                                          dtype);
  }
};

struct NuclearNorm {
  static constexpr auto schema = "nuclear_norm(Tensor self, bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    The singular values of a matrix, summed up.

    >>> fb.nuclear_norm(fb.tensor([[3., 0.], [0., 4.]]))
    tensor(7.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, bool keepdim) {
    check<ShapeError>(a.dim() == 2, "nuclear_norm: the input must be a matrix, it has ", a.dim(), " dims; "
                      "for batches pass dim");
    return call_op<LinalgMatrixNormNamed>(a, std::string("nuc"), Dims{0, 1}, keepdim, Value());
  }
};

struct NuclearNormDims {
  static constexpr auto schema = "nuclear_norm.dim(Tensor self, int[] dim, bool keepdim=False) -> Tensor";
  static constexpr auto doc = "The sums of the singular values of matrices in two dims.";
  using kind = Composite;
  static Tensor decompose(Tensor a, Dims dim, bool keepdim) {
    check(dim.size() == 2, "nuclear_norm: 'dim' must have length 2, got ", dim.list());
    return call_op<LinalgMatrixNormNamed>(a, std::string("nuc"), dim, keepdim, Value());
  }
};

struct FrobeniusNorm {
  static constexpr auto schema = "frobenius_norm(Tensor self, int[] dim=[], bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    The root of the sum of squares along one or two dims, or of all elements.

    >>> fb.frobenius_norm(fb.tensor([[3., 4.]]), [1])
    tensor([5.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Dims dim, bool keepdim) {
    check(dim.size() <= 2, "frobenius_norm: dim may name 2 dims at most, got ", dim.list());
    return vector_norm(a, Scalar(2.0), dim.empty() ? Value() : Value(dim), keepdim);
  }
};

// ‖A‖ ‖A⁻¹‖, inf for a singular A.
template <class F> static Tensor condition(const Tensor& a, const F& norm) {
  check_square("linalg.cond", a);
  const auto inverse = call_outputs<2, LinalgInvEx>(a, false);
  const Tensor r = norm(a) * norm(inverse[0]);
  return where(ne(inverse[1], 0), Scalar(std::numeric_limits<double>::infinity()), r);
}

struct LinalgCond {
  static constexpr auto schema = "linalg_cond(Tensor self, Scalar? p=None) -> Tensor";
  static constexpr auto doc = R"(
    Condition numbers ‖A‖ ‖A⁻¹‖ in the matrix norm p: None or 2 (the largest over the smallest singular
    value), -2, 1, -1, inf, -inf, "fro" or "nuc".

    Shapes: self (*, n, n), for p None, 2, -2 also (*, m, n) → (*).   Dtypes: floating, complex; real.
    Limits: a singular matrix gives inf.

    >>> fb.linalg.cond(fb.tensor([[4., 0.], [0., 2.]]))
    tensor(2.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, std::optional<Scalar> p) {
    check_matrix("linalg.cond", a);
    check_floating("linalg.cond", a, true);
    if (!p || std::fabs(p->real()) == 2) {
      const Tensor s = call_op<LinalgSvdvals>(a, Value());
      const Tensor largest = amax(s, Dims{-1}), smallest = amin(s, Dims{-1});
      return p && p->real() < 0 ? smallest / largest : largest / smallest;
    }
    return condition(a, [&](const Tensor& x) { return call_op<LinalgMatrixNorm>(x, Value(*p), Dims{-2, -1},
          false, Value()); });
  }
};

struct LinalgCondNamed {
  static constexpr auto schema = "linalg_cond.p_str(Tensor self, str p) -> Tensor";
  static constexpr auto doc = "Condition numbers in a matrix norm by name: \"fro\" or \"nuc\".";
  using kind = Composite;
  static Tensor decompose(Tensor a, std::string p) {
    check_matrix("linalg.cond", a);
    check_floating("linalg.cond", a, true);
    check(p == "fro" || p == "nuc", "linalg.cond: unknown p='", p, "', choose 'fro', 'nuc', a number or "
          "None");
    return condition(a, [&](const Tensor& x) { return call_op<LinalgMatrixNormNamed>(x, p, Dims{-2, -1},
          false, Value()); });
  }
};

FB_GROUP(linalg_norm, LinalgMatrixNorm, LinalgMatrixNormNamed, LinalgNorm, LinalgNormNamed, NuclearNorm,
         NuclearNormDims, FrobeniusNorm,
         LinalgCond, LinalgCondNamed)

}  // namespace fb
