#include "op/build.h"
#include "ops/products.h"

// Products that are added to a tensor: beta * self + alpha * product. A beta of zero ignores self, nan and all.
namespace fb {

static void check_dtypes(const Tensor& self, const Tensor& a, const Tensor& b) {
  check<DTypeError>(self.dtype() == a.dtype() && a.dtype() == b.dtype(), "addmm: self, mat1 and mat2 need "
                    "one dtype; they are ", row(self.dtype()).legacy, ", ", row(a.dtype()).legacy, " and ",
                    row(b.dtype()).legacy);
}

// A packed tensor that holds self, broadcast; or nothing in particular when beta is zero.
static Tensor start_from(const Tensor& self, const Dims& shape, const Scalar& beta) {
  const int lead = shape.size() - self.dim();
  check<ShapeError>(lead >= 0, "self of shape ", self.shape().list(), " has more dims than ", shape.list(),
                    ", the shape of the result");
  for (int d = lead; d < shape.size(); ++d)
    check<ShapeError>(self.shape()[d - lead] == 1 || self.shape()[d - lead] == shape[d], "self of shape ",
                      self.shape().list(), " cannot be broadcast to ", shape.list(), ", the shape of the "
                      "result: dim ", d, " has size ", self.shape()[d - lead], ", not ", shape[d]);
  const Tensor r = empty(shape, self.dtype());
  if (!beta.equals(0)) copy_(r, self);
  return r;
}

static Tensor combined(const Tensor& self, const Tensor& product, const Scalar& beta, const Scalar& alpha) {
  const Tensor p = alpha.equals(1) ? product : mul(product, Value(alpha));
  if (beta.equals(0)) return p;
  return add(beta.equals(1) ? self : mul(self, Value(beta)), p);
}

struct Addmm {
  static constexpr auto schema = "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    beta * self + alpha * (mat1 @ mat2); beta=0 ignores self.

    Shapes: self broadcastable to (m, n), mat1 (m, k), mat2 (k, n) → (m, n).   Dtypes: all but bool, equal.

    >>> fb.addmm(fb.ones(1), fb.ones(1, 2), fb.ones(2, 1))
    tensor([[3.]])
  )";
  using kind = Fused;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) {
    check<ShapeError>(a.dim() == 2 && b.dim() == 2, "addmm: ", a.dim() == 2 ? "mat2" : "mat1", " is not a "
                      "matrix; the factors have ", a.dim(), " and ", b.dim(), " dims");
    check_matrices(a, b);
    check_dtypes(self, a, b);
    check_number_type(a.dtype(), "addmm_impl_cpu_");
    const Dims shape = {a.shape()[0], b.shape()[1]};
    const bool as_bias = beta.equals(1) && self.dim() == 1 && self.numel() == shape[1];
    const Tensor r = as_bias ? empty(shape, a.dtype()) : start_from(self, shape, beta);
    matmul_into(r, a, b, alpha, as_bias ? Scalar(0) : beta, as_bias ? contiguous(self) : Tensor());
    return r;
  }
  static Tensor decompose(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) {
    return combined(self, mm(a, b), beta, alpha);
  }
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<3, Scalar> beta) {
    return sum_to_shape(scaled_gradient(g, beta), shape);
  }
  static Tensor vjp_mat1(Tensor g, In<2> b, Arg<4, Scalar> alpha) { return scaled_gradient(mm(g, adjoint(b)), alpha); }
  static Tensor vjp_mat2(Tensor g, In<1> a, Arg<4, Scalar> alpha) { return scaled_gradient(mm(adjoint(a), g), alpha); }
};

struct Addmv {
  static constexpr auto schema = "addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    beta * self + alpha * (mat @ vec); beta=0 ignores self.

    Shapes: self broadcastable to (m), mat (m, k), vec (k) → (m).   Dtypes: all but bool, equal.

