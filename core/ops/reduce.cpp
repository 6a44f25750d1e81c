#include "kernels/along.h"
#include "math/exponential.h"
#include "math/words.h"
#include "op/build.h"

namespace fb {

struct Cumprod; struct Recurrence;

Tensor spread(const Tensor& g, const Dims& shape, const Value& dim, bool keepdim) {
  if (keepdim || shape.empty()) return expand(g, shape);
  Dims kept = shape;
  for (int64_t d : normalized_dims(dim, shape.size())) kept[int(d)] = 1;
  return expand(view(contiguous(g), kept), shape);
}

Tensor sum_to_shape(const Tensor& g, const Dims& shape) {
  if (g.shape() == shape) return g;
  Dims over;
  const int lead = g.dim() - shape.size();
  for (int i = 0; i < g.dim(); ++i)
    if (i < lead || (shape[i - lead] == 1 && g.shape()[i] != 1)) over.push(i);
  const Tensor r = over.empty() ? g : sum(g, over, true);
  return r.shape() == shape ? r : view(r, shape);
}

struct Sum {
  static constexpr auto schema =
      "sum(Tensor self, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Sum of all elements, or over `dim`; integers and bool are summed as int64 unless `dtype` says otherwise.

    Shapes: self (*) → self without the dims summed over, or with size 1 there if keepdim.   Dtypes: all.
    Accuracy: 32 partial sums, merged pairwise (Higham 2002, §4.2).

    >>> fb.sum(fb.tensor([[1., 2.], [3., 4.]]), 0)
    tensor([4., 6.])
  )";
  using kind = Reduction<Result::whole, all_numbers>;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1] ? "SumBackward1" : "SumBackward0";
  }
  template <class A> static A start() { return A{}; }
  template <class T> static T map(T x) { return x; }
  template <class A> static A combine(A a, A b) { return a + b; }
  template <class A> static A finish(A a, int64_t) { return a; }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, Value> dim, Arg<2, bool> keepdim) {
    return spread(g, shape, dim, keepdim);
  }
};

struct Mean {
  static constexpr auto schema =
      "mean(Tensor self, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Mean of all elements, or over `dim`.

    Shapes: self (*) → self without the dims averaged over, or with size 1 there if keepdim.
    Dtypes: floating, complex; others need `dtype`.   Limits: of no elements, nan.

    >>> fb.mean(fb.tensor([1., 2., 3.]))
    tensor(2.)
  )";
  using kind = Reduction<Result::same, floats_and_complex>;
  static void examine(const Args& args) {
    const DType d = args[3] ? unbox<DType>(args[3]) : args[0].as_tensor().dtype();
    check(is_differentiable(d), "mean: the result is a fraction, so the ", args[3] ? "dtype" : "input",
          " must be floating or complex, not ", row(d).legacy, args[3] ? "" : "; pass dtype=, or convert it "
          "with .float()");
  }
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1] ? "MeanBackward1" : "MeanBackward0";
  }
  template <class A> static A start() { return A{}; }
  template <class T> static T map(T x) { return x; }
  template <class A> static A combine(A a, A b) { return a + b; }
  template <class A> static A finish(A a, int64_t n) {
    if constexpr (std::is_floating_point_v<A>) return a / static_cast<A>(n);
    else return a / A{static_cast<decltype(a.re)>(n), 0};
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, Value> dim, Arg<2, bool> keepdim) {
    int64_t n = 1;
    if (!shape.empty()) for (int64_t d : normalized_dims(dim, shape.size())) n *= shape[int(d)];
    return spread(g / static_cast<double>(n), shape, dim, keepdim);
  }
};

Tensor shared_vjp(const Tensor& g, const Tensor& x, const Tensor& y, const Value& dim, bool keepdim) {
  const Tensor hit = to_dtype(eq(x, spread(y, x.shape(), dim, keepdim)), g.dtype());
  return hit / sum(hit, dim, true) * spread(g, x.shape(), dim, keepdim);
}

template <class T>
inline constexpr T lowest_of =
    std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
template <class T>
inline constexpr T highest_of =
    std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();

