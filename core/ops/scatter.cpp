#include <algorithm>
#include <cmath>

#include "kernels/lines.h"
#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

// Writing by index along a dim.
namespace fb {

struct Gather;
struct Scatter;
struct ScatterValue;
struct ScatterAdd;
struct ScatterReduce;
struct IndexSelect;
struct IndexAdd;
struct IndexFill;
struct Take;
struct Put;

namespace {

enum class Merge { assign, add, multiply, smallest, largest };

template <Merge m, class T> T merged(T a, T b) {
  using W = Wide<T>;
  if constexpr (m == Merge::assign) return b;
  else if constexpr (m == Merge::add) return plus(a, b);
  else if constexpr (m == Merge::multiply) return static_cast<T>(static_cast<W>(a) * static_cast<W>(b));
  else if constexpr (is_complex_value<T>) return b;
  else if constexpr (m == Merge::smallest) return W(a) < W(b) || W(a) != W(a) ? a : b;
  else return W(a) > W(b) || W(a) != W(a) ? a : b;
}

template <class F> void with_merge(Merge m, const F& body) {
  switch (m) {
    case Merge::assign: return body(std::integral_constant<Merge, Merge::assign>());
    case Merge::add: return body(std::integral_constant<Merge, Merge::add>());
    case Merge::multiply: return body(std::integral_constant<Merge, Merge::multiply>());
    case Merge::smallest: return body(std::integral_constant<Merge, Merge::smallest>());
    default: return body(std::integral_constant<Merge, Merge::largest>());
  }
}

// self[index] merged with src, both checked to fit; src is packed in the shape of index, or one element.
void merge_into(const Tensor& self, int d, const Tensor& rows, const Tensor& src, Merge merge) {
  const IndexedLines lines(rows.shape(), self.layout(), d);
  const bool one = src.numel() == 1;
  const int64_t* i = rows.data<int64_t>();
  with_merge(merge, [&](auto m) {
    with_number(self.dtype(), [&](auto t) {
      using T = decltype(t);
      T* to = self.data<T>();
      const T* from = src.data<T>();
      each_indexed(lines, i, true, [&](int64_t at, int64_t place) { to[place] = merged<m.value, T>(to[place], from[one ? 0 : at]); });
    });
  });
}

Tensor narrowed_to(const Tensor& t, const Dims& shape) { return contiguous(alias(t, Layout(shape, t.strides(), t.layout().offset))); }

// Checks the arguments of a scatter and runs it; a 0-d src stands for all its values.
void scatter_into(std::string_view op, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, Merge merge) {
  const int d = wrap_dim(dim, self.dim());
  check(index.numel() == 0 || index.dtype() == DType::i64 || index.dtype() == DType::i32, op, ": index must "
        "be int32 or int64, it is ", row(index.dtype()).legacy);
  check(src.dtype() == self.dtype(), op, ": self is ", row(self.dtype()).legacy, " and src is ",
        row(src.dtype()).legacy, "; convert one to the dtype of the other");
  if (index.numel() == 0) return;
  const Tensor x = at_least_1d(self), i = at_least_1d(index);
  const bool one = src.dim() == 0;
  check(i.dim() == x.dim(), op, ": index has ", i.dim(), " dims, self ", x.dim());
  check(one || at_least_1d(src).dim() == i.dim(), op, ": index has ", i.dim(), " dims, src ", src.dim());
  for (int k = 0; k < x.dim(); ++k) {
    const bool fits = (k == d || i.shape()[k] <= x.shape()[k]) && (one || i.shape()[k] <= src.shape()[k]);
    check(fits, op, ": index ", i.shape().list(), " exceeds self ", x.shape().list(), " in a dim other than ",
          d, ", or src ", src.shape().list());
  }
  const Tensor apart = share_memory(self, src) ? clone(src) : src;
  if (merge == Merge::add && !one && names_slices(i, x, d)) {
    const Tensor names = plain_rows(slice_names(i, d), x.shape()[d], d);
    Tensors indices(static_cast<size_t>(d));
    indices.push_back(share_memory(self, names) ? clone(names) : names);
    return add_indexed(plan_index(x, indices), x, narrowed_to(apart, i.shape()));
  }
  const Tensor rows = plain_rows(share_memory(self, i) ? clone(i) : i, x.shape()[d], d);
  merge_into(x, d, rows, one ? contiguous(apart) : narrowed_to(apart, i.shape()), merge);
}

Tensor number_like(const Tensor& self, const Scalar& value) {
  Tensor one = empty(Dims(), self.dtype());
  fill_packed(self.dtype(), one.data(), value, 1);
  return one;
}

Merge merge_named(const std::string& reduce) {
  check(reduce == "add" || reduce == "multiply", "scatter_: unknown reduce='", reduce, "', choose 'add' or "
        "'multiply'");
  return reduce == "add" ? Merge::add : Merge::multiply;
}

}  // namespace

static constexpr auto scatter_doc = R"(
    self with values written along a dim: self[index[i][j]][j] = src[i][j] for dim 0, and so on; or with `reduce`
    "add" or "multiply", merged with what is there.

