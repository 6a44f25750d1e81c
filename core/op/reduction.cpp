// How a reduction runs: kept and reduced dims are merged, then either runs of reduced elements are folded
// into one accumulator, or rows of kept elements into a row of accumulators, whichever walks memory in order.
#include <algorithm>
#include <memory>

#include "base/parallel.h"
#include "ops.h"
#include "tensor/convert.h"

namespace fb {

Dims normalized_dims(const Value& dim, int count) {
  Dims r;
  if (dim.tag == Value::i64) r.push(wrap_dim(dim.as_int(), count));
  else if (dim.tag == Value::ints)
    for (int64_t d : dim.as_ints()) {
      const int w = wrap_dim(d, count);
      check(!r.contains(w), "dim ", w, " is named twice in dim");
      r.push(w);
    }
  if (r.empty()) for (int i = 0; i < count; ++i) r.push(i);
  return r;
}

namespace {

struct Dim { int64_t size, in, out; bool reduced; };   // strides in elements

constexpr int64_t block = 512;                         // elements gathered at a time
constexpr int64_t room = block * 16;                   // bytes of a buffer
constexpr int64_t direct_piece = 4096;                 // elements of one fold that are used in place
constexpr int64_t row_block = 128;                     // rows folded before partial sums are merged
// runs up to this long are not worth a fold of their own
constexpr int64_t short_run = 15;

struct Plan {
  const Kernels* kernels;
  Small<Dim, 8> kept, reduced;                         // outermost first
  int64_t kept_total = 1, reduced_total = 1, width = 1; // width: kept elements handled together
  int64_t width_in = 1, width_out = 1;
  bool by_rows = false;
  DType in_type, compute, packed, result;
  const char* in;
  char* out;
};

void sort_and_merge(const Tensor& x, const Dims& out_strides, const bool* is_reduced, Plan& p) {
  Small<Dim, 8> dims;
  for (int i = 0; i < x.dim(); ++i)
    if (x.shape()[i] != 1) dims.emplace(Dim{x.shape()[i], x.strides()[i], is_reduced[i] ? 0 : out_strides[i],
        is_reduced[i]});
  std::stable_sort(dims.begin(), dims.end(), [](const Dim& a, const Dim& b) { return a.in > b.in; });
  Small<Dim, 8> merged;
  for (const Dim& d : dims) {
    if (!merged.empty()) {
      Dim& last = merged.back();
      if (last.reduced == d.reduced && last.in == d.in * d.size
          && (d.reduced || last.out == d.out * d.size)) {
        last = {last.size * d.size, d.in, d.out, d.reduced};
        continue;
      }
    }
    merged.emplace(d);
  }
  int last = merged.size() - 1;
  bool any_reduced = false;
  for (const Dim& d : merged) any_reduced |= d.reduced;
  p.by_rows = last >= 0 && !merged[last].reduced && any_reduced;
  int across = last;                                   // the kept dim whose elements are handled together
  if (last > 0 && merged[last].reduced && merged[last].size <= short_run && !merged[last - 1].reduced &&
      merged[last - 1].size >= 8 * short_run) {        // many short runs: folded side by side
    p.by_rows = true;
    across = last - 1;
  }
  for (int i = 0; i <= last; ++i) {
    const Dim& d = merged[i];
    if (i == across && p.by_rows) {
      p.width = d.size;
      p.width_in = d.in;
      p.width_out = d.out;
    } else if (d.reduced) p.reduced.emplace(d);
    else p.kept.emplace(d);
  }
  for (const Dim& d : p.kept) p.kept_total *= d.size;
  for (const Dim& d : p.reduced) p.reduced_total *= d.size;
}

int64_t offset_in(const Small<Dim, 8>& dims, int64_t linear, int64_t& out) {
  int64_t in = 0;
  for (int k = dims.size() - 1; k >= 0; --k) {
    const int64_t c = linear % dims[k].size;
    linear /= dims[k].size;
    in += c * dims[k].in;
    out += c * dims[k].out;
  }
  return in;
}

// n elements from `at`, `step` apart, packed in the compute type; `raw` and `buffer` hold `block` of them.
const void* packed_run(const Plan& p, const char* at, int64_t step, int64_t n, char* raw, char* buffer) {
  const int bytes = bytes_of(p.in_type);
  const char* packed = at;
  if (step != 1) {
    char* to = p.in_type == p.compute ? buffer : raw;
    copy_strided(bytes, to, bytes, at, step * bytes, n);
    packed = to;
  }
  if (p.in_type == p.compute) return packed;
  convert_packed(p.in_type, p.compute, buffer, packed, n);
  return buffer;
}

void write_result(const Plan& p, const void* accumulators, int64_t n, char* out, int64_t out_step,
    int64_t reduced) {
  alignas(64) char made[block * 16], narrow[block * 16];
  p.kernels->finish(made, accumulators, n, reduced);
  const char* packed = made;
  if (p.packed != p.result) {
    convert_packed(p.packed, p.result, narrow, made, n);
    packed = narrow;
  }
  const int bytes = bytes_of(p.result);
  copy_strided(bytes, out, out_step * bytes, packed, bytes, n);
}

// Partial results merged like a binary counter, so that rounding errors grow with log n (Higham 2002, §4.2).
class PartialSums {
 public:
  explicit PartialSums(const Kernels& k) : kernels_(k) {}
  void add(const void* accumulator) {
    memcpy(slot(depth_), accumulator, kernels_.accumulator_bytes);
    ++depth_;
    for (uint64_t c = ++count_; !(c & 1); c >>= 1) {
      kernels_.merge(slot(depth_ - 2), slot(depth_ - 1), 1);
      --depth_;
    }
  }
  void total(void* into) {
    while (depth_ > 1) {
      kernels_.merge(slot(depth_ - 2), slot(depth_ - 1), 1);
      --depth_;
    }
    if (depth_) kernels_.merge(into, slot(0), 1);
  }

