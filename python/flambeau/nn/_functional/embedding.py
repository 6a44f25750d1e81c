"""Embedding look-ups."""

from __future__ import annotations

import warnings

from ... import _C
from ...autograd import no_grad


def _renormalize(weight, input, max_norm, norm_type):
    """Shrink in place the rows about to be used to a norm of at most `max_norm`."""
    with no_grad():
        _C.embedding_renorm_(weight, input.contiguous(), max_norm, norm_type)


def embedding(
    input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False
):
    """Rows of `weight` (V, D) at the indices `input` (*) → (*, D).

    Args:
        padding_idx: row that gets no gradient.
        max_norm, norm_type: rows are first shrunk, in place, to this norm.
        scale_grad_by_freq: divide gradients by how often their row occurs.
        sparse: give a sparse gradient.
    """
    rows = weight.size(0) if weight.dim() else 0
    if padding_idx is None:
        padding_idx = -1
    elif padding_idx >= rows or padding_idx < -rows:
        raise AssertionError(f"embedding: padding_idx={padding_idx} is no row of weight")
    elif padding_idx < 0:
        padding_idx += rows
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    return _C.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


_BAG_MODES = {"sum": 0, "mean": 1, "max": 2}


def embedding_bag(
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """Sums, means or maxima of bags of rows of `weight` (V, D) → (B, D).

    Args:
        input: (B, n) with bags of n indices, or (N) cut into bags at `offsets` (B).
        mode: "sum", "mean" or "max".
        per_sample_weights: factors in the shape of the input; only with "sum".
        include_last_offset: whether offsets end with N.
        padding_idx: row left out of the bags.
    """
    if weight.dtype == _C.long and input.is_floating_point():
        warnings.warn(
            "embedding_bag: the old order (weight, input) is understood for now; write embedding_bag(input, "
            "weight)",
            stacklevel=2,
        )
        weight, input = input, weight
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: per_sample_weights needs the shape of input, {input.shape}; it has "
            f"{per_sample_weights.shape}"
        )
    if not weight.dim() == 2:
        raise ValueError(f"embedding_bag: weight must be a matrix, it has {weight.dim()} dims")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "embedding_bag: an input of two dims has a bag in each row, so offsets must be None, not "
                f"{type(offsets).__name__}"
            )
        offsets = _C.arange(0, input.numel(), input.size(1), dtype=input.dtype, device=input.device)
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None:
            raise ValueError("embedding_bag: an input of one dim needs offsets, a vector; got None")
        if offsets.dim() != 1:
            raise ValueError(f"embedding_bag: offsets must be a vector, it has {offsets.dim()} dims")
    else:
        raise ValueError(f"embedding_bag: input must have one dim or two, it has {input.dim()}")
    if mode not in _BAG_MODES:
        raise ValueError(f"embedding_bag: unknown mode={mode!r}, choose 'sum', 'mean' or 'max'")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("embedding_bag: scale_grad_by_freq cannot be combined with mode='max'")
    if mode == "max" and sparse:
        raise ValueError("embedding_bag: sparse gradients cannot be combined with mode='max'")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            f"embedding_bag: per_sample_weights can only be summed; use mode='sum', not {mode!r}"
        )
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    result, _, _, _ = _C.embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        _BAG_MODES[mode],
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )
    return result
