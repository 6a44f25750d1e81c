#include <algorithm>
#include <cmath>

#include "base/half.h"
#include "kernels/along.h"
#include "kernels/indexing.h"
#include "op/build.h"

namespace fb {

struct HistogramEdges; struct HistogramCounts;

// Lowest and highest finite bound, widened by one half each way when they coincide.
struct Range { double low, high; };
static Range checked_range(std::string_view op, double low, double high, double widen) {
  check(std::isfinite(low) && std::isfinite(high), op, ": range of [", low, ", ", high, "] is not finite");
  if (low == high) return {low - widen, high + widen};
  return {low, high};
}

struct Histc {
  static constexpr auto schema = "histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor";
  static constexpr auto doc = R"(
    How many elements fall into each of `bins` equal bins from min to max; from the smallest to the largest
    if equal.

    Shapes: self (*) → (bins,).   Dtypes: floating.   Limits: elements outside, and nan, are not counted.
    Errors: RuntimeError for bins < 1, max < min, or a range that is not finite.

    >>> fb.histc(fb.tensor([1., 2., 1.]), 4, 0, 3)
    tensor([0., 2., 1., 0.])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor self, int64_t bins, double low, double high) {
    check<UnsupportedError>(is_floating(self.dtype()), "\"histc\" not implemented for '",
        row(self.dtype()).legacy, "'");
    check(bins > 0, "histc: bins must be at least 1, got ", bins);
    check(low <= high, "histc: min=", low, " lies above max=", high);
    const Tensor x = to_dtype(contiguous(self), DType::f64);
    if (low == high && x.numel()) {
      low = *amin(x).data<double>();
      high = *amax(x).data<double>();
    }
    const Range range = checked_range("torch.histc", low, high, 1);
    Tensor r = zeros({bins}, DType::f64);
    double* counts = r.data<double>();
    const double* from = x.data<double>();
    // the steps are rounded as arithmetic in self's dtype would
    auto place = [&](auto&& rounded) {
      const double width = rounded(range.high - range.low), many = rounded(static_cast<double>(bins));
      for (int64_t i = 0; i < x.numel(); ++i) {
        if (!(from[i] >= range.low && from[i] <= range.high)) continue;
        const double way = rounded(rounded(from[i] - range.low) * many);
        counts[std::min(static_cast<int64_t>(rounded(way / width)), bins - 1)] += 1;
      }
    };
    switch (self.dtype()) {
      case DType::f16: place([](double v) -> double { return widen_f16(narrow_f16(static_cast<float>(v))); });
          break;
      case DType::bf16: place([](double v) -> double { return widen_bf16(narrow_bf16(static_cast<float>(v)));
          }); break;
      case DType::f32: place([](double v) -> double { return static_cast<float>(v); }); break;
      default: place([](double v) { return v; });
    }
    return to_dtype(r, self.dtype());
  }
};

static void check_samples(const Tensor& x) {
  check<UnsupportedError>(x.dtype() == DType::f32 || x.dtype() == DType::f64,
      "\"histogramdd\" not implemented for '",
                          row(x.dtype()).legacy, "'");
  check(x.dim() >= 2, "histogramdd: the input must be a matrix of points, it has ", x.dim(), " dims");
}

struct HistogramEdges {
  static constexpr auto schema =
      "_histogramdd_bin_edges(Tensor self, int[] bins, *, float[]? range=None) -> Tensor[]";
  static constexpr auto doc = R"(
    Edges of equal bins along each coordinate of points, from the smallest to the largest unless a range is
    given.

    Shapes: self (*, d), bins d numbers, range 2d numbers → d times (bins + 1,).   Dtypes: float32, float64.

