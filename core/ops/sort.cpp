#include "kernels/order.h"
#include "op/build.h"

namespace fb {

static void check_sortable(std::string_view op, const Tensor& x) {
  check(!is_complex(x.dtype()), op, "(): does not support complex inputs");
}

// The first k of each line in order: values in x's dtype, and places.
static Outputs<2> in_order(const Tensor& self, int64_t dim, int64_t k, bool descending, bool sorted) {
  const Tensor x = contiguous(self);
  const Along a(x.shape(), dim);
  const Dims shape = resized_at(x.shape(), a.dim, k);
  Tensor values = empty(shape, x.dtype()), indices = empty(shape, DType::i64);
  if (values.numel() == 0) return {values, indices};
  const int bytes = bytes_of(x.dtype());
  const char* from = x.data();
  char* to = values.data();
  int64_t* places = indices.data<int64_t>();
  const bool all = k == a.n || (sorted && k > a.n / 2);
  for_entry_lines(x, a, descending, [&](int64_t line, auto* entries, auto* spare) {
    if (all) sort_entries(entries, spare, a.n);
    else {
      select_least(entries, spare, a.n, k);
      if (sorted) sort_entries(entries, spare, k);
    }
    const int64_t in = a.start(line), out = line / a.inner * k * a.inner + line % a.inner;
    for (int64_t i = 0; i < k; ++i) {
      const int64_t place = place_of(entries[i]);
      copy_element(bytes, to, out + i * a.inner, from, in + place * a.inner);
      places[out + i * a.inner] = place;
    }
  });
  return {values, indices};
}

static int64_t line_length(const Tensor& x, int64_t dim) {
  const int d = wrap_dim(dim, x.dim());
  return x.dim() ? x.shape()[d] : 1;
}

struct Sort {
  static constexpr auto schema = "sort(Tensor self, int dim=-1, bool descending=False, *, bool? stable=None)"
                                 " -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    Elements in order along `dim`, and where they stood; equal ones keep their order; nan is above all
    numbers.

    Shapes: self (*) → twice (*).   Dtypes: real; indices int64.
    Source: long lines by digits (Knuth, The Art of Computer Programming, vol. 3, §5.2.5).

    >>> fb.sort(fb.tensor([3., 1., 2.]))[0]
    tensor([1., 2., 3.])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor x, int64_t dim, bool descending, std::optional<bool>) {
    check_sortable("sort", x);
    return in_order(x, dim, line_length(x, dim), descending, true);
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Arg<1, int64_t> dim) {
    return put_along(g, index, dim, line_length(g, dim));
  }
};

struct Argsort {
  static constexpr auto schema =
      "argsort(Tensor self, int dim=-1, bool descending=False, *, bool stable=False) -> Tensor";
  static constexpr auto doc = R"(
    The places of the elements in order along `dim`; equal ones keep their order.

    Shapes: self (*) → (*), int64.   Dtypes: real.

    >>> fb.argsort(fb.tensor([3., 1., 2.]))
    tensor([1, 2, 0])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor x, int64_t dim, bool descending, bool) {
    check_sortable("argsort", x);
    return in_order(x, dim, line_length(x, dim), descending, true)[1];
  }
};

struct Msort {
  static constexpr auto schema = "msort(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Elements in order along the first dim.

    Shapes: self (*) → (*).   Dtypes: real.

    >>> fb.msort(fb.tensor([3., 1., 2.]))
    tensor([1., 2., 3.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return call_outputs<2, Sort>(x, 0, false, Value())[0]; }
};

struct Topk {
  static constexpr auto schema = "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)"
                                 " -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    The k extreme elements of each line along `dim`, largest or smallest, and where they stand; nan counts as largest.

    Shapes: self (*) → twice self with size k at dim.   Dtypes: real but bool; indices int64.
    Errors: RuntimeError if k is negative or above the size of the dim.

    >>> fb.topk(fb.tensor([3., 1., 2.]), 2)[0]
    tensor([3., 2.])
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor x, int64_t k, int64_t dim, bool largest, bool sorted) {
    check(!is_complex(x.dtype()) && x.dtype() != DType::boolean, "topk does not support ", name_of(x.dtype()),
        " dtypes on CPU");
    check(k >= 0 && k <= line_length(x, dim), "topk: k=", k, " is out of range in dim ", dim, ", which has ",
          line_length(x, dim), " elements");
    return in_order(x, dim, k, largest, sorted);
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Shape<0> shape, Arg<2, int64_t> dim) {
    return put_along(g, index, dim, shape.empty() ? 1 : shape[wrap_dim(dim, shape.size())]);
  }
};

FB_GROUP(sort, Sort, Argsort, Msort, Topk)

}  // namespace fb
