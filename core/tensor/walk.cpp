#include "tensor/walk.h"

#include <algorithm>

#include "base/parallel.h"
#include "tensor/convert.h"

namespace fb {

Walk::Operand Walk::operand(const Tensor& t, DType wanted, const Dims& shape) {
  Operand o;
  o.data = t.data();
  o.dtype = t.dtype();
  o.wanted = wanted;
  const int lead = shape.size() - t.dim(), bytes = bytes_of(o.dtype);
  for (int k = 0; k < shape.size(); ++k)
    o.strides.push(k < lead || t.shape()[k - lead] == 1 ? 0 : t.strides()[k - lead] * bytes);
  return o;
}

void Walk::add_input(const Tensor& t, DType wanted) { inputs_[input_count_++] = operand(t, wanted, shape_); }

void Walk::add_number(const Scalar& number, DType wanted) {
  Operand& o = inputs_[input_count_++];
  o.dtype = o.wanted = wanted;
  o.number = true;
  o.value = number;
  o.strides = Dims::filled(shape_.size(), 0);
}

void Walk::set_output(const Tensor& t, DType packed) { output_ = operand(t, packed, shape_); }

void Walk::order_dims() {                              // largest output stride first
  const int n = shape_.size();
  bool sorted = true;
  for (int k = 1; k < n; ++k) sorted &= output_.strides[k - 1] >= output_.strides[k] || shape_[k] == 1 || shape_[k - 1] == 1;
  if (sorted) return;
  Dims order;
  for (int k = 0; k < n; ++k) order.push(k);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return output_.strides[int(a)] > output_.strides[int(b)];
  });
  auto permute = [&](Dims& d) {
    const Dims old = d;
    for (int k = 0; k < n; ++k) d[k] = old[int(order[k])];
  };
  permute(shape_);
  permute(output_.strides);
  for (int i = 0; i < input_count_; ++i) permute(inputs_[i].strides);
}

void Walk::merge_dims() {
  const int n = shape_.size();
  int m = 0;
  auto mergeable = [&](const Operand& o, int k) { return o.strides[m - 1] == o.strides[k] * shape_[k]; };
  for (int k = 0; k < n; ++k) {
    if (shape_[k] == 1) continue;
    bool merge = m > 0 && mergeable(output_, k);
    for (int i = 0; i < input_count_ && merge; ++i) merge = mergeable(inputs_[i], k);
    const int64_t size = merge ? shape_[m - 1] * shape_[k] : shape_[k];
    const int to = merge ? m - 1 : m;
    output_.strides[to] = output_.strides[k];
    for (int i = 0; i < input_count_; ++i) inputs_[i].strides[to] = inputs_[i].strides[k];
    shape_[to] = size;
    if (!merge) ++m;
  }
  if (m == 0) {                                        // one element: a dim of one for the loops to run over
    shape_.resize(0);
    shape_.push(1);
    output_.strides.resize(0);
    output_.strides.push(bytes_of(output_.dtype));
    for (int i = 0; i < input_count_; ++i) {
      inputs_[i].strides.resize(0);
      inputs_[i].strides.push(inputs_[i].number ? 0 : bytes_of(inputs_[i].dtype));
    }
    return;
  }
  shape_.resize(m);
  output_.strides.resize(m);
  for (int i = 0; i < input_count_; ++i) inputs_[i].strides.resize(m);
}