 private:
  const Kernels& kernels_;
  uint64_t count_ = 0;
  int depth_ = 0;
  alignas(32) char slots_[64][32];
  void* slot(int i) { return slots_[i]; }
};

// Short rows from element i of the reduced dims on, folded together into `into`; how many elements those were, or zero
// if there are too few of them.
int64_t fold_short_rows(const Plan& p, const char* base, int64_t i, int64_t end, void* into) {
  constexpr int64_t most = 64, fewest = 4, longest = 1024;
  alignas(64) char many[most * 32];
  const int last = p.reduced.size() - 1;
  if (last < 1) return 0;
  const Dim &row = p.reduced[last], &across = p.reduced[last - 1];
  if (row.size > longest || i % row.size) return 0;
  const int64_t rows = std::min({(end - i) / row.size, across.size - i / row.size % across.size, most});
  if (rows < fewest) return 0;
  int64_t ignored = 0;
  const char* at = base + offset_in(p.reduced, i, ignored) * bytes_of(p.in_type);
  p.kernels->start(many, rows);
  p.kernels->fold_many(many, at, across.in, rows, row.size);
  for (int64_t left = rows; left > 1; left -= left / 2)
    p.kernels->merge(many, many + (left - left / 2) * p.kernels->accumulator_bytes, left / 2);
  memcpy(into, many, p.kernels->accumulator_bytes);
  return rows * row.size;
}

// Folds elements [begin, end) of the reduced dims, starting at `base`, into one accumulator.
void fold_range(const Plan& p, const char* base, int64_t begin, int64_t end, void* accumulator) {
  alignas(64) char raw[block * 16], buffer[block * 16], partial[32];
  const int bytes = bytes_of(p.in_type);
  const int last = p.reduced.size() - 1;
  const int64_t row = last >= 0 ? p.reduced[last].size : 1, step = last >= 0 ? p.reduced[last].in : 1;
  const bool direct = step == 1 && p.in_type == p.compute;
  const int64_t piece = direct ? direct_piece : room / std::max(bytes, bytes_of(p.compute));
  PartialSums sums(*p.kernels);
  for (int64_t i = begin; i < end;) {
    if (direct)
      if (const int64_t done = fold_short_rows(p, base, i, end, partial)) {
        sums.add(partial);
        i += done;
        continue;
      }
    int64_t ignored = 0;
    const int64_t n = std::min({end - i, row - i % row, piece});
    const char* at = base + offset_in(p.reduced, i, ignored) * bytes;
    p.kernels->start(partial, 1);
    p.kernels->fold(partial, packed_run(p, at, step, n, raw, buffer), n);
    if (n == end - begin) return p.kernels->merge(accumulator, partial, 1);
    sums.add(partial);
    i += n;
  }
  sums.total(accumulator);
}

// Rows [begin, end) that one fold each takes as they are or converted; their results are written many at a time.
void reduce_packed_rows(const Plan& p, int64_t begin, int64_t end) {
  constexpr int64_t together = 64;
  alignas(64) char accumulators[together * 32], buffer[room];
  const int64_t bytes = p.kernels->accumulator_bytes, in_bytes = bytes_of(p.in_type), length = p.reduced_total;
  const int64_t stride = p.kept[0].in, converted = std::max<int64_t>(1, room / (length * bytes_of(p.compute)));
  for (int64_t first = begin; first < end; first += together) {
    const int64_t n = std::min(together, end - first);
    const char* in = p.in + first * stride * in_bytes;
    p.kernels->start(accumulators, n);
    if (p.in_type == p.compute) p.kernels->fold_many(accumulators, in, stride, n, length);
    else for (int64_t k = 0; k < n; k += converted) {
      const int64_t rows = std::min(converted, n - k);
      if (stride == length) convert_packed(p.in_type, p.compute, buffer, in + k * stride * in_bytes, rows * length);
      else for (int64_t r = 0; r < rows; ++r)
        convert_packed(p.in_type, p.compute, buffer + r * length * bytes_of(p.compute), in + (k + r) * stride * in_bytes, length);
      p.kernels->fold_many(accumulators + k * bytes, buffer, length, rows, length);
    }
    write_result(p, accumulators, n, p.out + first * p.kept[0].out * bytes_of(p.result), p.kept[0].out, p.reduced_total);
  }
}

void reduce_runs(const Plan& p) {
  const int64_t work = std::max<int64_t>(p.reduced_total, 1);
  // one long run: share it out
  if (p.kept_total == 1 && work > 2 * elementwise_grain && thread_count() > 1) {
    constexpr int most = 64;
    alignas(64) char partials[most][64];
    auto* shared = partials;
    const int parts = std::min(thread_count(), most);
    for (int k = 0; k < parts; ++k) p.kernels->start(shared[k], 1);
    const int64_t share = (work + parts - 1) / parts;
    parallel_for(parts, 1, [&](int64_t b, int64_t e) {
      for (int64_t k = b; k < e; ++k)
        if (k * share < work) fold_range(p, p.in, k * share, std::min(work, (k + 1) * share), shared[k]);
    });
    for (int k = 1; k < parts; ++k) p.kernels->merge(shared[0], shared[k], 1);
    return write_result(p, shared[0], 1, p.out, 1, p.reduced_total);
  }
  const int64_t grain = std::max<int64_t>(1, elementwise_grain / work);
  const int64_t longest = p.in_type == p.compute ? direct_piece : room / bytes_of(p.compute);
  const bool packed_rows = p.kept.size() == 1 && p.reduced.size() == 1 && p.reduced[0].in == 1 && p.reduced_total > 0 &&
                           p.reduced_total <= longest;
  if (packed_rows) {
    return parallel_for(p.kept_total, grain, [&](int64_t begin, int64_t end) { reduce_packed_rows(p, begin, end); });
  }
  parallel_for(p.kept_total, grain, [&](int64_t begin, int64_t end) {
    alignas(64) char accumulator[32];
    for (int64_t k = begin; k < end; ++k) {
      int64_t out = 0;
      const int64_t in = offset_in(p.kept, k, out);
      p.kernels->start(accumulator, 1);
      if (p.reduced_total) fold_range(p, p.in + in * bytes_of(p.in_type), 0, p.reduced_total, accumulator);
      write_result(p, accumulator, 1, p.out + out * bytes_of(p.result), 1, p.reduced_total);
    }
  });
}

// A row of accumulators, and what its elements pass through on the way there.
struct RowBuffers {
  alignas(64) char raw[block * 16], packed[block * 16], sums[block * 16], partial[block * 16];
};

// Rows [begin, end) of n kept elements each, from `base` on, folded into b.sums. Narrow rows that follow each
// other in memory are taken several at a time.
void fold_row_range(const Plan& p, const char* base, int64_t n, int64_t begin, int64_t end, RowBuffers& b) {
  const int bytes = bytes_of(p.in_type);
  const bool adjacent = p.reduced.size() == 1 && p.width == n && p.width_in == 1 && p.reduced[0].in == n;
  const int64_t together = adjacent ? std::max<int64_t>(1, std::min(block / n, end - begin)) : 1;
  const bool direct = p.reduced.size() == 1 && p.width_in == 1 && p.in_type == p.compute;
  p.kernels->start(b.sums, n * together);
  for (int64_t i = begin; i < end; i += row_block * together) {
    const int64_t rows_end = std::min(end, i + row_block * together);
    p.kernels->start(b.partial, n * together);
    int64_t r = i;
    if (direct) {                                      // whole rows as they are, all at once
      int64_t ignored = 0;
      const char* at = base + offset_in(p.reduced, r, ignored) * bytes;
      const int64_t rows = (rows_end - r) / together, stride = p.reduced[0].in * together;
      p.kernels->fold_rows(b.partial, at, stride, rows, n * together);
      r += rows * together;
    }
    for (; r < rows_end; r += together) {
      int64_t ignored = 0;
      const char* at = base + offset_in(p.reduced, r, ignored) * bytes;
      const int64_t count = n * std::min(together, rows_end - r);
      p.kernels->fold_rows(b.partial, packed_run(p, at, p.width_in, count, b.raw, b.packed), count, 1, count);
    }
    p.kernels->merge(b.sums, b.partial, n * together);
  }
  for (int64_t k = 1; k < together; ++k) p.kernels->merge(b.sums,
      b.sums + k * n * p.kernels->accumulator_bytes, n);
}

void reduce_rows(const Plan& p) {
  const int64_t columns = (p.width + block - 1) / block, pieces = p.kept_total * columns;
  const int64_t work = p.reduced_total * std::min(p.width, block);
  const bool shares_rows = pieces < thread_count() && work > 2 * elementwise_grain;
  const int64_t parts = shares_rows ? thread_count() : 1, share = (p.reduced_total + parts - 1) / parts;
  auto piece_at = [&](int64_t piece, int64_t& out, int64_t& n) {
    const int64_t first = piece % columns * block;
    n = std::min(block, p.width - first);
    const char* base = p.in + (offset_in(p.kept, piece / columns, out) + first * p.width_in)
        * bytes_of(p.in_type);
    out = (out + first * p.width_out) * bytes_of(p.result);
    return base;
  };
  if (!shares_rows) {
    const int64_t grain = std::max<int64_t>(1, elementwise_grain / std::max<int64_t>(1, work));
    return parallel_for(pieces, grain, [&](int64_t begin, int64_t end) {
      RowBuffers b;
      for (int64_t piece = begin; piece < end; ++piece) {
        int64_t out = 0, n;
        const char* base = piece_at(piece, out, n);
        fold_row_range(p, base, n, 0, p.reduced_total, b);
        write_result(p, b.sums, n, p.out + out, p.width_out, p.reduced_total);
      }
    });
  }
  const std::unique_ptr<RowBuffers[]> shared(new RowBuffers[static_cast<size_t>(parts)]);
  for (int64_t piece = 0; piece < pieces; ++piece) {   // few wide pieces: their rows are shared out
    int64_t out = 0, n;
    const char* base = piece_at(piece, out, n);
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k)
        fold_row_range(p, base, n, std::min(k * share, p.reduced_total),
            std::min((k + 1) * share, p.reduced_total), shared[k]);
    });
    for (int64_t k = 1; k < parts; ++k) p.kernels->merge(shared[0].sums, shared[k].sums, n);
    write_result(p, shared[0].sums, n, p.out + out, p.width_out, p.reduced_total);
  }
}

}  // namespace