    >>> fb.addmv(fb.ones(1), fb.ones(1, 2), fb.ones(2))
    tensor([3.])
  )";
  using kind = Fused;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor self, Tensor a, Tensor v, Scalar beta, Scalar alpha) {
    check<ShapeError>(a.dim() == 2 && v.dim() == 1 && self.dim() <= 1, "addmv: self and vec must be vectors "
                      "and mat a matrix; they have ", self.dim(), ", ", v.dim(), " and ", a.dim(), " dims");
    check<ShapeError>(a.shape()[1] == v.shape()[0] && (self.numel() == 1 || self.numel() == a.shape()[0]),
                      "addmv: size mismatch, a mat of ", a.shape()[0], "x", a.shape()[1], " takes a vec of ",
                      a.shape()[1], ", this one has ", v.shape()[0], ", and self ", self.numel());
    check<DTypeError>(self.dtype() == a.dtype() && a.dtype() == v.dtype(), "addmv: the operands need one "
                      "dtype; mat, vec and self are ", row(a.dtype()).legacy, ", ", row(v.dtype()).legacy,
                      " and ", row(self.dtype()).legacy);
    check_number_type(a.dtype(), "addmv_impl_cpu");
    const Tensor r = start_from(self, {a.shape()[0]}, beta);
    matmul_into(with_dim(r, 1), a, with_dim(v, 1), alpha, beta);
    return r;
  }
  static Tensor decompose(Tensor self, Tensor a, Tensor v, Scalar beta, Scalar alpha) {
    return combined(self, call_op<Mv>(a, v), beta, alpha);
  }
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<3, Scalar> beta) {
    return sum_to_shape(scaled_gradient(g, beta), shape);
  }
  static Tensor vjp_mat(Tensor g, In<2> v, Arg<4, Scalar> alpha) {
    return scaled_gradient(unsqueeze(g, 1) * conj(unsqueeze(v, 0)), alpha);
  }
  static Tensor vjp_vec(Tensor g, In<1> a, Arg<4, Scalar> alpha) { return scaled_gradient(call_op<Mv>(adjoint(a), g), alpha); }
};

struct Addr {
  static constexpr auto schema = "addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    beta * self + alpha * outer(vec1, vec2); beta=0 ignores self.

    Shapes: self broadcastable to (m, n), vec1 (m), vec2 (n) → (m, n).   Dtypes: all, promoted.

    >>> fb.addr(fb.ones(1), fb.ones(1), fb.ones(2))
    tensor([[2., 2.]])
  )";
  using kind = Fused;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) { return decompose(self, a, b, beta, alpha); }
  static Tensor decompose(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) {
    check<ShapeError>(a.dim() == 1, "addr: vec1 must be a vector, it has ", a.dim(), " dims");
    check<ShapeError>(b.dim() == 1, "addr: vec2 must be a vector, it has ", b.dim(), " dims");
    const bool whole = category_of(self.dtype()) <= Category::integral && category_of(a.dtype()) <= Category::integral &&
                       category_of(b.dtype()) <= Category::integral;
    check(!whole || (alpha.is_integral() && beta.is_integral()),
          alpha.is_integral() ? "beta" : "alpha", " must be an integer when all tensors are of integers; "
          "convert one to floats");
    const Dims shape = {a.numel(), b.numel()};
    const Tensor base = expand(self, shape);
    Args all(self, a, b);
    const DType dtype = result_type(all, 0, 3);
    Tensor product = unsqueeze(a, 1) * unsqueeze(b, 0);
    auto times = [&](const Tensor& t, const Scalar& by) {
      return by.equals(1) ? t : dtype == DType::boolean ? mul(t, by.to<bool>()) : mul(t, Value(by));
    };
    product = times(product, alpha);
    return beta.equals(0) ? to_dtype(product, dtype) : add(times(base, beta), product);
  }
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<3, Scalar> beta) {
    return sum_to_shape(scaled_gradient(g, beta), shape);
  }
  static Tensor vjp_vec1(Tensor g, In<2> b, Arg<4, Scalar> alpha) {
    return scaled_gradient(call_op<Mv>(g, to_dtype(conj(b), g.dtype())), alpha);
  }
  static Tensor vjp_vec2(Tensor g, In<1> a, Arg<4, Scalar> alpha) {
    return scaled_gradient(call_op<Mv>(transpose(g, 0, 1), to_dtype(conj(a), g.dtype())), alpha);
  }
};

struct Baddbmm {
  static constexpr auto schema = "baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    beta * self + alpha * bmm(batch1, batch2); beta=0 ignores self.

    Shapes: self broadcastable to (b, m, n), batch1 (b, m, k), batch2 (b, k, n) → (b, m, n).   Dtypes: all but bool, equal.

