#include "base/parallel.h"
#include "math/complex.h"
#include "op/build.h"
#include "ops.h"

// Complex numbers: their parts, and tensors made of two real ones.
namespace fb {

struct ViewAsComplex; struct Polar;

struct ConjNow {
  static constexpr auto schema = "_conj_physical(Tensor self) -> Tensor";
  static constexpr auto doc = "conj_physical of a complex tensor.";
  using kind = Elementwise<Result::same, Accepts{false, false, false, true}>;
  static constexpr auto grad_name = "ConjPhysicalBackward0";
  template <class T> static T forward(T z) { return math::conj(z); }
  static Tensor vjp(Tensor g) { return conj(g); }
};

struct ConjPhysical {
  static constexpr auto schema = "conj_physical(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Complex conjugate of each element; real ones stay as they are.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.conj_physical(fb.tensor([1+2j]))
    tensor([1.-2.j])
  )";
  using kind = Composite;
  static constexpr bool in_place = true;
  static Tensor decompose(Tensor x) { return is_complex(x.dtype()) ? call_op<ConjNow>(x) : x; }
};

struct Conjugated {
  static constexpr auto schema = "_conj(Tensor self) -> Tensor";
  static constexpr auto doc = "Complex conjugate of each element, computed at once.";
  using kind = Elementwise<Result::same, Accepts{false, false, false, true}>;
  static constexpr auto grad_name = "ConjBackward0";
  template <class T> static T forward(T z) { return math::conj(z); }
  static Tensor vjp(Tensor g) { return conj(g); }
};

struct Conj {
  static constexpr auto schema = "conj(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Complex conjugate of each element, computed at once; a real tensor comes back as it is.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.conj(fb.tensor([1+2j]))
    tensor([1.-2.j])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return is_complex(x.dtype()) ? call_op<Conjugated>(x) : x; }
};

struct ViewAsReal {
  static constexpr auto schema = "view_as_real(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = R"(
    A complex tensor seen as a real one with real and imaginary parts along a last dim of 2; a view.

    Shapes: self (*) → (*, 2).   Dtypes: complex.

    >>> fb.view_as_real(fb.tensor([1+2j]))
    tensor([[1., 2.]])
  )";
  using kind = View;
  static Layout forward(const Layout& x) {
    Dims shape = x.shape, strides = x.strides;
    for (int64_t& s : strides) s *= 2;
    shape.push(2);
    strides.push(1);
    return {shape, strides, x.offset * 2};
  }
  static void run(const Op&, const Args& args, Tensor* out, Form) {
    const Tensor& x = args[0].as_tensor();
    check(is_complex(x.dtype()), "view_as_real: the input must be complex, it is ", name_of(x.dtype()));
    out[0] = alias(x, forward(x.layout()));
    out[0]->dtype = real_of(x.dtype());
  }
  static Tensor vjp(Tensor g) { return call_op<ViewAsComplex>(contiguous(g)); }
};

struct ViewAsComplex {
  static constexpr auto schema = "view_as_complex(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = R"(
    A real tensor whose last dim holds real and imaginary parts, seen as a complex one; a view.

    Shapes: self (*, 2) → (*).   Dtypes: float32, float64.
    Errors: RuntimeError if the parts do not lie side by side in memory.

    >>> fb.view_as_complex(fb.tensor([[1., 2.]]))
    tensor([1.+2.j])
  )";
  using kind = View;
  static Layout forward(const Layout& x) {
    check(x.dim() > 0 && x.shape.back() == 2, "view_as_complex: the last dim holds real and imaginary part "
          "and so has size 2; the shape is ", x.shape);
    check(x.strides.back() == 1, "view_as_complex: real and imaginary part must lie side by side, the stride "
          "of the last dim is ", x.strides.back(), "; call .contiguous() first");
    check(x.offset % 2 == 0, "view_as_complex: the view starts at the odd storage_offset ", x.offset,
          ", in the middle of a pair; call .clone() first");
    Dims shape, strides;
    for (int i = 0; i + 1 < x.dim(); ++i) {
      check(x.strides[i] % 2 == 0, "view_as_complex: dim ", i, " has the odd stride ", x.strides[i],
            ", which splits pairs; call .contiguous() first");
      shape.push(x.shape[i]);
      strides.push(x.strides[i] / 2);
    }
    return {shape, strides, x.offset / 2};
  }
  static void run(const Op&, const Args& args, Tensor* out, Form) {
    const Tensor& x = args[0].as_tensor();
    check(x.dtype() == DType::f32 || x.dtype() == DType::f64,
          "view_as_complex: the parts must be Float or Double (or Half), they are ", row(x.dtype()).legacy);
    out[0] = alias(x, forward(x.layout()));
    out[0]->dtype = complex_of(x.dtype());
  }
  static Tensor vjp(Tensor g) { return call_op<ViewAsReal>(g); }
};

