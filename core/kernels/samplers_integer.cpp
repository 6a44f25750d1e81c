#include "exact.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "draws.h"
#include "rounding.h"
#include "samplers.h"

namespace fb {
namespace {

// Counts below this take one 32-bit draw, others two.
constexpr uint64_t narrow_counts = uint64_t{1} << 28;

// x mod d by two products. Source: Lemire, Kaser and Kurz, Faster remainder by direct computation (2019).
class Modulus {
 public:
  explicit Modulus(uint32_t d) : inverse_(UINT64_MAX / d + 1), d_(d) {}
  uint32_t operator()(uint32_t x) const {
    return static_cast<uint32_t>(static_cast<unsigned __int128>(inverse_ * x) * d_ >> 64);
  }

 private:
  uint64_t inverse_;
  uint32_t d_;
};

template <class Number>
void random_modulo(Number* out, int64_t n, int64_t first, uint32_t count, Generator& generator) {
  Modulus remainder(count);
  for_each_batch<1>(n, generator, [&](const uint32_t* words, int64_t start, int64_t size) {
    for (int64_t i = 0; i < size; i++)
      out[start + i] = static_cast<Number>(first + static_cast<int64_t>(remainder(words[i])));
  });
}

template <class Number>
void random_modulo64(Number* out, int64_t n, int64_t first, uint64_t count, Generator& generator) {
  for_each_batch<2>(n, generator, [&](const uint32_t* words, int64_t start, int64_t size) {
    for (int64_t i = 0; i < size; i++) {
      uint64_t value = static_cast<uint64_t>(first) + word64(words, i) % count;
      if constexpr (std::is_same_v<Number, uint64_t>)
        out[start + i] = value;
      else
        out[start + i] = static_cast<Number>(static_cast<int64_t>(value));
    }
  });
}

// Distance between neighbouring numbers of the binade that holds x.
int64_t spacing(uint64_t x, int digits) {
  int exponent = std::bit_width(x) - 1;
  return exponent < digits ? 1 : int64_t{1} << (exponent - digits + 1);
}

uint64_t magnitude(int64_t x) { return x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x); }

// Rounds to `digits` significant bits, ties to even; the result may be 2^63.
__int128 round_digits(int64_t x, int digits) {
  uint64_t step = static_cast<uint64_t>(spacing(magnitude(x) | 1, digits));
  uint64_t below = magnitude(x) / step;
  uint64_t rest = magnitude(x) % step;
  if (rest > step / 2 || (rest == step / 2 && step > 1 && below % 2)) below++;
  auto rounded = static_cast<__int128>(below) * step;
  return x < 0 ? -rounded : rounded;
}

FB_EXACT_CLONES void below(bool* hits, const uint32_t* words, int64_t n, int64_t limit) {
  constexpr uint64_t low53 = (uint64_t{1} << 53) - 1;
  for (int64_t i = 0; i < n; i++) hits[i] = static_cast<int64_t>(word64(words, i) & low53) < limit;
}

FB_EXACT_CLONES void below(bool* hits, const uint32_t* words, int64_t n, const float* limits) {
  for (int64_t i = 0; i < n; i++) hits[i] = word_uniform(words[i]) < limits[i];
}

FB_EXACT_CLONES void below(bool* hits, const uint32_t* words, int64_t n, const double* limits) {
  for (int64_t i = 0; i < n; i++) hits[i] = word_uniform(words[2 * i], words[2 * i + 1]) < limits[i];
}

}  // namespace

IntegerBounds representable_bounds(int64_t from, int64_t to, int digits) {
  __int128 low = round_digits(from + 1, digits);
  if (low < from) from = static_cast<int64_t>(low + spacing(magnitude(from + 1), digits));
  __int128 high = round_digits(to - 1, digits);
  if (high >= to) to = static_cast<int64_t>(high - spacing(magnitude(to - 1), digits));
  return {from, to};
}

template <class Number>
void random_range(Number* out, int64_t n, int64_t first, uint64_t count, Generator& generator) {
  if (count < narrow_counts)
    random_modulo(out, n, first, static_cast<uint32_t>(count), generator);
  else
    random_modulo64(out, n, first, count, generator);
}

