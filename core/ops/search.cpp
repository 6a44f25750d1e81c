#include <algorithm>

#include "kernels/order.h"
#include "op/build.h"

namespace fb {

// Where each value would be put into its ordered line: before equal elements, or behind them if `right`.
template <class T>
static void places_in_lines(const T* lines, const int64_t* sorter, int64_t n, bool one_line, const T* values,
    int64_t per_line,
                            int64_t count, bool right, int64_t* out) {
  parallel_for(count, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t line = one_line ? 0 : i / per_line;
      const T *row = lines + line * n, v = values[i];
      const int64_t* order = sorter ? sorter + line * n : nullptr;
      int64_t low = 0, high = n;
      while (low < high) {                             // nan is never reached: it goes to the end
        const int64_t middle = low + (high - low) / 2;
        const T x = row[order ? order[middle] : middle];
        if (right ? !(x > v) : !(x >= v)) low = middle + 1;
        else high = middle;
      }
      out[i] = low;
    }
  });
}

static Tensor searched(std::string_view op, const Tensor& sorted, const Value& wanted, bool out_int32,
    bool right,
                       const Tensor& sorter) {
  check(sorted.dim() > 0, op, ": a 0-dimensional tensor of boundaries holds no sequence");
  check_real(op, sorted.dtype());
  const bool number = wanted.is_number();
  const Tensor values = number ? full(Dims(), wanted.as_scalar(),
      wanted.as_scalar().is_integral() ? DType::i64 : DType::f64)
                               : wanted.as_tensor();
  check_real(op, values.dtype());
  const int64_t n = sorted.shape().back();
  const bool one_line = sorted.dim() == 1;
  if (number) check(one_line, op, ": a single value needs a single sequence of boundaries, theirs have "
                    "shape ", sorted.shape());
  if (!one_line) {
    bool fits = sorted.dim() == values.dim();
    for (int i = 0; fits && i + 1 < sorted.dim(); ++i) fits = sorted.shape()[i] == values.shape()[i];
    check(fits, op, ": boundaries must be a vector, or agree with the values in all dims but the last; their "
          "shape is ", sorted.shape().list(), ", that of the values ", values.shape().list());
  }
  if (sorter) {
    check(sorter.shape() == sorted.shape(), op, ": sorter of shape ", sorter.shape(), " must have the shape "
          "of the boundaries, ", sorted.shape());
    check(sorter.dtype() == DType::i64, op, ": sorter must be int64, it is ", name_of(sorter.dtype()));
  }
  const Tensor order = sorter ? contiguous(sorter) : Tensor();
  if (order) for (int64_t i = 0; i < order.numel(); ++i)
    check(order.data<int64_t>()[i] >= 0 && order.data<int64_t>()[i] < n, op,
        "(): sorter index out of range: ", order.data<int64_t>()[i]);
  const DType common = number && !wanted.as_scalar().is_integral()
      && category_of(sorted.dtype()) <= Category::integral ? DType::f64
                       : number ? sorted.dtype() : promote(sorted.dtype(), values.dtype());
  const Tensor lines = computable(to_dtype(sorted, common)), points = computable(to_dtype(values, common));
  Tensor r = empty(values.shape(), DType::i64);
  const int64_t per_line = std::max<int64_t>(1, values.dim() ? values.shape().back() : 1);
  if (r.numel()) for_real_type(lines.dtype(), [&](auto zero) {
    using T = decltype(zero);
    places_in_lines(lines.data<T>(), order ? order.data<int64_t>() : nullptr, n, one_line, points.data<T>(),
        per_line, r.numel(), right,
                    r.data<int64_t>());
  });
  return out_int32 ? to_dtype(r, DType::i32) : r;
}

struct Searchsorted {
  static constexpr auto schema =
      "searchsorted(Tensor sorted_sequence, Tensor input, *, bool out_int32=False, bool right=False, str? "
          "side=None,"
      " Tensor? sorter=None) -> Tensor";
  static constexpr auto doc = R"(
    Where each value belongs in an ascending sequence: before equal elements, or behind them if right.

    Args: side: 'left' or 'right', the same in words; sorter: places that put sorted_sequence in order.
    Shapes: sorted_sequence (n,) or (*, n), input (*, m) or a number → input's; int64 or int32.
    Dtypes: real.

    >>> fb.searchsorted(fb.tensor([1., 2., 3.]), fb.tensor([2., 5.]))
    tensor([1, 3])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor sorted, Value input, bool out_int32, bool right,
      std::optional<std::string> side, Tensor sorter) {
    check(!side || *side == "left" || *side == "right",
        "searchsorted: unknown side='", side.value_or(""), "', choose 'left' or 'right'");
    check(!side || !(right && *side == "left"), "searchsorted: right=True contradicts side='left'; pass only "
          "one of them");
    return searched("searchsorted", sorted, input, out_int32, right || (side && *side == "right"), sorter);
  }
};

struct Bucketize {
  static constexpr auto schema =
      "bucketize(Tensor input, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor";
  static constexpr auto doc = R"(
    The bucket of each value between ascending boundaries; a boundary belongs to the lower bucket unless
    right.

    Shapes: input (*) or a number, boundaries (n,) → (*); int64 or int32.   Dtypes: real.

    >>> fb.bucketize(fb.tensor([0., 2., 9.]), fb.tensor([1., 3.]))
    tensor([0, 1, 2])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Value input, Tensor boundaries, bool out_int32, bool right) {
    check(boundaries.dim() == 1, "bucketize: boundaries must be a vector, they have ", boundaries.dim(),
          " dims");
    return searched("bucketize", boundaries, input, out_int32, right, Tensor());
  }
};

struct Isin {
  static constexpr auto schema =
      "isin(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor";
  static constexpr auto doc = R"(
    Whether each element is among the test elements, or, inverted, is not.

    Shapes: elements (*), test_elements any → (*), bool; one of both may be a number.   Dtypes: real.

    >>> fb.isin(fb.tensor([1, 2, 3]), fb.tensor([2, 5]))
    tensor([False,  True, False])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor tensor_of(const Value& v, const Value& other) {
    if (!v.is_number()) return v.as_tensor();
    return full(Dims(), v.as_scalar(), result_type(Args(v, other), 0, 2));
  }
  static Tensor kernel(Value elements, Value test_elements, bool, bool invert) {
    check(!elements.is_number() || !test_elements.is_number(),
        "isin: elements and test_elements cannot both be numbers");
    const Tensor x = tensor_of(elements, test_elements), tests = tensor_of(test_elements, elements);
    check_real("isin", x.dtype());
    const DType common = promote(x.dtype(), tests.dtype());
    const Tensor from = computable(to_dtype(x, common)), among =
        computable(reshape(to_dtype(tests, common), {-1}));
    Tensor r = empty(x.shape(), DType::boolean);
    for_real_type(from.dtype(), [&](auto zero) {
      using T = decltype(zero);
      std::vector<T> known;
      for (int64_t i = 0; i < among.numel(); ++i)
        // nan equals nothing
        if (among.data<T>()[i] == among.data<T>()[i]) known.push_back(among.data<T>()[i]);
      std::sort(known.begin(), known.end());
      const T* values = from.data<T>();
      bool* out = r.data<bool>();
      parallel_for(r.numel(), 4096, [&](int64_t b, int64_t e) {
        for (int64_t i = b; i < e; ++i)
          out[i] = (values[i] == values[i] && std::binary_search(known.begin(), known.end(),
              values[i])) != invert;
      });
    });
    return r;
  }
};

FB_GROUP(search, Searchsorted, Bucketize, Isin)

}  // namespace fb
