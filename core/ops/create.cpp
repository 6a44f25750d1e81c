#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

namespace fb {

static Tensor filled(const Dims& size, const Scalar& value, DType dtype) {
  check_sizes(size);
  Tensor r = empty(size, dtype);
  fill_packed(dtype, r.data(), value, r.numel());
  return r;
}
static Tensor filled_like(const Tensor& x, const Scalar& value, std::optional<DType> dtype) {
  Tensor r = empty_like(x, dtype.value_or(x.dtype()));
  const int64_t span = r.numel() ? r.layout().last_element() + 1 : 0;
  fill_packed(r.dtype(), r.data(), value, span);
  return r;
}
static DType natural_dtype(const Scalar& value) {
  return value.is_bool() ? DType::boolean : value.is_integral() ? DType::i64
         : value.is_floating() ? default_dtype() : complex_of(default_dtype());
}

struct Full {
  static constexpr auto schema = "full(int[] size, Scalar fill_value, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    A tensor filled with one number; its dtype follows the number unless given.

    Shapes: → size.   Dtypes: all.

    >>> fb.full((2,), 7.)
    tensor([7., 7.])
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, Scalar value, std::optional<DType> dtype) {
    const DType d = dtype.value_or(natural_dtype(value));
    check_holds(d, value);
    return filled(size, value, d);
  }
};

struct Empty {
  static constexpr auto schema = "empty(int[] size, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    A tensor whose elements are not initialised.

    Shapes: → size.   Dtypes: all, by default the default float.

    >>> fb.empty(2, 3).shape
    torch.Size([2, 3])
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, std::optional<DType> dtype) {
    check_sizes(size);
    return empty(size, dtype.value_or(default_dtype()));
  }
};

struct Zeros {
  static constexpr auto schema = "zeros(int[] size, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    A tensor of zeros.

    Shapes: → size.   Dtypes: all, by default the default float.

    >>> fb.zeros(2)
    tensor([0., 0.])
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, std::optional<DType> dtype) { return filled(size, Scalar(0), dtype.value_or(default_dtype())); }
};

struct Ones {
  static constexpr auto schema = "ones(int[] size, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    A tensor of ones.

    Shapes: → size.   Dtypes: all, by default the default float.

    >>> fb.ones(2)
    tensor([1., 1.])
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, std::optional<DType> dtype) { return filled(size, Scalar(1), dtype.value_or(default_dtype())); }
};

struct EmptyStrided {
  static constexpr auto schema = "empty_strided(int[] size, int[] stride, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    An uninitialised tensor with the strides given, counted in elements.

    Shapes: → size.   Dtypes: all, by default the default float.

    >>> fb.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, Dims stride, std::optional<DType> dtype) {
    check_sizes(size);
    check(size.size() == stride.size(), "each size needs one stride; the shape is ", size.list(), ", the "
          "strides are ", stride.list());
    for (int64_t s : stride) check(s >= 0, "empty_strided: Negative strides are not supported, got ", stride.list());
    return empty_strided(size, stride, dtype.value_or(default_dtype()));
  }
};

struct EmptyLike {
  static constexpr auto schema = "empty_like(Tensor input, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    An uninitialised tensor of the shape, dtype and memory order of another.

    Shapes: input (*) → (*).   Dtypes: all.

    >>> fb.empty_like(fb.zeros(2, 3)).shape
    torch.Size([2, 3])
  )";
  using kind = Factory;
  static Tensor kernel(Tensor x, std::optional<DType> dtype) { return empty_like(x, dtype.value_or(x.dtype())); }
};

struct ZerosLike {
  static constexpr auto schema = "zeros_like(Tensor input, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Zeros in the shape, dtype and memory order of another tensor.

    Shapes: input (*) → (*).   Dtypes: all.

    >>> fb.zeros_like(fb.tensor([1, 2]))
    tensor([0, 0])
  )";
  using kind = Factory;
  static Tensor kernel(Tensor x, std::optional<DType> dtype) { return filled_like(x, Scalar(0), dtype); }
};

struct OnesLike {
  static constexpr auto schema = "ones_like(Tensor input, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Ones in the shape, dtype and memory order of another tensor.

    Shapes: input (*) → (*).   Dtypes: all.

    >>> fb.ones_like(fb.tensor([1, 2]))
    tensor([1, 1])
  )";
  using kind = Factory;
  static Tensor kernel(Tensor x, std::optional<DType> dtype) { return filled_like(x, Scalar(1), dtype); }
};

struct FullLike {
  static constexpr auto schema = "full_like(Tensor input, Scalar fill_value, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    One number in the shape, dtype and memory order of another tensor.