template <class Number>
void random_all(Number* out, int64_t n, Generator& generator) {
  if constexpr (std::is_same_v<Number, double>)
    return random_modulo64(out, n, 0, (uint64_t{1} << 53) + 1, generator);
  else if constexpr (std::is_same_v<Number, float>)
    return random_modulo(out, n, 0, (uint32_t{1} << 24) + 1, generator);
  else if constexpr (sizeof(Number) == 8)
    return random_modulo64(out, n, 0, uint64_t{1} << 63, generator);
  else if constexpr (std::is_same_v<Number, uint32_t>)
    return random_modulo64(out, n, 0, uint64_t{1} << 32, generator);
  else
    return random_modulo(out, n, 0, static_cast<uint32_t>(std::numeric_limits<Number>::max()) + 1, generator);
}

void random_all(float* out, int64_t n, Rounding rounding, Generator& generator) {
  random_modulo(out, n, 0, (uint32_t{1} << significand_digits(rounding)) + 1, generator);
}

template <class Number>
void random_all64(Number* out, int64_t n, Generator& generator) {
  for_each_batch<2>(n, generator, [&](const uint32_t* words, int64_t start, int64_t size) {
    for (int64_t i = 0; i < size; i++)
      out[start + i] = static_cast<Number>(static_cast<int64_t>(word64(words, i)));
  });
}
template void random_all64(int64_t*, int64_t, Generator&);
template void random_all64(float*, int64_t, Generator&);
template void random_all64(double*, int64_t, Generator&);

template <class Number>
void randperm(Number* out, int64_t n, Generator& generator) {
  constexpr int64_t biased_from = std::numeric_limits<uint32_t>::max() / 20;
  if (n >= biased_from) {
    // Inside-out shuffle (Durstenfeld, CACM 7, 1964), with 64 bits where 32 would show a bias.
    for (int64_t i = 0; i < n; i++) {
      auto j = static_cast<int64_t>(generator.random64() % static_cast<uint64_t>(i + 1));
      out[i] = static_cast<Number>(i);
      std::swap(out[i], out[j]);
    }
    return;
  }
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<Number>(i);
  for_each_batch<1>(n - 1, generator, [&](const uint32_t* words, int64_t start, int64_t size) {
    for (int64_t i = 0; i < size; i++)
      std::swap(out[start + i], out[start + i + words[i] % static_cast<uint32_t>(n - start - i)]);
  });
}

template <class Number>
void bernoulli(Number* out, int64_t n, double p, Generator& generator) {
  // u < p for u = k / 2^53 is k < ceil(p · 2^53), and the product is exact.
  auto limit = static_cast<int64_t>(std::ceil(p * 0x1p53));
  for_each_batch<2>(n, generator, [&](const uint32_t* words, int64_t start, int64_t size) {
    bool hits[batch_words];  // comparing and converting in one loop does not vectorise
    below(hits, words, size, limit);
    for (int64_t i = 0; i < size; i++) out[start + i] = static_cast<Number>(hits[i]);
  });
}

template <class Number, class T>
void bernoulli(Number* out, const T* p, int64_t n, Generator& generator) {
  constexpr int width = sizeof(T) / sizeof(uint32_t);
  for_each_batch<width>(n, generator, [&](const uint32_t* words, int64_t start, int64_t size) {
    bool hits[batch_words];
    below(hits, words, size, p + start);
    for (int64_t i = 0; i < size; i++) out[start + i] = static_cast<Number>(hits[i]);
  });
}

#define FB_NUMBER(T)                                                         \
  template void random_range(T*, int64_t, int64_t, uint64_t, Generator&);    \
  template void random_all(T*, int64_t, Generator&);                         \
  template void randperm(T*, int64_t, Generator&);                           \
  template void bernoulli(T*, int64_t, double, Generator&);                  \
  template void bernoulli(T*, const float*, int64_t, Generator&);            \
  template void bernoulli(T*, const double*, int64_t, Generator&);
FB_NUMBER(bool)
FB_NUMBER(uint8_t)
FB_NUMBER(int8_t)
FB_NUMBER(uint16_t)
FB_NUMBER(int16_t)
FB_NUMBER(uint32_t)
FB_NUMBER(int32_t)
FB_NUMBER(uint64_t)
FB_NUMBER(int64_t)
FB_NUMBER(float)
FB_NUMBER(double)
#undef FB_NUMBER

}  // namespace fb
