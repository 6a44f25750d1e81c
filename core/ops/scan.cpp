#include <cmath>

#include "kernels/scan.h"
#include "op/build.h"

namespace fb {

struct Recurrence; struct CumsumBack; struct Cumsum; struct Cumprod;

// Sums and products run in twice the precision of their elements, which costs nothing: a scan waits for
// memory or for the previous element, not for the unit that adds.
template <class T> struct Wider { using type = double; };
template <> struct Wider<int64_t> { using type = int64_t; };
template <class R> struct Wider<math::Complex<R>> { using type = math::Complex<double>; };
template <class T> using wider = typename Wider<T>::type;

template <class T> struct RunningSum {
  static wider<T> start() { return wider<T>{}; }
  static wider<T> step(wider<T> s, T x) { return s + wider<T>(x); }
  static T result(wider<T> s) { return T(s); }
};
template <class T> struct RunningProduct {
  static wider<T> start() { return wider<T>(1); }
  static wider<T> step(wider<T> s, T x) { return s * wider<T>(x); }
  static T result(wider<T> s) { return T(s); }
};

template <template <class> class S> static Tensor scanned(const Tensor& self, int64_t dim, bool reverse) {
  const Along a(self.shape(), dim);
  const Tensor x = computable(self);
  Tensor r = empty(x.shape(), x.dtype());
  for_any_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    scan_along<S<T>>(x.data<T>(), a, reverse, r.data<T>());
  });
  return r;
}
template <template <class> class S> static Tensor scanned_as(const Tensor& self, int64_t dim,
    std::optional<DType> dtype) {
  const DType whole = category_of(self.dtype()) <= Category::integral ? DType::i64 : self.dtype();
  const DType result = dtype.value_or(whole);
  return to_dtype(scanned<S>(to_dtype(self, result), dim, false), result);
}

struct Cumsum {
  static constexpr auto schema = "cumsum(Tensor self, int dim, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Running sum along `dim`.

    Shapes: self (*) → (*).   Dtypes: all; integers and bool give int64 unless `dtype` says otherwise.

    >>> fb.cumsum(fb.tensor([1., 2., 3.]), 0)
    tensor([1., 3., 6.])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor x, int64_t dim, std::optional<DType> dtype) {
    return scanned_as<RunningSum>(x, dim, dtype);
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> dim) { return call_op<CumsumBack>(g, dim.value); }
};

struct CumsumBack {
  static constexpr auto schema = "_cumsum_back(Tensor self, int dim) -> Tensor";
  static constexpr auto doc = "Running sum from the end of `dim` to its start: the transpose of cumsum.";
  using kind = Opaque;
  static Tensor kernel(Tensor x, int64_t dim) {
    return to_dtype(scanned<RunningSum>(x, dim, true), x.dtype());
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> dim) { return call_op<Cumsum>(g, dim.value, Value()); }
};

// self shifted one place on along dim, with `first` before it.
static Tensor shifted(const Tensor& x, int d, double first) {
  const Tensor head = full(resized_at(x.shape(), d, 1), Scalar(first), x.dtype());
  return x.shape()[d] <= 1 ? head : cat({head, narrow(x, d, 0, x.shape()[d] - 1)}, d);
}

struct Cumprod {
  static constexpr auto schema = "cumprod(Tensor self, int dim, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Running product along `dim`; its gradient is exact at zeros too.

    Shapes: self (*) → (*).   Dtypes: all; integers and bool give int64 unless `dtype` says otherwise.

    >>> fb.cumprod(fb.tensor([1., 2., 3.]), 0)
    tensor([1., 2., 6.])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static Tensor kernel(Tensor x, int64_t dim, std::optional<DType> dtype) {
    return scanned_as<RunningProduct>(x, dim, dtype);
  }
  // d/dx_j of Σ g_i Π_{k≤i} x_k is the product before j, times R_j = g_j + x_{j+1} R_{j+1}.
  static Tensor vjp(Tensor g, In<0> self, Arg<1, int64_t> dim) {
    if (self.dim() == 0 || self.numel() == 0) return g;
    const int d = wrap_dim(dim, self.dim());
    const Tensor x = conj(to_dtype(self, g.dtype()));
    return shifted(call_op<Cumprod>(x, d, Value()), d, 1) * call_op<Recurrence>(g, x, d, true);
  }
};

