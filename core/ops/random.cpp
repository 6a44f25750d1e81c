#include <algorithm>
#include <cmath>

#include "kernels/samplers.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

namespace fb {
namespace {

Generator& generator_or_default(Generator* g) { return g ? *g : default_generator(); }

Rounding rounding_of(DType d) {
  return d == DType::f16 ? Rounding::float16 : d == DType::bf16 ? Rounding::bfloat16 : Rounding::none;
}

// Calls draw(T*, n, Rounding) on packed memory in the order of self's strides. Half types are drawn as float.
template <class Draw> void draw_floats(const Tensor& self, const char* op, Draw&& draw) {
  check<DTypeError>(is_floating(self.dtype()), "\"", op, "\" not implemented for '", row(self.dtype()).legacy, "'");
  const bool half = bytes_of(self.dtype()) == 2;
  if (self.is_contiguous() && !half) {
    if (self.dtype() == DType::f32) draw(self.data<float>(), self.numel(), Rounding::none);
    else draw(self.data<double>(), self.numel(), Rounding::none);
    return;
  }
  const DType d = half ? DType::f32 : self.dtype();
  const Tensor packed = empty_strided(self.shape(), dense_strides_like(self.layout()), d);
  if (d == DType::f32) draw(packed.data<float>(), packed.numel(), rounding_of(self.dtype()));
  else draw(packed.data<double>(), packed.numel(), Rounding::none);
  copy_(self, packed);
}

// The same for samplers of numbers of any real type.
template <class Draw> void draw_numbers(const Tensor& self, Draw&& draw) {
  if (is_floating(self.dtype())) return draw_floats(self, "random", draw);
  Tensor packed = self;
  if (!self.is_contiguous()) packed = empty_strided(self.shape(), dense_strides_like(self.layout()), self.dtype());
  const int64_t n = packed.numel();
  switch (self.dtype()) {
    case DType::boolean: draw(packed.data<bool>(), n, Rounding::none); break;
    case DType::u8: draw(packed.data<uint8_t>(), n, Rounding::none); break;
    case DType::i8: draw(packed.data<int8_t>(), n, Rounding::none); break;
    case DType::i16: draw(packed.data<int16_t>(), n, Rounding::none); break;
    case DType::i32: draw(packed.data<int32_t>(), n, Rounding::none); break;
    case DType::i64: draw(packed.data<int64_t>(), n, Rounding::none); break;
    default: throw DTypeError(text("random sampling is not implemented for '", row(self.dtype()).legacy, "'"));
  }
  if (packed.body() != self.body()) copy_(self, packed);
}

Tensor as_real(const Tensor& z) {                       // (…) complex → (…, 2) real, the same memory
  Dims shape = z.shape(), strides = z.strides();
  for (int64_t& s : strides) s *= 2;
  shape.push(2);
  strides.push(1);
  Tensor r = alias(z, Layout(shape, strides, z.layout().offset * 2));
  r->dtype = real_of(z.dtype());
  return r;
}

void fill_uniform(const Tensor& self, double from, double to, Generator& g) {
  draw_floats(is_complex(self.dtype()) ? as_real(self) : self, "check_uniform_bounds", [&]<class T>(T* out, int64_t n, Rounding r) {
    if constexpr (std::is_same_v<T, float>) {
      if (r != Rounding::none) return uniform(out, n, from, to, r, g);
    }
    uniform(out, n, from, to, g);
  });
}

void fill_normal(const Tensor& self, double mean, double std, Generator& g) {
  const Tensor x = is_complex(self.dtype()) ? as_real(self) : self;
  const double scale = is_complex(self.dtype()) ? std / std::sqrt(2.0) : std;
  const bool serial = !x.is_contiguous();
  draw_floats(x, "normal_kernel_cpu", [&]<class T>(T* out, int64_t n, Rounding r) {
    if (serial) return normal_serial(out, n, mean, scale, g);
    if constexpr (std::is_same_v<T, float>) {
      if (r != Rounding::none) return normal(out, n, mean, scale, r, g);
    }
    normal(out, n, mean, scale, g);
  });
}

int digits_of(DType d) { return d == DType::f16 ? 11 : d == DType::bf16 ? 8 : d == DType::f32 ? 24 : 53; }

struct Limits { int64_t low, high; };
Limits limits_of(DType d) {
  switch (d) {
    case DType::boolean: return {0, 1};
    case DType::u8: return {0, 255};
    case DType::i8: return {-128, 127};
    case DType::i16: return {-32768, 32767};
    case DType::i32: return {INT32_MIN, INT32_MAX};
    case DType::i64: return {INT64_MIN, INT64_MAX};
    default: return {-(int64_t(1) << digits_of(d)), int64_t(1) << digits_of(d)};
  }
}

void fill_range(const Tensor& self, int64_t from, int64_t to, Generator& g) {   // from … to − 1
  check(from < to, "random_ expects 'from' to be less than 'to', but got from=", from, " >= to=", to);
  const Limits limits = limits_of(self.dtype());
  if (is_floating(self.dtype())) {
    const IntegerBounds b = representable_bounds(from, to, digits_of(self.dtype()));
    from = b.from;
    to = b.to;
    check(from < to, "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from=", from, " >= to=", to);
  } else {
    check(from >= limits.low && from <= limits.high, "from is out of bounds for ", name_of(self.dtype()));
    check(to - 1 >= limits.low && to - 1 <= limits.high, "to - 1 is out of bounds for ", name_of(self.dtype()));
  }
  const uint64_t count = static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
  draw_numbers(self, [&](auto* out, int64_t n, Rounding) { random_range(out, n, from, count, g); });
}

void check_probability(const char* op, double p) {
  check(p >= 0 && p <= 1, op, " expects p to be in [0, 1], but got p=", p);
}

Tensor wide_probabilities(const Tensor& p, const Dims& shape) {      // float, or double if p is
  return contiguous(expand(to_dtype(p, p.dtype() == DType::f64 ? DType::f64 : DType::f32), shape));
}

void fill_bernoulli(const Tensor& self, const Tensor& p, Generator& g) {
  check<DTypeError>(is_floating(p.dtype()), "expected probabilities tensor to have floating type, got ", name_of(p.dtype()));
  const Tensor wide = wide_probabilities(p, self.shape());
  const int64_t count = wide.numel();
  for (int64_t i = 0; i < count; ++i) {
    const double v = wide.dtype() == DType::f64 ? wide.data<double>()[i] : wide.data<float>()[i];
    check(v >= 0 && v <= 1, "Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
  }
  draw_numbers(self, [&](auto* out, int64_t n, Rounding) {
    if (wide.dtype() == DType::f64) bernoulli(out, wide.data<double>(), n, g);
    else bernoulli(out, wide.data<float>(), n, g);
  });
}

}  // namespace

// In-place fills: the values written do not depend on self, so its gradient is zero.
struct UniformIn {
  static constexpr auto schema = "uniform_(Tensor(a!) self, float from=0, float to=1, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    Fills self with numbers uniform in [from, to).

