#include "kernels/relocate.h"

#include <algorithm>
#include <utility>

#include "base/isa.h"
#include "base/parallel.h"
#include "base/small.h"

namespace fb {
namespace {

struct Dim { int64_t size, to, from; };                // strides in bytes
using Plan = Small<Dim, 8>;

constexpr int64_t least_row = 16;                      // elements that are worth a loop of their own
struct [[gnu::packed, gnu::may_alias]] Wide { uint64_t a, b; };
// Elements of any alignment: memory that others made need not be aligned to the dtype.
template <class W> struct Loose { using type [[gnu::aligned(1), gnu::may_alias]] = W; };
template <> struct Loose<Wide> { using type = Wide; };

// Largest output stride first; neighbours that are one run in both places become one dim.
void make_plan(const Dims& shape, const Dims& to, const Dims& from, Plan& plan) {
  Plan dims;
  for (int k = 0; k < shape.size(); ++k)
    if (shape[k] != 1) dims.emplace(Dim{shape[k], to[k], from[k]});
  std::stable_sort(dims.begin(), dims.end(), [](const Dim& a, const Dim& b) { return a.to > b.to; });
  for (const Dim& d : dims) {
    if (!plan.empty() && plan.back().to == d.to * d.size && plan.back().from == d.from * d.size)
      plan.back() = {plan.back().size * d.size, d.to, d.from};
    else plan.emplace(d);
  }
}

// n elements, `step` elements apart, to a packed run. Common steps have loops of their own, which become shuffles.
template <class W> inline void pack_run(char* to, const char* from, int64_t step, int64_t n) {
  using Element = typename Loose<W>::type;
  Element* o = reinterpret_cast<Element*>(to);
  const Element* a = reinterpret_cast<const Element*>(from);
  if (step == 1) {
    __builtin_memcpy(to, from, static_cast<size_t>(n) * sizeof(W));
  } else if (step == 0) {
    const W value = *a;
    for (int64_t i = 0; i < n; ++i) o[i] = value;
  } else if (step == -1) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = a[-i];
  } else if (step == 2) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = a[2 * i];
  } else {
    for (int64_t i = 0; i < n; ++i) o[i] = a[i * step];
  }
}

// Square tiles are turned in registers: log2(side) rounds of shuffles, each of which exchanges blocks of half the size
// across the diagonal.
template <class W> inline constexpr int tile_side = sizeof(W) == 8 ? 8 : 16;
template <class W> struct Tile {
  static constexpr int side = tile_side<W>;
  typedef W Row __attribute__((vector_size(side * sizeof(W))));
  typedef Row LooseRow __attribute__((aligned(1), may_alias));
};
// Lanes of two rows whose blocks of `d` lanes are exchanged: what the upper row becomes, or the lower.
template <class W, int d, bool upper, class Indices = std::make_index_sequence<tile_side<W>>> struct Lanes;
template <class W, int d, bool upper, size_t... I> struct Lanes<W, d, upper, std::index_sequence<I...>> {
  static constexpr int side = tile_side<W>;
  static constexpr typename Tile<W>::Row value{W(I / d % 2 ? (upper ? side + I - d : side + I) : (upper ? I : I + d))...};
};
template <> struct Tile<Wide> {};                      // too large for rows in registers

constexpr int64_t strip_rows = 128, block_columns = 64;   // output rows and columns whose lines stay in the cache

#define FB_EXCHANGE(d)                                                                                       \
  if constexpr (d < side)                                                                                    \
    for (int i = 0; i < side; ++i)                                                                           \
      if (!(i & d)) {                                                                                        \
        const Row x = tile[i], y = tile[i + d];                                                              \
        tile[i] = __builtin_shuffle(x, y, Lanes<W, d, true>::value);                                         \
        tile[i + d] = __builtin_shuffle(x, y, Lanes<W, d, false>::value);                                    \
      }