template <class T>
static void recur(const T* x, const T* w, const Along& a, bool reverse, T* out) {
  for_lines(a, [&](int64_t line) {
    const int64_t start = a.start(line), end = start + (a.n - 1) * a.inner, step =
        reverse ? -a.inner : a.inner;
    T y{};
    int64_t at = reverse ? end : start;
    for (int64_t i = 0; i < a.n; ++i, at += step) {
      const T factor = i == 0 ? T{} : reverse ? w[at + a.inner] : w[at];
      out[at] = y = i == 0 ? x[at] : x[at] + factor * y;
    }
  });
}

struct Recurrence {
  static constexpr auto schema = "_recurrence(Tensor self, Tensor weight, int dim, bool reverse) -> Tensor";
  static constexpr auto doc =
      "y_i = self_i + weight_i y_{i-1} along dim; reverse, its transpose: y_i = self_i + weight_{i+1} "
          "y_{i+1}.";
  using kind = Opaque;
  static Tensor kernel(Tensor self, Tensor weight, int64_t dim, bool reverse) {
    const Tensor x = computable(self), w = computable(weight);
    Tensor r = empty(x.shape(), x.dtype());
    const Along a(x.shape(), dim);
    if (r.numel()) for_any_type(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      recur<T>(x.data<T>(), w.data<T>(), a, reverse, r.data<T>());
    });
    return to_dtype(r, self.dtype());
  }
  static Outputs<2> vjp_all(Tensor g, In<1> w, Out y, Arg<2, int64_t> dim, Arg<3, bool> reverse) {
    const int d = wrap_dim(dim, w.dim());
    const Tensor gx = call_op<Recurrence>(g, conj(w), d, !reverse);
    const Tensor gw = reverse ? shifted(gx, d, 0) * conj(y) : gx * conj(shifted(y, d, 0));
    return {gx, gw};
  }
};

// Of equal elements the later one is taken; once nan is met it stays.
template <class T, bool largest>
static void running_extreme(const T* x, const Along& a, T* values, int64_t* indices) {
  for_lines(a, [&](int64_t line) {
    const int64_t start = a.start(line);
    T best = a.n ? x[start] : T{};
    int64_t at = 0;
    for (int64_t i = 0; i < a.n; ++i) {
      const T v = x[start + i * a.inner];
      const bool better = (largest ? v >= best : v <= best) || v != v;
      at = better ? i : at;
      best = better ? v : best;
      values[start + i * a.inner] = best;
      indices[start + i * a.inner] = at;
    }
  });
}

static Outputs<2> running_extreme_of(std::string_view op, const Tensor& self, int64_t dim, bool largest) {
  check_real(op, self.dtype());
  const Along a(self.shape(), dim);
  const Tensor x = computable(self);
  Tensor values = empty(x.shape(), x.dtype()), indices = empty(x.shape(), DType::i64);
  for_real_type(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    (largest ? running_extreme<T, true> : running_extreme<T, false>)(x.data<T>(), a, values.data<T>(),
        indices.data<int64_t>());
  });
  return {to_dtype(values, self.dtype()), indices};
}
static Tensor running_extreme_vjp(const Tensor& g, const Tensor& index, int64_t dim) {
  return index.numel() == 0 ? g : put_along(g, index, dim,
      index.dim() ? index.size(static_cast<int>(dim)) : 1);
}

struct Cummax {
  static constexpr auto schema = "cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    Largest element so far along `dim`, and where it stands: of equal ones the latest; nan stays once met.