struct Amax {
  static constexpr auto schema = "amax(Tensor self, int[] dim=[], bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    Largest element, of all or over `dim`; nan if there is one. Ties share the gradient equally.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.   Dtypes: real.
    Errors: IndexError if a dim has no elements.

    >>> fb.amax(fb.tensor([[1., 5.], [3., 4.]]), 1)
    tensor([5., 4.])
  )";
  using kind = Reduction<>;
  static constexpr bool needs_elements = true;
  template <class A> static A start() { return lowest_of<A>; }
  template <class T> static T map(T x) { return x; }
  static constexpr bool narrow_integers = true;
  template <class A> static A combine(A a, A b) {   // two selections, each of which is an instruction
    const A m = a > b ? a : b;
    return a != a ? a : m;
  }
  template <class A> static A finish(A a, int64_t) { return a; }
  static Tensor vjp(Tensor g, In<0> x, Out y, Arg<1, Value> dim, Arg<2, bool> keepdim) {
    return shared_vjp(g, x, y, dim, keepdim);
  }
};

struct Amin {
  static constexpr auto schema = "amin(Tensor self, int[] dim=[], bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    Smallest element, of all or over `dim`; nan if there is one. Ties share the gradient equally.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.   Dtypes: real.
    Errors: IndexError if a dim has no elements.

    >>> fb.amin(fb.tensor([[1., 5.], [3., 4.]]), 1)
    tensor([1., 3.])
  )";
  using kind = Reduction<>;
  static constexpr bool needs_elements = true;
  template <class A> static A start() { return highest_of<A>; }
  template <class T> static T map(T x) { return x; }
  static constexpr bool narrow_integers = true;
  template <class A> static A combine(A a, A b) {
    const A m = a < b ? a : b;
    return a != a ? a : m;
  }
  template <class A> static A finish(A a, int64_t) { return a; }
  static Tensor vjp(Tensor g, In<0> x, Out y, Arg<1, Value> dim, Arg<2, bool> keepdim) {
    return shared_vjp(g, x, y, dim, keepdim);
  }
};

struct Any {
  static constexpr auto schema = "any(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    Whether any element is not zero, of all or over `dim`; dim=() looks at each element alone.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim; bool, uint8 of uint8.
    Dtypes: all.

    >>> fb.any(fb.tensor([False, True]))
    tensor(True)
  )";
  using kind = Reduction<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class A> static A start() { return 0; }
  template <class T> static uint8_t map(T x) { return x != T{}; }   // loops of bools do not vectorise
  template <class A> static A combine(A a, A b) { return a | b; }
  template <class A> static bool finish(A a, int64_t) { return a; }
};

struct All {
  static constexpr auto schema = "all(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    Whether no element is zero, of all or over `dim`; dim=() compares each element alone.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim; bool, uint8 of uint8.
    Dtypes: all.

    >>> fb.all(fb.tensor([False, True]))
    tensor(False)
  )";
  using kind = Reduction<Result::same, all_numbers>;
  static constexpr bool differentiable = false;
  static constexpr bool narrow_integers = true;
  template <class A> static A start() { return 1; }
  template <class T> static uint8_t map(T x) { return x != T{}; }
  template <class A> static A combine(A a, A b) { return a & b; }
  template <class A> static bool finish(A a, int64_t) { return a; }
};

struct Prod {
  static constexpr auto schema =
      "prod(Tensor self, int? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Product of all elements, or along `dim`; integers and bool multiply as int64 unless `dtype` says
    otherwise.

    Shapes: self (*) → self without dim, or with size 1 there if keepdim.   Dtypes: all.
    Limits: of nothing, 1.
    The gradient is exact at zeros too: it multiplies the other elements instead of dividing by one.

