#pragma once
#include "op/op.h"

// Mixed precision: while it is on, chosen ops take their floating inputs in a lower precision, others in float32, and
// some in the widest dtype among them. The casts are ordinary recorded calls, so gradients arrive in the inputs' dtypes.
namespace fb {

// The state of a thread. `mode.autocast` points at it while mixed precision is on, and is null otherwise.
struct Autocast {
  bool enabled = false, cache_enabled = true;
  DType dtype = DType::bf16;
  int nesting = 0;                                     // contexts entered: the cache lives as long as the outermost

  void enable(bool on);
  void forget();                                       // the casts of parameters
};
Autocast& autocast_state();

// Casts the inputs and makes the call without mixed precision; false for a composite that no list names, whose ops
// are looked at one by one.
bool call_autocast(const Op& op, Args& args, Tensor* out, Form form);

}  // namespace fb