void Walk::classify() {
  const int last = shape_.size() - 1;
  auto look = [&](Operand& o) {
    int64_t packed = bytes_of(o.dtype);
    o.whole = true;
    o.repeats = last > 0;
    for (int k = last; k >= 0; --k) {
      o.whole &= o.strides[k] == packed;
      o.repeats &= k == last || o.strides[k] == 0;
      packed *= shape_[k];
    }
  };
  look(output_);
  bool direct = output_.dtype == output_.wanted && output_.strides.back() == bytes_of(output_.dtype);
  int widest = 1;
  for (int i = 0; i < input_count_; ++i) {
    Operand& o = inputs_[i];
    look(o);
    o.constant = !o.number && o.strides.back() == 0;
    widest = std::max({widest, bytes_of(o.wanted), bytes_of(o.dtype)});
    direct &= o.number || o.constant || (o.dtype == o.wanted && o.strides.back() == bytes_of(o.dtype));
  }
  widest = std::max({widest, bytes_of(output_.wanted), bytes_of(output_.dtype)});
  // Many buffers at a time have to fit the first-level cache; numbers and constants are filled in once.
  limit_ = direct ? room / widest : std::min<int64_t>(2 * chunk, room / widest);
  // Constants beside streams are short, or the streams push them out of the first-level cache between two uses.
  constexpr int64_t constant_bytes = 2048, stretch_bytes = 65536;
  one_row_ = last == 0 && direct;
  if (one_row_) {
    bool constants = false;
    for (int i = 0; i < input_count_; ++i) constants |= inputs_[i].number || inputs_[i].constant;
    stretch_ = stretch_bytes / widest;
    limit_ = constants ? constant_bytes / widest : stretch_;
  }
  // Short rows are taken several to a chunk; rows of middling length too, if that copies nothing but what repeats.
  constexpr int64_t short_row = 64, middling_row = 256;
  bool copies = !output_.whole;
  for (int i = 0; i < input_count_; ++i) copies |= !inputs_[i].number && !inputs_[i].whole && !inputs_[i].repeats;
  by_rows_ = last == 0 || inner_ >= (copies ? short_row : middling_row);
  // A constant is spread out anew in each row. Where the output misses the cache, that is a short stretch used again and
  // again, or its stores queue up behind those of the row before.
  constexpr int64_t cached_bytes = int64_t(1) << 20;
  const int64_t constant_run = total_ * widest <= cached_bytes ? 1024 : 128;
  for (int i = 0; i < input_count_; ++i)
    if (by_rows_ && !one_row_ && inputs_[i].constant) limit_ = std::min(limit_, constant_run);
}

void Walk::run(Loop loop, const void* scalars) {
  total_ = shape_.product();
  if (total_ == 0) return;
  order_dims();
  merge_dims();
  inner_ = shape_.back();
  classify();
  auto direct = [&](const Operand& o) {
    return !o.number && o.dtype == o.wanted && o.strides.back() == bytes_of(o.dtype);
  };
  all_direct_ = direct(output_);
  for (int i = 0; i < input_count_; ++i) all_direct_ &= direct(inputs_[i]);
  parallel_for(total_, elementwise_grain, [&](int64_t begin, int64_t end) { run_range(loop, scalars, begin, end); });
}

// A position in the walk: coordinates, and where it is within the innermost dim.
struct Walk::Cursor {
  const Dims& shape;
  Dims at;
  Cursor(const Dims& s, int64_t linear) : shape(s), at(s) {
    for (int k = s.size() - 1; k >= 0; --k) {
      at[k] = linear % s[k];
      linear /= s[k];
    }
  }
  int64_t row_left() const { return shape.back() - at[shape.size() - 1]; }
  int64_t offset(const Dims& strides) const {
    int64_t o = 0;
    for (int k = 0; k < shape.size(); ++k) o += at[k] * strides[k];
    return o;
  }
  void advance_rows(int64_t n) {                       // no further than the end of the dim before the last
    int k = shape.size() - 2;
    for (at[k] += n; k > 0 && at[k] == shape[k]; --k) {
      at[k] = 0;
      ++at[k - 1];
    }
  }
  void advance(int64_t n) {                            // n may run over several rows
    const int last = shape.size() - 1;
    at[last] += n;
    while (at[last] >= shape[last] && last > 0) {
      at[last] -= shape[last];
      int k = last - 1;
      for (++at[k]; k > 0 && at[k] == shape[k]; --k) {
        at[k] = 0;
        ++at[k - 1];
      }
      if (at[last] < shape[last]) break;
    }
  }
};