    Shapes: input (*) → (*).   Dtypes: all.

    >>> fb.full_like(fb.tensor([1, 2]), 7)
    tensor([7, 7])
  )";
  using kind = Factory;
  static Tensor kernel(Tensor x, Scalar value, std::optional<DType> dtype) { return filled_like(x, value, dtype); }
};

struct NewEmpty {
  static constexpr auto schema = "new_empty(Tensor self, int[] size, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = "An uninitialised tensor of self's dtype unless given.";
  using kind = Factory;
  static Tensor kernel(Tensor x, Dims size, std::optional<DType> dtype) {
    check_sizes(size);
    return empty(size, dtype.value_or(x.dtype()));
  }
};
struct NewEmptyStrided {
  static constexpr auto schema = "new_empty_strided(Tensor self, int[] size, int[] stride, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = "An uninitialised tensor with the strides given, of self's dtype unless given.";
  using kind = Factory;
  static Tensor kernel(Tensor x, Dims size, Dims stride, std::optional<DType> dtype) {
    return EmptyStrided::kernel(size, stride, dtype.value_or(x.dtype()));
  }
};
struct NewZeros {
  static constexpr auto schema = "new_zeros(Tensor self, int[] size, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = "Zeros of self's dtype unless given.";
  using kind = Factory;
  static Tensor kernel(Tensor x, Dims size, std::optional<DType> dtype) { return filled(size, Scalar(0), dtype.value_or(x.dtype())); }
};
struct NewOnes {
  static constexpr auto schema = "new_ones(Tensor self, int[] size, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = "Ones of self's dtype unless given.";
  using kind = Factory;
  static Tensor kernel(Tensor x, Dims size, std::optional<DType> dtype) { return filled(size, Scalar(1), dtype.value_or(x.dtype())); }
};
struct NewFull {
  static constexpr auto schema = "new_full(Tensor self, int[] size, Scalar fill_value, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = "One number, in self's dtype unless given.";
  using kind = Factory;
  static Tensor kernel(Tensor x, Dims size, Scalar value, std::optional<DType> dtype) { return filled(size, value, dtype.value_or(x.dtype())); }
};

struct ScalarTensor {
  static constexpr auto schema = "scalar_tensor(Scalar s, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    A 0-d tensor holding a number, by default of the default float.

    >>> fb.scalar_tensor(3)
    tensor(3.)
  )";
  using kind = Factory;
  static Tensor kernel(Scalar s, std::optional<DType> dtype) {
    return filled(Dims(), s, dtype.value_or(s.is_complex() ? complex_of(default_dtype()) : default_dtype()));
  }
};

struct ZeroIn {
  static constexpr auto schema = "zero_(Tensor(a!) self) -> Tensor";
  static constexpr auto doc = R"(
    Fills self with zeros.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.ones(2).zero_()
    tensor([0., 0.])
  )";
  using kind = Opaque;
  static void write(Tensor self) { fill_(self, Scalar(0)); }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

// ---- sequences
template <class T, class F> static void generate(const Tensor& r, F&& value) {
  T* out = r.data<T>();
  for (int64_t i = 0; i < r.numel(); ++i) out[i] = value(i);
}
// Writes value(i), computed in double or int64, as elements of r's dtype.
template <class F> static Tensor sequence(int64_t n, DType dtype, F&& value) {
  using V = decltype(value(int64_t(0)));
  const DType wide = dtype_of<V>;
  Tensor made = empty({n}, wide);
  generate<V>(made, value);
  if (wide == dtype) return made;
  Tensor r = empty({n}, dtype);
  convert_packed(wide, dtype, r.data(), made.data(), n);
  return r;
}

// start + i · step, a chunk at a time in vectors.
static void ramp(double* out, double start, double step, int64_t first, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = start + static_cast<double>(first + i) * step;
}
static Tensor ramp_of(int64_t n, DType dtype, double start, double step) {
  const Tensor r = empty({n}, dtype);
  char* out = r.data();
  const auto loop = Clones<&ramp>::pick();
  parallel_for(n, elementwise_grain, [&](int64_t begin, int64_t end) {
    constexpr int64_t chunk = 512;
    double made[chunk];
    for (int64_t i = begin; i < end; i += chunk) {
      const int64_t count = std::min(chunk, end - i);
      loop(made, start, step, i, count);
      convert_packed(DType::f64, dtype, out + i * bytes_of(dtype), made, count);
    }
  });
  return r;
}

