#include "kernels/order.h"

#include <bit>

namespace fb {
namespace {

struct Half16 { uint16_t bits; };                      // float16 and bfloat16: order by sign and size alike
struct BFloat16 { uint16_t bits; };

inline uint64_t key(uint8_t v) { return v; }
inline uint64_t key(int8_t v) { return static_cast<uint32_t>(v) ^ 0x80000000u; }
inline uint64_t key(int16_t v) { return static_cast<uint32_t>(v) ^ 0x80000000u; }
inline uint64_t key(int32_t v) { return static_cast<uint32_t>(v) ^ 0x80000000u; }
inline uint64_t key(int64_t v) { return static_cast<uint64_t>(v) ^ (uint64_t(1) << 63); }
inline uint64_t key(float v) {
  const uint32_t b = v == 0 ? 0 : std::bit_cast<uint32_t>(v), flip =
      static_cast<uint32_t>(static_cast<int32_t>(b) >> 31);
  return v != v ? 0xffffffffu : b ^ (flip | 0x80000000u);
}
inline uint64_t key(double v) {
  const uint64_t b = v == 0 ? 0 : std::bit_cast<uint64_t>(v), flip =
      static_cast<uint64_t>(static_cast<int64_t>(b) >> 63);
  return v != v ? ~uint64_t(0) : b ^ (flip | uint64_t(1) << 63);
}
inline uint64_t key_of_half(uint32_t bits, uint32_t infinity) {
  const uint32_t size = bits & 0x7fff;
  if (size > infinity) return 0xffffffffu;
  return bits & 0x8000 && size ? 0x8000 - size : 0x8000 + size;
}
inline uint64_t key(Half16 v) { return key_of_half(v.bits, 0x7c00); }
inline uint64_t key(BFloat16 v) { return key_of_half(v.bits, 0x7f80); }

template <class S, class E> void load(const char* x, int64_t stride, int64_t n, bool descending, E* entries) {
  const S* from = reinterpret_cast<const S*>(x);
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<E, uint64_t>) {
      const uint64_t flip = descending ? 0xffffffffu : 0;
      entries[i] = (key(from[i * stride]) ^ flip) << 32 | static_cast<uint64_t>(i);
    } else {
      uint64_t k = key(from[i * stride]);
      entries[i] = {descending ? ~k : k, static_cast<uint64_t>(i)};
    }
  }
}

template <class E> void load_any(DType dtype, const char* x, int64_t stride, int64_t n, bool descending,
    E* entries) {
  switch (dtype) {
    case DType::boolean: case DType::u8: return load<uint8_t>(x, stride, n, descending, entries);
    case DType::i8: return load<int8_t>(x, stride, n, descending, entries);
    case DType::i16: return load<int16_t>(x, stride, n, descending, entries);
    case DType::i32: return load<int32_t>(x, stride, n, descending, entries);
    case DType::f16: return load<Half16>(x, stride, n, descending, entries);
    case DType::bf16: return load<BFloat16>(x, stride, n, descending, entries);
    case DType::f32: return load<float>(x, stride, n, descending, entries);
    default: break;
  }
  if constexpr (std::is_same_v<E, WideEntry>) {
    if (dtype == DType::i64) load<int64_t>(x, stride, n, descending, entries);
    else load<double>(x, stride, n, descending, entries);
  }
}

constexpr int digit_bits = 11, buckets = 1 << digit_bits;
constexpr int64_t radix_from = 600;                    // below, comparing is faster than counting digits

// Least significant digit first (Knuth, vol. 3, §5.2.5); a digit that all keys share is skipped.
template <class E> void radix_sort(E* entries, E* spare, int64_t n, int key_bits) {
  uint64_t any = 0, all = ~uint64_t(0);
  for (int64_t i = 0; i < n; ++i) {
    any |= key_of(entries[i]);
    all &= key_of(entries[i]);
  }
  const uint64_t varies = any ^ all;
  E *from = entries, *to = spare;
  uint32_t counts[buckets];
  for (int shift = 0; shift < key_bits; shift += digit_bits) {
    if (!(varies >> shift & (buckets - 1))) continue;
    memset(counts, 0, sizeof counts);
    for (int64_t i = 0; i < n; ++i) ++counts[key_of(from[i]) >> shift & (buckets - 1)];
    uint32_t total = 0;
    for (uint32_t& c : counts) total += std::exchange(c, total);
    for (int64_t i = 0; i < n; ++i) to[counts[key_of(from[i]) >> shift & (buckets - 1)]++] = from[i];
    std::swap(from, to);
  }
  if (from != entries) memcpy(static_cast<void*>(entries), from, static_cast<size_t>(n) * sizeof(E));
}

template <class E> void sort_any(E* entries, E* spare, int64_t n, int key_bits) {
  if (n < radix_from || n > 0xffffffff) std::sort(entries, entries + n);
  else radix_sort(entries, spare, n, key_bits);
}

}  // namespace

void load_entries(DType dtype, const char* x, int64_t stride, int64_t n, bool descending, uint64_t* entries) {
  load_any(dtype, x, stride, n, descending, entries);
}
void load_entries(DType dtype, const char* x, int64_t stride, int64_t n, bool descending,
    WideEntry* entries) {
  load_any(dtype, x, stride, n, descending, entries);
}
void sort_entries(uint64_t* entries, uint64_t* spare, int64_t n) { sort_any(entries, spare, n, 32); }
void sort_entries(WideEntry* entries, WideEntry* spare, int64_t n) { sort_any(entries, spare, n, 64); }

}  // namespace fb
