#pragma once
#include <vector>

#include "op/op.h"

namespace fb {

class Registry {
 public:
  void add(Op* op) { ops_.push_back(op); }
  const std::vector<Op*>& ops() const { return ops_; }
  const Op* find(std::string_view name) const;         // first overload of that name, or nullptr

 private:
  std::vector<Op*> ops_;
};

Registry& registry();                                  // built on first use, group by group
std::string_view default_grad_name(std::string_view op);   // "log_softmax" → "LogSoftmaxBackward0"

}  // namespace fb
