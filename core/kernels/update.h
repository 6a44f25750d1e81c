#pragma once
#include <string_view>
#include <vector>

#include "base/isa.h"
#include "tensor/tensor.h"

// One pass over the tensors of an optimizer step: parameter, gradient and states are read and written together.
namespace fb::update {

inline constexpr int max_streams = 5, max_constants = 8;

using Step = void (*)(void* const* streams, const double* constants, int64_t n);

// A rule is a struct with `streams` (parameter, gradient, states …), `written` (a mask of them) and
// template <class T> static void step(T* const* streams, const T* constants, int64_t n).
struct Rule {
  Step in_float, in_double;
  int streams;
  uint32_t written;
};

template <class R, class T> inline void typed_step(void* const* streams, const double* constants, int64_t n) {
  T* typed[max_streams];
  T k[max_constants];
  for (int s = 0; s < R::streams; ++s) typed[s] = static_cast<T*>(streams[s]);
  for (int i = 0; i < max_constants; ++i) k[i] = static_cast<T>(constants[i]);
  R::step(typed, k, n);
}
template <class R> const Rule& rule() {
  static const Rule made{Clones<&typed_step<R, float>>::pick(), Clones<&typed_step<R, double>>::pick(), R::streams, R::written};
  return made;
}

// From a towards b; like PyTorch's lerp, exact at both ends.
template <class T> inline T lerp(T a, T b, T weight) {
  return weight < T(0.5) ? a + weight * (b - a) : b - (b - a) * (T(1) - weight);
}

struct Constants { double k[max_constants] = {}; };

// What every optimizer does to a gradient first: g ← ±g + weight_decay * p.
struct Preparation {
  double weight_decay = 0;
  bool maximize = false;
  bool needed() const { return weight_decay != 0 || maximize; }
};

// Collects the tensors of one step, then runs the rule over all of them on several threads.
class Group {
 public:
  Group(std::string_view op, const Rule& rule, Preparation preparation) : op_(op), rule_(rule), preparation_(preparation) {}
  // The i-th tensor of every list belongs together; lists have equal lengths.
  void add(const std::vector<const Tensors*>& lists, size_t i, const Constants& constants);
  void run();

 private:
  struct Item {
    char* data[max_streams];
    DType types[max_streams];
    DType compute;
    int64_t n, start;
    Constants constants;
  };
  std::string_view op_;
  const Rule& rule_;
  Preparation preparation_;
  std::vector<Item> items_;
  std::vector<std::pair<Tensor, Tensor>> apart_;       // packed copies of strided tensors, to be written back
  int64_t total_ = 0;

  void run_item(const Item& item, int64_t begin, int64_t end) const;
  void run_chunk(const Item& item, Step step, int64_t begin, int64_t n) const;
};

// Lists that an optimizer passes must have one tensor per parameter.
void check_lengths(std::string_view op, const std::vector<const Tensors*>& lists);
// A tensor that counts steps or holds another single number.
double number_in(const Tensor& t);
void write_number(const Tensor& t, double value);
void multiply_number(const Tensor& t, double by);      // in the arithmetic of its dtype
double advance(const Tensor& step);                    // adds one and tells the new count

}  // namespace fb::update