    >>> fb._C._histogramdd_bin_edges(fb.tensor([[0.], [4.]]), [2])
    (tensor([0., 2., 4.]),)
  )";
  using kind = Composite;
  static Tensors decompose(Tensor self, Dims bins, std::optional<Floats> range) {
    check_samples(self);
    const int64_t d = self.shape().back();
    check(bins.size() == d, "histogramdd: points of ", d, " coordinates need as many bin counts, got ",
          bins.size());
    check(!range || static_cast<int64_t>(range->size()) == 2 * d, "histogramdd: points of ", d,
          " coordinates need ", 2 * d, " numbers in range, got ", range ? range->size() : 0);
    GradOff off;
    const Tensor x = reshape(to_dtype(self, DType::f64), {-1, d});
    Tensors r;
    for (int k = 0; k < d; ++k) {
      check(bins[k] > 0, "histogramdd: dim ", k, " gets ", bins[k], " bins, it needs at least 1");
      double low = 0, high = 1;
      if (range) {
        low = (*range)[2 * k];
        high = (*range)[2 * k + 1];
      } else if (x.numel()) {
        low = *contiguous(amin(select(x, 1, k))).data<double>();
        high = *contiguous(amax(select(x, 1, k))).data<double>();
      }
      check(low <= high || low != low || high != high,
          "histogramdd: in dim ", k, ", min=", low, " lies above max=", high);
      const Range bounds = checked_range(text("torch.histogramdd: dimension ", k), low, high, 0.5);
      Tensor edges = empty({bins[k] + 1}, DType::f64);
      const double step = (bounds.high - bounds.low) / static_cast<double>(bins[k]);
      for (int64_t i = 0; i <= bins[k]; ++i)           // from the nearer end, so that both are exact
        edges.data<double>()[i] = 2 * i <= bins[k] ? bounds.low + step * static_cast<double>(i)
                                                   : bounds.high - step * static_cast<double>(bins[k] - i);
      r.push_back(to_dtype(edges, self.dtype()));
    }
    return r;
  }
};

struct HistogramCounts {
  static constexpr auto schema =
      "_histogramdd_from_bin_tensors(Tensor self, Tensor[] bins, *, Tensor? weight=None, bool "
          "density=False) -> Tensor";
  static constexpr auto doc = R"(
    How many points fall into each cell between ascending edges, weighted; density divides by total and
    volume.

    Shapes: self (*, d), bins d times (b + 1,), weight (*) → (b1, b2, …).   Dtypes: float32, float64.

    >>> fb._C._histogramdd_from_bin_tensors(fb.tensor([[0.], [3.]]), [fb.tensor([0., 2., 4.])])
    tensor([1., 1.])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Dims cells(const Tensor& self, const Tensors& bins) {
    Dims shape;
    for (size_t k = 0; k < bins.size(); ++k) {
      check(bins[k].dtype() == self.dtype(), "histogramdd: the input is ", name_of(self.dtype()), ", but the "
            "bin edges of dim ", k, " are ", name_of(bins[k].dtype()));
      check(bins[k].dim() == 1, "histogramdd: bin edges must be a vector, those of dim ", k, " have ",
            bins[k].dim(), " dims");
      check(bins[k].numel() > 1, "histogramdd: dim ", k, " has ", bins[k].numel(), " bin edges, it needs at "
            "least 2");
      shape.push(bins[k].numel() - 1);
    }
    return shape;
  }
  static Tensor kernel(Tensor self, Tensors bins, Tensor weight, bool density) {
    check_samples(self);
    const int64_t d = self.shape().back();
    check(static_cast<int64_t>(bins.size()) == d, "histogramdd: points of ", d, " coordinates need as many "
          "vectors of bin edges, got ", bins.size());
    const Dims shape = cells(self, bins);
    if (weight) {
      check(weight.dtype() == self.dtype(), "histogramdd: the input is ", name_of(self.dtype()), ", but "
            "weight is ", name_of(weight.dtype()));
      check(weight.shape() == self.shape().erased(self.dim() - 1),
          "histogramdd: weight needs one number for each point; the input has shape ", self.shape().list(),
          ", weight ", weight.shape().list());
    }
    const Tensor x = to_dtype(contiguous(self), DType::f64);
    const Tensor w = weight ? to_dtype(contiguous(weight), DType::f64) : Tensor();
    Tensors edges;
    for (const Tensor& b : bins) edges.push_back(to_dtype(contiguous(b), DType::f64));
    Tensor r = zeros(shape, DType::f64);
    for (int64_t i = 0; i < (d ? x.numel() / d : 0); ++i) {
      int64_t cell = 0;
      for (int k = 0; k < d && cell >= 0; ++k) {
        const double v = x.data<double>()[i * d + k], *first = edges[k].data<double>(), *last =
            first + shape[k];
        if (!(v >= *first && v <= *last)) cell = -1;
        else cell = cell * shape[k] + std::min<int64_t>(std::upper_bound(first, last + 1, v) - first - 1,
            shape[k] - 1);
      }
      if (cell >= 0) r.data<double>()[cell] += w ? w.data<double>()[i] : 1;
    }
    if (density) {
      r = r / sum(r);
      for (int k = 0; k < d; ++k) {
        Dims along = Dims::filled(shape.size(), 1);
        along[k] = shape[k];
        r = r / reshape(narrow(edges[k], 0, 1, shape[k]) - narrow(edges[k], 0, 0, shape[k]), along);
      }
    }
    return to_dtype(r, self.dtype());
  }
};

