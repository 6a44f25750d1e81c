#pragma once
#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/along.h"

// Ordering lines of any real dtype through unsigned keys: the key of an element and its place form one entry,
// so that comparing entries is stable and needs to know nothing of dtypes.
namespace fb {

struct WideEntry {
  uint64_t key, place;
  bool operator<(const WideEntry& o) const { return key < o.key || (key == o.key && place < o.place); }
};
inline uint64_t key_of(uint64_t e) { return e >> 32; }
inline int64_t place_of(uint64_t e) { return static_cast<int64_t>(e & 0xffffffffu); }
inline uint64_t key_of(const WideEntry& e) { return e.key; }
inline int64_t place_of(const WideEntry& e) { return static_cast<int64_t>(e.place); }

inline constexpr uint64_t nan_key(DType d) { return bytes_of(d) <= 4 ? 0xffffffffu : ~uint64_t(0); }

// The entries of n elements `stride` apart. Keys order as the elements do, nan above all, -0 equal to 0;
// `descending` reverses them.
void load_entries(DType dtype, const char* x, int64_t stride, int64_t n, bool descending, uint64_t* entries);
void load_entries(DType dtype, const char* x, int64_t stride, int64_t n, bool descending, WideEntry* entries);

// Sorts n entries; `spare` has room for as many.
void sort_entries(uint64_t* entries, uint64_t* spare, int64_t n);
void sort_entries(WideEntry* entries, WideEntry* spare, int64_t n);

// Moves the k least of n entries to the front, unordered. Few of many are kept in a short list that only
// entries below its greatest member may join.
template <class E> void select_least(E* entries, E* spare, int64_t n, int64_t k) {
  const int64_t room = std::max<int64_t>(2 * k, 64);
  if (k == 0 || k >= n) return;
  if (n < 4 * room) return std::nth_element(entries, entries + (k - 1), entries + n);
  std::copy(entries, entries + room, spare);
  std::nth_element(spare, spare + (k - 1), spare + room);
  E limit = spare[k - 1];
  int64_t count = k;
  for (int64_t i = room; i < n; ++i) {
    if (!(entries[i] < limit)) continue;
    spare[count++] = entries[i];
    if (count < room) continue;
    std::nth_element(spare, spare + (k - 1), spare + count);
    limit = spare[k - 1];
    count = k;
  }
  std::nth_element(spare, spare + (k - 1), spare + count);
  std::copy(spare, spare + k, entries);
}

// Calls body(line, entries, spare) for every line of x, whose elements are those of a real dtype.
template <class Body> void for_entry_lines(const Tensor& x, const Along& a, bool descending,
    const Body& body) {
  auto run = [&]<class E>(E) {
    const DType dtype = x.dtype();
    const char* from = x.data();
    const int64_t grain = std::max<int64_t>(1, elementwise_grain / 8 / std::max<int64_t>(a.n, 1));
    parallel_for(a.lines(), grain, [&](int64_t begin, int64_t end) {
      const std::unique_ptr<E[]> entries(new E[static_cast<size_t>(2 * a.n + 2)]);
      for (int64_t line = begin; line < end; ++line) {
        load_entries(dtype, from + a.start(line) * bytes_of(dtype), a.inner, a.n, descending, entries.get());
        body(line, entries.get(), entries.get() + a.n);
      }
    });
  };
  if (bytes_of(x.dtype()) <= 4 && a.n <= 0xffffffff) run(uint64_t());
  else run(WideEntry());
}

// One element of `bytes` bytes, from place to place.
inline void copy_element(int bytes, char* to, int64_t i, const char* from, int64_t k) {
  switch (bytes) {
    case 1: to[i] = from[k]; return;
    case 2: memcpy(to + 2 * i, from + 2 * k, 2); return;
    case 4: memcpy(to + 4 * i, from + 4 * k, 4); return;
    default: memcpy(to + 8 * i, from + 8 * k, 8);
  }
}

}  // namespace fb
