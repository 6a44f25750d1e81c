#include "op/build.h"
#include "ops/random_fill.h"

namespace fb {

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
    check(from <= to, "uniform_: from=", from, " lies above to=", to);
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
    check(std >= 0, "normal_: std must be at least 0, got ", std);
    fill_normal(self, mean, std, generator_or_default(g));
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct ExponentialIn {
  static constexpr auto schema = "exponential_(Tensor(a!) self, float lambd=1, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with exponential numbers of rate `lambd`.";
  using kind = Opaque;
  static void write(Tensor self, double rate, Generator* g) {
    check(rate > 0, "exponential_: lambd must be positive, got ", rate);
    check<DTypeError>(is_floating(self.dtype()), "exponential_: samples are fractions, so self must have a "
                      "floating dtype, not ", row(self.dtype()).legacy);
    draw_floats(self, "exponential_cpu", [&](auto* out, int64_t n, Rounding) { exponential(out, n, rate, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct CauchyIn {
  static constexpr auto schema = "cauchy_(Tensor(a!) self, float median=0, float sigma=1, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with Cauchy numbers.";
  using kind = Opaque;
  static void write(Tensor self, double median, double sigma, Generator* g) {
    check(sigma > 0, "cauchy_: sigma must be positive, got ", sigma);
    check<DTypeError>(is_floating(self.dtype()), "cauchy_: samples are fractions, so self must have a "
                      "floating dtype, not ", name_of(self.dtype()));
    draw_floats(self, "cauchy_cpu", [&](auto* out, int64_t n, Rounding) { cauchy(out, n, median, sigma, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct LogNormalIn {
  static constexpr auto schema = "log_normal_(Tensor(a!) self, float mean=1, float std=2, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with numbers whose logarithm is normal.";
  using kind = Opaque;
  static void write(Tensor self, double mean, double std, Generator* g) {
    check(std > 0, "log_normal_: std must be positive, got ", std);
    draw_floats(self, "log_normal_cpu", [&](auto* out, int64_t n, Rounding) { log_normal(out, n, mean, std, generator_or_default(g)); });
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

struct GeometricIn {
  static constexpr auto schema = "geometric_(Tensor(a!) self, float p, *, Generator? generator=None) -> Tensor";
  static constexpr auto doc = "Fills self with the number of trials until the first success of probability p.";
  using kind = Opaque;
  static void write(Tensor self, double p, Generator* g) {
    check(p > 0 && p < 1, "geometric_: p must lie between 0 and 1, got ", p);
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

FB_GROUP(random, UniformIn, NormalIn, ExponentialIn, CauchyIn, LogNormalIn, GeometricIn, BernoulliIn, BernoulliInTensor, RandomIn,
         RandomInTo, RandomInFrom)

}  // namespace fb
