#include "op/build.h"
#include "ops/products.h"

namespace fb {

std::string_view c_name(DType d) {
  switch (d) {
    case DType::boolean: return "bool";
    case DType::u8: return "unsigned char";
    case DType::i8: return "signed char";
    case DType::i16: return "short";
    case DType::i32: return "int";
    case DType::i64: return "long";
    case DType::f32: return "float";
    case DType::f64: return "double";
    case DType::f16: return "c10::Half";
    case DType::bf16: return "c10::BFloat16";
    case DType::c64: return "c10::complex<float>";
    default: return "c10::complex<double>";
  }
}

static void check_same(const Tensor& a, const Tensor& b) {
  check<DTypeError>(a.dtype() == b.dtype(), "the factors are ", c_name(a.dtype()), " and ", c_name(b.dtype()),
                    "; convert one to the dtype of the other");
}

struct Mm {
  static constexpr auto schema = "mm(Tensor self, Tensor mat2) -> Tensor";
  static constexpr auto doc = R"(
    Product of two matrices.

    Shapes: self (m, k), mat2 (k, n) → (m, n).   Dtypes: all but bool, equal.

    >>> fb.mm(fb.ones(2, 3), fb.ones(3, 1))
    tensor([[3.],
            [3.]])
  )";
  using kind = Bilinear;
  static Tensor kernel(Tensor a, Tensor b) {
    check<ShapeError>(a.dim() == 2, "mm: self is no matrix, its shape is ", a.shape().list());
    check<ShapeError>(b.dim() == 2, "mm: mat2 is no matrix, its shape is ", b.shape().list());
    check_matrices(a, b);
    check_same(a, b);
    check_number_type(a.dtype(), "addmm_impl_cpu_");
    Tensor r = empty({a.shape()[0], b.shape()[1]}, a.dtype());
    matmul_into(r, a, b);
    return r;
  }
  static Tensor vjp_self(Tensor g, In<1> b) { return mm(g, adjoint(b)); }
  static Tensor vjp_mat2(Tensor g, In<0> a) { return mm(adjoint(a), g); }
};

struct Bmm {
  static constexpr auto schema = "bmm(Tensor self, Tensor mat2) -> Tensor";
  static constexpr auto doc = R"(
    Products of two batches of matrices, one by one.

    Shapes: self (b, m, k), mat2 (b, k, n) → (b, m, n).   Dtypes: all but bool, equal.

    >>> fb.bmm(fb.ones(1, 1, 2), fb.ones(1, 2, 1))
    tensor([[[2.]]])
  )";
  using kind = Bilinear;
  static Tensor kernel(Tensor a, Tensor b) {
    check<ShapeError>(a.dim() == 3, "bmm: self (batch1) needs 3 dims, its shape is ", a.shape().list());
    check<ShapeError>(b.dim() == 3, "bmm: mat2 (batch2) needs 3 dims, its shape is ", b.shape().list());
    check<ShapeError>(a.shape()[0] == b.shape()[0] && a.shape()[2] == b.shape()[1],
                      "bmm: mat2 must start with the sizes [", a.shape()[0], ", ", a.shape()[2], "], those "
                      "of the batch and of self's columns; it starts with [", b.shape()[0], ", ",
                      b.shape()[1], "]");
    check<DTypeError>(a.dtype() == b.dtype(), "expected scalar type ", row(a.dtype()).legacy, " but found ", row(b.dtype()).legacy);
    check_number_type(a.dtype(), "bmm");
    Tensor r = empty({a.shape()[0], a.shape()[1], b.shape()[2]}, a.dtype());
    matmul_into(r, a, b);
    return r;
  }
  static Tensor vjp_self(Tensor g, In<1> b) { return bmm(g, adjoint(b)); }
  static Tensor vjp_mat2(Tensor g, In<0> a) { return bmm(adjoint(a), g); }
};