// `rows` rows of `inner` elements, packed one after the other.
template <class W>
static void pack_rows(char* to, const char* from, int64_t rows, int64_t row_stride, int64_t inner, int64_t step) {
  W* o = reinterpret_cast<W*>(to);
  for (int64_t r = 0; r < rows; ++r, o += inner, from += row_stride) {
    if (step == 0) std::fill_n(o, inner, *reinterpret_cast<const W*>(from));
    else if (step == sizeof(W)) std::copy_n(reinterpret_cast<const W*>(from), inner, o);
    else for (int64_t k = 0; k < inner; ++k) o[k] = *reinterpret_cast<const W*>(from + k * step);
  }
}

// Gathers short rows; `from` stands at the start of one.
void Walk::gather_rows(const Operand& o, char* to, const Cursor& from, int64_t count) const {
  struct Wide { uint64_t a, b; };
  const int last = shape_.size() - 1, bytes = bytes_of(o.dtype);
  const int64_t step = o.strides[last], row_stride = o.strides[last - 1];
  Cursor c = from;
  for (int64_t done = 0; done < count;) {
    const char* p = o.data + c.offset(o.strides);
    const int64_t rows = std::min((count - done) / inner_, shape_[last - 1] - c.at[last - 1]);
    char* place = to + done * bytes;
    if (rows == 0) return copy_strided(bytes, place, bytes, p, step, count - done);
    switch (bytes) {
      case 1: pack_rows<uint8_t>(place, p, rows, row_stride, inner_, step); break;
      case 2: pack_rows<uint16_t>(place, p, rows, row_stride, inner_, step); break;
      case 4: pack_rows<uint32_t>(place, p, rows, row_stride, inner_, step); break;
      case 8: pack_rows<uint64_t>(place, p, rows, row_stride, inner_, step); break;
      default: pack_rows<Wide>(place, p, rows, row_stride, inner_, step);
    }
    done += rows * inner_;
    if (done < count) c.advance_rows(rows);
  }
}

// `count` times the one value at `from`, converted.
static void spread(DType dtype, DType wanted, const char* from, char* to, int64_t count) {
  char one[16];
  if (dtype != wanted) convert_packed(dtype, wanted, one, from, 1);
  const int bytes = bytes_of(wanted);
  copy_strided(bytes, to, bytes, dtype == wanted ? from : one, 0, count);
}

void Walk::run_row(Loop loop, const void* scalars, int64_t begin, int64_t end) const {
  alignas(64) char buffers[max_operands][room];
  const char* start[max_operands];                     // of the walk's row; the buffer of a constant
  int64_t steps[max_operands];
  for (int i = 0; i < input_count_; ++i) {
    const Operand& o = inputs_[i];
    steps[i] = o.strides.back();
    start[i] = steps[i] == 0 ? buffers[i] : o.data;
    const int64_t count = std::min(limit_, end - begin);
    if (o.number) fill_packed(o.wanted, buffers[i], o.value, count);
    else if (o.constant) spread(o.dtype, o.wanted, o.data, buffers[i], count);
  }
  const int64_t out_step = output_.strides.back();
  auto run_stretch = [&](int64_t from, int64_t to) {
    for (int64_t position = from; position < to; position += limit_) {
      const void* in[max_operands];
      for (int i = 0; i < input_count_; ++i) in[i] = start[i] + position * steps[i];
      loop(output_.data + position * out_step, in, scalars, std::min(limit_, to - position));
    }
  };
  // An op mostly reads what the op before it wrote or read. Going the other way each time finds the end of that still
  // in a cache that does not hold it all.
  thread_local bool backward = false;
  if (end - begin > 2 * stretch_) backward = !backward;
  const int64_t count = (end - begin + stretch_ - 1) / stretch_;
  for (int64_t k = 0; k < count; ++k) {
    const int64_t from = begin + (backward ? count - 1 - k : k) * stretch_;
    run_stretch(from, std::min(from + stretch_, end));
  }
}

