#include "kernels/indexing.h"

#include <algorithm>
#include <atomic>

#include "base/isa.h"
#include "base/parallel.h"
#include "kernels/typed.h"
#include "ops.h"

namespace fb {

static bool is_mask(const Tensor& t) { return t.dtype() == DType::boolean || t.dtype() == DType::u8; }
static Tensor bool_mask(const Tensor& t) { return contiguous(to_dtype(t, DType::boolean)); }

// ---- masks
namespace {

constexpr int64_t mask_block = 1 << 16;

inline void count_true(const uint8_t* mask, int64_t n, int64_t* count) {
  int64_t total = 0;
  for (int64_t i = 0; i < n;) {                        // bytes are summed in narrow lanes, a block at a time
    const int64_t end = std::min(n, i + 255 * 8);
    uint32_t part = 0;
    for (; i < end; ++i) part += mask[i];
    total += part;
  }
  *count = total;
}

// Where in the result each block of the mask begins; the last entry is the total.
std::unique_ptr<int64_t[]> block_starts(const uint8_t* mask, int64_t n, int64_t& blocks) {
  blocks = (n + mask_block - 1) / mask_block;
  auto starts = std::make_unique<int64_t[]>(static_cast<size_t>(blocks) + 1);
  const auto count = Clones<&count_true>::pick();
  int64_t* s = starts.get();
  parallel_for(blocks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) count(mask + b * mask_block, std::min(mask_block, n - b * mask_block), s + b + 1);
  });
  for (int64_t b = 0; b < blocks; ++b) s[b + 1] += s[b];
  return starts;
}

// Every store lands inside the block's share of the result, so no branch is needed per element.
template <class W> void compress_block(W* out, const W* in, const uint8_t* mask, int64_t count) {
  for (int64_t i = 0, k = 0; k < count; ++i) {
    out[k] = in[i];
    k += mask[i];
  }
}

}  // namespace

Tensor compress(const Tensor& x, const Tensor& mask) {
  const auto* m = mask.data<const uint8_t>();
  int64_t blocks;
  const auto starts = block_starts(m, mask.numel(), blocks);
  Tensor r = empty({starts[blocks]}, x.dtype());
  with_bytes(bytes_of(x.dtype()), [&](auto w) {
    using W = decltype(w);
    W* out = r.data<W>();
    const W* in = x.data<W>();
    const int64_t* s = starts.get();
    parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b)
        compress_block(out + s[b], in + b * mask_block, m + b * mask_block, s[b + 1] - s[b]);
    });
  });
  return r;
}

Tensor mask_positions(const Tensor& mask) {
  const auto* m = mask.data<const uint8_t>();
  int64_t blocks;
  const auto starts = block_starts(m, mask.numel(), blocks);
  Tensor r = empty({starts[blocks]}, DType::i64);
  int64_t* out = r.data<int64_t>();
  const int64_t* s = starts.get();
  parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      int64_t* to = out + s[b];
      const int64_t count = s[b + 1] - s[b];
      for (int64_t i = b * mask_block, k = 0; k < count; ++i) {
        to[k] = i;
        k += m[i];
      }
    }
  });
  return r;
}

Tensor mask_coordinates(const Tensor& mask) {
  const int n = mask.dim();
  Tensor flat = mask_positions(mask);
  const int64_t count = flat.numel();
  if (n == 1) return view(flat, {count, 1});
  Tensor r = empty({count, n}, DType::i64);
  int64_t* out = r.data<int64_t>();
  const int64_t* positions = flat.data<int64_t>();
  const Dims& shape = mask.shape();
  parallel_for(count, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t rest = positions[i];
      for (int k = n - 1; k >= 0; --k) {
        out[i * n + k] = rest % shape[k];
        rest /= shape[k];
      }
    }
  });
  return r;
}

void check_mask_fits(const Dims& mask, const Dims& indexed, int first) {
  check<IndexError>(first + mask.size() <= indexed.size(), "too many indices: a mask of ", mask.size(),
                    " dims for the last ", indexed.size() - first, " of a tensor of shape ", indexed.list());
  for (int k = 0; k < mask.size(); ++k)
    check<IndexError>(mask[k] == indexed[first + k], "a mask of shape ", mask.list(), " does not fit dim ", first + k,
                      " of a tensor of shape ", indexed.list());
}

