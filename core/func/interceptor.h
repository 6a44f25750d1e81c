#pragma once
#include "op/op.h"

namespace fb {

// A transform that sees every call: vmap, jvp, trace, autocast. Each is one class with one method handle().
// In-place writes arrive as the functional op followed by write(), so only copying into a tensor needs a rule.
struct Interceptor {
  Interceptor* below = nullptr;
  virtual ~Interceptor() = default;
  virtual void handle(const Op& op, Args& args, Tensor* out) = 0;
  virtual void write(Tensor& target, const Tensor& value) = 0;
  virtual bool wants_decomposed(const Op& op) const { return op.kind == Kind::fused; }
};

// What a tensor that belongs to an interceptor carries.
struct Wrapper {
  Interceptor* owner;
  Tensor value, tangent;
};

}  // namespace fb