    >>> fb.prod(fb.tensor([[1., 2.], [3., 4.]]), 0)
    tensor([3., 8.])
  )";
  using kind = Reduction<Result::whole, all_numbers>;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[1] ? "ProdBackward1" : "ProdBackward0";
  }
  template <class A> static A start() { return A(1); }
  template <class T> static T map(T x) { return x; }
  template <class A> static A combine(A a, A b) { return a * b; }
  template <class A> static A finish(A a, int64_t) { return a; }

  // For each element, the product of the others of its line: those before it times those after it.
  static Tensor product_of_others(const Tensor& x, int d) {
    const int64_t n = x.shape()[d];
    const Tensor last = zeros(x.shape(), x.dtype());
    fill_(narrow(last, d, n - 1, 1), Scalar(1));
    const Tensor after = call_op<Recurrence>(last, x, d, true);
    if (n == 1) return after;
    const Tensor products = call_op<Cumprod>(narrow(x, d, 0, n - 1), d, Value());
    return cat({ones(resized_at(x.shape(), d, 1), x.dtype()), products}, d) * after;
  }
  static Tensor vjp(Tensor g, In<0> self, Arg<1, std::optional<int64_t>> dim, Arg<2, bool> keepdim) {
    if (self.numel() == 0) return zeros(self.shape(), g.dtype());
    const Tensor x = to_dtype(self, g.dtype());
    if (!dim.value || x.dim() == 0)
      return reshape(reshape(g, {1}) * conj(product_of_others(reshape(x, {-1}), 0)), x.shape());
    const int d = wrap_dim(*dim.value, x.dim());
    return restored_at(g, x.shape(), d, keepdim) * conj(product_of_others(x, d));
  }
};

struct Nansum {
  static constexpr auto schema =
      "nansum(Tensor self, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Sum of all elements, or over `dim`, with nan counted as zero.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.
    Dtypes: real; integers give int64.

    >>> fb.nansum(fb.tensor([1., float('nan'), 2.]))
    tensor(3.)
  )";
  using kind = Reduction<Result::whole, real_numbers>;
  static void examine(const Args& args) {
    check(!is_complex(args[0].as_tensor().dtype()), "nansum: complex numbers are not supported; sum real and "
          "imaginary part");
  }
  template <class A> static A start() { return A{}; }
  template <class T> static T map(T x) { return x == x ? x : T{}; }
  template <class A> static A combine(A a, A b) { return a + b; }
  template <class A> static A finish(A a, int64_t) { return a; }
  static Tensor vjp(Tensor g, In<0> x, Arg<1, Value> dim, Arg<2, bool> keepdim) {
    return where(call_op<Isnan>(x), Scalar(0), spread(g, x.shape(), dim, keepdim));
  }
};

struct Nanmean {
  static constexpr auto schema =
      "nanmean(Tensor self, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    Mean of the elements that are not nan, of all or over `dim`.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.   Dtypes: floating.
    Limits: of nan alone, nan.

    >>> fb.nanmean(fb.tensor([1., float('nan'), 2.]))
    tensor(1.5000)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Value dim, bool keepdim, Value dtype) {
    check(is_differentiable(x.dtype()), "nanmean: the input must be of floating or complex numbers, it is ",
          row(x.dtype()).legacy);
    return call_op<Nansum>(x, dim, keepdim, dtype) / sum(eq(x, x), dim, keepdim);
  }
};

struct CountNonzero {
  static constexpr auto schema = "count_nonzero(Tensor self, int[]? dim=None) -> Tensor";
  static constexpr auto doc = R"(
    How many elements are not zero, of all or over `dim`.

    Shapes: self (*) → self without the dims; int64.   Dtypes: all.

    >>> fb.count_nonzero(fb.tensor([0., 1., 2.]))
    tensor(2)
  )";
  using kind = Reduction<Result::whole, all_numbers>;
  static constexpr bool differentiable = false;
  template <class A> static A start() { return 0; }
  template <class T> static int64_t map(T x) { return x != T{}; }
  template <class A> static A combine(A a, A b) { return a + b; }
  template <class A> static A finish(A a, int64_t) { return a; }
};