    >>> fb.baddbmm(fb.ones(1), fb.ones(1, 1, 2), fb.ones(1, 2, 1))
    tensor([[[3.]]])
  )";
  using kind = Fused;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) {
    check<ShapeError>(a.dim() == 3, "baddbmm: batch1 needs 3 dims, its shape is ", a.shape().list());
    check<ShapeError>(b.dim() == 3, "baddbmm: batch2 needs 3 dims, its shape is ", b.shape().list());
    check<ShapeError>(a.shape()[0] == b.shape()[0] && a.shape()[2] == b.shape()[1],
                      "baddbmm: batch2 must start with the sizes [", a.shape()[0], ", ", a.shape()[2],
                      "], those of its batch and of batch1's columns; it starts with [", b.shape()[0], ", ",
                      b.shape()[1], "]");
    check<DTypeError>(self.dtype() == a.dtype() && a.dtype() == b.dtype(), "baddbmm: the operands need one "
                      "dtype; input is ", c_name(self.dtype()), ", batch1 ", c_name(a.dtype()), ", batch2 ",
                      c_name(b.dtype()));
    check_number_type(a.dtype(), "baddbmm");
    const Tensor r = start_from(self, {a.shape()[0], a.shape()[1], b.shape()[2]}, beta);
    matmul_into(r, a, b, alpha, beta);
    return r;
  }
  static Tensor decompose(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) {
    return combined(self, bmm(a, b), beta, alpha);
  }
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<3, Scalar> beta) {
    return sum_to_shape(scaled_gradient(g, beta), shape);
  }
  static Tensor vjp_batch1(Tensor g, In<2> b, Arg<4, Scalar> alpha) { return scaled_gradient(bmm(g, adjoint(b)), alpha); }
  static Tensor vjp_batch2(Tensor g, In<1> a, Arg<4, Scalar> alpha) { return scaled_gradient(bmm(adjoint(a), g), alpha); }
};

struct Addbmm {
  static constexpr auto schema = "addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    beta * self + alpha * the sum over the batch of batch1[i] @ batch2[i]; beta=0 ignores self.

    Shapes: self broadcastable to (m, n), batch1 (b, m, k), batch2 (b, k, n) → (m, n).   Dtypes: all but bool, equal.

    >>> fb.addbmm(fb.ones(1), fb.ones(2, 1, 2), fb.ones(2, 2, 1))
    tensor([[5.]])
  )";
  using kind = Fused;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) {
    check<ShapeError>(a.dim() == 3, "addbmm: batch1 needs 3 dims, its shape is ", a.shape().list());
    check<ShapeError>(b.dim() == 3, "addbmm: batch2 needs 3 dims, its shape is ", b.shape().list());
    check<ShapeError>(a.shape()[0] == b.shape()[0], "addbmm: batch1 holds ", a.shape()[0], " matrices, "
                      "batch2 ", b.shape()[0]);
    check<ShapeError>(a.shape()[2] == b.shape()[1], "addbmm: matrices of ", a.shape()[1], "x", a.shape()[2],
                      " cannot be multiplied by ", b.shape()[1], "x", b.shape()[2]);
    check_dtypes(self, a, b);
    check_number_type(a.dtype(), "addmm_impl_cpu_");
    const int64_t count = a.shape()[0], m = a.shape()[1], k = a.shape()[2], n = b.shape()[2];
    const Tensor r = start_from(self, {m, n}, beta);
    // Σ a[i] @ b[i] is one product of the blocks side by side and on top of each other.
    matmul_into(r, reshape(transpose(a, 0, 1), {m, count * k}), reshape(b, {count * k, n}), alpha, beta);
    return r;
  }
  static Tensor decompose(Tensor self, Tensor a, Tensor b, Scalar beta, Scalar alpha) {
    return combined(self, sum(bmm(a, b), Dims{0}), beta, alpha);
  }
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<3, Scalar> beta) {
    return sum_to_shape(scaled_gradient(g, beta), shape);
  }
  static Tensor vjp_batch1(Tensor g, In<2> b, Arg<4, Scalar> alpha) {
    return scaled_gradient(matmul(g, adjoint(b)), alpha);
  }
  static Tensor vjp_batch2(Tensor g, In<1> a, Arg<4, Scalar> alpha) {
    return scaled_gradient(matmul(adjoint(a), g), alpha);
  }
};

FB_GROUP(addmm, Addmm, Addmv, Addr, Baddbmm, Addbmm)

}  // namespace fb
