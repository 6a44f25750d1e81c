#include "kernels/relocate.h"

#include <algorithm>

#include "base/isa.h"
#include "base/parallel.h"
#include "base/small.h"

namespace fb {
namespace {

struct Dim { int64_t size, to, from; };                // strides in bytes
using Plan = Small<Dim, 8>;

constexpr int64_t line_bytes = 64;
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

// A tile no wider than a cache line either way: its lines are read whole into `tile` and leave it as whole lines.
template <class W> inline void turn_tile(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t rows, int64_t columns) {
  constexpr int64_t side = line_bytes / sizeof(W);
  using Element = typename Loose<W>::type;
  alignas(64) W tile[side][side];
  if (rows == side && columns == side) {
    for (int64_t c = 0; c < side; ++c) __builtin_memcpy(tile[c], from + c * from_stride, line_bytes);
    for (int64_t r = 0; r < side; ++r) {
      Element* o = reinterpret_cast<Element*>(to + r * to_stride);
      for (int64_t c = 0; c < side; ++c) o[c] = tile[c][r];
    }
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    Element* o = reinterpret_cast<Element*>(to + r * to_stride);
    for (int64_t c = 0; c < columns; ++c) o[c] = reinterpret_cast<const Element*>(from + c * from_stride)[r];
  }
}

// `rows` ≤ side output rows of `columns` elements; the input is packed along the rows' dim.
template <class W> inline void turn_rows(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t rows, int64_t columns) {
  constexpr int64_t side = line_bytes / sizeof(W);
  for (int64_t c = 0; c < columns; c += side)
    turn_tile<W>(to + c * int64_t(sizeof(W)), to_stride, from + c * from_stride, from_stride, rows, std::min(side, columns - c));
}

struct Place { int64_t to = 0, from = 0; };
Place place_at(const Plan& plan, int skipped, int64_t linear) {
  Place p;
  for (int k = plan.size() - 2; k >= 0; --k) {
    if (k == skipped) continue;
    const int64_t at = linear % plan[k].size;
    linear /= plan[k].size;
    p.to += at * plan[k].to;
    p.from += at * plan[k].from;
  }
  return p;
}

template <class W> void turn(const Plan& plan, int across, char* to, const char* from) {
  constexpr int64_t side = line_bytes / sizeof(W);
  const Dim &row = plan[across], &last = plan[plan.size() - 1];
  int64_t outer = 1;
  for (int k = 0; k < plan.size() - 1; ++k) outer *= k == across ? 1 : plan[k].size;
  const int64_t strips = (row.size + side - 1) / side;
  const auto loop = Clones<&turn_rows<W>>::pick();
  parallel_for(outer * strips, std::max<int64_t>(1, elementwise_grain / (side * last.size)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Place p = place_at(plan, across, i / strips);
      const int64_t r = i % strips * side;
      loop(to + p.to + r * row.to, row.to, from + p.from + r * row.from, last.from, std::min(side, row.size - r), last.size);
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
    for (int64_t i = begin; i < end; ++i) {
      const Place p = place_at(plan, -1, i / pieces);
      const int64_t first = i % pieces * most;
      loop(to + p.to + first * last.to, from + p.from + first * last.from, last.from / int64_t(sizeof(W)), std::min(most, last.size - first));
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
  if (last.size < least_row) return false;
  pack<W>(plan, to, from);
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
