#pragma once
#include <vector>

#include "ops/products.h"

// Sums of products over named dims, two tensors at a time.
namespace fb {

struct Labelled {
  Tensor tensor;
  std::vector<int> labels;                             // one per dim, each once
};

// The product of two tensors, summed over the labels that `kept` does not hold. The result's labels are those
// that both have, then the rest of a's, then the rest of b's.
Labelled contract(Labelled a, Labelled b, const std::vector<bool>& kept);
// Sums the labels away that `kept` does not hold.
Labelled sum_away(const Labelled& x, const std::vector<bool>& kept);
// x with its dims in the order of `labels`.
Tensor arranged(const Labelled& x, const std::vector<int>& labels);

}  // namespace fb
