#include <algorithm>
#include <cmath>
#include <vector>

#include "base/isa.h"
#include "kernels/along.h"
#include "kernels/rows.h"
#include "math/power.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct LinalgVectorNorm; struct CdistBackward;

// The p-norm of a - b over m elements.
template <class T> static inline T row_distance(const T* a, const T* b, int64_t m, T p) {
  constexpr int lanes = 16;
  auto fold = [&](auto&& term, auto&& combine) {
    T s[lanes] = {}, r{};
    int64_t i = 0;
    for (; i + lanes <= m; i += lanes)
      for (int j = 0; j < lanes; ++j) s[j] = combine(s[j], term(a[i + j] - b[i + j]));
    for (; i < m; ++i) r = combine(r, term(a[i] - b[i]));
    for (int w = lanes / 2; w; w /= 2)
      for (int j = 0; j < w; ++j) s[j] = combine(s[j], s[j + w]);
    r = combine(r, s[0]);
    return r;
  };
  auto add = [](T x, T y) { return x + y; };
  if (p == T(2)) return math::sqrt(fold([](T d) { return d * d; }, add));
  if (p == T(1)) return fold([](T d) { return math::fabs(d); }, add);
  if (p == T(0)) return fold([](T d) { return d != T(0) ? T(1) : T(0); }, add);
  if (std::isinf(p)) return fold([](T d) { return math::fabs(d); },
      [](T x, T y) { return (x > y) | (x != x) ? x : y; });
  return math::pow(fold([p](T d) { return math::pow(math::fabs(d), p); }, add), 1 / p);
}
template <class T> static void row_distances(const T* a, const T* rows, int64_t count, int64_t m, T p,
    T* out) {
  for (int64_t j = 0; j < count; ++j) out[j] = row_distance(a, rows + j * m, m, p);
}

// For many pairs, columns of the distance matrix lie side by side in panels of `panel_width` rows of x2, element by
// element: distances are then summed in the lanes of vectors. Sums are kept per `depth` elements, as lanes would.
static constexpr int64_t depth = 64, together = 4;
template <class T> static constexpr int64_t panel_width = 128 / int64_t(sizeof(T));

template <class T> static void pack_panels(const T* rows, int64_t count, int64_t m, T* panels) {
  constexpr int64_t w = panel_width<T>;
  for (int64_t first = 0; first < count; first += w, panels += m * w)
    for (int64_t j = 0; j < w; ++j) {
      const T* from = rows + (first + j < count ? first + j : first) * m;
      for (int64_t k = 0; k < m; ++k) panels[k * w + j] = from[k];
    }
}
template <class T, class Term, class Combine>
static inline void fold_panel(const T* a, const T* panel, int64_t m, T (&total)[together][panel_width<T>], const Term& term,
                              const Combine& combine) {
  constexpr int64_t w = panel_width<T>;
  for (int64_t r = 0; r < together; ++r) for (int64_t j = 0; j < w; ++j) total[r][j] = T(0);
  for (int64_t first = 0; first < m; first += depth) {
    T part[together][w] = {};
    for (int64_t k = first; k < std::min(m, first + depth); ++k)
#pragma GCC unroll 4
      for (int64_t r = 0; r < together; ++r) {
        const T x = a[r * m + k];
#pragma GCC ivdep
        for (int64_t j = 0; j < w; ++j) part[r][j] = combine(part[r][j], term(x - panel[k * w + j]));
      }
    for (int64_t r = 0; r < together; ++r) for (int64_t j = 0; j < w; ++j) total[r][j] = combine(total[r][j], part[r][j]);
  }
}
// `together` rows of x1 at `a` against all panels; `out` has rows of `count`.
template <class T> static void panel_distances(const T* a, const T* panels, int64_t count, int64_t m, T p, T* out) {
  constexpr int64_t w = panel_width<T>;
  T total[together][w];
  auto add = [](T x, T y) { return x + y; };
  for (int64_t first = 0; first < count; first += w, panels += m * w) {
    if (p == T(2)) {
      fold_panel(a, panels, m, total, [](T d) { return d * d; }, add);
      for (auto& row : total) for (T& v : row) v = math::sqrt(v);
    } else fold_panel(a, panels, m, total, [](T d) { return math::fabs(d); }, add);
    for (int64_t r = 0; r < together; ++r)
      for (int64_t j = 0; j < std::min(w, count - first); ++j) out[r * count + first + j] = total[r][j];
  }
}

