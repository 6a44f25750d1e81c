#include "kernels/order.h"
#include "op/build.h"

namespace fb {

// The element of each line that choose(entries, spare, n) names by its place.
template <class Choose>
static Outputs<2> chosen(std::string_view op, const Tensor& self, int64_t dim, bool keepdim,
    const Choose& choose) {
  check_real(op, self.dtype());
  check_line(op, self, dim);
  const Tensor x = contiguous(self);
  const Along a(x.shape(), dim);
  const Dims shape = reduced_at(x.shape(), a.dim, keepdim);
  Tensor values = empty(shape, x.dtype()), indices = empty(shape, DType::i64);
  const int bytes = bytes_of(x.dtype());
  const char* from = x.data();
  char* to = values.data();
  int64_t* places = indices.data<int64_t>();
  if (values.numel()) for_entry_lines(x, a, false, [&](int64_t line, auto* entries, auto* spare) {
    const int64_t place = choose(entries, spare, a.n);
    copy_element(bytes, to, line, from, a.start(line) + place * a.inner);
    places[line] = place;
  });
  return {values, indices};
}

template <class E> static int64_t place_of_kth(E* entries, int64_t n, int64_t k) {
  std::nth_element(entries, entries + k, entries + n);
  return place_of(entries[k]);
}

// The lower of the two middle elements; any nan comes first unless they are skipped.
static Outputs<2> median_of(std::string_view op, const Tensor& x, int64_t dim, bool keepdim, bool skip_nan) {
  check<UnsupportedError>(x.dtype() != DType::boolean, "\"", op, "\" not implemented for 'Bool'");
  const bool may_be_nan = is_floating(x.dtype());
  const uint64_t nan = nan_key(x.dtype());
  return chosen(op, x, dim, keepdim, [=](auto* entries, auto*, int64_t n) {
    int64_t numbers = n, first_nan = -1;
    if (may_be_nan)
      for (int64_t i = n; i-- > 0;)
        if (key_of(entries[i]) == nan) {
          --numbers;
          first_nan = i;
        }
    if (numbers < n && (!skip_nan || numbers == 0)) return first_nan;
    return place_of_kth(entries, n, (numbers - 1) / 2);
  });
}

static Tensor median_of_all(std::string_view op, const Tensor& x, bool skip_nan) {
  check_real(op, x.dtype());
  if (x.numel() == 0) {
    check<UnsupportedError>(x.dtype() != DType::boolean, "\"", op, "\" not implemented for 'Bool'");
    if (is_floating(x.dtype())) return full(Dims(), Scalar(std::numeric_limits<double>::quiet_NaN()),
        x.dtype());
    return full(Dims(), Scalar(std::numeric_limits<int64_t>::min()), x.dtype());
  }
  return median_of(op, reshape(x, {-1}), 0, false, skip_nan)[0];
}

struct Median {
  static constexpr auto schema = "median(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The middle element of all, the lower of two; nan if there is one. Equal ones share the gradient.

    Shapes: self (*) → ().   Dtypes: real but bool.

    >>> fb.median(fb.tensor([3., 1., 2., 4.]))
    tensor(2.)
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x) { return median_of_all("median", x, false); }
  static Tensor vjp(Tensor g, In<0> x, Out y) { return shared_vjp(g, x, y, Value(), false); }
};

struct MedianDim {
  static constexpr auto schema =
      "median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    The middle element along `dim`, the lower of two, and where it stands; nan if there is one.

    Shapes: self (*) → twice self without dim, or with size 1 there if keepdim.   Dtypes: real but bool.

    >>> fb.median(fb.tensor([3., 1., 2., 4.]), 0)[1]
    tensor(2)
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "MedianBackward1";
  static Outputs<2> kernel(Tensor x, int64_t dim, bool keepdim) {
    return median_of("median", x, dim, keepdim, false);
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, bool> keepdim) {
    return picked_vjp(g, index, shape, dim, keepdim);
  }
};

struct Nanmedian {
  static constexpr auto schema = "nanmedian(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The middle one of the elements that are not nan, the lower of two.

    Shapes: self (*) → ().   Dtypes: real but bool.

    >>> fb.nanmedian(fb.tensor([3., float('nan'), 2.]))
    tensor(2.)
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x) { return median_of_all("nanmedian", x, true); }
  static Tensor vjp(Tensor g, In<0> x, Out y) { return shared_vjp(g, x, y, Value(), false); }
};

struct NanmedianDim {
  static constexpr auto schema =
      "nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    The middle one of the elements along `dim` that are not nan, the lower of two, and where it stands.

    Shapes: self (*) → twice self without dim, or with size 1 there if keepdim.   Dtypes: real but bool.

    >>> fb.nanmedian(fb.tensor([3., float('nan'), 2.]), 0)[1]
    tensor(2)
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "NanmedianBackward1";
  static Outputs<2> kernel(Tensor x, int64_t dim, bool keepdim) {
    return median_of("nanmedian", x, dim, keepdim, true);
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, bool> keepdim) {
    return picked_vjp(g, index, shape, dim, keepdim);
  }
};

struct Kthvalue {
  static constexpr auto schema =
      "kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    The k-th smallest element along `dim`, counted from 1, and where it stands; nan is above all numbers.

    Shapes: self (*) → twice self without dim, or with size 1 there if keepdim.   Dtypes: real but bool.
    Errors: RuntimeError if k is below 1 or above the size of the dim.

    >>> fb.kthvalue(fb.tensor([3., 1., 2.]), 2)[0]
    tensor(2.)
  )";
  using kind = Opaque;
  static constexpr bool out_apart = true;
  static Outputs<2> kernel(Tensor x, int64_t k, int64_t dim, bool keepdim) {
    check<UnsupportedError>(x.dtype() != DType::boolean, "\"kthvalue\" not implemented for 'Bool'");
    check_line("kthvalue", x, dim);
    const int d = wrap_dim(dim, x.dim());
    check(k >= 1 && k <= (x.dim() ? x.shape()[d] : 1),
        "kthvalue: k=", k, " is out of range in dim ", d, ", which has ", x.dim() ? x.shape()[d] : 1,
        " elements; k counts from 1");
    return chosen("kthvalue", x, dim, keepdim,
        [k](auto* entries, auto*, int64_t n) { return place_of_kth(entries, n, k - 1); });
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Shape<0> shape, Arg<2, int64_t> dim, Arg<3, bool> keepdim) {
    return picked_vjp(g, index, shape, dim, keepdim);
  }
};

struct ModeOp {
  static constexpr auto schema =
      "mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    The most frequent element along `dim`, the smallest of several, and where it stands last.

    Shapes: self (*) → twice self without dim, or with size 1 there if keepdim.   Dtypes: real.

    >>> fb.mode(fb.tensor([1., 2., 2.]))[0]
    tensor(2.)
  )";
  using kind = Opaque;
  static Outputs<2> kernel(Tensor x, int64_t dim, bool keepdim) {
    return chosen("mode", x, dim, keepdim, [](auto* entries, auto* spare, int64_t n) {
      sort_entries(entries, spare, n);
      int64_t longest = 0, place = 0;
      for (int64_t i = 0, start = 0; i < n; ++i) {
        if (key_of(entries[i]) != key_of(entries[start])) start = i;
        if (i - start + 1 > longest) {
          longest = i - start + 1;
          place = place_of(entries[i]);
        }
      }
      return place;
    });
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, bool> keepdim) {
    return picked_vjp(g, index, shape, dim, keepdim);
  }
};

FB_GROUP(select, Median, MedianDim, Nanmedian, NanmedianDim, Kthvalue, ModeOp)

}  // namespace fb
