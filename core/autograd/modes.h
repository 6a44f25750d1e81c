#pragma once
#include <string_view>

#include "base/ref.h"

namespace fb {

struct Autocast;
struct Interceptor;
struct SavedHooks;

// What a thread's calls depend on besides their arguments.
struct Mode {
  Interceptor* top = nullptr;                          // innermost vmap, jvp, trace …
  Autocast* autocast = nullptr;                        // mixed precision, while it is on
  bool grad = true;                                    // record the graph?
  bool inference = false;
  bool for_python = false;                             // outputs are born inside Python objects
  SavedHooks* saved_hooks = nullptr;                   // take what nodes save
  std::string_view grad_name;                          // set by composites whose node has PyTorch's name for the whole
};
inline thread_local constinit Mode mode [[gnu::tls_model("initial-exec")]] = {};

struct GradOff : Scoped<bool> { GradOff() : Scoped(mode.grad, false) {} };
struct GradOn : Scoped<bool> { GradOn() : Scoped(mode.grad, true) {} };

}  // namespace fb