void run_reduction(const Op& op, const Args& args, Tensor* out, Form) {
  Tensor x = args[0].as_tensor();
  const Value dtype = op.dtype_param >= 0 ? args[op.dtype_param] : Value();
  if (dtype) x = to_dtype(x, unbox<DType>(dtype));
  const Value dim = op.dim_param >= 0 ? args[op.dim_param] : Value();
  const bool decides = op.kernels[int(Compute::f32)].result == Compute::boolean;
  const bool none_named = dim.tag == Value::ints && dim.as_ints().empty();
  // any and all reduce no dim then
  const Dims dims = decides && none_named ? Dims() : normalized_dims(dim, x.dim());
  const bool keepdim = op.keepdim_param >= 0 && unbox<bool>(args[op.keepdim_param]);
  bool is_reduced[Dims::max_count] = {};
  for (int64_t d : dims) is_reduced[d] = true;

  Plan p;
  const Category category = category_of(x.dtype());
  const bool accepted = category == Category::boolean ? op.accepts.booleans : category == Category::integral
      ? op.accepts.integers
                        : category == Category::floating ? op.accepts.floats : op.accepts.complexes;
  check<UnsupportedError>(accepted, "\"", op.name, "\" not implemented for '", row(x.dtype()).legacy, "'");
  p.in_type = x.dtype();
  DType promoted = x.dtype();
  if (op.result == Result::whole && category <= Category::integral && !dtype) promoted = DType::i64;
  if (op.result == Result::floating && category <= Category::integral) promoted = default_dtype();
  Compute c = compute_of(promoted);
  if (promoted == p.in_type && op.kernels[int(narrow_compute_of(promoted))].fold) c = narrow_compute_of(promoted);
  if (decides && p.in_type == DType::boolean && op.kernels[int(Compute::u8)].fold) {   // bytes that are 0 or 1
    p.in_type = DType::u8;
    c = Compute::u8;
  }
  p.kernels = &op.kernels[int(c)];
  check<UnsupportedError>(p.kernels->fold, "\"", op.name, "\" not implemented for '", row(x.dtype()).legacy,
      "'");
  p.compute = storage_of(c);
  p.packed = storage_of(p.kernels->result);
  p.result = p.kernels->result == Compute::boolean ? (x.dtype() == DType::u8 ? DType::u8 : DType::boolean)
             : p.kernels->result == Compute::i64 && c != Compute::i64 ? DType::i64
             : is_complex(promoted) && !is_complex(p.packed) ? real_of(promoted) : promoted;

  Dims kept_shape, shape;
  for (int i = 0; i < x.dim(); ++i) {
    kept_shape.push(is_reduced[i] ? 1 : x.shape()[i]);
    if (keepdim || !is_reduced[i]) shape.push(is_reduced[i] ? 1 : x.shape()[i]);
  }
  if (op.needs_elements) {
    check(x.numel() != 0 || (dim && !none_named), op.name, ": an empty input has no extreme; pass "
          "dim, along which the size is not 0");
    for (int64_t d : dims)
      check<IndexError>(x.dim() == 0 || x.shape()[int(d)] != 0 || Layout(kept_shape).numel == 0, op.name,
                        ": dim ", d, " has size 0, along which there is nothing to choose from");
  }
  out[0] = empty(shape, p.result);
  if (out[0].numel() == 0) return;
  p.in = x.data();
  p.out = out[0].data();
  sort_and_merge(x, packed_strides(kept_shape), is_reduced, p);
  if (p.by_rows) reduce_rows(p);
  else reduce_runs(p);
}

}  // namespace fb