template <class F> static void for_float_type(DType d, F&& f) {
  if (d == DType::f64) f(double());
  else f(float());
}

// Adds to `out` the slopes of weight[j] times the distance of `a` to row j, at `distance[j]`; none where that is zero.
template <class T>
static void row_slopes(const T* a, const T* rows, const T* weight, const T* distance, int64_t count, int64_t m, T p, T* out) {
  auto add = [&](int64_t j, auto&& term) {
    const T* b = rows + j * m;
#pragma GCC ivdep
    for (int64_t i = 0; i < m; ++i) out[i] += term(a[i] - b[i]);
  };
  auto sign = [](T d) { return T(d > T(0)) - T(d < T(0)); };
  for (int64_t j = 0; j < count; ++j) {
    const T w = weight[j], far = distance[j];
    if (far == T(0) || p == T(0)) continue;
    if (p == T(2)) add(j, [c = w / far](T d) { return c * d; });
    else if (p == T(1)) add(j, [=](T d) { return w * sign(d); });
    else if (std::isinf(p)) add(j, [=](T d) { return math::fabs(d) == far ? w * sign(d) : T(0); });
    else {
      const T c = w / math::pow(far, p - 1);
      add(j, [=](T d) { return d == T(0) ? T(0) : c * sign(d) * math::pow(math::fabs(d), p - 1); });
    }
  }
}

static Dims leading(const Dims& shape) {
  Dims r = shape;
  r.resize(shape.size() - 2);
  return r;
}

struct Cdist {
  static constexpr auto schema = "cdist(Tensor x1, Tensor x2, float p=2., str? compute_mode=None) -> Tensor";
  static constexpr auto doc = R"(
    p-norm distance of each row of x1 to each row of x2, batch by batch, by differences.

    Shapes: x1 (*, n, m), x2 (*, k, m), batches broadcast → (*, n, k).   Dtypes: floating.
    Errors: RuntimeError for p < 0, fewer than two dims, or rows of different length.

