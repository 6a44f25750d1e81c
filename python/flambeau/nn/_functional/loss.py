"""Loss functions. `reduction` is 'none', 'mean' or 'sum'; size_average and reduce are its old spelling."""

from __future__ import annotations

import math
import warnings

from ... import _C
from ..._functions import broadcast_shapes


def legacy_reduction(size_average, reduce, emit_warning=True):
    """The `reduction` that the old flags stand for; None means True."""
    average = size_average is None or size_average
    reduced = reduce is None or reduce
    reduction = ("mean" if average else "sum") if reduced else "none"
    if emit_warning:
        warnings.warn(
            f"size_average and reduce are old names; what they say here is reduction='{reduction}'",
            stacklevel=3,
        )
    return reduction


def _reduce(loss, reduction):
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    return loss


def _check_reduction(reduction):
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"unknown reduction={reduction!r}, choose 'none', 'mean' or 'sum'")


def _warn_sizes(input, target):
    if input.shape != target.shape:
        warnings.warn(
            f"the target of shape {target.size()} and the input of shape {input.size()} are broadcast, which "
            "is rarely meant",
            stacklevel=3,
        )


def _weighted(loss, weight, reduction):
    """Weighted losses reduced: the weighted mean divides by the sum of the weights."""
    if weight.shape != loss.shape:
        raise ValueError(f"Inputs and weights must have the same size: {loss.size()} and {weight.size()}")
    loss = loss * weight
    if reduction == "mean":
        return loss.sum() / weight.sum()
    return _reduce(loss, reduction)


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Squared error (x − y)²."""
    if input.size() != target.size():
        _warn_sizes(input, target)
        input, target = _C.broadcast_tensors((input, target))
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if weight is not None:
        return _weighted(_C.mse_loss(input, target, "none"), weight, reduction)
    return _C.mse_loss(input, target, reduction)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Absolute error |x − y|."""
    if input.size() != target.size():
        _warn_sizes(input, target)
        input, target = _C.broadcast_tensors((input, target))
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if weight is not None:
        return _weighted(_C.l1_loss(input, target, "none"), weight, reduction)
    return _C.l1_loss(input, target, reduction)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """(x − y)²/(2·beta) where |x − y| < beta, else |x − y| − beta/2."""
    if input.size() != target.size():
        _warn_sizes(input, target)
        input, target = _C.broadcast_tensors((input, target))
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if beta == 0.0:
        return _C.l1_loss(input, target, reduction)
    return _C.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """(x − y)²/2 where |x − y| < delta, else delta·(|x − y| − delta/2)."""
    if input.size() != target.size():
        _warn_sizes(input, target)
        input, target = _C.broadcast_tensors((input, target))
    if weight is not None:
        return _weighted(_C.huber_loss(input, target, "none", delta), weight, reduction)
    return _C.huber_loss(input, target, reduction, delta)


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """−(y·log x + (1 − y)·log(1 − x)) for probabilities x, with the logarithms bounded below by −100."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"binary_cross_entropy: target of shape {target.size()} must have the shape of input, "
            f"{input.size()}"
        )
    if weight is not None:
        weight = weight.expand(broadcast_shapes(target.shape, weight.shape))
    return _C.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """Binary cross-entropy of sigmoid(x), computed stably; `pos_weight` scales the positive part."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(f"binary_cross_entropy_with_logits: target of shape {target.size()} must have the "
                         f"shape of input, {input.size()}")
    if not (target.is_floating_point() or target.is_complex()):
        raise RuntimeError(f"binary_cross_entropy_with_logits: target must be floating, it is {target.dtype} "
                           f"({target.type()}); convert it with .to({input.dtype})")
    return _C.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """Cross-entropy of softmax(x) along dimension 1 with class indices or class probabilities.

    Args:
        input: logits (C), (N, C) or (N, C, d1, …).
        target: indices (), (N) or (N, d1, …) in [0, C), or probabilities in the shape of the input.
        weight: one factor per class (C).
        ignore_index: index whose elements count nothing.
        label_smoothing: share of the target spread evenly over the classes, in [0, 1].
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if not isinstance(reduction, str):
        raise ValueError(f"unknown reduction={reduction!r}, choose 'none', 'mean' or 'sum'")
    return _C.cross_entropy_loss(input, target, weight, reduction, ignore_index, label_smoothing)


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """−x[target], for log-probabilities x: (C), (N, C) or (N, C, d1, …)."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _C.nll_loss_nd(input, target, weight, reduction, ignore_index)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """Pointwise Kullback–Leibler divergence y·(log y − x) for log-probabilities x.

    reduction='batchmean' divides the sum by the first size: the divergence per sample.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if reduction == "mean":
        warnings.warn(
            "kl_div: reduction='mean' averages over all elements; 'batchmean', over samples, is the "
            "divergence itself",
            stacklevel=2,
        )
    if reduction == "batchmean":
        total = _C.kl_div(input, target, "sum", log_target=log_target)
        return total / input.size()[0] if input.dim() else total
    return _C.kl_div(input, target, reduction, log_target=log_target)