    Shapes: self (*) → (*).   Dtypes: floating, complex.   Source: docs/design/random.md.

    >>> fb.empty(2).uniform_(1, 1)
    tensor([1., 1.])
  )";
  using kind = Opaque;
  static void write(Tensor self, double from, double to, Generator* g) {
    check(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to);
    fill_uniform(self, from, to, generator_or_default(g));
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct NormalIn {
  static constexpr auto schema = "normal_(Tensor(a!) self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    Fills self with normal numbers.

    Shapes: self (*) → (*).   Dtypes: floating, complex.   Errors: RuntimeError if std is negative.

    >>> fb.empty(2).normal_(3., 0.)
    tensor([3., 3.])
  )";
  using kind = Opaque;
  static void write(Tensor self, double mean, double std, Generator* g) {
    check(std >= 0, "normal expects std >= 0.0, but found std ", std);
    fill_normal(self, mean, std, generator_or_default(g));
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct ExponentialIn {
  static constexpr auto schema = "exponential_(Tensor(a!) self, float lambd=1, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with exponential numbers of rate `lambd`.";
  using kind = Opaque;
  static void write(Tensor self, double rate, Generator* g) {
    check(rate > 0, "exponential_ expects lambda > 0.0, but found lambda=", rate);
    draw_floats(self, "exponential_cpu", [&](auto* out, int64_t n, Rounding) { exponential(out, n, rate, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct CauchyIn {
  static constexpr auto schema = "cauchy_(Tensor(a!) self, float median=0, float sigma=1, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with Cauchy numbers.";
  using kind = Opaque;
  static void write(Tensor self, double median, double sigma, Generator* g) {
    check(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
    check<DTypeError>(is_floating(self.dtype()), "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified ", name_of(self.dtype()));
    draw_floats(self, "cauchy_cpu", [&](auto* out, int64_t n, Rounding) { cauchy(out, n, median, sigma, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct LogNormalIn {
  static constexpr auto schema = "log_normal_(Tensor(a!) self, float mean=1, float std=2, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with numbers whose logarithm is normal.";
  using kind = Opaque;
  static void write(Tensor self, double mean, double std, Generator* g) {
    check(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
    draw_floats(self, "log_normal_cpu", [&](auto* out, int64_t n, Rounding) { log_normal(out, n, mean, std, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct GeometricIn {
  static constexpr auto schema = "geometric_(Tensor(a!) self, float p, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with the number of trials until the first success of probability p.";
  using kind = Opaque;
  static void write(Tensor self, double p, Generator* g) {
    check(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
    check<DTypeError>(self.dtype() != DType::boolean, "\"geometric_cpu\" not implemented for 'Bool'");
    draw_numbers(self, [&]<class T>(T* out, int64_t n, Rounding) {
      if constexpr (!std::is_same_v<T, bool>) geometric(out, n, p, generator_or_default(g));
    });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct BernoulliIn {
  static constexpr auto schema = "bernoulli_(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with ones with probability p, zeros elsewhere.";
  using kind = Opaque;
  static void write(Tensor self, double p, Generator* g) {
    check_probability("bernoulli_", p);
    draw_numbers(self, [&](auto* out, int64_t n, Rounding) { bernoulli(out, n, p, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};
struct BernoulliInTensor {
  static constexpr auto schema = "bernoulli_.Tensor(Tensor(a!) self, Tensor p, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = BernoulliIn::doc;
  using kind = Opaque;
  static void write(Tensor self, Tensor p, Generator* g) { fill_bernoulli(self, p, generator_or_default(g)); }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }
  static NoGrad vjp_p();
};

struct RandomIn {
  static constexpr auto schema = "random_(Tensor(a!) self, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with whole numbers: up to a bound, or of the dtype's range.";
  using kind = Opaque;
  static void write(Tensor self, Generator* g) {
    if (is_floating(self.dtype()) && bytes_of(self.dtype()) == 2) {
      return draw_floats(self, "random_", [&]<class T>(T* out, int64_t n, Rounding r) {
        if constexpr (std::is_same_v<T, float>) random_all(out, n, r, generator_or_default(g));
      });
    }
    draw_numbers(self, [&](auto* out, int64_t n, Rounding) { random_all(out, n, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};
struct RandomInTo {
  static constexpr auto schema = "random_.to(Tensor(a!) self, int to, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = RandomIn::doc;
  using kind = Opaque;
  static void write(Tensor self, int64_t to, Generator* g) { fill_range(self, 0, to, generator_or_default(g)); }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};
struct RandomInFrom {
  static constexpr auto schema = "random_.from(Tensor(a!) self, int from, int? to, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = RandomIn::doc;
  using kind = Opaque;
  static void write(Tensor self, int64_t from, std::optional<int64_t> to, Generator* g) {
    if (to) return fill_range(self, from, *to, generator_or_default(g));
    const Limits limits = limits_of(self.dtype());
    if (from == INT64_MIN && (self.dtype() == DType::i64 || is_floating(self.dtype())))
      return draw_numbers(self, [&]<class T>(T* out, int64_t n, Rounding) {
        if constexpr (std::is_same_v<T, int64_t> || std::is_floating_point_v<T>) random_all64(out, n, generator_or_default(g));
      });
    check(from >= limits.low && from <= limits.high, "from is out of bounds for ", name_of(self.dtype()));
    const uint64_t count = static_cast<uint64_t>(limits.high) - static_cast<uint64_t>(from) + 1;
    draw_numbers(self, [&](auto* out, int64_t n, Rounding) { random_range(out, n, from, count, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

// ---- factories
static Tensor checked_empty(const Dims& size, DType dtype) {
  for (int64_t s : size) check(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", size.list());
  return empty(size, dtype);
}

struct Rand {
  static constexpr auto schema = "rand(int[] size, *, Generator? generator=None, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Numbers uniform in [0, 1).

    Shapes: → size.   Dtypes: floating, complex; by default the default float.   Source: docs/design/random.md.

    >>> fb.rand(2).shape
    torch.Size([2])
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, Generator* g, std::optional<DType> dtype) {
    Tensor r = checked_empty(size, dtype.value_or(default_dtype()));
    fill_uniform(r, 0, 1, generator_or_default(g));
    return r;
  }
};
struct Randn {
  static constexpr auto schema = "randn(int[] size, *, Generator? generator=None, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Standard normal numbers.

    Shapes: → size.   Dtypes: floating, complex; by default the default float.   Source: docs/design/random.md.

    >>> fb.randn(2).shape
    torch.Size([2])
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, Generator* g, std::optional<DType> dtype) {
    Tensor r = checked_empty(size, dtype.value_or(default_dtype()));
    fill_normal(r, 0, 1, generator_or_default(g));
    return r;
  }
};
struct RandLike {
  static constexpr auto schema = "rand_like(Tensor input, *, dtype? dtype=None, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Numbers uniform in [0, 1), in the shape and dtype of another tensor.";
  using kind = Factory;
  static Tensor kernel(Tensor x, std::optional<DType> dtype, Generator* g) {
    Tensor r = empty_like(x, dtype.value_or(x.dtype()));
    fill_uniform(r, 0, 1, generator_or_default(g));
    return r;
  }
};
struct RandnLike {
  static constexpr auto schema = "randn_like(Tensor input, *, dtype? dtype=None, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Standard normal numbers, in the shape and dtype of another tensor.";
  using kind = Factory;
  static Tensor kernel(Tensor x, std::optional<DType> dtype, Generator* g) {
    Tensor r = empty_like(x, dtype.value_or(x.dtype()));
    fill_normal(r, 0, 1, generator_or_default(g));
    return r;
  }
};

static Tensor randint_of(int64_t low, int64_t high, const Dims& size, Generator* g, DType dtype) {
  Tensor r = checked_empty(size, dtype);
  fill_range(r, low, high, generator_or_default(g));
  return r;
}
struct Randint {
  static constexpr auto schema = "randint(int high, int[] size, *, Generator? generator=None, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Whole numbers uniform in [low, high), low by default 0.

    Shapes: → size.   Dtypes: real; by default int64.   Errors: RuntimeError if low >= high.

    >>> fb.randint(3, 4, (2,))
    tensor([3, 3])
  )";
  using kind = Factory;
  static Tensor kernel(int64_t high, Dims size, Generator* g, std::optional<DType> dtype) {
    return randint_of(0, high, size, g, dtype.value_or(DType::i64));
  }
};
struct RandintLow {
  static constexpr auto schema = "randint.low(int low, int high, int[] size, *, Generator? generator=None, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = Randint::doc;
  using kind = Factory;
  static Tensor kernel(int64_t low, int64_t high, Dims size, Generator* g, std::optional<DType> dtype) {
    return randint_of(low, high, size, g, dtype.value_or(DType::i64));
  }
};
struct RandintLike {
  static constexpr auto schema = "randint_like(Tensor input, int high, *, dtype? dtype=None, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Whole numbers uniform in [low, high), in the shape and dtype of another tensor.";
  using kind = Factory;
  static Tensor kernel(Tensor x, int64_t high, std::optional<DType> dtype, Generator* g) {
    return randint_of(0, high, x.shape(), g, dtype.value_or(x.dtype()));
  }
};
struct RandintLikeLow {
  static constexpr auto schema = "randint_like.low(Tensor input, int low, int high, *, dtype? dtype=None, Generator? generator=None) -> Tensor";
  static constexpr auto doc = RandintLike::doc;
  using kind = Factory;
  static Tensor kernel(Tensor x, int64_t low, int64_t high, std::optional<DType> dtype, Generator* g) {
    return randint_of(low, high, x.shape(), g, dtype.value_or(x.dtype()));
  }
};

struct Randperm {
  static constexpr auto schema = "randperm(int n, *, Generator? generator=None, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    The numbers 0 … n − 1 in random order.

    Shapes: → (n,).   Dtypes: those that hold n − 1 exactly; by default int64.

    >>> fb.randperm(4).sort().values
    tensor([0, 1, 2, 3])
  )";
  using kind = Factory;
  static Tensor kernel(int64_t n, Generator* g, std::optional<DType> dtype) {
    check(n >= 0, "n must be non-negative, got", n);
    const DType d = dtype.value_or(DType::i64);
    check<DTypeError>(d != DType::boolean && !is_complex(d), "\"randperm\" not implemented for '", row(d).legacy, "'");
    check(n == 0 || n - 1 <= limits_of(d).high, "n is too large for result tensor type: '", row(d).legacy, "'");
    Tensor r = empty({n}, d);
    draw_numbers(r, [&]<class T>(T* out, int64_t count, Rounding) {
      if constexpr (!std::is_same_v<T, bool>) randperm(out, count, generator_or_default(g));
    });
    return r;
  }
};

// ---- samples whose parameters are tensors
struct Bernoulli {
  static constexpr auto schema = "bernoulli(Tensor self, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    One with the probability each element states, zero otherwise.

    Shapes: self (*) → (*).   Dtypes: floating.   Errors: RuntimeError unless all are in [0, 1].

    >>> fb.bernoulli(fb.tensor([0., 1.]))
    tensor([0., 1.])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor p, Generator* g) {
    Tensor r = empty_like(p, p.dtype());
    fill_bernoulli(r, p, generator_or_default(g));
    return r;
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};
struct BernoulliP {
  static constexpr auto schema = "bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = Bernoulli::doc;
  using kind = Opaque;
  static Tensor kernel(Tensor x, double p, Generator* g) {
    Tensor r = empty_like(x, x.dtype());
    BernoulliIn::write(r, p, g);
    return r;
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

static Tensor standard_normal(const Dims& shape, DType dtype, Generator* g) {
  Tensor z = empty(shape, dtype);
  fill_normal(z, 0, 1, generator_or_default(g));
  return z;
}
static void check_std(const Tensor& std) {
  check(!is_complex(std.dtype()), "normal expects standard deviation to be non-complex");
  double least = 0;
  if (std.numel()) {
    const Tensor m = to_dtype(amin(std), DType::f64);
    least = *m.data<double>();
  }
  check(!(least < 0), "normal expects all elements of std >= 0.0");
}

struct NormalTensors {
  static constexpr auto schema = "normal(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    Normal numbers with the means and standard deviations given, as tensors or numbers.

    Shapes: mean (*), std (*) → broadcast of both; or, for two numbers, size.   Dtypes: floating, complex.
    Errors: RuntimeError if a standard deviation is negative.

    >>> fb.normal(fb.tensor([1., 2.]), fb.zeros(2))
    tensor([1., 2.])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "NormalBackward0";
  static Tensor kernel(Tensor mean, Tensor std, Generator* g) {
    check_std(std);
    const Dims shape = broadcast_shapes("normal", mean.shape(), std.shape());
    const DType d = mean.dtype();
    return add(mul(standard_normal(shape, d, g), std), mean);
  }
  static Tensor vjp_mean(Tensor g, Shape<0> shape) { return zeros(shape, g.dtype()); }
  static Tensor vjp_std(Tensor g, Shape<1> shape) { return zeros(shape, g.dtype()); }
};
struct NormalMean {
  static constexpr auto schema = "normal.mean(Tensor mean, float std=1, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = NormalTensors::doc;
  using kind = Opaque;
  static constexpr auto grad_name = "NormalBackward0";
  static Tensor kernel(Tensor mean, double std, Generator* g) {
    check(std >= 0, "normal expects std >= 0.0, but found std ", std);
    Tensor z = empty(mean.shape(), mean.dtype());
    fill_normal(z, 0, std, generator_or_default(g));
    return add(z, mean);
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};
struct NormalStd {
  static constexpr auto schema = "normal.std(float mean, Tensor std, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = NormalTensors::doc;
  using kind = Opaque;
  static constexpr auto grad_name = "NormalBackward0";
  static Tensor kernel(double mean, Tensor std, Generator* g) {
    check_std(std);
    return add(mul(standard_normal(std.shape(), std.dtype(), g), std), mean);
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};
struct NormalSize {
  static constexpr auto schema = "normal.size(float mean, float std, int[] size, *, Generator? generator=None, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = NormalTensors::doc;
  using kind = Factory;
  static Tensor kernel(double mean, double std, Dims size, Generator* g, std::optional<DType> dtype) {
    check(std >= 0, "normal expects std >= 0.0, but found std ", std);
    Tensor r = checked_empty(size, dtype.value_or(default_dtype()));
    fill_normal(r, mean, std, generator_or_default(g));
    return r;
  }
};

struct Multinomial {
  static constexpr auto schema = "multinomial(Tensor self, int num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    Indices drawn with the probabilities that each row states, up to a factor.

    Shapes: self (n,) or (m, n) → (num_samples,) or (m, num_samples), int64.   Dtypes: floating.
    Errors: RuntimeError for negative or non-finite probabilities, a row of zeros, or too many draws without replacement.

    >>> fb.multinomial(fb.tensor([0., 1.]), 3, replacement=True)
    tensor([1, 1, 1])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  template <class T> static void check_rows(const T* p, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; ++i) {
      T sum = 0;
      for (int64_t k = 0; k < n; ++k) {
        check(p[i * n + k] >= 0 && std::isfinite(p[i * n + k]), "probability tensor contains either `inf`, `nan` or element < 0");
        sum += p[i * n + k];
      }
      check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
    }
  }
  template <class T> static void sample(const Tensor& p, const Tensor& r, int64_t rows, int64_t n, int64_t draws, bool replacement, DType stored, Generator& g) {
    check_rows(p.data<T>(), rows, n);
    int64_t* out = r.data<int64_t>();
    if (replacement && draws != 1) return multinomial(out, p.data<T>(), rows, n, draws, g);
    std::vector<T> keys(static_cast<size_t>(rows * n));
    if (stored == DType::f16 || stored == DType::bf16) {   // keys are rounded to the type before they are compared
      std::vector<T> q(keys.size());
      exponential(q.data(), rows * n, 1.0, g);
      std::vector<uint16_t> half(keys.size());
      auto round = [&](T* v) {
        convert_packed(dtype_of<T>, stored, half.data(), v, rows * n);
        convert_packed(stored, dtype_of<T>, v, half.data(), rows * n);
      };
      round(q.data());
      for (size_t i = 0; i < keys.size(); ++i) keys[i] = p.data<T>()[i] / q[i];
      round(keys.data());
    } else multinomial_keys(keys.data(), p.data<T>(), rows * n, g);
    std::vector<int64_t> order(static_cast<size_t>(n));
    for (int64_t i = 0; i < rows; ++i) {
      const T* k = keys.data() + i * n;
      for (int64_t j = 0; j < n; ++j) order[j] = j;
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return k[a] > k[b]; });
      std::copy_n(order.begin(), draws, out + i * draws);
    }
  }
  static Tensor kernel(Tensor x, int64_t draws, bool replacement, Generator* generator) {
    check(x.dim() == 1 || x.dim() == 2, "prob_dist must be 1 or 2 dim");
    check<DTypeError>(is_floating(x.dtype()), "multinomial only supports floating-point dtypes for input, got: ", name_of(x.dtype()));
    const int64_t n = x.shape().back(), rows = x.dim() == 2 ? x.shape()[0] : 1;
    check(draws > 0, "cannot sample n_sample <= 0 samples");
    check(replacement || draws <= n, "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
    Dims shape;
    if (x.dim() == 2) shape.push(rows);
    shape.push(draws);
    Tensor r = empty(shape, DType::i64);
    const DType wide = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
    const Tensor p = contiguous(to_dtype(x, wide));
    Generator& g = generator_or_default(generator);
    if (wide == DType::f64) sample<double>(p, r, rows, n, draws, replacement, x.dtype(), g);
    else sample<float>(p, r, rows, n, draws, replacement, x.dtype(), g);
    return r;
  }
};

// Applies draw(out, a, b, n) on packed floats or doubles; b may be undefined.
template <class Draw> static Tensor drawn_like(const Tensor& a, const Tensor& b, Draw&& draw) {
  check<DTypeError>(is_floating(a.dtype()), "sampling is not implemented for '", row(a.dtype()).legacy, "'");
  const DType wide = a.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor x = contiguous(to_dtype(a, wide)), y = b ? contiguous(to_dtype(b, wide)) : Tensor();
  Tensor r = empty(x.shape(), wide);
  if (wide == DType::f64) draw(r.data<double>(), x.data<double>(), y ? y.data<double>() : nullptr, x.numel());
  else draw(r.data<float>(), x.data<float>(), y ? y.data<float>() : nullptr, x.numel());
  return to_dtype(r, a.dtype());
}

struct Poisson {
  static constexpr auto schema = "poisson(Tensor self, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    Poisson counts with the rates that each element states.

    Shapes: self (*) → (*).   Dtypes: floating.   Errors: RuntimeError for negative rates.

    >>> fb.poisson(fb.zeros(2))
    tensor([0., 0.])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor rate, Generator* g) {
    return drawn_like(rate, {}, [&]<class T>(T* out, const T* r, const T*, int64_t n) {
      for (int64_t i = 0; i < n; ++i) check(r[i] >= 0, "invalid Poisson rate, expected rate to be non-negative");
      poisson(out, r, n, generator_or_default(g));
    });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct Binomial {
  static constexpr auto schema = "binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor";
  static constexpr auto doc = R"(
    Binomial counts of `count` trials with probability `prob`.

    Shapes: count (*), prob (*) of one shape → (*).   Dtypes: floating.

    >>> fb.binomial(fb.tensor([5.]), fb.tensor([1.]))
    tensor([5.])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor count, Tensor prob, Generator* g) {
    const Dims shape = broadcast_shapes("binomial", count.shape(), prob.shape());
    check<DTypeError>(count.dtype() == prob.dtype(), "Found dtype ", name_of(prob.dtype()), " but expected ", name_of(count.dtype()));
    return drawn_like(expand(count, shape), expand(prob, shape), [&]<class T>(T* out, const T* c, const T* p, int64_t n) {
      binomial(out, c, p, n, generator_or_default(g));
    });
  }
  static Tensor vjp_count(Tensor g) { return zeros_like(g); }
  static Tensor vjp_prob(Tensor g) { return zeros_like(g); }
};

struct StandardGamma {
  static constexpr auto schema = "_standard_gamma(Tensor self, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Gamma numbers of the shape parameter that each element states and rate one.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor alpha, Generator* g) {
    return drawn_like(alpha, {}, [&]<class T>(T* out, const T* a, const T*, int64_t n) { standard_gamma(out, a, n, generator_or_default(g)); });
  }
};
struct SampleDirichlet {
  static constexpr auto schema = "_sample_dirichlet(Tensor self, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Dirichlet numbers: each row of concentrations gives a row that sums to one.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor alpha, Generator* g) {
    const int64_t categories = alpha.dim() ? alpha.shape().back() : 1;
    return drawn_like(alpha, {}, [&]<class T>(T* out, const T* a, const T*, int64_t n) {
      dirichlet(out, a, categories ? n / categories : 0, categories, generator_or_default(g));
    });
  }
};

FB_GROUP(random, UniformIn, NormalIn, ExponentialIn, CauchyIn, LogNormalIn, GeometricIn, BernoulliIn, BernoulliInTensor, RandomIn,
         RandomInTo, RandomInFrom, Rand, Randn, RandLike, RandnLike, Randint, RandintLow, RandintLike, RandintLikeLow, Randperm,
         Bernoulli, BernoulliP, NormalTensors, NormalMean, NormalStd, NormalSize, Multinomial, Poisson, Binomial, StandardGamma,
         SampleDirichlet)

}  // namespace fb