Tensors expand_masks(const Tensor& self, const Tensors& indices) {
  Tensors r;
  for (const Tensor& t : indices) {
    if (!t) {
      r.emplace_back();
      continue;
    }
    const DType d = t.dtype();
    check<IndexError>(d == DType::i64 || d == DType::i32 || is_mask(t), index_types);
    if (!is_mask(t)) {
      r.push_back(t);
      continue;
    }
    const int first = static_cast<int>(r.size());
    check_mask_fits(t.shape(), self.shape(), first);
    const Tensor where = mask_coordinates(bool_mask(t));
    for (int k = 0; k < t.dim(); ++k) r.push_back(select(where, 1, k));
  }
  check<IndexError>(static_cast<int>(r.size()) <= self.dim(), "too many indices: ", r.size(), " for a tensor "
                    "of ", self.dim(), " dims");
  return r;
}

// ---- integer indices
namespace {

inline void find_range(const int64_t* v, int64_t n, int64_t* least, int64_t* most) {
  int64_t a = v[0], b = v[0];
  for (int64_t i = 1; i < n; ++i) {
    a = v[i] < a ? v[i] : a;
    b = v[i] > b ? v[i] : b;
  }
  *least = a;
  *most = b;
}

}  // namespace

std::pair<int64_t, int64_t> range_of(const int64_t* v, int64_t n) {
  constexpr int64_t grain = 65536;
  const auto find = Clones<&find_range>::pick();
  std::atomic<int64_t> least = v[0], most = v[0];
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    int64_t a, b;
    find(v + begin, end - begin, &a, &b);
    for (int64_t seen = least; a < seen && !least.compare_exchange_weak(seen, a);) {}
    for (int64_t seen = most; b > seen && !most.compare_exchange_weak(seen, b);) {}
  });
  return {least, most};
}

namespace {

// Whether any entry is negative, after all are found to be in bounds.
bool check_bounds(const int64_t* v, int64_t n, int64_t size, int dim) {
  if (n == 0) return false;
  const auto [least, most] = range_of(v, n);
  check_index(least, size, dim);
  check_index(most, size, dim);
  return least < 0;
}

std::unique_ptr<int64_t[]> offsets_of(const Layout& x, int first, int end) {
  int64_t n = 1;
  for (int k = first; k < end; ++k) n *= x.shape[k];
  auto r = std::make_unique_for_overwrite<int64_t[]>(static_cast<size_t>(n));
  if (n == 0) return r;
  r[0] = 0;
  int64_t made = 1;
  for (int k = end - 1; k >= first; --k) {             // the block so far, once per coordinate of dim k
    for (int64_t c = 1; c < x.shape[k]; ++c)
      for (int64_t i = 0; i < made; ++i) r[c * made + i] = r[i] + c * x.strides[k];
    made *= x.shape[k];
  }
  return r;
}

bool packed_from(const Layout& x, int first) {
  int64_t step = 1;
  for (int k = x.dim() - 1; k >= first; --k) {
    if (x.shape[k] != 1 && x.strides[k] != step) return false;
    step *= x.shape[k];
  }
  return true;
}

void add_rows(int64_t* rows, const int64_t* index, int64_t n, int64_t size, int64_t stride, bool first) {
  parallel_for(n, 32768, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = (index[i] < 0 ? index[i] + size : index[i]) * stride;
      rows[i] = first ? at : rows[i] + at;
    }
  });
}

}  // namespace

Tensor checked_rows(const Tensor& index, int64_t size, int dim) {
  Tensor t = contiguous(to_dtype(index, DType::i64));
  if (!check_bounds(t.data<int64_t>(), t.numel(), size, dim)) return t;
  Tensor r = empty(t.shape(), DType::i64);
  add_rows(r.data<int64_t>(), t.data<int64_t>(), t.numel(), size, 1, true);
  return r;
}

Tensor plain_rows(const Tensor& index, int64_t size, int dim) {
  check(index.dtype() == DType::i64 || index.dtype() == DType::i32, "an index must be int32 or int64, it is ",
        name_of(index.dtype()));
  Tensor t = contiguous(to_dtype(index, DType::i64));
  if (t.numel() == 0) return t;
  const auto [least, most] = range_of(t.data<int64_t>(), t.numel());
  check(least >= 0 && most < size, "index ", least < 0 ? least : most, " is out of bounds in dim ", dim,
        " of size ", size);
  return t;
}

// The layout of self with the indexed dims brought together: in place if they are neighbours, else in front.
static Layout gather_dims(const Tensor& self, const Tensors& indices, Dims& indexed, int& first) {
  const int n = self.dim();
  bool adjacent = true;
  for (int k = 0; k < static_cast<int>(indices.size()); ++k)
    if (indices[static_cast<size_t>(k)]) {
      adjacent &= indexed.empty() || indexed.back() == k - 1;
      indexed.push(k);
    }
  first = adjacent && !indexed.empty() ? int(indexed[0]) : 0;
  if (adjacent) return self.layout();
  Dims shape, strides;
  for (int64_t k : indexed) {
    shape.push(self.shape()[int(k)]);
    strides.push(self.strides()[int(k)]);
  }
  for (int k = 0; k < n; ++k)
    if (!indexed.contains(k)) {
      shape.push(self.shape()[k]);
      strides.push(self.strides()[k]);
    }
  return {shape, strides, self.layout().offset};
}

static Dims common_index_shape(const Tensors& indices) {
  Dims shape;
  bool any = false, ok = true;
  std::string all;
  for (const Tensor& t : indices) {
    if (!t) continue;
    all += (all.empty() ? "" : ", ") + t.shape().list();
    if (!ok) continue;
    try {
      shape = any ? broadcast_shapes("index", shape, t.shape()) : t.shape();
    } catch (const ShapeError&) {
      ok = false;
    }
    any = true;
  }
  check<IndexError>(ok, "shape mismatch: the index tensors have shapes ", all, ", which do not broadcast");
  return shape;
}

IndexPlan plan_index(const Tensor& self, const Tensors& given) {
  int present = 0, masks = 0;
  for (const Tensor& t : given) if (t) {
    ++present;
    masks += is_mask(t);
  }
  const Tensors indices = expand_masks(self, given);
  const Dims index_shape = common_index_shape(indices);
  IndexPlan p;
  p.distinct = present == 1 && masks == 1;
  Dims indexed;
  int first;
  const Layout x = gather_dims(self, indices, indexed, first);
  const int end = first + indexed.size();
  for (int k = 0; k < first; ++k) p.shape.push(x.shape[k]);
  p.before_count = p.shape.product();
  for (int64_t s : index_shape) p.shape.push(s);
  for (int k = end; k < x.dim(); ++k) {
    p.shape.push(x.shape[k]);
    p.after_count *= x.shape[k];
  }
  p.row_count = index_shape.product();
  if (p.shape.product() == 0) return p;                // nothing is read, so nothing is out of bounds
  if (first > 0) p.before = offsets_of(x, 0, first);
  if (!packed_from(x, end)) p.after = offsets_of(x, end, x.dim());
  for (int k = 0; k < indexed.size(); ++k) {
    const Tensor t = contiguous(expand(to_dtype(indices[static_cast<size_t>(indexed[k])], DType::i64), index_shape));
    const int64_t* v = t.data<int64_t>();
    const int64_t size = x.shape[first + k], stride = x.strides[first + k];
    check<IndexError>(size > 0, "an index into a dim of size 0 is out of bounds");
    const bool negative = check_bounds(v, p.row_count, size, int(indexed[k]));
    if (indexed.size() == 1 && !negative) {
      p.rows = v;
      p.row_step = stride;
      p.held.push_back(t);
      break;
    }
    if (!p.row_list) p.row_list = std::make_unique_for_overwrite<int64_t[]>(static_cast<size_t>(p.row_count));
    add_rows(p.row_list.get(), v, p.row_count, size, stride, k == 0);
    p.rows = p.row_list.get();
  }
  if (indexed.empty()) {
    p.row_list = std::make_unique<int64_t[]>(1);
    p.rows = p.row_list.get();
  }
  return p;
}