def poisson_nll_loss(
    input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"
):
    """Negative log-likelihood of counts y under Poisson(exp x), or Poisson(x) if not `log_input`."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    return _C.poisson_nll_loss(input, target, log_input, full, eps, reduction)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log var + (x − y)²/var)/2, with var at least `eps`; `full` adds the constant log(2π)/2."""
    if not isinstance(var, _C.Tensor):
        if var < 0:
            raise ValueError("gaussian_nll_loss: var must not be negative")
        var = var * _C.ones_like(input)
    elif _C.any(var < 0):
        raise ValueError("gaussian_nll_loss: var must not be negative")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():  # one variance for each sample
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or any(v not in (1, s) for v, s in zip(var.size(), input.size())):
            raise ValueError(f"gaussian_nll_loss: var has shape {var.size()}, which does not fit the "
                             f"input's, {input.size()}")
    _check_reduction(reduction)
    bounded = var.clone()
    bounded.detach().clamp_(min=eps)  # the bound takes no part in the gradient
    loss = 0.5 * (_C.log(bounded) + (input - target) ** 2 / bounded)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """x where y = 1, max(0, margin − x) where y = −1."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _C.hinge_embedding_loss(input, target, margin, reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(−y·x)) for y in {−1, 1}."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _C.soft_margin_loss(input, target, reduction)


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """Multi-class multi-label hinge loss; `target` lists class indices, ended by −1."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _C.multilabel_margin_loss(input, target, reduction)


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean over classes (last dimension) of binary cross-entropy with logits."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    loss = -(target * _C.log_sigmoid(input) + (1 - target) * _C.log_sigmoid(-input))
    if weight is not None:
        loss = loss * weight
    _check_reduction(reduction)
    return _reduce(loss.sum(dim=input.dim() - 1) / input.size(input.dim() - 1), reduction)


def multi_margin_loss(
    input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """Multi-class hinge loss sum_i max(0, margin − x[y] + x[i])^p / C."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2, got {p}")
    if weight is not None and weight.dim() != 1:
        raise ValueError(f"multi_margin_loss: weight must be a vector, it has {weight.dim()} dims")
    return _C.multi_margin_loss(input, target, p, margin, weight, reduction)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, −y·(x1 − x2) + margin)."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            "margin_ranking_loss: input1, input2 and target differ in their number of dims; their shapes are "
            f"{input1.size()}, {input2.size()} and {target.size()}"
        )
    return _C.margin_ranking_loss(input1, input2, target, margin, reduction)


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 − cos(x1, x2) where y = 1, max(0, cos(x1, x2) − margin) where y = −1."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _C.cosine_embedding_loss(input1, input2, target, margin, reduction)


def triplet_margin_loss(
    anchor,
    positive,
    negative,
    margin=1.0,
    p=2,
    eps=1e-6,
    swap=False,
    size_average=None,
    reduce=None,
    reduction="mean",
):
    """max(0, d(anchor, positive) − d(anchor, negative) + margin) with d the p-norm distance."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin must be positive, got {margin}")
    return _C.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """triplet_margin_loss with a distance function of one's own."""
    _check_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"triplet_margin_with_distance_loss: margin must be positive, got {margin}")
    distance = distance_function if distance_function is not None else _C.pairwise_distance
    if not (anchor.dim() == positive.dim() == negative.dim()):
        raise RuntimeError(
            "triplet_margin_with_distance_loss: anchor, positive and negative differ in their number of "
            f"dims, {anchor.dim()}, {positive.dim()} and {negative.dim()}"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _C.minimum(far, distance(positive, negative))
    return _reduce(_C.clamp_min(margin + near - far, 0), reduction)


def ctc_loss(
    log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False
):
    """Loss of labels whose alignment with the steps is unknown (Graves et al. 2006); log_probs (T, N, C) or (T, C)."""
    return _C.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity)


def linear_cross_entropy(
    input,
    linear_weight,
    target,
    *,
    linear_bias=None,
    weight=None,
    reduction="mean",
    ignore_index=None,
    label_smoothing=0.0,
    options=None,
):
    """Cross-entropy of input·linear_weightᵀ + linear_bias.

    Args:
        input: (N, in_features) or (in_features).
        linear_weight: (C, *, in_features); linear_bias: (C, *) or None.
        target, weight, reduction, label_smoothing: as for cross_entropy of scores (N, C, *) or (C, *).
        options: hints of how to compute in pieces; the result does not depend on them.
    Errors: RuntimeError if the shapes do not fit together.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"linear_cross_entropy: input must have one dim or two, it has {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError("linear_cross_entropy: linear_weight needs two dims at least, it has "
                           f"{linear_weight.dim()}")
    if input.size(-1) != linear_weight.size(-1):
        raise RuntimeError(f"linear_cross_entropy: input has {input.size(-1)} features, linear_weight "
                           f"{linear_weight.size(-1)}")
    if linear_weight.dim() > 2 and input.dim() == 1:
        raise RuntimeError(f"linear_cross_entropy: a linear_weight of shape {tuple(linear_weight.shape)} "
                           f"needs an input with a batch, (N, {input.size(-1)})")
    scores = _C.linear(
        input, linear_weight.flatten(0, -2), None if linear_bias is None else linear_bias.flatten()
    )
    scores = scores.view(*input.shape[:-1], *linear_weight.shape[:-1])
    return cross_entropy(
        scores,
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )
