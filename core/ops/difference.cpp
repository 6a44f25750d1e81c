#include "kernels/along.h"
#include "op/build.h"

namespace fb {

struct Cumsum;

// x without its first, and without its last, element along d.
static Tensor later(const Tensor& x, int d) { return narrow(x, d, 1, x.shape()[d] - 1); }
static Tensor earlier(const Tensor& x, int d) { return narrow(x, d, 0, x.shape()[d] - 1); }

struct Diff {
  static constexpr auto schema =
      "diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor";
  static constexpr auto doc = R"(
    n-th difference of neighbours along `dim`; of bool, whether they differ.

    Shapes: self (*), lengthened by prepend and append → dim shorter by n.   Dtypes: all.

    >>> fb.diff(fb.tensor([1., 4., 9.]))
    tensor([3., 5.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor self, int64_t n, int64_t dim, Value prepend, Value append) {
    check(self.dim() > 0, "diff: a 0-dimensional input has no neighbours to subtract");
    check(n >= 0, "diff: n must not be negative, got ", n);
    const int d = wrap_dim(dim, self.dim());
    if (n == 0) return clone(self);
    Tensors parts;
    for (const Value& end : {prepend, Value(self), append}) {
      if (!end) continue;
      const Tensor& t = end.as_tensor();
      check(t.dim() == self.dim(), "diff: prepend and append need as many dims as the input; the shapes are ",
            t.shape(), " and ", self.shape());
      for (int i = 0; i < self.dim(); ++i)
        check(i == d || t.shape()[i] == self.shape()[i],
            "diff: prepend and append may differ from the input in dim ", d, " only; the shapes are ",
            t.shape(), " and ", self.shape());
      parts.push_back(t);
    }
    Tensor x = parts.size() == 1 ? self : cat(parts, d);
    if (n >= x.shape()[d]) return narrow(x, d, 0, 0);
    for (; n > 0; --n) x = x.dtype() == DType::boolean ? ne(later(x, d), earlier(x, d)) : later(x, d)
      - earlier(x, d);
    return x;
  }
};

// Distances between sample points, shaped to multiply y's neighbours along d.
static Tensor point_steps(std::string_view op, const Tensor& y, const Tensor& x, int d) {
  check(y.dtype() != DType::boolean && x.dtype() != DType::boolean, op,
      ": bool values cannot be integrated; convert x and y, e.g. with .float()");
  Tensor points = x;
  if (x.dim() == 1) {
    check(x.shape()[0] == y.shape()[d], op, ": x has ", x.shape()[0], " points for ", y.shape()[d], " values "
          "of y");
    Dims shape = Dims::filled(y.dim(), 1);
    shape[d] = x.shape()[0];
    points = reshape(x, shape);
  } else if (x.dim() < y.dim()) {
    points = reshape(x, [&] {
      Dims shape = Dims::filled(y.dim() - x.dim(), 1);
      for (int64_t s : x.shape()) shape.push(s);
      return shape;
    }());
  }
  const int at = d + points.dim() - y.dim();
  check(points.shape()[at] == y.shape()[d], op, ": x and y differ in the number of points; the shapes are ",
        points.shape(), " and ", y.shape());
  return later(points, at) - earlier(points, at);
}

static bool too_short(const Tensor& y, int d) { return y.dim() == 0 || y.shape()[d] == 0; }
static Tensor neighbour_sums(const Tensor& y, int d) { return later(y, d) + earlier(y, d); }
static Tensor no_area(const Tensor& y, int d) {
  return zeros(y.dim() ? y.shape().erased(d) : Dims(),
      is_differentiable(y.dtype()) ? y.dtype() : default_dtype());
}
static void check_not_bool(std::string_view op, const Tensor& y) {
  check(y.dtype() != DType::boolean, op, ": bool values cannot be integrated; convert y, e.g. with .float()");
}

struct TrapezoidX {
  static constexpr auto schema = "trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor";
  static constexpr auto doc = "Area under y over the sample points x along `dim`, by trapezoids.";
  using kind = Composite;
  static Tensor decompose(Tensor y, Tensor x, int64_t dim) {
    const int d = wrap_dim(dim, y.dim());
    if (too_short(y, d)) return no_area(y, d);
    const Tensor steps = point_steps("trapezoid", y, x, d);
    return sum(neighbour_sums(y, d) * steps, steps.dim() > y.dim() ? d + steps.dim() - y.dim() : d) / 2.0;
  }
};

struct Trapezoid {
  static constexpr auto schema = "trapezoid(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor";
  static constexpr auto doc = R"(
    Area under samples along `dim`, `dx` apart or at points x, by trapezoids.

    Shapes: y (*) → y without dim.   Dtypes: all but bool; integers give the default float.

    >>> fb.trapezoid(fb.tensor([1., 5., 10.]))
    tensor(10.5000)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor y, Scalar dx, int64_t dim) {
    const int d = wrap_dim(dim, y.dim());
    if (too_short(y, d)) return no_area(y, d);
    check_not_bool("trapezoid", y);
    check(!dx.is_bool(), "trapezoid: dx must be a real number, not a bool");
    return div(mul(sum(neighbour_sums(y, d), d), Value(dx)), 2.0);
  }
};

struct CumulativeTrapezoidX {
  static constexpr auto schema = "cumulative_trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor";
  static constexpr auto doc = "Running area under y over the sample points x along `dim`, by trapezoids.";
  using kind = Composite;
  static Tensor decompose(Tensor y, Tensor x, int64_t dim) {
    const int d = wrap_dim(dim, y.dim());
    const Tensor steps = point_steps("cumulative_trapezoid", y, x, d);
    const Tensor areas = neighbour_sums(y, d) * steps;
    return call_op<Cumsum>(areas, d + areas.dim() - y.dim(), Value()) / 2.0;
  }
};

struct CumulativeTrapezoid {
  static constexpr auto schema = "cumulative_trapezoid(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor";
  static constexpr auto doc = R"(
    Running area under samples along `dim`, `dx` apart or at points x, by trapezoids.

    Shapes: y (*) → dim shorter by one.   Dtypes: all but bool; integers give the default float.

    >>> fb.cumulative_trapezoid(fb.tensor([1., 5., 10.]))
    tensor([ 3.0000, 10.5000])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor y, Scalar dx, int64_t dim) {
    const int d = wrap_dim(dim, y.dim());
    check_not_bool("cumulative_trapezoid", y);
    return div(mul(call_op<Cumsum>(neighbour_sums(y, d), d, Value()), Value(dx)), 2.0);
  }
};

// Second-order differences inside and one-sided ones at the ends, for equal or given steps between samples.
static Tensor gradient_along(const Tensor& x, int d, const Value& spacing, int64_t edge_order) {
  const int64_t n = x.shape()[d];
  auto at = [&](int64_t i) { return narrow(x, d, i, 1); };
  auto inner = [&](int64_t start) { return narrow(x, d, start, n - 2); };
  if (spacing.tag != Value::tensor) {
    const Value h = spacing;
    const Tensor middle = div(div(inner(2) - inner(0), h), 2.0);
    if (edge_order == 1) return cat({div(at(1) - at(0), h), middle, div(at(n - 1) - at(n - 2), h)}, d);
    const Tensor first = div(at(0) * -1.5 + at(1) * 2.0 - at(2) * 0.5, h);
    const Tensor last = div(at(n - 1) * 1.5 - at(n - 2) * 2.0 + at(n - 3) * 0.5, h);
    return cat({first, middle, last}, d);
  }
  Dims shape = Dims::filled(x.dim(), 1);
  shape[d] = n - 1;
  const Tensor points = spacing.as_tensor();
  const Tensor steps = reshape(later(points, 0) - earlier(points, 0), shape);
  auto step = [&](int64_t i) { return narrow(steps, d, i, 1); };
  const Tensor h0 = earlier(steps, d), h1 = later(steps, d);   // before and behind each inner sample
  const Tensor middle = (h0 / h1 / (h0 + h1)) * inner(2) + ((h1 - h0) / (h0 * h1)) * inner(1)
      - (h1 / h0 / (h0 + h1)) * inner(0);
  if (edge_order == 1) return cat({(at(1) - at(0)) / step(0), middle, (at(n - 1) - at(n - 2)) / step(n - 2)},
      d);
  auto end = [&](const Tensor& near, const Tensor& far, int64_t i0, int64_t i1, int64_t i2) {
    const Tensor both = near + far;
    return at(i1) * (both / (near * far)) - at(i0) * ((2.0 * near + far) / (near * both)) - at(i2)
        * (near / (far * both));
  };
  return cat({end(step(0), step(1), 0, 1, 2), middle, -end(step(n - 2), step(n - 3), n - 1, n - 2, n - 3)},
      d);
}

// One spacing per dim: numbers are distances, tensors the coordinates of the samples.
static Tensors gradients(const Tensor& x, const Value& dim, const std::vector<Value>& spacings,
    int64_t edge_order, bool one_for_all = false) {
  check(edge_order == 1 || edge_order == 2, "gradient: edge_order must be 1 or 2, got ", edge_order);
  check(x.dtype() != DType::u8, "torch.gradient is not implemented for uint8 inputs");
  const Dims dims = dim ? normalized_dims(dim, x.dim()) : normalized_dims(Value(), x.dim());
  check(one_for_all || static_cast<int>(spacings.size()) == dims.size(),
      "gradient: spacing must be absent, one number, or one entry per dim; got ", spacings.size(), " entries "
      "for ", dims.size(), " dims");
  Tensors r;
  for (int k = 0; k < dims.size(); ++k) {
    const int d = static_cast<int>(dims[k]);
    check(x.dim() > 0 && x.shape()[d] >= edge_order + 1,
        "gradient: edge_order=", edge_order, " needs ", edge_order + 1, " points or more in each dim; the "
        "shape is ", x.shape());
    const Value& h = spacings[one_for_all ? 0 : static_cast<size_t>(k)];
    if (h.tag == Value::tensor)
      check(h.as_tensor().dim() == 1 && h.as_tensor().shape()[0] == x.shape()[d],
          "gradient: the coordinates for dim ", d, " must be a vector with one entry per point; they have "
          "shape ", h.as_tensor().shape(), " for an input of ", x.shape());
    r.push_back(gradient_along(x, d, h, edge_order));
  }
  return r;
}

struct GradientNumber {
  static constexpr auto schema =
      "gradient(Tensor self, *, Scalar? spacing=None, int[]? dim=None, int edge_order=1) -> Tensor[]";
  static constexpr auto doc = R"(
    Slope along each dim, estimated by second-order central differences, one-sided at the ends.

    Args: spacing: distance of samples, one per dim, or their coordinates; edge_order: 1 or 2.
    Shapes: self (*), at least edge_order + 1 long → one (*) per dim.   Dtypes: all but uint8 and bool.

    >>> fb.gradient(fb.tensor([1., 4., 9.]))
    (tensor([3., 4., 5.]),)
  )";
  using kind = Composite;
  static Tensors decompose(Tensor x, std::optional<Scalar> spacing, Value dim, int64_t edge_order) {
    return gradients(x, dim, {spacing ? Value(*spacing) : Value(1.0)}, edge_order, true);
  }
};

struct GradientNumbers {
  static constexpr auto schema =
      "gradient.numbers(Tensor self, *, float[] spacing, int[]? dim=None, int edge_order=1) -> Tensor[]";
  static constexpr auto doc = "Slope along each dim, with one distance of samples per dim.";
  using kind = Composite;
  static Tensors decompose(Tensor x, Floats spacing, Value dim, int64_t edge_order) {
    return gradients(x, dim, std::vector<Value>(spacing.begin(), spacing.end()), edge_order);
  }
};

struct GradientPoints {
  static constexpr auto schema =
      "gradient.points(Tensor self, *, Tensor[] spacing, int[]? dim=None, int edge_order=1) -> Tensor[]";
  static constexpr auto doc = "Slope along each dim, with the coordinates of the samples per dim.";
  using kind = Composite;
  static Tensors decompose(Tensor x, Tensors spacing, Value dim, int64_t edge_order) {
    return gradients(x, dim, std::vector<Value>(spacing.begin(), spacing.end()), edge_order);
  }
};

FB_GROUP(difference, Diff, TrapezoidX, Trapezoid, CumulativeTrapezoidX, CumulativeTrapezoid, GradientNumbers,
    GradientPoints,
         GradientNumber)

}  // namespace fb