void Walk::run_range(Loop loop, const void* scalars, int64_t begin, int64_t end) const {
  if (one_row_) return run_row(loop, scalars, begin, end);
  alignas(64) char buffers[max_operands + 1][room], raw[room];
  const int last = shape_.size() - 1;
  const bool rows = by_rows_;
  for (int i = 0; i < input_count_; ++i)
    if (inputs_[i].number) fill_packed(inputs_[i].wanted, buffers[i], inputs_[i].value, std::min(limit_, end - begin));
  Cursor at(shape_, begin);

  // Visits the runs along the inner dim that `count` elements from here on cover.
  auto sweep = [&](int64_t count, auto&& visit) {
    Cursor c = at;
    for (int64_t done = 0; done < count;) {
      const int64_t n = std::min(count - done, c.row_left());
      visit(c, done, n);
      done += n;
      if (done < count) c.advance(n);
    }
  };
  const int64_t row_chunk = rows ? 0 : limit_ / inner_ * inner_;
  bool aligned = false, kept[max_operands] = {};        // rows that repeat are gathered once
  struct Filled { const char* from = nullptr; int64_t count = 0; } filled[max_operands];
  // The value that holds for a whole row, spread out unless it still is.
  auto spread_once = [&](const Operand& o, char* buffer, int64_t count, Filled& f) -> const void* {
    const char* from = o.data + at.offset(o.strides);
    if (f.from == from && f.count >= count) return buffer;
    spread(o.dtype, o.wanted, from, buffer, count);
    f = {from, count};
    return buffer;
  };
  auto gather = [&](int i, int64_t count) -> const void* {
    const Operand& o = inputs_[i];
    char* buffer = buffers[i];
    bool& keep = kept[i];
    if (rows && o.constant) return spread_once(o, buffer, count, filled[i]);
    if (keep && aligned) return buffer;
    const int bytes = bytes_of(o.dtype);
    const int64_t step = o.strides[last];
    const bool converts = o.dtype != o.wanted;
    const char* packed;
    if (o.whole || (count <= at.row_left() && step == bytes)) packed = o.data + at.offset(o.strides);
    else if (aligned) {
      packed = converts ? raw : buffer;
      gather_rows(o, converts ? raw : buffer, at, count);
      keep = o.repeats;
    } else {
      char* to = converts ? raw : buffer;
      if (count <= at.row_left()) copy_strided(bytes, to, bytes, o.data + at.offset(o.strides), step, count);
      else sweep(count, [&](const Cursor& c, int64_t done, int64_t n) {
        copy_strided(bytes, to + done * bytes, bytes, o.data + c.offset(o.strides), step, n);
      });
      packed = to;
    }
    if (!converts) return packed;
    convert_packed(o.dtype, o.wanted, buffer, packed, count);
    return buffer;
  };

  for (int64_t position = begin; position < end;) {
    const int64_t left = end - position;
    aligned = !rows && at.row_left() == inner_;
    const int64_t count = rows      ? std::min({all_direct_ ? left : limit_, left, at.row_left()})
                          : aligned ? std::min(row_chunk, left)
                                    : std::min(left, at.row_left());
    const void* in[max_operands];
    for (int i = 0; i < input_count_; ++i) in[i] = inputs_[i].number ? buffers[i] : gather(i, count);
    const int bytes = bytes_of(output_.dtype);
    const int64_t step = output_.strides[last];
    char* place = output_.data + at.offset(output_.strides);
    const bool in_row = output_.whole || (count <= at.row_left() && step == bytes), converts = output_.dtype != output_.wanted;
    if (in_row && !converts) loop(place, in, scalars, count);
    else {
      char* made = buffers[max_operands];
      loop(made, in, scalars, count);
      if (in_row) convert_packed(output_.wanted, output_.dtype, place, made, count);
      else {
        const char* packed = made;
        if (converts) {
          convert_packed(output_.wanted, output_.dtype, raw, made, count);
          packed = raw;
        }
        sweep(count, [&](const Cursor& c, int64_t done, int64_t n) {
          copy_strided(bytes, output_.data + c.offset(output_.strides), step, packed + done * bytes, bytes, n);
        });
      }
    }
    position += count;
    if (position < end) at.advance(count);
  }
}

}  // namespace fb
