"""A last linear layer and its cross-entropy in one module."""

from __future__ import annotations

import dataclasses
import math

from ... import _C
from .. import functional as F
from .linear import Linear
from .loss import _WeightedLoss

__all__ = ["LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]


@dataclasses.dataclass
class LinearCrossEntropyOptions:
    """Hints of how linear_cross_entropy may compute in pieces; results do not depend on them.

    Args:
        allow_retain_graph: whether backward may be called twice.
        batch_chunk_size: samples a piece.
        chunking_method, acc_policy, acc_dtype: how pieces are cut and accumulated.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: _C.dtype | None = None


class LinearCrossEntropyLoss(_WeightedLoss):
    """Cross-entropy of a linear layer's scores.

    Args:
        in_features: size of the input vectors; num_classes: classes C.
        out_features: further sizes, one prediction for each place.
        bias: whether the linear layer has a bias; the others as of CrossEntropyLoss.
    Shapes: (N, in_features) or (in_features) with target (N, *out_features), or probabilities
    (N, C, *out_features), or both without N → () or as an index target.
    """

    __constants__ = ["num_classes", "out_features", "reduction", "ignore_index", "label_smoothing"]

    def __init__(
        self,
        in_features,
        num_classes,
        *,
        out_features=(),
        bias=False,
        device=None,
        dtype=None,
        reduction="mean",
        weight=None,
        ignore_index=None,
        label_smoothing=0.0,
        options=None,
    ):
        super().__init__(weight, None, None, reduction)
        self.in_features = in_features
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        self.linear = Linear(
            in_features, num_classes * math.prod(out_features), bias=bias, device=device, dtype=dtype
        )

    def reset_parameters(self):
        """Draw the linear layer anew."""
        self.linear.reset_parameters()

    def forward(self, input, target):
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.view(*shape, self.in_features),
            target,
            linear_bias=None if bias is None else bias.view(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self):
        return (
            f"in_features={self.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