// `rows` output rows of `columns` elements; the input is packed along the rows' dim. GCC lowers vectors before it
// inlines functions into each other, so each level's function holds the whole text.
#define FB_TURN_ROWS(name, level)                                                                            \
  template <class W> level void name(char* to, int64_t to_stride, const char* from, int64_t from_stride,     \
                                     int64_t rows, int64_t columns) {                                        \
    using Element = typename Loose<W>::type;                                                                 \
    constexpr int side = tile_side<W>;                                                                       \
    constexpr int64_t size = sizeof(W);                                                                      \
    const int64_t whole_rows = size > 8 ? 0 : rows / side * side;                                            \
    for (int64_t block = 0; block < columns; block += block_columns) {                                       \
      const int64_t end = std::min(columns, block + block_columns);                                          \
      const int64_t whole = block + (end - block) / side * side;                                             \
      if constexpr (size <= 8)                                                                               \
        for (int64_t c = block; c < whole; c += side)                                                        \
          for (int64_t r = 0; r < whole_rows; r += side) {                                                   \
            using Row = typename Tile<W>::Row;                                                               \
            Row tile[side];                                                                                  \
            const char* in = from + c * from_stride + r * size;                                              \
            char* out = to + r * to_stride + c * size;                                                       \
            for (int i = 0; i < side; ++i)                                                                   \
              tile[i] = *reinterpret_cast<const typename Tile<W>::LooseRow*>(in + i * from_stride);          \
            FB_EXCHANGE(1) FB_EXCHANGE(2) FB_EXCHANGE(4) FB_EXCHANGE(8)                                      \
            for (int i = 0; i < side; ++i)                                                                   \
              *reinterpret_cast<typename Tile<W>::LooseRow*>(out + i * to_stride) = tile[i];                 \
          }                                                                                                  \
      for (int64_t r = 0; r < rows; ++r) {                                                                   \
        Element* o = reinterpret_cast<Element*>(to + r * to_stride);                                         \
        for (int64_t c = r < whole_rows ? whole : block; c < end; ++c)                                       \
          o[c] = reinterpret_cast<const Element*>(from + c * from_stride)[r];                                \
      }                                                                                                      \
    }                                                                                                        \
  }

using TurnRows = void (*)(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t rows, int64_t columns);
FB_TURN_ROWS(turn_rows, )
#ifdef __x86_64__
FB_TURN_ROWS(turn_rows_v3, __attribute__((target("arch=x86-64-v3"))))
FB_TURN_ROWS(turn_rows_v4, __attribute__((target("arch=x86-64-v4"))))
template <class W> TurnRows pick_turn_rows() {
  return cpu_level() >= 4 ? turn_rows_v4<W> : cpu_level() == 3 ? turn_rows_v3<W> : turn_rows<W>;
}
#else
template <class W> TurnRows pick_turn_rows() { return turn_rows<W>; }
#endif
#undef FB_TURN_ROWS
#undef FB_EXCHANGE

struct Place { int64_t to = 0, from = 0; };
// The dims but the last, and perhaps one more, counted through from a place on.
class Odometer {
 public:
  Odometer(const Plan& plan, int skipped, int64_t linear) {
    for (int k = plan.size() - 2; k >= 0; --k) {
      if (k == skipped) continue;
      dims_[count_] = plan[k];
      at_[count_] = linear % plan[k].size;
      linear /= plan[k].size;
      place_.to += at_[count_] * plan[k].to;
      place_.from += at_[count_] * plan[k].from;
      ++count_;
    }
  }
  const Place& place() const { return place_; }
  void next() {
    for (int k = 0; k < count_; ++k) {
      place_.to += dims_[k].to;
      place_.from += dims_[k].from;
      if (++at_[k] < dims_[k].size) return;
      at_[k] = 0;
      place_.to -= dims_[k].size * dims_[k].to;
      place_.from -= dims_[k].size * dims_[k].from;
    }
  }

 private:
  Dim dims_[Dims::max_count];
  int64_t at_[Dims::max_count];
  int count_ = 0;
  Place place_;
};

