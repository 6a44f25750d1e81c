#include "op/build.h"
#include "ops/products.h"
#include "base/parallel.h"

namespace fb {

namespace {

// a, b, out are packed as (outer, 3, inner).
template <class T> inline void cross_rows(void* out, const void* a, const void* b, int64_t begin, int64_t end, int64_t inner) {
  for (int64_t row = begin; row < end; ++row) {
    const T* x = static_cast<const T*>(a) + row * 3 * inner;
    const T* y = static_cast<const T*>(b) + row * 3 * inner;
    T* r = static_cast<T*>(out) + row * 3 * inner;
#pragma GCC ivdep
    for (int64_t i = 0; i < inner; ++i) {
      const T x0 = x[i], x1 = x[i + inner], x2 = x[i + 2 * inner], y0 = y[i], y1 = y[i + inner], y2 = y[i + 2 * inner];
      r[i] = x1 * y2 - x2 * y1;
      r[i + inner] = x2 * y0 - x0 * y2;
      r[i + 2 * inner] = x0 * y1 - x1 * y0;
    }
  }
}

using CrossRows = void (*)(void*, const void*, const void*, int64_t, int64_t, int64_t);
template <class T> CrossRows picked() {
  static const auto run = Clones<&cross_rows<T>>::pick();
  return run;
}
CrossRows cross_kernel(Compute c) {
  switch (c) {
    case Compute::f32: return picked<float>();
    case Compute::f64: return picked<double>();
    case Compute::c64: return picked<math::Complex<float>>();
    case Compute::c128: return picked<math::Complex<double>>();
    default: return picked<int64_t>();
  }
}

}  // namespace

struct LinalgCross {
  static constexpr auto schema = "linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor";
  static constexpr auto doc = R"(
    Cross product of vectors of length three that lie along `dim`.

    Shapes: self, other (…, 3, …), as many dims, broadcast → (…, 3, …).   Dtypes: all but bool, equal.

    >>> fb._C.linalg_cross(fb.tensor([1., 0., 0.]), fb.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
  )";
  using kind = Bilinear;
  static Tensor kernel(Tensor a, Tensor b, int64_t dim) {
    check<ShapeError>(a.dim() == b.dim(), "linalg.cross: one input has ", a.dim(), " dims, the other ",
                      b.dim());
    const int d = wrap_dim(dim, a.dim());
    check<ShapeError>(a.dim() > 0 && a.shape()[d] == 3 && b.shape()[d] == 3, "linalg.cross: dim ", dim,
                      " must hold vectors of 3 numbers, the sizes are ", a.dim() ? a.shape()[d] : 0, " and ",
                      b.dim() ? b.shape()[d] : 0);
    const Dims shape = broadcast_shapes("linalg.cross", a.shape(), b.shape());
    check<DTypeError>(a.dtype() == b.dtype(), "expected scalar type ", row(a.dtype()).legacy, " but found ", row(b.dtype()).legacy);
    check_number_type(a.dtype(), "cross");
    const DType compute = storage_of(compute_of(a.dtype()));
    const Tensor x = contiguous(expand(to_dtype(a, compute), shape)), y = contiguous(expand(to_dtype(b, compute), shape));
    const Tensor r = empty(shape, compute);
    int64_t inner = 1;
    for (int i = d + 1; i < shape.size(); ++i) inner *= shape[i];
    if (r.numel() == 0) return to_dtype(r, a.dtype());
    const CrossRows run = cross_kernel(compute_of(compute));
    void* out = r.data();
    const void *px = x.data(), *py = y.data();
    parallel_for(r.numel() / (3 * inner), std::max<int64_t>(elementwise_grain / (3 * inner), 1),
                 [&](int64_t begin, int64_t end) { run(out, px, py, begin, end, inner); });
    return to_dtype(r, a.dtype());
  }
  static Tensor vjp_self(Tensor g, In<1> b, Arg<2, int64_t> dim) { return call_op<LinalgCross>(conj(b), g, dim.value); }
  static Tensor vjp_other(Tensor g, In<0> a, Arg<2, int64_t> dim) { return call_op<LinalgCross>(g, conj(a), dim.value); }
};

struct Cross {
  static constexpr auto schema = "cross(Tensor self, Tensor other, int? dim=None) -> Tensor";
  static constexpr auto doc = R"(
    Cross product of vectors of length three that lie along `dim`, by default the first dim of size three.

    Shapes: self, other (…, 3, …), as many dims, broadcast → (…, 3, …).   Dtypes: all but bool, equal.

    >>> fb.cross(fb.tensor([1., 0., 0.]), fb.tensor([0., 1., 0.]), dim=0)
    tensor([0., 0., 1.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b, std::optional<int64_t> dim) {
    if (dim) return call_op<LinalgCross>(a, b, *dim);
    const Dims shape = broadcast_shapes("cross", a.shape(), b.shape());
    for (int d = 0; d < shape.size(); ++d) if (shape[d] == 3) return call_op<LinalgCross>(a, b, int64_t(d));
    throw ShapeError(text("cross: the shape ", shape.list(), " has no dim of size 3; pass dim"));
  }
};

struct LinalgVecdot {
  static constexpr auto schema = "linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor";
  static constexpr auto doc = R"(
    Sums of products along one dim, the elements of x conjugated.

    Shapes: x, y broadcast to (…, n, …) → (…, …).   Dtypes: floating, complex, equal.

    >>> fb._C.linalg_vecdot(fb.tensor([1., 2.]), fb.tensor([3., 4.]))
    tensor(11.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor y, int64_t dim) {
    for (const Tensor* t : {&x, &y})
      check<DTypeError>(is_differentiable(t->dtype()), "linalg.vecdot: the vectors must be of floating or "
                        "complex numbers, one is of ", row(t->dtype()).legacy);
    check<DTypeError>(x.dtype() == y.dtype(), "linalg.vecdot: x is ", row(x.dtype()).legacy, " and y is ",
                      row(y.dtype()).legacy, "; convert one to the dtype of the other");
    return sum(mul(conj(x), y), Dims{dim});
  }
};

FB_GROUP(cross, LinalgCross, Cross, LinalgVecdot)

}  // namespace fb