template <class T> static void rows_logsumexp(const T* x, int64_t rows, int64_t n, T* out) {
  constexpr int lanes = 16;
  for (int64_t r = 0; r < rows; ++r, x += n) {
    T high[lanes], total[lanes];
    for (int j = 0; j < lanes; ++j) high[j] = lowest_of<T>, total[j] = 0;
    const int64_t whole = n - n % lanes;
    for (int64_t i = 0; i < whole; i += lanes)
      for (int j = 0; j < lanes; ++j) high[j] =
          (high[j] > x[i + j]) | (high[j] != high[j]) ? high[j] : x[i + j];
    T m = lowest_of<T>;
    for (int j = 0; j < lanes; ++j) m = m > high[j] || m != m ? m : high[j];
    for (int64_t i = whole; i < n; ++i) m = m > x[i] || m != m ? m : x[i];
    const T shift = m - m == T(0) ? m : T(0);          // infinities are left to exp and log
    for (int64_t i = 0; i < whole; i += lanes)
      for (int j = 0; j < lanes; ++j) total[j] += math::exp(x[i + j] - shift);
    T s = 0;
    for (int64_t i = whole; i < n; ++i) s += math::exp(x[i] - shift);
    for (int j = 0; j < lanes; ++j) s += total[j];
    out[r] = std::log(s) + shift;
  }
}

struct Logsumexp {
  static constexpr auto schema = "logsumexp(Tensor self, int[] dim, bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    Logarithm of the sum of exponentials over `dim`, shifted by the largest element so that nothing overflows.

    Shapes: self (*) → self without the dims, or with size 1 there if keepdim.
    Dtypes: floating, complex; integers give the default float.   Limits: of nothing, -inf.

    >>> fb.logsumexp(fb.tensor([1000., 1000.]), 0)
    tensor(1000.6932)
  )";
  using kind = Fused;
  static Tensor as_float(const Tensor& x) {
    return category_of(x.dtype()) <= Category::integral ? to_dtype(x, default_dtype()) : x;
  }
  static Tensor shifted_sum(const Tensor& x, const Value& dim, bool keepdim) {
    if (x.numel() == 0) return log(sum(exp(x), dim, keepdim));
    Tensor m = amax(real_part(x), dim, true);
    m = where(eq(m - m, 0), m, Scalar(0));             // infinities are left to exp and log
    const Tensor r = log(sum(exp(x - m), dim, true)) + m;
    return keepdim ? r : reshape(r, sum(m, dim, false).shape());
  }
  static Tensor kernel(Tensor self, Value dim, bool keepdim) {
    const Tensor x = as_float(self);
    const Dims dims = normalized_dims(dim, x.dim());
    const bool rows = dims.size() == 1 && x.dim() > 0 && dims[0] == x.dim() - 1 && x.is_contiguous();
    if (!rows || x.numel() == 0 || (x.dtype() != DType::f32 && x.dtype() != DType::f64))
      return shifted_sum(x, dim, keepdim);
    Tensor r = empty(reduced_at(x.shape(), x.dim() - 1, keepdim), x.dtype());
    const int64_t n = x.shape().back(), grain = std::max<int64_t>(1, elementwise_grain / 4 / n);
    auto run = [&](auto zero) {
      using T = decltype(zero);
      const auto row_loop = Clones<&rows_logsumexp<T>>::pick();
      const T* in = x.data<T>();
      T* out = r.data<T>();
      parallel_for(r.numel(), grain, [&](int64_t b, int64_t e) { row_loop(in + b * n, e - b, n, out + b); });
    };
    if (x.dtype() == DType::f32) run(float());
    else run(double());
    return r;
  }
  static Tensor decompose(Tensor x, Value dim, bool keepdim) {
    return shifted_sum(as_float(x), dim, keepdim);
  }
  static Tensor vjp(Tensor g, In<0> x, Out y, Arg<1, Value> dim, Arg<2, bool> keepdim) {
    const Tensor log_share = x - spread(y, x.shape(), dim, keepdim);
    // -inf - -inf shares nothing
    const Tensor share = where(eq(log_share, log_share), exp(log_share), Scalar(0));
    return spread(g, x.shape(), dim, keepdim) * conj(share);
  }
};

bool has_nan(const Tensor& a) {
  const Tensor r = call_op<Any>(call_op<Isnan>(a), Value(), false);
  return *r.data<bool>();
}

FB_GROUP(reduce, Sum, Mean, Amax, Amin, Any, All, Prod, Nansum, Nanmean, CountNonzero, Logsumexp)

}  // namespace fb
