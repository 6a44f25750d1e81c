#include "kernels/gemm.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

static Tensor adjoint(const Tensor& t) { return conj(transpose(t, -2, -1)); }

struct Mm {
  static constexpr auto schema = "mm(Tensor self, Tensor mat2) -> Tensor";
  static constexpr auto doc = R"(
    Product of two matrices.

    Shapes: self (m, k), mat2 (k, n) → (m, n).   Dtypes: all.

    >>> fb.mm(fb.ones(2, 3), fb.ones(3, 1))
    tensor([[3.],
            [3.]])
  )";
  using kind = Bilinear;
  static Tensor kernel(Tensor a, Tensor b) {
    check(a.dim() == 2 && b.dim() == 2, "mm: self and mat2 must be matrices, given shapes ", a.shape(), " and ", b.shape());
    check<ShapeError>(a.shape()[1] == b.shape()[0], "mat1 and mat2 shapes cannot be multiplied (", a.shape()[0], "x", a.shape()[1], " and ",
                      b.shape()[0], "x", b.shape()[1], ")");
    check<DTypeError>(a.dtype() == b.dtype(), "expected m1 and m2 to have the same dtype, but got: ", name_of(a.dtype()), " != ", name_of(b.dtype()));
    Tensor r = empty({a.shape()[0], b.shape()[1]}, a.dtype());
    gemm(r, a, b);
    return r;
  }
  static Tensor vjp_self(Tensor g, In<1> b) { return mm(g, adjoint(b)); }
  static Tensor vjp_mat2(Tensor g, In<0> a) { return mm(adjoint(a), g); }
};

FB_GROUP(matmul, Mm)

}  // namespace fb
