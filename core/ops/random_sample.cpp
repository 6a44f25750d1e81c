#include <algorithm>
#include <numeric>

#include "op/build.h"
#include "ops/random_fill.h"

namespace fb {

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
    check_probability("bernoulli", p);
    draw_numbers(r, [&](auto* out, int64_t n, Rounding) { bernoulli(out, n, p, generator_or_default(g)); });
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
  check(!is_complex(std.dtype()), "normal: std must be real, it is complex");
  double least = 0;
  if (std.numel()) {
    const Tensor m = to_dtype(amin(std), DType::f64);
    least = *m.data<double>();
  }
  check(!(least < 0), "normal: std must not be negative anywhere, found ", least);
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
    check(std >= 0, "normal: std must be at least 0, got ", std);
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
    check(std >= 0, "normal: std must be at least 0, got ", std);
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
        check(p[i * n + k] >= 0 && std::isfinite(p[i * n + k]), "multinomial: the weights must be at least "
              "0, and neither inf nor nan; found ", double(p[i * n + k]));
        sum += p[i * n + k];
      }
      check(sum > 0, "multinomial: the weights of a row add up to ", double(sum), ", they must have a "
            "positive sum");
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
      if (draws == 1) {
        out[i] = std::max_element(k, k + n) - k;
        continue;
      }
      std::iota(order.begin(), order.end(), int64_t(0));
      std::partial_sort(order.begin(), order.begin() + draws, order.end(),
                        [&](int64_t a, int64_t b) { return k[a] > k[b] || (k[a] == k[b] && a < b); });
      std::copy_n(order.begin(), draws, out + i * draws);
    }
  }
  static constexpr bool out_exact = true;
  static Tensor kernel(Tensor x, int64_t draws, bool replacement, Generator* generator) {
    check(x.dim() == 1 || x.dim() == 2, "multinomial: input must be a vector or a matrix, it has ", x.dim(),
          " dims");
    check<DTypeError>(is_floating(x.dtype()), "multinomial: input must have a floating dtype, it is ",
                      name_of(x.dtype()));
    const int64_t n = x.shape().back(), rows = x.dim() == 2 ? x.shape()[0] : 1;
    check(draws > 0, "multinomial: num_samples must be positive, got ", draws);
    check(replacement || draws <= n, "multinomial: ", draws, " different samples cannot be drawn from ", n,
          " categories, those of dim -1; pass replacement=True");
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
      for (int64_t i = 0; i < n; ++i) check(r[i] >= 0, "poisson: a rate must not be negative, found ",
                                            double(r[i]));
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

FB_GROUP(random_sample, Bernoulli, BernoulliP, NormalTensors, NormalMean, NormalStd, NormalSize, Multinomial, Poisson, Binomial)

}  // namespace fb