static Tensor arange_of(const Scalar& start, const Scalar& end, const Scalar& step, std::optional<DType> dtype) {
  const bool whole = start.is_integral() && end.is_integral() && step.is_integral();
  const DType d = dtype.value_or(whole ? DType::i64 : default_dtype());
  check(!start.is_complex() && !end.is_complex() && !step.is_complex(), "arange: complex bounds are not supported");
  check(d != DType::boolean, "\"arange\" not implemented for 'Bool'");
  check(step.real() != 0, "step must not be 0");
  check(std::isfinite(start.real()) && std::isfinite(end.real()), "both ends must be finite, got start=",
        start.real(), " and end=", end.real());
  check(step.real() > 0 ? end.real() >= start.real() : end.real() <= start.real(), "a step of ", step.real(),
        " does not lead from ", start.real(), " to ", end.real(), "; change its sign");
  if (whole && category_of(d) <= Category::integral) {
    const int64_t a = start.integer(), b = end.integer(), s = step.integer();
    const int64_t n = s > 0 ? (b - a + s - 1) / s : (a - b - s - 1) / -s;
    return sequence(n, d, [&](int64_t i) { return a + i * s; });
  }
  const double a = start.real(), s = step.real();
  const double count = std::ceil((end.real() - a) / s);
  check(count >= 0 && count < 1e15, "the range has too many elements, or its bounds overflow");
  if (d == DType::i64) return arange_of(Scalar(start.integer()), Scalar(end.integer()), Scalar(step.integer()), d);
  if (category_of(d) == Category::integral)            // the count comes from the numbers, the values are truncated
    return sequence(static_cast<int64_t>(count), d, [&](int64_t i) { return start.integer() + i * step.integer(); });
  if (bytes_of(d) < 8) return ramp_of(static_cast<int64_t>(count), d, a, s);   // a fused last bit of a double is not seen
  return sequence(static_cast<int64_t>(count), d, [&](int64_t i) { return a + static_cast<double>(i) * s; });
}

struct Arange {
  static constexpr auto schema = "arange(Scalar end, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    The numbers start, start + step, … below end (above it for a negative step).

    Shapes: → (⌈(end − start) / step⌉,).   Dtypes: int64 if all bounds are integers, else the default float.
    Errors: RuntimeError if step is 0 or points away from end.

    >>> fb.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
  )";
  using kind = Factory;
  static Tensor kernel(Scalar end, std::optional<DType> dtype) { return arange_of(Scalar(0), end, Scalar(1), dtype); }
};
struct ArangeStart {
  static constexpr auto schema = "arange.start(Scalar start, Scalar end, Scalar step=1, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = Arange::doc;
  using kind = Factory;
  static Tensor kernel(Scalar start, Scalar end, Scalar step, std::optional<DType> dtype) { return arange_of(start, end, step, dtype); }
};
struct Range {
  static constexpr auto schema = "range(Scalar start, Scalar end, Scalar step=1, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    The numbers start, start + step, … up to and including end, as the default float.

    Shapes: → (⌊(end − start) / step⌋ + 1,).   Dtypes: real.

    >>> fb.range(1, 3)
    tensor([1., 2., 3.])
  )";
  using kind = Factory;
  static Tensor kernel(Scalar start, Scalar end, Scalar step, std::optional<DType> dtype) {
    check(step.real() != 0, "step must not be 0");
    check(step.real() > 0 ? end.real() >= start.real() : end.real() <= start.real(), "a step of ",
          step.real(), " does not lead from ", start.real(), " to ", end.real(), "; change its sign");
    const int64_t n = static_cast<int64_t>((end.real() - start.real()) / step.real()) + 1;
    return sequence(n, dtype.value_or(default_dtype()), [&](int64_t i) { return start.real() + static_cast<double>(i) * step.real(); });
  }
};

// From both ends towards the middle, so that the last element is `end` itself.
template <class T> static Tensor spaced(T start, T end, int64_t n, DType dtype) {
  const T step = n > 1 ? (end - start) / T(static_cast<double>(n - 1)) : T{};
  return sequence(n, dtype, [=](int64_t i) {
    return i < n / 2 || n == 1 ? start + step * T(static_cast<double>(i)) : end - step * T(static_cast<double>(n - 1 - i));
  });
}

static Value number_in(const Value& v) {                // bounds may be 0-d tensors
  if (v.tag != Value::tensor) return v;
  const Tensor t = v.as_tensor();
  check(t.dim() == 0, "linspace: start and end must be numbers or 0-dimensional tensors, but got a tensor with ", t.dim(), " dimension(s).");
  if (is_complex(t.dtype())) {
    math::Complex<double> c;
    convert_packed(t.dtype(), DType::c128, &c, t.data(), 1);
    return Value(c);
  }
  double d;
  convert_packed(t.dtype(), DType::f64, &d, t.data(), 1);
  return Value(d);
}

