#pragma once
#include <string>

#include "ops.h"

// What the loss functions share.
namespace fb {

struct MseLoss; struct MseLossBackward; struct SmoothL1Loss; struct SmoothL1LossBackward; struct HuberLoss;
struct HuberLossBackward; struct SoftMarginLoss; struct SoftMarginLossBackward; struct L1LossReal; struct L1LossBackward;
struct BinaryCrossEntropy; struct BinaryCrossEntropyBackward; struct BceWithLogits; struct LogSoftmax;
struct CosineSimilarity; struct PairwiseDistance;

enum class Reduce { none, mean, sum };
inline Reduce reduce_of(const std::string& reduction) {
  if (reduction == "none") return Reduce::none;
  if (reduction == "mean") return Reduce::mean;
  check<ValueError>(reduction == "sum", "unknown reduction='", reduction, "', choose 'none', 'mean' or "
                    "'sum'");
  return Reduce::sum;
}
inline Tensor reduced(const Tensor& loss, const std::string& reduction) {
  const Reduce r = reduce_of(reduction);
  return r == Reduce::none ? loss : r == Reduce::mean ? mean(loss) : sum(loss);
}

// The positive part of x, with gradient zero at zero.
inline Tensor positive_part(const Tensor& x) { return where(gt(x, 0), x, zeros(Dims(), x.dtype())); }

}  // namespace fb