    Shapes: self (*), index and src of the same rank, index no larger than src, nor than self but along dim → (*).
    Dtypes: all, src as self; index int64, int32.   Errors: RuntimeError if an index is out of bounds.

    >>> fb.scatter(fb.zeros(3), 0, fb.tensor([2, 0]), fb.tensor([1., 2.]))
    tensor([2., 0., 1.])
  )";

struct Scatter {
  static constexpr auto schema = "scatter(Tensor self, int dim, Tensor index, Tensor src) -> Tensor";
  static constexpr auto doc = scatter_doc;
  using kind = Opaque;
  static void write(Tensor self, int64_t dim, Tensor index, Tensor src) {
    scatter_into("scatter", self, dim, index, src.dim() || !index.dim() ? src : reshape(src, Dims::filled(index.dim(), 1)), Merge::assign);
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Arg<1, int64_t> dim, In<2> index) { return call_op<ScatterValue>(g, dim.value, index, 0); }
  static Tensor vjp_src(Tensor g, Arg<1, int64_t> dim, In<2> index, Shape<3> shape);
};

// Where index is smaller than src, the rest of src has no part in the result.
static Tensor picked_for_source(const Tensor& g, int64_t dim, const Tensor& index, const Dims& shape) {
  Tensor r = call_op<Gather>(g, dim, index, false);
  for (int k = 0; k < shape.size(); ++k)
    if (r.shape()[k] != shape[k]) r = call_op<Embed>(r, k, 0, 1, shape[k]);
  return r;
}
Tensor Scatter::vjp_src(Tensor g, Arg<1, int64_t> dim, In<2> index, Shape<3> shape) { return picked_for_source(g, dim, index, shape); }

struct ScatterValue {
  static constexpr auto schema = "scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor";
  static constexpr auto doc = scatter_doc;
  using kind = Opaque;
  static constexpr auto grad_name = "ScatterBackward1";
  static void write(Tensor self, int64_t dim, Tensor index, Scalar value) {
    scatter_into("scatter", self, dim, index, number_like(self, value), Merge::assign);
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Arg<1, int64_t> dim, In<2> index) { return call_op<ScatterValue>(g, dim.value, index, 0); }
};

struct ScatterMerge {
  static constexpr auto schema = "scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor";
  static constexpr auto doc = scatter_doc;
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void write(Tensor self, int64_t dim, Tensor index, Tensor src, std::string reduce) {
    scatter_into("scatter", self, dim, index, src, merge_named(reduce));
  }
};

struct ScatterMergeValue {
  static constexpr auto schema = "scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor";
  static constexpr auto doc = scatter_doc;
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static void write(Tensor self, int64_t dim, Tensor index, Scalar value, std::string reduce) {
    scatter_into("scatter", self, dim, index, number_like(self, value), merge_named(reduce));
  }
};

