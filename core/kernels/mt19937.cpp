#include "exact.h"

#include "mt19937.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <stdexcept>
#include <string>

namespace fb {
namespace {

constexpr int middle = 397;
constexpr int count = Mt19937::word_count;

[[gnu::always_inline]] inline uint32_t twist(uint32_t high, uint32_t low) {
  uint32_t mixed = (high & 0x80000000u) | (low & 0x7fffffffu);
  return (mixed >> 1) ^ (low & 1u ? 0x9908b0dfu : 0u);
}

[[gnu::always_inline]] inline uint32_t temper(uint32_t x) {
  x ^= x >> 11;
  x ^= (x << 7) & 0x9d2c5680u;
  x ^= (x << 15) & 0xefc60000u;
  return x ^ (x >> 18);
}

// Split at the wrap-around so that each loop reads at a fixed distance and vectorises.
FB_EXACT_CLONES void advance(uint32_t* words) {
  for (int i = 0; i < count - middle; i++) words[i] = words[i + middle] ^ twist(words[i], words[i + 1]);
  for (int i = count - middle; i < count - 1; i++)
    words[i] = words[i + middle - count] ^ twist(words[i], words[i + 1]);
  words[count - 1] = words[middle - 1] ^ twist(words[count - 1], words[0]);
}

FB_EXACT_CLONES void temper_all(const uint32_t* words, uint32_t* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = temper(words[i]);
}

}  // namespace

void Mt19937::reseed(uint32_t seed) {
  words_[0] = seed;
  for (uint32_t i = 1; i < count; i++)
    words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;  // Knuth, TAOCP 2, 3rd ed., p. 106
  left_ = 1;
  next_ = 0;
}

void Mt19937::step() {
  advance(words_);
  left_ = count + 1;
  next_ = 0;
}

uint32_t Mt19937::draw() {
  if (left_ == 1) step();
  left_--;
  return temper(words_[next_++]);
}

void Mt19937::fill(uint32_t* out, int64_t n) {
  while (n > 0) {
    if (left_ == 1) step();
    auto taken = static_cast<int32_t>(std::min<int64_t>(n, left_ - 1));
    temper_all(words_ + next_, out, taken);
    left_ -= taken;
    next_ += taken;
    out += taken;
    n -= taken;
  }
}

void Mt19937::restore(std::span<const uint32_t> words, int64_t left, uint64_t next) {
  bool inside = words.size() == count && left >= 1 && left <= count && next <= count;
  if (!inside || left - 1 + static_cast<int64_t>(next) > count)
    throw std::invalid_argument("Invalid mt19937 state");
  std::copy(words.begin(), words.end(), words_);
  left_ = static_cast<int32_t>(left);
  next_ = static_cast<uint32_t>(next);
}

Generator::Generator(const Generator& other) : engine_(0) { *this = other; }

Generator& Generator::operator=(const Generator& other) {
  engine_ = other.engine_;
  seed_ = other.seed_;
  next_normal_ = other.next_normal_;
  next_normal_float_ = other.next_normal_float_;
  return *this;
}

void Generator::manual_seed(uint64_t seed) {
  seed_ = seed;
  engine_.reseed(static_cast<uint32_t>(seed));
  next_normal_.reset();
  next_normal_float_.reset();
}

uint64_t Generator::seed() {
  std::random_device device;
  uint64_t high = device();
  manual_seed(high << 32 | device());
  return seed_;
}

uint64_t Generator::random64() {
  uint64_t high = random();
  return high << 32 | random();
}

double Generator::uniform_double() {
  return static_cast<double>(random64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
}

double Generator::normal_double() {
  if (next_normal_) {
    double kept = *next_normal_;
    next_normal_.reset();
    return kept;
  }
  // Box and Muller, Ann. Math. Stat. 29 (1958); log1p keeps log(1 - u) exact for small u and finite.
  double angle = 2.0 * std::numbers::pi * uniform_double();
  double radius = std::sqrt(-2.0 * std::log1p(-uniform_double()));
  next_normal_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

namespace {

// Every word of the engine sits in eight bytes, as on the platform where this layout began.
struct StateLayout {
  uint64_t seed;
  int32_t left;
  int32_t seeded;
  uint64_t next;
  uint64_t words[count];
  double unused[1];
  double normal;
  double unused_radius;
  int32_t normal_valid;
  int32_t padding;
  float normal_float;
  uint8_t normal_float_valid;
  uint8_t padding_end[3];
};
static_assert(sizeof(StateLayout) == Generator::state_bytes);

}  // namespace

std::vector<uint8_t> Generator::state() const {
  StateLayout layout{};
  layout.seed = seed_;
  layout.left = engine_.left();
  layout.seeded = 1;
  layout.next = engine_.next();
  std::copy(engine_.words().begin(), engine_.words().end(), layout.words);
  layout.normal = next_normal_.value_or(0.0);
  layout.normal_valid = next_normal_.has_value();
  layout.normal_float = next_normal_float_.value_or(0.0f);
  layout.normal_float_valid = next_normal_float_.has_value();
  std::vector<uint8_t> bytes(state_bytes);
  std::memcpy(bytes.data(), &layout, state_bytes);
  return bytes;
}

void Generator::set_state(std::span<const uint8_t> bytes) {
  if (static_cast<int64_t>(bytes.size()) != state_bytes)
    throw std::invalid_argument("a generator state has " + std::to_string(state_bytes) + " bytes, not " +
                                std::to_string(bytes.size()));
  StateLayout layout;
  std::memcpy(&layout, bytes.data(), state_bytes);
  if (!layout.seeded) throw std::invalid_argument("Invalid mt19937 state");
  uint32_t words[count];
  for (int i = 0; i < count; i++) words[i] = static_cast<uint32_t>(layout.words[i]);
  engine_.restore(words, layout.left, layout.next);
  seed_ = layout.seed;
  next_normal_.reset();
  next_normal_float_.reset();
  if (layout.normal_valid) next_normal_ = layout.normal;
  if (layout.normal_float_valid) next_normal_float_ = layout.normal_float;
}

void retain(const Generator* generator) { generator->refs.fetch_add(1, std::memory_order_relaxed); }

void release(const Generator* generator) {
  if (generator->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete generator;
}

Generator& default_generator() {
  static Generator* generator = [] {
    auto* g = new Generator;
    retain(g);
    return g;
  }();
  return *generator;
}

}  // namespace fb
