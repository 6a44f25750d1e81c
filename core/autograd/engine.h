#pragma once
#include "autograd/node.h"

namespace fb {

struct BackwardOptions {
  bool retain_graph = false, create_graph = false;
  bool accumulate = true;                              // add into the leaves' .grad
  bool allow_unreachable = false;                      // inputs the roots do not depend on give undefined
};

// Runs the graph from `roots`, seeded with `seeds` (undefined: ones, for a root of one element). With `inputs`,
// returns their gradients, or with options.accumulate adds into those inputs only. Several threads may run it at
// once, and neither running nor freeing a graph of any depth recurses.
Tensors backward(const Tensors& roots, const Tensors& seeds, const Tensors& inputs, const BackwardOptions& options);

// The number of the run of backward that this thread is in; -1 outside.
int64_t current_backward();
// Whether that run comes to the node (or to the leaf); GradError outside of a run.
bool will_run(const Node* node, const Body* leaf);
bool whole_backward();                                 // false inside a run that is restricted to some inputs

}  // namespace fb