    >>> fb.cdist(fb.tensor([[0., 0.]]), fb.tensor([[3., 4.]]))
    tensor([[5.]])
  )";
  using kind = Fused;
  static void examine(const Args& args) {
    const Tensor &a = args[0].as_tensor(), &b = args[1].as_tensor();
    check(is_floating(a.dtype()), "cdist: x1 must hold floating point numbers, it is ", name_of(a.dtype()));
    check(is_floating(b.dtype()), "cdist: x2 must hold floating point numbers, it is ", name_of(b.dtype()));
    check(a.dim() >= 2 && b.dim() >= 2, "cdist: x1 and x2 need 2 dims or more, they have ", a.dim(), " and ",
          b.dim());
    check(a.shape().back() == b.shape().back(), "cdist: points of x1 have ", a.shape().back(),
          " coordinates, points of x2 have ", b.shape().back());
    check(args[2].as_double() >= 0, "cdist: p must not be negative, got ", args[2].as_double());
    if (!args[3]) return;
    const std::string mode = unbox<std::string>(args[3]);
    check<ValueError>(mode == "use_mm_for_euclid_dist_if_necessary" || mode == "use_mm_for_euclid_dist" ||
                      mode == "donot_use_mm_for_euclid_dist", "cdist: unknown compute_mode='", mode, "'");
  }
  static Tensor kernel(Tensor x1, Tensor x2, double p, std::optional<std::string>) {
    const DType dtype = promote(x1.dtype(), x2.dtype());
    Dims batch = broadcast_shapes("cdist", leading(x1.shape()), leading(x2.shape()));
    const int64_t n = x1.size(-2), k = x2.size(-2), m = x1.size(-1), batches = batch.product();
    auto spread_out = [&](const Tensor& x) {
      Dims shape = batch;
      shape.push(x.size(-2));
      shape.push(x.size(-1));
      return computable(expand(to_dtype(x, dtype), shape));
    };
    const Tensor a = spread_out(x1), b = spread_out(x2);
    batch.push(n);
    batch.push(k);
    Tensor r = empty(batch, a.dtype());
    if (r.numel()) for_float_type(a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto row = Clones<&row_distances<T>>::pick();
      const T *from = a.data<T>(), *to = b.data<T>();
      T* out = r.data<T>();
      const int64_t grain = std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(1, k * m));
      const int64_t panels_size = (k + panel_width<T> - 1) / panel_width<T> * panel_width<T> * m;
      const bool in_panels = (p == 1 || p == 2) && n >= 4 * together && k >= panel_width<T> && m > 0;
      std::vector<T> panels(in_panels ? static_cast<size_t>(batches * panels_size) : 0);
      if (in_panels) for (int64_t i = 0; i < batches; ++i) pack_panels(to + i * k * m, k, m, panels.data() + i * panels_size);
      const auto tile = Clones<&panel_distances<T>>::pick();
      parallel_for(batches * n, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end;) {
          if (in_panels && std::min(end - i, n - i % n) >= together) {
            tile(from + i * m, panels.data() + i / n * panels_size, k, m, static_cast<T>(p), out + i * k);
            i += together;
          } else {
            row(from + i * m, to + i / n * k * m, k, m, static_cast<T>(p), out + i * k);
            ++i;
          }
        }
      });
    });
    return to_dtype(r, dtype);
  }
  static Tensor decompose(Tensor x1, Tensor x2, double p, Value) {
    return call_op<LinalgVectorNorm>(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1, false, Value());
  }
  static Tensor vjp_x1(Tensor g, In<0> x1, In<1> x2, Arg<2, double> p, Out r) {
    return sum_to_shape(call_op<CdistBackward>(g, x1, x2, p.value, r), x1.shape());
  }
  static Tensor vjp_x2(Tensor g, In<0> x1, In<1> x2, Arg<2, double> p, Out r) {
    return sum_to_shape(call_op<CdistBackward>(transpose(g, -2, -1), x2, x1, p.value, transpose(r, -2, -1)), x2.shape());
  }
};

struct CdistBackward {
  static constexpr auto schema = "_cdist_backward(Tensor grad, Tensor x1, Tensor x2, float p, Tensor cdist) -> Tensor";
  static constexpr auto doc = "Gradient of cdist in x1, of the batch shape of the result.";
  using kind = Fused;
  static Tensor kernel(Tensor grad, Tensor x1, Tensor x2, double p, Tensor cdist) {
    const DType dtype = computed_as(promote(x1.dtype(), x2.dtype()));
    const int64_t n = x1.size(-2), k = x2.size(-2), m = x1.size(-1);
    check<ShapeError>(grad.dim() >= 2 && grad.size(-2) == n && grad.size(-1) == k && cdist.shape() == grad.shape() && x2.size(-1) == m,
                      "_cdist_backward: expected distances (*, ", n, ", ", k, ") and their gradient, but got shapes ", cdist.shape(), " and ",
                      grad.shape());
    auto spread_out = [&](const Tensor& x) {
      Dims shape = leading(grad.shape());
      shape.push(x.size(-2));
      shape.push(m);
      return contiguous(to_dtype(expand(x, shape), dtype));
    };
    const Tensor a = spread_out(x1), b = spread_out(x2), g = contiguous(to_dtype(grad, dtype)), r = contiguous(to_dtype(cdist, dtype));
    const Tensor slopes = zeros(a.shape(), dtype);
    if (slopes.numel() && k) by_real(dtype, [&]<class T>(T) {
      const auto row = Clones<&row_slopes<T>>::pick();
      const T *from = a.data<T>(), *to = b.data<T>(), *weight = g.data<T>(), *distance = r.data<T>();
      T* out = slopes.data<T>();
      parallel_for(slopes.numel() / m, row_grain(k * m), [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          row(from + i * m, to + i / n * k * m, weight + i * k, distance + i * k, k, m, static_cast<T>(p), out + i * m);
      });
    });
    return to_dtype(slopes, x1.dtype());
  }
  static Tensor decompose(Tensor grad, Tensor x1, Tensor x2, double p, Tensor) {
    const Tensor d = unsqueeze(x1, -2) - unsqueeze(x2, -3), size = abs(d), zero = zeros(Dims(), d.dtype());
    const Tensor far = call_op<LinalgVectorNorm>(d, p, -1, true, Value()), some = ne(far, 0), w = unsqueeze(grad, -1);
    if (p == 0) return sum(w * zero * d, Dims{-2});
    if (p == 1) return sum(w * sign(d), Dims{-2});
    if (std::isinf(p)) return sum(where(call_op<Eq>(size, far), w * sign(d), zero), Dims{-2});
    const Tensor divisor = where(some, far, ones(Dims(), d.dtype()));
    if (p == 2) return sum(where(some, w * d / divisor, zero), Dims{-2});
    const Tensor moved = ne(d, 0), part = pow(where(moved, size, ones(Dims(), d.dtype())), p - 1);
    return sum(where(moved, w * sign(d) * part / pow(divisor, p - 1), zero), Dims{-2});
  }
};