// Every pair of ranks that mm, mv and dot do not take; a vector is a row on the left and a column on the right.
struct MatmulBatched {
  static constexpr auto schema = "_matmul(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = "Product over the last two dims, batch dims broadcast without copies; vectors count as matrices.";
  using kind = Bilinear;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const int a = args[0].as_tensor().dim(), b = args[1].as_tensor().dim();
    return a == 1 && b == 2 ? "SqueezeBackward4" : a == 2 && b > 2 ? "CloneBackward0" : "UnsafeViewBackward0";
  }
  static Tensor kernel(Tensor self, Tensor other) {
    const bool row = self.dim() == 1, column = other.dim() == 1;
    const Tensor a = row ? with_dim(self, 0) : self, b = column ? with_dim(other, 1) : other;
    check_operands(self, other, a, b);
    Dims batch_a = a.shape(), batch_b = b.shape();
    batch_a.resize(a.dim() - 2);
    batch_b.resize(b.dim() - 2);
    Dims shape = broadcast_shapes("matmul", batch_a, batch_b);
    shape.push(a.size(-2));
    shape.push(b.size(-1));
    Tensor r = empty(shape, a.dtype());
    matmul_into(r, a, b);
    if (!row && !column) return r;
    const int dropped = column ? shape.size() - 1 : shape.size() - 2;
    return alias(r, Layout(shape.erased(dropped)));
  }
  static void check_operands(const Tensor& self, const Tensor& other, const Tensor& a, const Tensor& b) {
    if (self.dtype() != other.dtype())
      check<DTypeError>(false, "expected scalar type ", fb::row(self.dtype()).legacy, " but found ", fb::row(other.dtype()).legacy);
    check_number_type(a.dtype(), "bmm");
    if (a.size(-1) == b.size(-2)) return;
    const int64_t rows = a.size(-1) ? a.numel() / a.size(-1) : 0;
    check<ShapeError>(other.dim() != 1, "matmul: size mismatch, rows of ", a.size(-1), " numbers cannot be "
                      "multiplied by a vector of ", b.size(-2), "; the shapes are ", self.shape().list(),
                      " and ", other.shape().list());
    check<ShapeError>(self.dim() < 3 || other.dim() < 3, "matmul: matrices of ", a.size(-2), "x", a.size(-1),
                      " cannot be multiplied by ", b.size(-2), "x", b.size(-1), "; the shapes are ",
                      self.shape().list(), " and ", other.shape().list());
    check<ShapeError>(false, "matmul: ", self.dim() == 1 ? 1 : rows, "x", a.size(-1), " cannot be multiplied "
                      "by ", b.size(-2), "x", b.size(-1), "; the shapes are ", self.shape().list(), " and ",
                      other.shape().list());
  }
  static Tensor product(const Tensor& a, const Tensor& b) {
    return a.dim() == 2 && b.dim() == 2 ? mm(a, b) : call_op<MatmulBatched>(a, b);
  }
  // The gradient with the dims that vectors lack.
  static Tensor widened(const Tensor& g, const Dims& a, const Dims& b) {
    Tensor r = b.size() == 1 ? unsqueeze(g, -1) : g;
    return a.size() == 1 ? unsqueeze(r, -2) : r;
  }
  static Tensor vjp_self(Tensor g, In<1> other, Shape<0> shape) {
    const Tensor b = other.dim() == 1 ? unsqueeze(other, 1) : other;
    const Tensor r = product(widened(g, shape, other.shape()), adjoint(b));
    return shape.size() == 1 && r.dim() == 2 ? squeeze(r, 0) : r;
  }
  static Tensor vjp_other(Tensor g, In<0> self, Shape<1> shape) {
    const Tensor a = self.dim() == 1 ? unsqueeze(self, 0) : self, wide = widened(g, self.shape(), shape);
    const bool folds = shape.size() <= 2 && a.dim() > 2;          // one long product instead of a sum over the batch
    const int64_t k = a.size(-1), n = wide.size(-1);
    const Tensor r = folds ? mm(adjoint(reshape(a, {rows_of(a), k})), reshape(wide, {rows_of(wide), n}))
                           : product(adjoint(a), wide);
    return shape.size() == 1 ? squeeze(r, -1) : r;
  }
  static int64_t rows_of(const Tensor& t) {
    int64_t rows = 1;
    for (int d = 0; d < t.dim() - 1; ++d) rows *= t.shape()[d];
    return rows;
  }
};

struct Matmul {
  static constexpr auto schema = "matmul(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Matrix product; vectors count as a row on the left and a column on the right, further dims are a batch, broadcast.

    Shapes: (k), (k) → (); (…, m, k), (…, k, n) → (…, m, n); (k), (…, k, n) → (…, n); (…, m, k), (k) → (…, m).
    Dtypes: all but bool, equal.   Errors: RuntimeError for a 0-d tensor or sizes that do not meet.

