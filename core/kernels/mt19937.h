#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fb {

// The Mersenne Twister of Matsumoto and Nishimura (ACM TOMACS 8, 1998), 32-bit words, period 2^19937 - 1.
// `left` and `next` follow the authors' C program: `left - 1` words may still be drawn, from index `next` on.
class Mt19937 {
 public:
  static constexpr int word_count = 624;

  explicit Mt19937(uint32_t seed) { reseed(seed); }
  void reseed(uint32_t seed);
  uint32_t draw();
  void fill(uint32_t* out, int64_t n);

  std::span<const uint32_t> words() const { return words_; }
  int32_t left() const { return left_; }
  uint32_t next() const { return next_; }
  // Throws std::invalid_argument if `left` and `next` would lead outside the words.
  void restore(std::span<const uint32_t> words, int64_t left, uint64_t next);

 private:
  void step();

  alignas(64) uint32_t words_[word_count];
  int32_t left_;
  uint32_t next_;
};

// A stream of random bits with its seed. Not locked: whoever shares one between threads holds a lock.
class Generator {
 public:
  static constexpr uint64_t default_seed = 67280421310721;
  static constexpr int64_t state_bytes = 5056;

  explicit Generator(uint64_t seed = default_seed) : engine_(static_cast<uint32_t>(seed)), seed_(seed) {}
  Generator(const Generator& other);
  Generator& operator=(const Generator& other);

  void manual_seed(uint64_t seed);
  uint64_t initial_seed() const { return seed_; }
  uint64_t seed();  // reseeds from the operating system and returns the seed

  uint32_t random() { return engine_.draw(); }
  uint64_t random64();
  void fill(uint32_t* out, int64_t n) { engine_.fill(out, n); }
  double uniform_double();  // [0, 1), 53 bits
  double normal_double();   // standard normal; draws in pairs and keeps the second

  // The layout that torch.Generator.get_state uses, so that states can be exchanged.
  std::vector<uint8_t> state() const;
  void set_state(std::span<const uint8_t> bytes);

  mutable std::atomic<uint32_t> refs{0};

 private:
  Mt19937 engine_;
  uint64_t seed_;
  std::optional<double> next_normal_;
  std::optional<float> next_normal_float_;  // never drawn from; kept so that a state survives a round trip
};

void retain(const Generator* generator);
void release(const Generator* generator);  // deletes with the last reference

Generator& default_generator();                       // the one manual_seed() seeds

}  // namespace fb