struct ScatterAdd {
  static constexpr auto schema = "scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor";
  static constexpr auto doc = R"(
    self with values added along a dim: self[index[i][j]][j] += src[i][j] for dim 0, and so on.

    Shapes: as scatter.   Dtypes: all, src as self; index int64, int32.

    >>> fb.scatter_add(fb.zeros(2), 0, fb.tensor([1, 1]), fb.tensor([1., 2.]))
    tensor([0., 3.])
  )";
  using kind = Opaque;
  static void write(Tensor self, int64_t dim, Tensor index, Tensor src) { scatter_into("scatter_add", self, dim, index, src, Merge::add); }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_src(Tensor g, Arg<1, int64_t> dim, In<2> index, Shape<3> shape) { return picked_for_source(g, dim, index, shape); }
};

// ---- reductions by name
namespace {

Scalar identity_of(const std::string& reduce, DType d) {
  if (reduce == "prod") return Scalar(1);
  if (reduce != "amin" && reduce != "amax") return Scalar(0);
  const bool low = reduce == "amax";
  if (is_differentiable(d)) return Scalar(low ? -INFINITY : INFINITY);
  if (d == DType::boolean) return Scalar(!low);
  const int bits = 8 * bytes_of(d) - (d == DType::u8 ? 0 : 1);
  const int64_t most = static_cast<int64_t>((uint64_t(1) << bits) - 1);
  return Scalar(!low ? most : d == DType::u8 ? int64_t(0) : -most - 1);
}

Merge reduction_merge(std::string_view op, const std::string& reduce) {
  if (reduce == "sum" || reduce == "mean") return Merge::add;
  if (reduce == "prod") return Merge::multiply;
  if (reduce == "amin") return Merge::smallest;
  check(reduce == "amax", op, ": unknown reduce='", reduce, "', choose 'sum', 'prod', 'mean', 'amax' or "
        "'amin'");
  return Merge::largest;
}

// How many values meet in each element of self; one where there would be none.
Tensor meeting_count(const Tensor& self, int64_t dim, const Tensor& index, bool include_self, DType dtype) {
  Tensor count = full(self.shape(), Scalar(include_self ? 1 : 0), dtype);
  call_in_place<ScatterAdd>(count, dim, index, ones(index.shape(), dtype));
  return where(eq(count, 0), Scalar(1), count);
}

template <class T> void divide_whole(const Tensor& x, const Tensor& count) {
  T* a = x.data<T>();
  const int64_t* n = count.data<int64_t>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    const int64_t v = int64_t(a[i]), q = v / n[i];
    a[i] = static_cast<T>(q - (v % n[i] < 0));
  }
}

void divide_by_count(const Tensor& self, const Tensor& count) {
  if (is_differentiable(self.dtype())) return copy_(self, self / to_dtype(count, is_complex(self.dtype()) ? real_of(self.dtype()) : self.dtype()));
  Tensor packed = contiguous(self);
  if (packed.body() == self.body()) packed = detached(self);
  with_real(self.dtype(), [&](auto t) {
    using T = decltype(t);
    if constexpr (std::is_integral_v<T>) divide_whole<T>(packed, count);
  });
  if (!self.is_contiguous()) copy_(self, packed);
}

void reduce_into(std::string_view op, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, const std::string& reduce,
                 bool include_self) {
  const Merge merge = reduction_merge(op, reduce);
  if (!include_self) scatter_into(op, self, dim, index, number_like(self, identity_of(reduce, self.dtype())), Merge::assign);
  scatter_into(op, self, dim, index, src, merge);
  if (reduce == "mean" && index.numel()) divide_by_count(self, meeting_count(self, dim, index, include_self, DType::i64));
}

