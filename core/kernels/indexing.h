#pragma once
#include <memory>

#include "tensor/tensor.h"

// Advanced indexing, planned once for reading and writing: element (b, i, a) of the result is the element
// before[b] + rows[i] * row_step + after[a] of the indexed tensor.
namespace fb {

struct IndexPlan {
  Dims shape;                                          // of the result
  int64_t before_count = 1, row_count = 1, after_count = 1;
  std::unique_ptr<int64_t[]> before, after, row_list;  // none: a single zero; `after` none: packed
  const int64_t* rows = nullptr;                       // row_list, or the index tensor's own memory
  int64_t row_step = 1;
  bool distinct = false;                               // rows come from one mask: no element is named twice
  Tensors held;                                        // keeps what `rows` points to alive
};

// Rules that the walk over Python's indices in bind/ shares; IndexError for what breaks them.
constexpr const char* index_types = "an index tensor must hold ints or bools";
inline void check_index(int64_t index, int64_t size, int dim) {      // negative ones count from the end
  check<IndexError>(index >= -size && index < size, "index ", index, " is out of bounds in dim ", dim, " of size ", size);
}
void check_mask_fits(const Dims& mask, const Dims& indexed, int first);   // a mask of the dims from `first` on

// Replaces masks by the coordinates of their true elements; checks dtypes, shapes and the count of indices.
Tensors expand_masks(const Tensor& self, const Tensors& indices);
IndexPlan plan_index(const Tensor& self, const Tensors& indices);

void read_indexed(const IndexPlan& plan, const Tensor& self, const Tensor& result);      // result packed
void write_indexed(const IndexPlan& plan, const Tensor& self, const Tensor& values);     // values packed, of one element or all
void add_indexed(const IndexPlan& plan, const Tensor& self, const Tensor& values);

// Coordinates of the true elements of a packed mask, one row each; or only their linear positions.
Tensor mask_coordinates(const Tensor& mask);
Tensor mask_positions(const Tensor& mask);
// The elements of packed `x` where the packed mask of equal count is true.
Tensor compress(const Tensor& x, const Tensor& mask);

// Resolves negative entries and checks bounds: rows of a dim of `size`, as packed int64.
Tensor checked_rows(const Tensor& index, int64_t size, int dim);
// The index as packed int64; RuntimeError unless every entry is in [0, size).
Tensor plain_rows(const Tensor& index, int64_t size, int dim);
// Least and largest of n > 0 values.
std::pair<int64_t, int64_t> range_of(const int64_t* v, int64_t n);

}  // namespace fb
