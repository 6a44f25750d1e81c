#include <numeric>

#include "kernels/order.h"
#include "op/build.h"

namespace fb {

static void check_orderable(std::string_view op, const Tensor& x) {
  check_real(op, x.dtype());
}

// The elements at places, one slice of x along dim 0 each.
static Tensor slices_at(const Tensor& x, const std::vector<int64_t>& places) {
  Dims shape = x.shape();
  shape[0] = static_cast<int64_t>(places.size());
  Tensor r = empty(shape, x.dtype());
  const size_t bytes = static_cast<size_t>(x.shape()[0] ? x.numel() / x.shape()[0] : 0)
      * static_cast<size_t>(bytes_of(x.dtype()));
  for (size_t i = 0; i < places.size(); ++i)
    memcpy(r.data() + i * bytes, x.data() + static_cast<size_t>(places[i]) * bytes, bytes);
  return r;
}

// From an order of n slices in which equal ones are adjacent: the first of each run, its length, and, for
// every slice, its run.
template <class Same>
static Outputs<3> runs_of(const Tensor& x, const std::vector<int64_t>& order, bool wants_inverse,
    bool wants_counts, const Same& same) {
  const int64_t n = static_cast<int64_t>(order.size());
  std::vector<int64_t> first, lengths;
  Tensor inverse = empty({wants_inverse ? n : 0}, DType::i64);
  for (int64_t i = 0; i < n; ++i) {
    if (i == 0 || !same(order[i - 1], order[i])) {
      first.push_back(order[i]);
      lengths.push_back(0);
    }
    ++lengths.back();
    if (wants_inverse) inverse.data<int64_t>()[order[i]] = static_cast<int64_t>(first.size()) - 1;
  }
  Tensor counts = empty({wants_counts ? static_cast<int64_t>(lengths.size()) : 0}, DType::i64);
  if (wants_counts) std::copy(lengths.begin(), lengths.end(), counts.data<int64_t>());
  return {slices_at(x, first), inverse, counts};
}

static std::vector<int64_t> counted(int64_t n) {
  std::vector<int64_t> r(static_cast<size_t>(n));
  std::iota(r.begin(), r.end(), int64_t(0));
  return r;
}

// The order of the elements of a flat tensor.
static std::vector<int64_t> element_order(const Tensor& x) {
  std::vector<int64_t> order(static_cast<size_t>(x.numel()));
  if (x.numel()) for_entry_lines(x, Along(x.shape(), 0), false, [&](int64_t, auto* entries, auto* spare) {
    sort_entries(entries, spare, x.numel());
    for (int64_t i = 0; i < x.numel(); ++i) order[i] = place_of(entries[i]);
  });
  return order;
}

template <class T> static int compare_slices(const T* a, const T* b, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if (a[i] < b[i]) return -1;
    if (!(a[i] == b[i])) return 1;
  }
  return 0;
}

static Outputs<3> unique_slices(const Tensor& self, int64_t dim, bool sorts, bool wants_inverse,
    bool wants_counts) {
  const int d = wrap_dim(dim, self.dim());
  const Tensor moved = self.dim() ? transpose(self, 0, d) : reshape(self, {1});
  const Tensor x = contiguous(moved), keys = computable(x);
  const int64_t n = x.shape()[0], width = n ? x.numel() / n : 0;
  std::vector<int64_t> order = counted(n);
  Outputs<3> r;
  for_real_type(keys.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = keys.data<T>();
    if (sorts) std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return std::lexicographical_compare(from + a * width, from + (a + 1) * width, from + b * width,
          from + (b + 1) * width);
    });
    r = runs_of(x, order, wants_inverse, wants_counts,
                [&](int64_t a, int64_t b) { return compare_slices(from + a * width, from + b * width,
                    width) == 0; });
  });
  r[0] = self.dim() ? contiguous(transpose(r[0], 0, d)) : reshape(r[0], Dims());
  return r;
}

static Outputs<3> unique_elements(const Tensor& self, bool sorts, bool wants_inverse, bool wants_counts) {
  const Tensor x = contiguous(reshape(self, {-1})), keys = computable(x);
  Outputs<3> r;
  for_real_type(keys.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = keys.data<T>();
    r = runs_of(x, sorts ? element_order(x) : counted(x.numel()), wants_inverse, wants_counts,
                [&](int64_t a, int64_t b) { return from[a] == from[b]; });
  });
  if (wants_inverse) r[1] = reshape(r[1], self.shape());
  return r;
}

struct Unique {
  static constexpr auto schema =
      "_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False)"
                                 " -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = R"(
    The different elements in ascending order, for each element which of them it is, and how often each
    occurs.

    Shapes: self (*) → (u,), (*) or (0,), (u,) or (0,).   Dtypes: real; the others int64.
    Limits: nan equals nothing.

    >>> fb._C._unique2(fb.tensor([3, 1, 3]))[0]
    tensor([1, 3])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Outputs<3> kernel(Tensor x, bool, bool return_inverse, bool return_counts) {
    check_orderable("unique", x);
    return unique_elements(x, true, return_inverse, return_counts);
  }
};

struct UniqueDim {
  static constexpr auto schema =
      "unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False,"
                                 " bool return_counts=False) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = R"(
    The different slices along `dim` in lexicographic order, which one each slice is, and how often each
    occurs.

    Shapes: self (*, n, *) → (*, u, *), (n,) or (0,), (u,) or (0,).   Dtypes: real; the others int64.
    Errors: RuntimeError if slices are empty but there are some.

    >>> fb.unique_dim(fb.tensor([[1, 2], [1, 2]]), 0)[0]
    tensor([[1, 2]])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Outputs<3> kernel(Tensor x, int64_t dim, bool, bool return_inverse, bool return_counts) {
    check_orderable("unique_dim", x);
    check(x.numel() != 0 || x.size(static_cast<int>(dim)) == 0,
        "unique: slices of dim ", dim, " are empty and cannot be told apart, the shape is ", x.shape());
    return unique_slices(x, dim, true, return_inverse, return_counts);
  }
};

struct UniqueConsecutive {
  static constexpr auto schema =
      "_unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False,"
                                 " int? dim=None) -> (Tensor, Tensor, Tensor)";
  static constexpr auto doc = R"(
    The first of each run of equal elements, or of equal slices along `dim`, each element's run, and run
    lengths.

    Shapes: self (*) → (u,), (*) or (0,), (u,) or (0,).   Dtypes: real; the others int64.

    >>> fb._C._unique_consecutive(fb.tensor([1, 1, 2, 1]))[0]
    tensor([1, 2, 1])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Outputs<3> kernel(Tensor x, bool return_inverse, bool return_counts, std::optional<int64_t> dim) {
    check_orderable("unique_consecutive", x);
    if (!dim) return unique_elements(x, false, return_inverse, return_counts);
    check(x.numel() != 0 || x.size(static_cast<int>(*dim)) == 0,
        "unique_consecutive: slices of dim ", *dim, " are empty and cannot be told apart, the shape is ",
        x.shape());
    return unique_slices(x, *dim, false, return_inverse, return_counts);
  }
};

FB_GROUP(unique, Unique, UniqueDim, UniqueConsecutive)

}  // namespace fb
