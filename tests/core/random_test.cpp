#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <stdexcept>
#include <vector>

#include "core/kernels/samplers.h"

using namespace fb;

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) {                                              \
      std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
      std::exit(1);                                                  \
    }                                                                \
  } while (false)

static void engine_equals_the_standard_library() {
  for (uint32_t seed : {0u, 1u, 5489u, 0xffffffffu}) {
    std::mt19937 reference(seed);
    Generator generator(seed);
    for (int i = 0; i < 2000; i++) CHECK(generator.random() == reference());
  }
}

static void fill_equals_single_draws() {
  Generator one(7), many(7);
  for (int64_t n : {0, 1, 623, 624, 625, 2000, 3}) {
    std::vector<uint32_t> words(n);
    many.fill(words.data(), n);
    for (uint32_t word : words) CHECK(word == one.random());
    CHECK(one.state() == many.state());
  }
}

static void only_the_low_half_of_a_seed_counts_but_all_of_it_is_kept() {
  Generator low(5), high((uint64_t{3} << 32) | 5);
  CHECK(low.random() == high.random());
  CHECK(high.initial_seed() == ((uint64_t{3} << 32) | 5));
}

static void state_round_trip_keeps_the_spare_normal() {
  Generator generator(11), other(12);
  generator.normal_double();
  auto state = generator.state();
  CHECK(static_cast<int64_t>(state.size()) == Generator::state_bytes);
  other.set_state(state);
  CHECK(other.state() == state);
  for (int i = 0; i < 5; i++) CHECK(other.normal_double() == generator.normal_double());
}

template <class Change>
static void rejects(Change change) {
  Generator generator(1);
  auto state = generator.state();
  change(state);
  try {
    generator.set_state(state);
  } catch (const std::invalid_argument&) {
    return;
  }
  CHECK(!"a broken state was accepted");
}

static void broken_states_are_rejected() {
  rejects([](auto& state) { state.pop_back(); });
  rejects([](auto& state) { state[8] = 0; });                   // left
  rejects([](auto& state) { state[9] = 3; });                   // left beyond the words
  rejects([](auto& state) { state[12] = 0; });                  // not seeded
  rejects([](auto& state) { state[8] = 200, state[17] = 2; });  // left and next together beyond the words
}

static void rounding_never_returns_the_upper_bound() {
  Generator generator(3);
  std::vector<float> x(100000);
  uniform(x.data(), 100000, 4096.0, 4097.0, generator);
  for (float value : x) CHECK(value >= 4096.0f && value < 4097.0f);
  uniform(x.data(), 100000, 0.0, 1.0, Rounding::bfloat16, generator);
  for (float value : x) CHECK(value >= 0.0f && value < 1.0f);
}

static void moments(const std::vector<double>& x, double mean, double variance) {
  double sum = 0, squares = 0;
  for (double value : x) sum += value;
  double average = sum / x.size();
  for (double value : x) squares += (value - average) * (value - average);
  CHECK(std::fabs(average - mean) < 5 * std::sqrt(variance / x.size()));
  CHECK(std::fabs(squares / x.size() - variance) < 0.05 * variance);
}

static void distributions_have_their_moments() {
  constexpr int64_t n = 100000;
  Generator generator(5);
  std::vector<double> x(n);
  std::vector<double> parameter(n);
  auto with = [&](double value) { return parameter.assign(n, value), parameter.data(); };
  uniform(x.data(), n, -1.0, 3.0, generator), moments(x, 1.0, 16.0 / 12);
  normal(x.data(), n, 2.0, 3.0, generator), moments(x, 2.0, 9.0);
  normal_serial(x.data(), n, 2.0, 3.0, generator), moments(x, 2.0, 9.0);
  exponential(x.data(), n, 4.0, generator), moments(x, 0.25, 1.0 / 16);
  geometric(x.data(), n, 0.2, generator), moments(x, 5.0, 20.0);
  for (double rate : {3.0, 50.0}) poisson(x.data(), with(rate), n, generator), moments(x, rate, rate);
  for (double alpha : {0.3, 4.0}) {
    standard_gamma(x.data(), with(alpha), n, generator);
    moments(x, alpha, alpha);
  }
  for (double p : {0.05, 0.4, 0.9}) {
    std::vector<double> trials(n, 60.0);
    binomial(x.data(), trials.data(), with(p), n, generator), moments(x, 60 * p, 60 * p * (1 - p));
  }
}

static void randperm_is_a_permutation() {
  Generator generator(6);
  std::vector<int64_t> order(5000);
  randperm(order.data(), 5000, generator);
  CHECK(std::set<int64_t>(order.begin(), order.end()).size() == 5000);
  CHECK(order[0] != 0 || order[1] != 1 || order[2] != 2);
}

static void integers_fill_their_range() {
  Generator generator(8);
  for (uint64_t count : {uint64_t{1}, uint64_t{7}, uint64_t{1} << 40}) {
    std::vector<int64_t> x(1000);
    random_range(x.data(), 1000, -3, count, generator);
    for (int64_t value : x) CHECK(value >= -3 && value < -3 + static_cast<int64_t>(count));
    CHECK(std::set<int64_t>(x.begin(), x.end()).size() >= std::min<uint64_t>(count, 900));
  }
  auto bounds = representable_bounds(1, (int64_t{1} << 28), 24);
  CHECK(bounds.from == 1 && bounds.to == (int64_t{1} << 28) - 16);
}

int main() {
  engine_equals_the_standard_library();
  fill_equals_single_draws();
  only_the_low_half_of_a_seed_counts_but_all_of_it_is_kept();
  state_round_trip_keeps_the_spare_normal();
  broken_states_are_rejected();
  rounding_never_returns_the_upper_bound();
  distributions_have_their_moments();
  randperm_is_a_permutation();
  integers_fill_their_range();
}