struct Real {
  static constexpr auto schema = "real(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = R"(
    Real parts, as a view; a real tensor comes back as it is.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.real(fb.tensor([1+2j]))
    tensor([1.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return is_complex(x.dtype()) ? select(call_op<ViewAsReal>(x), -1, 0) : x; }
};

struct Imag {
  static constexpr auto schema = "imag(Tensor(a) self) -> Tensor(a)";
  static constexpr auto doc = R"(
    Imaginary parts, as a view.

    Shapes: self (*) → (*).   Dtypes: complex.

    >>> fb.imag(fb.tensor([1+2j]))
    tensor([2.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) {
    check(is_complex(x.dtype()), "imag: a tensor of ", name_of(x.dtype()), " has no imaginary part; only "
          "complex tensors do");
    return select(call_op<ViewAsReal>(x), -1, 1);
  }
};

struct Angle {
  static constexpr auto schema = "angle(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Angle of each element with the positive real axis, in radians: 0 or π for real ones.

    Shapes: self (*) → (*), real.   Dtypes: all; integers give the default float.

    >>> fb.angle(fb.tensor([1j, -1]))
    tensor([1.5708, 3.1416])
  )";
  using kind = Elementwise<Result::floating, all_numbers>;
  static constexpr bool in_place = false;
  template <class T> static auto forward(T x) {
    if constexpr (requires { x.re; }) return math::arg(x);
    else return math::select(x < T(0.0), T(3.141592653589793), math::select(x == x, T(0.0), x));
  }
  static Tensor vjp(Tensor g, In<0> z) {
    if (!is_complex(z.dtype())) return zeros_like(g);
    const Tensor size = abs(z);
    const Tensor turned = mul(z, Value(math::Complex<double>(0, 1)));
    return where(eq(size, 0.0), Scalar(0), g * (turned / (size * size)));
  }
};

static void check_parts(std::string_view op, const Tensor& a, const Tensor& b) {
  auto fits = [](const Tensor& t) { return t.dtype() == DType::f32 || t.dtype() == DType::f64; };
  check(fits(a) && fits(b), op, ": the parts must be Float or Double (or Half), they are ",
        row(a.dtype()).legacy, " and ", row(b.dtype()).legacy);
  check(a.dtype() == b.dtype(), op, ": the parts are ", row(a.dtype()).legacy, " and ", row(b.dtype()).legacy,
        "; convert one to the dtype of the other");
}

// A complex tensor whose parts are the two given, broadcast.
static Tensor joined(std::string_view op, const Tensor& re, const Tensor& im) {
  const Tensor z = empty(broadcast_shapes(op, re.shape(), im.shape()), complex_of(re.dtype()));
  copy_(call_op<Real>(z), re);
  copy_(call_op<Imag>(z), im);
  return z;
}

struct ComplexOp {
  static constexpr auto schema = "complex(Tensor real, Tensor imag) -> Tensor";
  static constexpr auto doc = R"(
    The complex tensor of two given parts, real and imaginary, broadcast.

    Shapes: real (*), imag (*) → broadcast of both.   Dtypes: float32 → complex64, float64 → complex128.

    >>> fb.complex(fb.tensor([1.]), fb.tensor([2.]))
    tensor([1.+2.j])
  )";
  using kind = Opaque;
  static constexpr bool out_exact = true;
  static Tensor kernel(Tensor re, Tensor im) {
    check_parts("complex", re, im);
    return joined("complex", re, im);
  }
  static Tensor vjp_real(Tensor g, Shape<0> shape) { return sum_to_shape(real_part(g), shape); }
  static Tensor vjp_imag(Tensor g, Shape<1> shape) { return sum_to_shape(call_op<Imag>(g), shape); }
};

struct Polar {
  static constexpr auto schema = "polar(Tensor abs, Tensor angle) -> Tensor";
  static constexpr auto doc = R"(
    A complex tensor from sizes and angles in radians: abs * (cos(angle) + i sin(angle)), broadcast.

    Shapes: abs (*), angle (*) → broadcast of both.   Dtypes: float32 → complex64, float64 → complex128.

    >>> fb.polar(fb.tensor([2.]), fb.tensor([0.]))
    tensor([2.+0.j])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor size, Tensor angle) {
    check_parts("polar", size, angle);
    const Dims shape = broadcast_shapes("polar", size.shape(), angle.shape());
    const Tensor r = contiguous(expand(size, shape)), a = contiguous(expand(angle, shape));
    const Tensor z = empty(shape, complex_of(size.dtype()));
    if (size.dtype() == DType::f32) fill<float>(z, r, a);
    else fill<double>(z, r, a);
    return z;
  }
  template <class T> static void points(T* z, const T* size, const T* angle, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      z[2 * i] = size[i] * std::cos(angle[i]);
      z[2 * i + 1] = size[i] * std::sin(angle[i]);
    }
  }
  template <class T> static void fill(const Tensor& z, const Tensor& size, const Tensor& angle) {
    T* to = z.data<T>();
    const T *r = size.data<T>(), *a = angle.data<T>();
    parallel_for(z.numel(), elementwise_grain, [&](int64_t begin, int64_t end) {
      points(to + 2 * begin, r + begin, a + begin, end - begin);
    });
  }
  static Tensor vjp_abs(Tensor g, In<1> angle, Shape<0> shape) {        // Re(conj(g) e^{i angle})
    return sum_to_shape(real_part(conj(g) * call_op<Polar>(ones_like(angle), angle)), shape);
  }
  static Tensor vjp_angle(Tensor g, Out z, Shape<1> shape) {            // Re(conj(g) i z)
    return sum_to_shape(real_part(conj(g) * mul(z, Value(math::Complex<double>(0, 1)))), shape);
  }
};

FB_GROUP(complex, ConjNow, ConjPhysical, Conjugated, Conj, ViewAsReal, ViewAsComplex, Real, Imag, Angle, ComplexOp, Polar)

}  // namespace fb
