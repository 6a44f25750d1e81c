#include "kernels/along.h"
#include "op/build.h"

namespace fb {

struct Sort; struct Any;

static void check_interpolation(std::string_view op, const std::string& word) {
  for (std::string_view known : {"linear", "lower", "higher", "midpoint", "nearest"}) if (word == known)
    return;
  throw Error(text(op, ": unknown interpolation='", word, "', choose 'linear', 'lower', 'higher', "
                   "'midpoint' or 'nearest'"));
}

static void check_arguments(std::string_view op, const Tensor& x, const Tensor& q) {
  check(x.numel() > 0, op, ": the input is empty and has no quantiles");
  check(q.dim() <= 1, op, ": q must be a number or a vector, it has ", q.dim(), " dims");
  check(x.dtype() == DType::f32 || x.dtype() == DType::f64, op,
      ": the input must be float32 or float64, it is ", name_of(x.dtype()));
  check(q.dtype() == x.dtype(), op, ": q is ", name_of(q.dtype()), " and the input is ", name_of(x.dtype()),
        "; convert one to the dtype of the other");
  const Tensor outside = call_op<Any>(to_dtype(lt(q, 0), DType::i64) + to_dtype(gt(q, 1), DType::i64),
      Value(), false);
  check(!*outside.data<bool>(), op, ": every q must lie from 0 to 1");
}

// Between the elements at `below` and `above` of each ordered line, by the fraction of the way.
static Tensor interpolated(const Tensor& sorted, const Tensor& rank, const std::string& word) {
  const int last = sorted.dim() - 1;
  const Tensor below = to_dtype(rank, DType::i64);     // ranks are not negative: truncation is the floor
  if (word == "lower") return take_along(sorted, below, last);
  const Tensor fraction = rank - to_dtype(below, rank.dtype());
  const Tensor above = below + to_dtype(gt(fraction, 0), DType::i64);
  if (word == "higher") return take_along(sorted, above, last);
  if (word == "nearest") {                             // halves go to the even rank
    const Tensor odd = below - to_dtype(below * 0.5, DType::i64) * 2.0;
    const Tensor up = add(to_dtype(gt(fraction, 0.5), DType::i64),
        mul(to_dtype(eq(fraction, 0.5), DType::i64), to_dtype(odd, DType::i64)));
    return take_along(sorted, below + up, last);
  }
  const Tensor low = take_along(sorted, below, last), high = take_along(sorted, above, last);
  const Tensor weight = word == "midpoint" ? full(Dims(), Scalar(0.5), rank.dtype()) : fraction;
  // from the nearer end, so that a weight of one gives the upper element exactly
  return where(lt(weight, 0.5), low + weight * (high - low), high - (high - low) * (1.0 - weight));
}

static Tensor quantiles(std::string_view op, const Tensor& self, const Tensor& q, std::optional<int64_t> dim,
    bool keepdim,
                        const std::string& interpolation, bool skip_nan) {
  check_arguments(op, self, q);
  check_interpolation(op, interpolation);
  const int d = dim ? wrap_dim(*dim, self.dim()) : 0;
  const bool flat = !dim || self.dim() == 0;
  const Tensor lines = flat ? reshape(self, {-1}) : transpose(self, d, -1);
  const int last = lines.dim() - 1;
  const Tensor sorted = call_outputs<2, Sort>(lines, last, false, Value())[0];
  const double n = static_cast<double>(sorted.shape()[last]);
  const Tensor points = q.dim() ? q : reshape(q, {1});
  Dims shape = sorted.shape();
  shape[last] = points.shape()[0];
  Tensor rank;
  if (skip_nan) {
    const Tensor count = to_dtype(sum(eq(sorted, sorted), last, true), q.dtype()) - 1.0;
    rank = points * where(lt(count, 0), Scalar(0), count);
  } else {                                             // nan stands last: point every rank there
    const Tensor spoiled = call_op<Any>(ne(sorted, sorted), last, true);
    rank = where(spoiled, Scalar(n - 1), points * (n - 1));
  }
  Tensor r = interpolated(sorted, contiguous(expand(rank, shape)), interpolation);
  Dims kept = flat ? Dims::filled(keepdim ? self.dim() : 0, 1) : reduced_at(self.shape(), d, keepdim);
  const int64_t many = points.shape()[0];
  // the lines' dim back, then the quantiles' dim in front
  r = transpose(r, d, last);
  if (!flat) {
    Dims order{d};
    for (int i = 0; i <= last; ++i) if (i != d) order.push(i);
    r = permute(r, order);
  }
  return reshape(r, q.dim() ? kept.inserted(0, many) : kept);
}

struct QuantileScalar {
  static constexpr auto schema = "quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *,"
                                 " str interpolation='linear') -> Tensor";
  static constexpr auto doc = "The q-quantile of all elements, or along `dim`, for one number q.";
  using kind = Composite;
  static Tensor decompose(Tensor x, double q, std::optional<int64_t> dim, bool keepdim,
      std::string interpolation) {
    check(q >= 0 && q <= 1, "quantile: q must lie from 0 to 1, got ", q);
    return quantiles("quantile", x, full(Dims(), Scalar(q), x.dtype()), dim, keepdim, interpolation, false);
  }
};

struct Quantile {
  static constexpr auto schema = "quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *,"
                                 " str interpolation='linear') -> Tensor";
  static constexpr auto doc = R"(
    The q-quantiles of all elements, or along `dim`; nan if there is one.

    Args: q in [0, 1]; interpolation: linear, lower, higher, midpoint or nearest.
    Shapes: self (*), q () or (k,) → self without dim, with k in front.   Dtypes: float32, float64.

    >>> fb.quantile(fb.tensor([1., 2., 3., 4.]), fb.tensor([0.5, 1.]))
    tensor([2.5000, 4.0000])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor q, std::optional<int64_t> dim, bool keepdim,
      std::string interpolation) {
    return quantiles("quantile", x, q, dim, keepdim, interpolation, false);
  }
};

struct NanquantileScalar {
  static constexpr auto schema =
      "nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *,"
                                 " str interpolation='linear') -> Tensor";
  static constexpr auto doc = "The q-quantile of the elements that are not nan, for one number q.";
  using kind = Composite;
  static Tensor decompose(Tensor x, double q, std::optional<int64_t> dim, bool keepdim,
      std::string interpolation) {
    check(q >= 0 && q <= 1, "nanquantile: q must lie from 0 to 1, got ", q);
    return quantiles("nanquantile", x, full(Dims(), Scalar(q), x.dtype()), dim, keepdim, interpolation, true);
  }
};

struct Nanquantile {
  static constexpr auto schema = "nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *,"
                                 " str interpolation='linear') -> Tensor";
  static constexpr auto doc = R"(
    The q-quantiles of the elements that are not nan, of all or along `dim`; arguments as for quantile.

    Shapes: self (*), q () or (k,) → self without dim, with k in front.   Dtypes: float32, float64.

    >>> fb.nanquantile(fb.tensor([1., float('nan'), 3.]), 0.5)
    tensor(2.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor q, std::optional<int64_t> dim, bool keepdim,
      std::string interpolation) {
    return quantiles("nanquantile", x, q, dim, keepdim, interpolation, true);
  }
};

FB_GROUP(quantile, QuantileScalar, Quantile, NanquantileScalar, Nanquantile)

}  // namespace fb