// Gradients of a reduction into self: of self in [0], of src in [1].
Outputs<2> reduce_vjp(const Tensor& g, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, const std::string& reduce,
                      bool include_self, const Tensor& result) {
  auto pick = [&](const Tensor& t) { return call_op<Gather>(t, dim, index, false); };
  auto place = [&](const Tensor& t) { return call_op<ScatterAdd>(zeros(self.shape(), t.dtype()), dim, index, t); };
  Tensor g_self, g_src;
  if (reduce == "sum") {
    g_self = g;
    g_src = pick(g);
  } else if (reduce == "mean") {
    const Tensor share = g / to_dtype(meeting_count(self, dim, index, include_self, DType::i64), g.dtype());
    g_self = share;
    g_src = pick(share);
  } else if (reduce == "prod") {
    const Tensor hidden = where(eq(self, 0), Scalar(1), self);
    const Tensor others = call_op<ScatterReduce>(hidden, dim, index, src, std::string("prod"), include_self);
    g_self = g * where(eq(self, 0), others, result / hidden);
    const Tensor zero = eq(src, 0), zero_count = pick(place(to_dtype(zero, g.dtype())));
    const Tensor single = zero * eq(zero_count, 1);
    const Tensor without = call_op<ScatterReduce>(self, dim, index, where(single, Scalar(1), src), std::string("prod"), include_self);
    const Tensor rest = where(single, pick(without), pick(result) / where(zero, Scalar(1), src));
    g_src = pick(g) * where(zero * gt(zero_count, 1), Scalar(0), rest);
  } else {
    const Tensor own = to_dtype(eq(self, result), g.dtype()), hit = to_dtype(eq(src, pick(result)), g.dtype());
    const Tensor total = place(hit) + (include_self ? own : zeros_like(own));
    const Tensor share = g / where(eq(total, 0), Scalar(1), total);
    g_self = share * own;
    g_src = pick(share) * hit;
  }
  if (!include_self) g_self = call_op<ScatterValue>(g_self, dim, index, 0);
  return {g_self, g_src};
}

}  // namespace

struct ScatterReduce {
  static constexpr auto schema =
      "scatter_reduce(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor";
  static constexpr auto doc = R"(
    self with the values of src that index sends to each element reduced into it: by "sum", "prod", "mean", "amax" or
    "amin", with the element's own value unless include_self is False.

    Shapes: as scatter.   Dtypes: all, src as self; amax and amin real; index int64, int32.

    >>> fb.scatter_reduce(fb.zeros(2), 0, fb.tensor([1, 1]), fb.tensor([1., 3.]), "mean", include_self=False)
    tensor([0., 2.])
  )";
  using kind = Opaque;
  static void write(Tensor self, int64_t dim, Tensor index, Tensor src, std::string reduce, bool include_self) {
    reduce_into("scatter_reduce", self, dim, index, src, reduce, include_self);
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, In<0> self, Arg<1, int64_t> dim, In<2> index, In<3> src, Arg<4, std::string> reduce,
                         Arg<5, bool> include_self, Out result) {
    return reduce_vjp(g, self, dim, index, narrowed(src, index), reduce, include_self, result)[0];
  }
  static Tensor vjp_src(Tensor g, In<0> self, Arg<1, int64_t> dim, In<2> index, In<3> src, Arg<4, std::string> reduce,
                        Arg<5, bool> include_self, Out result) {
    Tensor r = reduce_vjp(g, self, dim, index, narrowed(src, index), reduce, include_self, result)[1];
    for (int k = 0; k < src.dim(); ++k)
      if (r.shape()[k] != src.shape()[k]) r = call_op<Embed>(r, k, 0, 1, src.shape()[k]);
    return r;
  }
  static Tensor narrowed(const Tensor& src, const Tensor& index) {
    Tensor t = src;
    for (int k = 0; k < t.dim() && k < index.dim(); ++k)
      if (t.shape()[k] != index.shape()[k]) t = narrow(t, k, 0, index.shape()[k]);
    return t;
  }
};

FB_GROUP(scatter, Scatter, ScatterValue, ScatterMerge, ScatterMergeValue, ScatterAdd, ScatterReduce)

}  // namespace fb
