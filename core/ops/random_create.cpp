#include "op/build.h"
#include "ops/random_fill.h"

namespace fb {

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
    check(n >= 0, "randperm: n must not be negative, got ", n);
    const DType d = dtype.value_or(DType::i64);
    check<DTypeError>(d != DType::boolean && !is_complex(d), "\"randperm\" not implemented for '", row(d).legacy, "'");
    check(n == 0 || n - 1 <= limits_of(d).high, "randperm: n=", n, " exceeds what ", row(d).legacy,
          " can count; choose a wider dtype");
    Tensor r = empty({n}, d);
    draw_numbers(r, [&]<class T>(T* out, int64_t count, Rounding) {
      if constexpr (!std::is_same_v<T, bool>) randperm(out, count, generator_or_default(g));
    });
    return r;
  }
};

FB_GROUP(random_create, Rand, Randn, RandLike, RandnLike, Randint, RandintLow, RandintLike, RandintLikeLow, Randperm)

}  // namespace fb
