#pragma once
#include <string_view>

#include "base/dims.h"

namespace fb {

// Where the elements of a tensor lie in its storage. Strides and offset count elements. Plain data: every
// view is a pure function from one Layout to another.
struct Layout {
  Dims shape, strides;
  int64_t offset = 0, numel = 1;
  bool contiguous = true;

  Layout() = default;
  explicit Layout(const Dims& shape);                                  // packed, last dim fastest
  Layout(const Dims& shape, const Dims& strides, int64_t offset);

  int dim() const { return shape.size(); }
  int64_t last_element() const;                                        // largest offset reached, from `offset`
};

Dims packed_strides(const Dims& shape);
Dims dense_strides_like(const Layout& x);                              // packed, keeping the order of x's strides
bool is_dense(const Layout& x);                                        // every element of its span once, no gaps
bool may_overlap_itself(const Layout& x);                              // two indices may reach one element

// Shape of the result when two shapes are broadcast; ShapeError names the op and the dim otherwise.
Dims broadcast_shapes(std::string_view op, const Dims& a, const Dims& b);

// Resolves one -1 in `size` for a tensor of `numel` elements.
Dims infer_size(std::string_view op, const Dims& size, int64_t numel);
// The strides that show x's elements in another shape without copying; false if there are none.
bool try_view(const Layout& x, const Dims& shape, Layout& result);

}  // namespace fb