// ---- the loops
namespace {

// Calls body(position in the result, address in self, count) for runs whose elements lie packed in both, or
// element by element where they do not.
template <class W, class Body> void each_run(const IndexPlan& p, W* base, int64_t begin, int64_t end, const Body& body) {
  int64_t b = begin / p.row_count, i = begin % p.row_count;
  for (int64_t r = begin; r < end; ++r) {
    W* row = base + (p.before ? p.before[b] : 0) + p.rows[i] * p.row_step;
    const int64_t at = r * p.after_count;
    if (!p.after) body(at, row, p.after_count);
    else for (int64_t a = 0; a < p.after_count; ++a) body(at + a, row + p.after[a], int64_t(1));
    if (++i == p.row_count) {
      i = 0;
      ++b;
    }
  }
}

// The same where each row is one element: body(position in the result, address in self) and nothing else in the loop.
template <class W, class Body> void each_element(const IndexPlan& p, W* base, int64_t begin, int64_t end, const Body& body) {
  const int64_t *rows = p.rows, step = p.row_step, count = p.row_count;
  for (int64_t b = begin / count, i = begin % count, at = begin; at < end; ++b, i = 0) {
    W* block = base + (p.before ? p.before[b] : 0);
    for (const int64_t stop = std::min(end, at + count - i); at < stop; ++at, ++i) body(at, block + rows[i] * step);
  }
}

template <class W> void copy_elements(W* to, const W* from, int64_t n) {
  if (n == 1) *to = *from;
  else memcpy(to, from, static_cast<size_t>(n) * sizeof(W));
}

int64_t row_grain(const IndexPlan& p) { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, p.after_count)); }

}  // namespace

void read_indexed(const IndexPlan& p, const Tensor& self, const Tensor& result) {
  if (result.numel() == 0) return;
  with_bytes(bytes_of(self.dtype()), [&](auto w) {
    using W = decltype(w);
    W* out = result.data<W>();
    W* base = self.data<W>();
    parallel_for(p.before_count * p.row_count, row_grain(p), [&](int64_t begin, int64_t end) {
      if (p.after_count == 1 && !p.after) return each_element(p, base, begin, end, [&](int64_t at, const W* from) { out[at] = *from; });
      each_run(p, base, begin, end, [&](int64_t at, const W* from, int64_t n) { copy_elements(out + at, from, n); });
    });
  });
}

// Threads may only share the rows where no element is written twice; the blocks before them are always apart.
static void write_ranges(const IndexPlan& p, auto&& body) {
  const int64_t total = p.before_count * p.row_count;
  if (p.distinct) return parallel_for(total, row_grain(p), body);
  parallel_for(p.before_count, std::max<int64_t>(1, row_grain(p) / std::max<int64_t>(1, p.row_count)),
               [&](int64_t begin, int64_t end) { body(begin * p.row_count, end * p.row_count); });
}

void write_indexed(const IndexPlan& p, const Tensor& self, const Tensor& values) {
  if (p.shape.product() == 0) return;
  const bool one = values.numel() == 1;
  with_bytes(bytes_of(self.dtype()), [&](auto w) {
    using W = decltype(w);
    W* base = self.data<W>();
    const W* in = values.data<W>();
    write_ranges(p, [&](int64_t begin, int64_t end) {
      each_run(p, base, begin, end, [&](int64_t at, W* to, int64_t n) {
        if (one) std::fill_n(to, n, *in);
        else copy_elements(to, in + at, n);
      });
    });
  });
}

void add_indexed(const IndexPlan& p, const Tensor& self, const Tensor& values) {
  if (p.shape.product() == 0) return;
  const bool one = values.numel() == 1;
  with_number(self.dtype(), [&](auto w) {
    using T = decltype(w);
    T* base = self.data<T>();
    const T* in = values.data<T>();
    write_ranges(p, [&](int64_t begin, int64_t end) {
      if (p.after_count == 1 && !p.after && !one)
        return each_element(p, base, begin, end, [&](int64_t at, T* to) { *to = plus(*to, in[at]); });
      each_run(p, base, begin, end, [&](int64_t at, T* to, int64_t n) {
        if (one) for (int64_t k = 0; k < n; ++k) to[k] = plus(to[k], *in);
        else for (int64_t k = 0; k < n; ++k) to[k] = plus(to[k], in[at + k]);
      });
    });
  });
}

}  // namespace fb