template <class W> void turn(const Plan& plan, int across, char* to, const char* from) {
  const Dim &row = plan[across], &last = plan[plan.size() - 1];
  int64_t outer = 1;
  for (int k = 0; k < plan.size() - 1; ++k) outer *= k == across ? 1 : plan[k].size;
  const int64_t strips = (row.size + strip_rows - 1) / strip_rows;
  static const TurnRows loop = pick_turn_rows<W>();
  const int64_t work = std::min(strip_rows, row.size) * last.size;
  parallel_for(outer * strips, std::max<int64_t>(1, elementwise_grain / work), [&](int64_t begin, int64_t end) {
    Odometer o(plan, across, begin / strips);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t r = i % strips * strip_rows;
      loop(to + o.place().to + r * row.to, row.to, from + o.place().from + r * row.from, last.from, std::min(strip_rows, row.size - r),
           last.size);
      if ((i + 1) % strips == 0) o.next();
    }
  });
}

template <class W> void pack(const Plan& plan, char* to, const char* from) {
  const Dim& last = plan[plan.size() - 1];
  const int64_t most = 4 * elementwise_grain, pieces = (last.size + most - 1) / most;   // long rows are shared out
  int64_t rows = 1;
  for (int k = 0; k < plan.size() - 1; ++k) rows *= plan[k].size;
  const auto loop = Clones<&pack_run<W>>::pick();
  parallel_for(rows * pieces, std::max<int64_t>(1, elementwise_grain / last.size), [&](int64_t begin, int64_t end) {
    Odometer o(plan, -1, begin / pieces);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % pieces * most;
      loop(to + o.place().to + first * last.to, from + o.place().from + first * last.from, last.from / int64_t(sizeof(W)),
           std::min(most, last.size - first));
      if ((i + 1) % pieces == 0) o.next();
    }
  });
}

// Rows of a few elements: two loops in one function, since a call a row would cost more than the row.
template <class W>
inline void short_rows(char* to, const char* from, int64_t rows, int64_t to_stride, int64_t from_stride, int64_t n, int64_t step) {
  using Element = typename Loose<W>::type;
  for (int64_t r = 0; r < rows; ++r, to += to_stride, from += from_stride) {
    Element* o = reinterpret_cast<Element*>(to);
    const Element* a = reinterpret_cast<const Element*>(from);
    for (int64_t i = 0; i < n; ++i) o[i] = a[i * step];
  }
}
template <class W> void pack_short(const Plan& plan, char* to, const char* from) {
  const int across = plan.size() - 2;
  const Dim &last = plan[plan.size() - 1], &row = plan[across];
  const int64_t most = 4096, pieces = (row.size + most - 1) / most;
  int64_t outer = 1;
  for (int k = 0; k < across; ++k) outer *= plan[k].size;
  const int64_t work = std::min(most, row.size) * last.size;
  parallel_for(outer * pieces, std::max<int64_t>(1, elementwise_grain / work), [&](int64_t begin, int64_t end) {
    Odometer o(plan, across, begin / pieces);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % pieces * most;
      short_rows<W>(to + o.place().to + first * row.to, from + o.place().from + first * row.from, std::min(most, row.size - first),
                    row.to, row.from, last.size, last.from / int64_t(sizeof(W)));
      if ((i + 1) % pieces == 0) o.next();
    }
  });
}

template <class W> bool run(const Plan& plan, char* to, const char* from) {
  constexpr int64_t bytes = sizeof(W);
  const Dim& last = plan[plan.size() - 1];
  if (last.to != bytes) return false;
  int across = -1;
  for (int k = 0; k < plan.size() - 1; ++k)
    if (last.from != bytes && plan[k].from == bytes && plan[k].size > 1) across = k;
  if (across >= 0 && (plan[across].size >= least_row || last.size >= least_row)) {
    turn<W>(plan, across, to, from);
    return true;
  }
  if (last.size >= least_row || plan.size() == 1) pack<W>(plan, to, from);
  else pack_short<W>(plan, to, from);
  return true;
}

}  // namespace

bool relocate(int bytes, const Dims& shape, char* to, const Dims& to_strides, const char* from, const Dims& from_strides) {
  Plan plan;
  make_plan(shape, to_strides, from_strides, plan);
  if (plan.empty()) plan.emplace(Dim{1, bytes, bytes});
  switch (bytes) {
    case 1: return run<uint8_t>(plan, to, from);
    case 2: return run<uint16_t>(plan, to, from);
    case 4: return run<uint32_t>(plan, to, from);
    case 8: return run<uint64_t>(plan, to, from);
    default: return run<Wide>(plan, to, from);
  }
}

}  // namespace fb
