#include "op/build.h"
#include "ops/linalg.h"

// The exponential of matrices, and the rest of torch.linalg that is composed of other ops.
namespace fb {

struct Movedim; struct Cumprod;

// e^A = (e^(A / 2^s))^(2^s), the inner one by the Padé approximant of degree 13 with ‖A / 2^s‖₁ ≤ 5.37
// (Higham, SIAM J. Matrix Anal. Appl. 26 (2005), algorithm 2.3).
struct LinalgMatrixExp {
  static constexpr auto schema = "linalg_matrix_exp(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Exponentials of square matrices, Σ Aᵏ / k!.

    Shapes: self (*, n, n) → (*, n, n).   Dtypes: floating, complex.
    Source: scaling, a Padé approximant, squaring (Higham 2005).

    >>> fb.linalg.matrix_exp(fb.tensor([[0., 1.], [0., 0.]]))
    tensor([[1., 1.],
            [0., 1.]])
  )";
  using kind = Opaque;
  static Tensor halvings(const Tensor& a) {            // s for each matrix, (*, 1, 1)
    const Tensor norm = amax(sum(abs(a), Dims{-2}), Dims{-1});
    const Tensor wide = contiguous(to_dtype(norm, DType::f64)), r = empty(wide.shape(), DType::f64);
    for (int64_t i = 0; i < wide.numel(); ++i) {
      const double x = wide.data<double>()[i] / 5.371920351148152;
      r.data<double>()[i] = std::isfinite(x) && x > 1 ? std::ceil(std::log2(x)) : 0;
    }
    return unsqueeze(unsqueeze(r, -1), -1);
  }
  static Tensor approximant(const Tensor& a) {
    static constexpr double b[] = {64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800,
                                   129060195264000,
                                   10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960,
                                       16380, 182, 1};
    const Tensor one = eye_like(a), a2 = product(a, a), a4 = product(a2, a2), a6 = product(a4, a2);
    const Tensor odd = product(a, product(a6, b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 +
                               b[3] * a2 + b[1] * one);
    const Tensor even = product(a6, b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 +
        b[0] * one;
    return call_outputs<4, LinalgSolveWithFactors>(even - odd, even + odd, true, false)[0];
  }
  static Tensor kernel(Tensor self) {
    check_square("linalg.matrix_exp", self);
    check_floating("linalg.matrix_exp", self, true);
    const DType d = self.dtype(), compute = storage_of(compute_of(d));
    if (self.numel() == 0) return empty(self.shape(), d);
    const Tensor a = to_dtype(self, compute);
    if (a.size(-1) == 1) return to_dtype(exp(a), d);
    const Tensor s = halvings(a);
    Tensor x = approximant(a * to_dtype(pow(2.0, -s), real_of(compute)));
    const double most = amax(s).data<double>()[0];
    for (int i = 0; i < int(most); ++i) x = where(gt(s, i), product(x, x), x);
    return to_dtype(x, d);
  }
  // The derivative in direction g is the upper right block of exp [[A, g], [0, A]], its transpose that with
  // Aᴴ.
  static Tensor vjp(Tensor g, In<0> a) {
    const int64_t n = a.size(-1);
    const Tensor ah = adjoint(a);
    const Tensor block = cat({cat({ah, g}, -1), cat({zeros_like(ah), ah}, -1)}, -2);
    return narrow(narrow(call_op<LinalgMatrixExp>(block), -2, 0, n), -1, n, n);
  }
};

struct MatrixExp {
  static constexpr auto schema = "matrix_exp(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Exponentials of square matrices: linalg.matrix_exp.

    >>> fb.matrix_exp(fb.zeros(1, 1))
    tensor([[1.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a) { return call_op<LinalgMatrixExp>(a); }
};

struct LinalgVander {
  static constexpr auto schema = "linalg_vander(Tensor x, *, int? N=None) -> Tensor";
  static constexpr auto doc = R"(
    Vandermonde matrices: rows of the powers 0 to N - 1 of each element.

    Shapes: x (*, n) → (*, n, N), N by default n.   Dtypes: all but bool; integers give int64.
    Errors: RuntimeError for N of one or less.

    >>> fb.linalg.vander(fb.tensor([2, 3]), N=3)
    tensor([[1, 2, 4],
            [1, 3, 9]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> N) {
    check(x.dtype() != DType::boolean && (is_differentiable(x.dtype()) || is_integral(x.dtype())),
          "linalg.vander: x must hold numbers, not ", row(x.dtype()).legacy);
    if (x.dim() == 0) x = unsqueeze(x, 0);
    const int64_t n = N.value_or(x.size(-1));
    check(n > 1, "N must be greater than 1, got ", n);
    const DType d = is_integral(x.dtype()) ? DType::i64 : x.dtype();
    const Tensor column = unsqueeze(to_dtype(x, d), -1);
    const Tensor one = ones(column.shape(), d);
    Dims wide = column.shape();
    wide[wide.size() - 1] = n - 1;
    return cat({one, call_op<Cumprod>(expand(column, wide), int64_t(-1), Value())}, -1);
  }
};

struct LinalgTensorinv {
  static constexpr auto schema = "linalg_tensorinv(Tensor self, int ind=2) -> Tensor";
  static constexpr auto doc = R"(
    The inverse of a tensor as a map from its last dims to its first `ind`, whose sizes have one product.

    Shapes: self (*a, *b), len(a) = ind → (*b, *a).   Dtypes: floating, complex.
    Errors: RuntimeError if the products differ, LinAlgError if the map is singular.

    >>> fb.linalg.tensorinv(fb.eye(4).reshape(4, 2, 2), ind=1).shape
    torch.Size([2, 2, 4])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, int64_t ind) {
    check(ind > 0, "linalg.tensorinv: ind must be at least 1, got ", ind);
    Dims first, last;
    for (int d = 0; d < a.dim(); ++d) (d < ind ? first : last).push(a.shape()[d]);
    check<ShapeError>(first.product() == last.product(),
                      "linalg.tensorinv: the dims before ind=", ind, " must hold as many elements as those "
                      "after it; they hold ", first.product(), " and ", last.product());
    const Tensor inverse = call_op<LinalgInv>(reshape(a, {first.product(), last.product()}));
    for (int64_t v : first) last.push(v);
    return reshape(inverse, last);
  }
};

struct LinalgTensorsolve {
  static constexpr auto schema = "linalg_tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor";
  static constexpr auto doc = R"(
    The X with tensordot(self, X, X.ndim) = other; `dims` of self are moved to its end first.

    Shapes: self (*b, *x), other (*b) → (*x).   Dtypes: floating, complex.
    Errors: RuntimeError if the sizes do not meet, LinAlgError if self is singular.

    >>> fb.linalg.tensorsolve(fb.eye(4).reshape(4, 2, 2), fb.ones(4)).shape
    torch.Size([2, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b, Value dims) {
    if (dims) {
      const Dims from = unbox<Dims>(dims);
      Dims to;
      for (int i = 0; i < from.size(); ++i) to.push(i - from.size());
      a = call_op<Movedim>(a, from, to);
    }
    Dims shape;
    for (int d = b.dim(); d < a.dim(); ++d) shape.push(a.shape()[d]);
    check<ShapeError>(shape.product() == b.numel(),
                      "linalg.tensorsolve: the last dims of self, of shape ", a.shape().list(), ", must hold "
                      "as many elements as other, of shape ", b.shape().list());
    const Tensor x = call_op<LinalgSolve>(reshape(a, {b.numel(), shape.product()}), reshape(b, {-1}), true);
    return reshape(x, shape);
  }
};

struct LinalgDiagonal {
  static constexpr auto schema = "linalg_diagonal(Tensor A, *, int offset=0, int dim1=-2, int dim2=-1) -> "
      "Tensor";
  static constexpr auto doc = R"(
    A view of the diagonals of matrices.

    Shapes: A (*, m, n) → (*, k).   Dtypes: all.

    >>> fb.linalg.diagonal(fb.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, int64_t offset, int64_t dim1, int64_t dim2) {
    return call_op<Diagonal>(a, offset, dim1, dim2);
  }
};

struct LinalgMatmul {
  static constexpr auto schema = "linalg_matmul(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Matrix product: matmul.

    >>> fb.linalg.matmul(fb.ones(2), fb.ones(2))
    tensor(2.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b) { return matmul(a, b); }
};

FB_GROUP(linalg_exp, LinalgMatrixExp, MatrixExp, LinalgVander, LinalgTensorinv, LinalgTensorsolve,
         LinalgDiagonal, LinalgMatmul)

}  // namespace fb
