"""Dropout layers."""

from __future__ import annotations

from ... import _C
from .. import functional as F
from .._functional.dropout import check_probability
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    __constants__ = ["p", "inplace"]

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        check_probability(p)
        self.p = p
        self.inplace = inplace

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """In training, zero each element with probability p and scale the rest by 1/(1−p).

    Shapes: (*) → (*).
    """

    def forward(self, input):
        if self.inplace:
            return _C.dropout_(input, self.p, self.training)
        return _C.dropout(input, self.p, self.training)


class Dropout1d(_DropoutNd):
    """In training, zero whole channels.

    Shapes: (N, C, L) or (C, L) → the same.
    """

    def forward(self, input):
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """In training, zero whole channels.

    Shapes: (N, C, H, W) → the same.
    """

    def forward(self, input):
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """In training, zero whole channels.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → the same.
    """

    def forward(self, input):
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean 0 and variance 1 of SELU activations.

    Shapes: (*) → (*).
    """

    def forward(self, input):
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """Alpha dropout of whole channels.

    Shapes: (N, C, *) → the same.
    """

    def forward(self, input):
        return F.feature_alpha_dropout(input, self.p, self.training)
