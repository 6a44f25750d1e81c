#pragma once
#include "base/parallel.h"
#include "kernels/indexing.h"

// The loops of gather and scatter: every index entry names a place along `dim` of a tensor, its own position gives
// the other coordinates.
namespace fb {

struct IndexedLines {
  Dims outer, strides;                                 // of the index but its last dim, and the tensor's there
  int64_t inner = 1, step = 0, dim_stride = 0, lines = 1;
  bool along_last = true;                              // `dim` is the last dim: lines are independent

  // `index` has the rank of `x`, at least one, and its shape fits.
  IndexedLines(const Dims& index, const Layout& x, int dim) {
    const int last = index.size() - 1;
    inner = index[last];
    dim_stride = x.strides[dim];
    along_last = dim == last;
    step = along_last ? 0 : x.strides[last];
    for (int k = 0; k < last; ++k) {
      outer.push(index[k]);
      strides.push(k == dim ? 0 : x.strides[k]);
    }
    lines = outer.product();
  }
  int64_t base(int64_t line) const {
    int64_t offset = 0;
    for (int k = outer.size() - 1; k >= 0; --k) {
      offset += line % outer[k] * strides[k];
      line /= outer[k];
    }
    return offset;
  }
};

// body(position in the index, offset in the tensor); positions that might meet stay on one thread if `writes`.
template <class Body> void each_indexed(const IndexedLines& l, const int64_t* index, bool writes, const Body& body) {
  auto line = [&](int64_t i, int64_t begin, int64_t end) {
    const int64_t base = l.base(i), at = i * l.inner;
    for (int64_t j = begin; j < end; ++j) body(at + j, base + j * l.step + index[at + j] * l.dim_stride);
  };
  if (l.lines == 0 || l.inner == 0) return;
  constexpr int64_t grain = 32768;
  if (!writes && l.lines == 1)
    return parallel_for(l.inner, grain, [&](int64_t begin, int64_t end) { line(0, begin, end); });
  if (!writes || l.along_last)
    return parallel_for(l.lines, std::max<int64_t>(1, grain / l.inner), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) line(i, 0, l.inner);
    });
  parallel_for(l.inner, std::max<int64_t>(16, grain / l.lines), [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < l.lines; ++i) line(i, begin, end);
  });
}

// Whether all entries of an index that differ in dims other than `d` are equal, and it covers x there: then it names
// whole slices, as a vector of its entries along `d` does.
inline bool names_slices(const Tensor& index, const Tensor& x, int d) {
  for (int k = 0; k < x.dim(); ++k)
    if (k != d && (index.shape()[k] != x.shape()[k] || (index.strides()[k] != 0 && index.shape()[k] != 1))) return false;
  return x.dim() > 1;
}
inline Tensor slice_names(const Tensor& index, int d) {
  return alias(index, Layout({index.shape()[d]}, {index.strides()[d]}, index.layout().offset));
}

// A 0-d tensor as one of one element.
inline Tensor at_least_1d(const Tensor& t) { return t.dim() ? t : alias(t, Layout({1}, {1}, t.layout().offset)); }

}  // namespace fb