struct Pdist {
  static constexpr auto schema = "pdist(Tensor input, float p=2.) -> Tensor";
  static constexpr auto doc = R"(
    p-norm distance of every pair of rows, row 0 to 1, 0 to 2, … .

    Shapes: input (n, m) → (n (n - 1) / 2,).   Dtypes: floating.
    Errors: RuntimeError for p < 0 or other dims.

    >>> fb.nn.functional.pdist(fb.tensor([[0., 0.], [3., 4.]]))
    tensor([5.])
  )";
  using kind = Fused;
  static void examine(const Args& args) {
    const Tensor& x = args[0].as_tensor();
    check(x.dim() == 2, "pdist: the input must be a matrix of points, it has ", x.dim(), " dims");
    check(is_floating(x.dtype()), "pdist: the input must hold floating point numbers, it is ",
          name_of(x.dtype()));
    check(args[1].as_double() >= 0, "pdist: p must not be negative, got ", args[1].as_double());
  }
  static Tensor kernel(Tensor input, double p) {
    const Tensor x = computable(input);
    const int64_t n = x.shape()[0], m = x.shape()[1];
    Tensor r = empty({n * (n - 1) / 2}, x.dtype());
    if (r.numel()) for_float_type(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto row = Clones<&row_distances<T>>::pick();
      const T* from = x.data<T>();
      T* out = r.data<T>();
      parallel_for(n - 1, std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(1, n * m)),
          [&](int64_t b, int64_t e) {
        for (int64_t i = b; i < e; ++i)
          row(from + i * m, from + (i + 1) * m, n - 1 - i, m, static_cast<T>(p),
              out + i * (2 * n - i - 1) / 2);
      });
    });
    return to_dtype(r, input.dtype());
  }
  static Tensor decompose(Tensor x, double p) {
    const int64_t n = x.shape()[0], m = x.shape()[1], pairs = n * (n - 1) / 2;
    Tensor first = empty({pairs, 1}, DType::i64), second = empty({pairs, 1}, DType::i64);
    int64_t k = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = i + 1; j < n; ++j, ++k) {
        first.data<int64_t>()[k] = i;
        second.data<int64_t>()[k] = j;
      }
    auto rows = [&](const Tensor& at) { return take_along(x, contiguous(expand(at, {pairs, m})), 0); };
    return call_op<LinalgVectorNorm>(rows(first) - rows(second), p, -1, false, Value());
  }
};

FB_GROUP(distance, Cdist, CdistBackward, Pdist)

}  // namespace fb