static Outputs<2> histogram_with(const Tensor& x, const Tensor& edges, const Value& weight, bool density) {
  const Tensor points = reshape(x, {-1, 1});
  const Value w = weight ? Value(weight.as_tensor().shape() == x.shape() ? reshape(weight.as_tensor(), {-1})
      : weight.as_tensor()) : Value();
  return {call_op<HistogramCounts>(points, Tensors{edges}, w, density), edges};
}

struct HistogramTensor {
  static constexpr auto schema =
      "histogram.bins_tensor(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False) -> "
          "(Tensor hist, Tensor bin_edges)";
  static constexpr auto doc = "Counts of elements between ascending edges `bins`, and the edges.";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, Tensor bins, Value weight, bool density) {
    return histogram_with(x, bins, weight, density);
  }
};

struct Histogram {
  static constexpr auto schema =
      "histogram(Tensor self, int bins=100, *, float[]? range=None, Tensor? weight=None, bool density=False)"
                                 " -> (Tensor hist, Tensor bin_edges)";
  static constexpr auto doc = R"(
    Counts of elements in `bins` equal bins of a range, weighted or as a density, and the edges of the bins.

    Shapes: self (*), weight (*) → (bins,), (bins + 1,).   Dtypes: float32, float64.
    Errors: RuntimeError for bins < 1 or a range that is not finite.

    >>> fb.histogram(fb.tensor([1., 2., 1.]), 2, range=(0., 4.))[0]
    tensor([2., 1.])
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor x, int64_t bins, Value range, Value weight, bool density) {
    const Tensor edges = call_list<HistogramEdges>(reshape(x, {-1, 1}), Dims{bins}, range)[0];
    return histogram_with(x, edges, weight, density);
  }
};

struct Bincount {
  static constexpr auto schema = "bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor";
  static constexpr auto doc = R"(
    How often each whole number from 0 on occurs, or the sum of the weights of its occurrences.

    Shapes: self (n,), weights (n,) → (max(self) + 1,), at least minlength.
    Dtypes: integers; int64, or float32 for float32 weights and float64 for others.
    Errors: RuntimeError for negative numbers or other dims.

    >>> fb.bincount(fb.tensor([1, 1, 3]))
    tensor([0, 2, 0, 1])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor self, Tensor weights, int64_t minlength) {
    check<UnsupportedError>(is_integral(self.dtype()), "\"bincount\" not implemented for '",
        row(self.dtype()).legacy, "'");
    check(minlength >= 0, "minlength should be >= 0, got ", minlength);
    if (self.dim() == 1 && self.numel() == 0) return zeros({minlength}, DType::i64);
    const Tensor x = computable(self);
    const int64_t* from = x.data<int64_t>();
    const auto [least, most] = x.dim() == 1 ? range_of(from, x.numel()) : std::pair<int64_t, int64_t>{-1, -1};
    check(least >= 0,
        "bincount: the input must have 1 dim, of whole numbers from 0 on");
    check(!weights || (weights.dim() == 1 && weights.numel() == x.numel()),
        "bincount: weights must be a vector of ", x.numel(), " numbers, one for each of the input; its shape "
        "is ", weights ? weights.shape().list() : "");
    const int64_t bins = std::max(minlength, most + 1), n = x.numel();
    if (!weights) {
      const Tensor r = zeros({bins}, DType::i64);
      int64_t* counts = r.data<int64_t>();
      for (int64_t i = 0; i < n; ++i) ++counts[from[i]];
      return r;
    }
    const Tensor w = to_dtype(contiguous(weights), DType::f64);
    Tensor r = zeros({bins}, DType::f64);
    double* sums = r.data<double>();
    const double* each = w.data<double>();
    for (int64_t i = 0; i < n; ++i) sums[from[i]] += each[i];
    return to_dtype(r, weights.dtype() == DType::f32 ? DType::f32 : DType::f64);
  }
};

FB_GROUP(histogram, Histc, HistogramEdges, HistogramCounts, HistogramTensor, Histogram, Bincount)

}  // namespace fb
