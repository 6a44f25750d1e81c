#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

namespace fb {

struct Full {
  static constexpr auto schema = "full(int[] size, Scalar fill_value, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    A tensor filled with one number; its dtype follows the number unless given.

    Shapes: → size.   Dtypes: all.

    >>> fb.full((2,), 7.)
    tensor([7., 7.])
  )";
  using kind = Factory;
  static Tensor kernel(Dims size, Scalar value, std::optional<DType> dtype) {
    for (int64_t s : size) check(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", size.list());
    const DType natural = value.is_bool() ? DType::boolean : value.is_integral() ? DType::i64
                          : value.is_floating() ? default_dtype() : complex_of(default_dtype());
    Tensor r = empty(size, dtype.value_or(natural));
    fill_packed(r.dtype(), r.data(), value, r.numel());
    return r;
  }
};

FB_GROUP(create, Full)

}  // namespace fb