    Shapes: self (*) → twice (*).   Dtypes: real; indices int64.

    >>> fb.cummax(fb.tensor([1., 3., 2.]), 0)[0]
    tensor([1., 3., 3.])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor x, int64_t dim) { return running_extreme_of("cummax", x, dim, true); }
  static Tensor vjp(Tensor g, OutAt<1> index, Arg<1, int64_t> dim) {
    return running_extreme_vjp(g, index, dim);
  }
};

struct Cummin {
  static constexpr auto schema = "cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    Smallest element so far along `dim`, and where it stands: of equal ones the latest; nan stays once met.

    Shapes: self (*) → twice (*).   Dtypes: real; indices int64.

    >>> fb.cummin(fb.tensor([2., 3., 1.]), 0)[0]
    tensor([2., 2., 1.])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor x, int64_t dim) { return running_extreme_of("cummin", x, dim, false); }
  static Tensor vjp(Tensor g, OutAt<1> index, Arg<1, int64_t> dim) {
    return running_extreme_vjp(g, index, dim);
  }
};

// log(e^s + e^x), relative to the larger so that nothing overflows.
template <class T> struct RunningLogSum {
  static wider<T> start() { return wider<T>(-std::numeric_limits<double>::infinity()); }
  static double add(double s, double x) {
    const double high = s > x || s != s ? s : x, low = s > x || s != s ? x : s;
    return std::isinf(high) && high == low ? high : high + std::log1p(std::exp(low - high));
  }
  static math::Complex<double> add(math::Complex<double> s, math::Complex<double> x) {
    if (s.re != s.re || x.re != x.re) return s + x;
    const auto high = s.re >= x.re ? s : x, low = s.re >= x.re ? x : s;
    if (std::isinf(low.re) && low.re < 0) return high;
    const std::complex<double> ratio = std::exp(std::complex<double>(low - high));
    return high + math::Complex<double>(std::log(1.0 + ratio));
  }
  static wider<T> step(wider<T> s, T x) { return add(s, wider<T>(x)); }
  static T result(wider<T> s) { return T(s); }
};

struct Logcumsumexp {
  static constexpr auto schema = "logcumsumexp(Tensor self, int dim) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm of the running sum of exponentials along `dim`, without overflow.

    Shapes: self (*) → (*).   Dtypes: floating, complex.

    >>> fb.logcumsumexp(fb.tensor([0., 0.]), 0)
    tensor([0.0000, 0.6931])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor self, int64_t dim) {
    check<UnsupportedError>(is_differentiable(self.dtype()), "\"logcumsumexp\" not implemented for '",
                            row(self.dtype()).legacy, "'");
    const Along a(self.shape(), dim);
    const Tensor x = computable(self);
    Tensor r = empty(x.shape(), x.dtype());
    for_any_type(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (!std::is_same_v<T, int64_t>)
          scan_along<RunningLogSum<T>>(x.data<T>(), a, false, r.data<T>());
    });
    return to_dtype(r, self.dtype());
  }
  // Σ_{i≥j} g_i e^{x_j - y_i} = e^{x_j - y_j} C_j with C_j = g_j + e^{y_j - y_{j+1}} C_{j+1}: no exponent is
  // positive.
  static Tensor vjp(Tensor g, In<0> x, Out y, Arg<1, int64_t> dim) {
    if (x.dim() == 0 || x.numel() == 0) return g;
    const int d = wrap_dim(dim, x.dim());
    constexpr double lowest = -std::numeric_limits<double>::infinity();
    const Tensor finite = where(eq(real_part(y), lowest), Scalar(0), y);   // -inf - -inf would be nan
    const Tensor factor = exp(shifted(y, d, lowest) - finite);
    return conj(exp(x - finite)) * call_op<Recurrence>(g, conj(factor), d, true);
  }
};

FB_GROUP(scan, Cumsum, CumsumBack, Cumprod, Recurrence, Cummax, Cummin, Logcumsumexp)

}  // namespace fb