    >>> fb.matmul(fb.ones(2, 3), fb.ones(3))
    tensor([3., 3.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b) {
    if (a.dim() == 2 && b.dim() == 2) return mm(a, b);
    check<ShapeError>(a.dim() > 0 && b.dim() > 0, "matmul: self and other need a dim at least, they have ",
                      a.dim(), " and ", b.dim());
    if (a.dim() == 1 && b.dim() == 1) return call_op<Dot>(a, b);
    if (a.dim() == 2 && b.dim() == 1) return call_op<Mv>(a, b);
    return call_op<MatmulBatched>(a, b);
  }
};

struct Mv {
  static constexpr auto schema = "mv(Tensor self, Tensor vec) -> Tensor";
  static constexpr auto doc = R"(
    Product of a matrix and a vector.

    Shapes: self (m, k), vec (k) → (m).   Dtypes: all but bool, equal.

    >>> fb.mv(fb.ones(2, 3), fb.ones(3))
    tensor([3., 3.])
  )";
  using kind = Bilinear;
  static Tensor kernel(Tensor a, Tensor v) {
    check<ShapeError>(a.dim() == 2 && v.dim() == 1, "mv: self must be a matrix and vec a vector; they have ",
                      a.dim(), " and ", v.dim(), " dims");
    check<ShapeError>(a.shape()[1] == v.shape()[0], "mv: size mismatch, a matrix of ", a.shape()[0], "x",
                      a.shape()[1], " takes a vector of ", a.shape()[1], ", this one has ", v.shape()[0]);
    check<DTypeError>(a.dtype() == v.dtype(), "mv: self is ", row(a.dtype()).legacy, " and vec is ",
                      row(v.dtype()).legacy, "; convert one to the dtype of the other");
    check_number_type(a.dtype(), "addmv_impl_cpu");
    Tensor r = empty({a.shape()[0]}, a.dtype());
    matmul_into(with_dim(r, 1), a, with_dim(v, 1));
    return r;
  }
  static Tensor vjp_self(Tensor g, In<1> v) { return unsqueeze(g, 1) * conj(unsqueeze(v, 0)); }
  static Tensor vjp_vec(Tensor g, In<0> a) { return call_op<Mv>(adjoint(a), g); }
};

static void check_vectors(const Tensor& a, const Tensor& b, std::string_view name) {
  check<ShapeError>(a.dim() == 1 && b.dim() == 1, name, ": both operands must be vectors, they have ",
                    a.dim(), " and ", b.dim(), " dims");
  check<DTypeError>(a.dtype() == b.dtype(), name, ": one vector is ", row(a.dtype()).legacy, ", the other ",
                    row(b.dtype()).legacy, "; convert one to the dtype of the other");
  check<ShapeError>(a.numel() == b.numel(), name, ": the vectors must be of one length, they have ",
                    a.numel(), " and ", b.numel(), " elements");
  check_number_type(a.dtype(), name);
}

static Tensor dot_product(const Tensor& a, const Tensor& b) {
  const DType dtype = a.dtype(), compute = storage_of(compute_of(dtype));
  const Tensor x = to_dtype(a, compute), y = to_dtype(b, compute), r = empty(Dims(), compute);
  dot(compute_of(compute), r.data(), x.data(), x.strides()[0], y.data(), y.strides()[0], x.numel());
  return to_dtype(r, dtype);
}

struct Dot {
  static constexpr auto schema = "dot(Tensor self, Tensor tensor) -> Tensor";
  static constexpr auto doc = R"(
    Sum of the products of two vectors' elements.

    Shapes: self (n), tensor (n) → ().   Dtypes: all but bool, equal.

    >>> fb.dot(fb.tensor([1., 2.]), fb.tensor([3., 4.]))
    tensor(11.)
  )";
  using kind = Bilinear;
  static Tensor kernel(Tensor a, Tensor b) {
    check_vectors(a, b, "dot");
    return dot_product(a, b);
  }
  static Tensor vjp_self(Tensor g, In<1> b) { return g * conj(b); }
  static Tensor vjp_tensor(Tensor g, In<0> a) { return g * conj(a); }
};

struct Vdot {
  static constexpr auto schema = "vdot(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Sum of the products of two vectors' elements, those of the first conjugated.

    Shapes: self (n), other (n) → ().   Dtypes: all but bool, equal.

    >>> fb.vdot(fb.tensor([1., 2.]), fb.tensor([3., 4.]))
    tensor(11.)
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor a, Tensor b) {
    check_vectors(a, b, is_complex(a.dtype()) ? "vdot" : "dot");
    return dot_product(conj(a), b);
  }
  static Tensor vjp_self(Tensor g, In<1> b) { return conj(g) * b; }
  static Tensor vjp_other(Tensor g, In<0> a) { return g * a; }
};

FB_GROUP(matmul, Mm, Bmm, MatmulBatched, Matmul, Mv, Dot, Vdot)

}  // namespace fb