static Tensor linspace_of(const Scalar& start, const Scalar& end, int64_t steps, std::optional<DType> dtype) {
  check(steps >= 0, "linspace: steps must not be negative, got ", steps);
  const bool is_complex_range = start.is_complex() || end.is_complex();
  const DType d = dtype.value_or(is_complex_range ? complex_of(default_dtype()) : default_dtype());
  check(!is_complex_range || is_complex(d), "linspace: inferred dtype is complex, but dtype ", name_of(d), " cannot hold it");
  if (is_complex(d)) return spaced(start.to<math::Complex<double>>(), end.to<math::Complex<double>>(), steps, d);
  if (d == DType::f32) return spaced(static_cast<float>(start.real()), static_cast<float>(end.real()), steps, d);
  if (category_of(d) == Category::integral) return spaced(static_cast<double>(start.integer()), static_cast<double>(end.integer()), steps, d);
  return spaced(start.real(), end.real(), steps, d);
}

struct Linspace {
  static constexpr auto schema = "linspace(Tensor start, Tensor end, int steps, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    `steps` numbers at equal distances, the first of them start and the last end.

    Shapes: start, end numbers or 0-d → (steps,).   Dtypes: all, by default the default float.

    >>> fb.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
  )";
  using kind = Factory;
  static Tensor kernel(Value start, Value end, int64_t steps, std::optional<DType> dtype) {
    return linspace_of(number_in(start).as_scalar(), number_in(end).as_scalar(), steps, dtype);
  }
};

struct Logspace {
  static constexpr auto schema = "logspace(Tensor start, Tensor end, int steps, float base=10.0, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    `steps` powers of base, whose exponents lie at equal distances, from start at first to end at last.

    Shapes: start, end numbers or 0-d → (steps,).   Dtypes: all, by default the default float.

    >>> fb.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
  )";
  using kind = Factory;
  static Tensor kernel(Value start, Value end, int64_t steps, double base, std::optional<DType> dtype) {
    Scalar a = number_in(start).as_scalar(), b = number_in(end).as_scalar();
    check(steps >= 0, "logspace: steps must not be negative, got ", steps);
    const DType d = dtype.value_or(a.is_complex() || b.is_complex() ? complex_of(default_dtype()) : default_dtype());
    if (is_complex(d)) {
      const Tensor exponents = linspace_of(a, b, steps, DType::c128);
      const auto* e = exponents.data<math::Complex<double>>();
      return sequence(steps, d, [=](int64_t i) { return math::Complex<double>(std::pow(std::complex<double>(base), std::complex<double>(e[i]))); });
    }
    if (category_of(d) == Category::integral) {        // exponents are truncated to the type first
      a = Scalar(a.integer());
      b = Scalar(b.integer());
    }
    const Tensor exponents = linspace_of(a, b, steps, category_of(d) == Category::integral ? DType::f64 : d == DType::f32 ? DType::f32 : DType::f64);
    const Tensor wide = to_dtype(exponents, DType::f64);
    const double* e = wide.data<double>();
    return sequence(steps, d, [=](int64_t i) { return std::pow(base, e[i]); });
  }
};

struct Eye {
  static constexpr auto schema = "eye(int n, int? m=None, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    The identity matrix: ones on the diagonal, zeros elsewhere.

    Shapes: → (n, m), m by default n.   Dtypes: all, by default the default float.

    >>> fb.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
  )";
  using kind = Factory;
  static Tensor kernel(int64_t n, std::optional<int64_t> columns, std::optional<DType> dtype) {
    const int64_t m = columns.value_or(n);
    check(n >= 0, "eye: n must not be negative, got ", n);
    check(m >= 0, "eye: m must not be negative, got ", m);
    Tensor r = filled({n, m}, Scalar(0), dtype.value_or(default_dtype()));
    const Tensor diagonal = alias(r, Layout({std::min(n, m)}, {m + 1}, 0));
    fill_(diagonal, Scalar(1));
    return r;
  }
};

FB_GROUP(create, Full, Empty, Zeros, Ones, EmptyStrided, EmptyLike, ZerosLike, OnesLike, FullLike, NewEmpty, NewEmptyStrided,
         NewZeros, NewOnes, NewFull, ScalarTensor, ZeroIn, Arange, ArangeStart, Range, Linspace, Logspace, Eye)

}  // namespace fb
