#pragma once
#include <cstdint>

namespace fb {

int thread_count();
void set_thread_count(int n);
bool inside_parallel();

// The interpreter's lock, as the core sees it: bind/ supplies the two functions. Kernels release it around
// raw pointer loops only, since handles may be copied only while it is held.
struct Interpreter {
  void* (*release)() = nullptr;
  void (*acquire)(void*) = nullptr;
};
extern Interpreter interpreter;

// Releases the interpreter's lock for a scope when the work is worth it.
class Unlocked {
 public:
  explicit Unlocked(bool worth_it = true) {
    if (worth_it && interpreter.release && !inside_parallel()) state_ = interpreter.release();
  }
  ~Unlocked() { if (state_) interpreter.acquire(state_); }
  Unlocked(const Unlocked&) = delete;

 private:
  void* state_ = nullptr;
};

// Calls body(begin, end) on disjoint ranges that cover [0, n), on several threads when n exceeds `grain`.
// The body must not throw, touch handles, or allocate tensors. Nested calls run inline.
using RangeBody = void (*)(const void* context, int64_t begin, int64_t end);
void parallel_ranges(int64_t n, int64_t grain, RangeBody body, const void* context);

template <class F> void parallel_for(int64_t n, int64_t grain, const F& body) {
  if (n <= 0) return;
  if (n <= grain) return body(int64_t(0), n);
  parallel_ranges(n, grain, [](const void* c, int64_t b, int64_t e) { (*static_cast<const F*>(c))(b, e); }, &body);
}

inline constexpr int64_t elementwise_grain = 32768;   // elements a thread should have before another is woken

}  // namespace fb
