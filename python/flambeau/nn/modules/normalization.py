"""Layer, group, root-mean-square and local response normalisation."""

from __future__ import annotations

import numbers

from ... import _C
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["LocalResponseNorm", "CrossMapLRN2d", "LayerNorm", "GroupNorm", "RMSNorm"]


class LocalResponseNorm(Module):
    """Divide by a power of the mean square over neighbouring channels.

    Args:
        size: number of channels; alpha, beta, k: x / (k + alpha·mean x²)^beta.
    Shapes: (N, C, *) → the same.
    """

    __constants__ = ["size", "alpha", "beta", "k"]

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input):
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """Local response normalisation of images under Lua Torch's name. Shapes: (N, C, H, W) → the same."""

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1):
        super().__init__(size, alpha, beta, k)

    def forward(self, input):
        # reach channels on either side; channel 0 also counts where it lies outside of the window, as in the
        # running sum of Lua Torch's SpatialCrossMapLRN, whose results trained networks rely on.
        reach = (self.size - 1) // 2
        channels = input.size(1)
        square = input.square()
        padded = _C.pad(square.unsqueeze(1), (0, 0, 0, 0, reach, reach))
        total = _C.avg_pool3d(padded, (2 * reach + 1, 1, 1), stride=1, divisor_override=1).squeeze(1)
        beyond = channels - reach - 1
        if beyond > 0:
            total = total + _C.pad(square[:, :1].expand(-1, beyond, -1, -1), (0, 0, 0, 0, reach + 1, 0))
        if square.requires_grad:
            total = self._with_original_gradient(total, padded)
        return input * (self.k + self.alpha / self.size * total).pow(-self.beta)

    def _with_original_gradient(self, total, padded_square):
        # The gradient of the original sums over `size` channels that end (size − (size − 1)/2) after each.
        before, after = self.size - 1 - int(self.size - (self.size - 1) / 2), int(self.size - (self.size - 1) / 2)
        reach = (self.size - 1) // 2
        padded = _C.pad(padded_square, (0, 0, 0, 0, before - reach, after - reach))
        window = _C.avg_pool3d(padded, (self.size, 1, 1), stride=1, divisor_override=1).squeeze(1)
        return total.detach() + (window - window.detach())


class _ShapeNorm(Module):
    """Norms over the last dimensions."""

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]

    def _set_shape(self, normalized_shape, eps, elementwise_affine):
        if isinstance(normalized_shape, numbers.Integral):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine


class LayerNorm(_ShapeNorm):
    """Normalise over the last dimensions, then scale and shift.

    Args:
        normalized_shape: sizes of those dimensions.
        eps: added to the variance.
        elementwise_affine, bias: whether to scale and to shift.
    Shapes: (*, normalized_shape) → the same.
    Source: Ba, Kiros & Hinton 2016.
    """

    def __init__(
        self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None
    ):
        super().__init__()
        self._set_shape(normalized_shape, eps, elementwise_affine)
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            param = Parameter(_C.empty(self.normalized_shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, param)
        self.reset_parameters()

    def reset_parameters(self):
        """Scale 1, shift 0."""
        if self.elementwise_affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input):
        return _C.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_ShapeNorm):
    """Divide by the root mean square over the last dimensions, then scale.

    Args:
        normalized_shape: sizes of those dimensions.
        eps: added to the mean square; the dtype's epsilon if None.
    Shapes: (*, normalized_shape) → the same.
    Source: Zhang & Sennrich 2019.
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None):
        super().__init__()
        self._set_shape(normalized_shape, eps, elementwise_affine)
        weight = _C.empty(self.normalized_shape, device=device, dtype=dtype) if elementwise_affine else None
        self.register_parameter("weight", None if weight is None else Parameter(weight))
        self.reset_parameters()

    def reset_parameters(self):
        """Scale 1."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x):
        return _C.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalise groups of channels of each sample, then scale and shift each channel.

    Args:
        num_groups, num_channels: the second is a multiple of the first.
    Shapes: (N, num_channels, *) → the same.
    Source: Wu & He 2018.
    """

    __constants__ = ["num_groups", "num_channels", "eps", "affine"]

    def __init__(
        self, num_groups, num_channels, eps=1e-5, affine=True, device=None, dtype=None, *, bias=True
    ):
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(f"GroupNorm: num_channels={num_channels} cannot be shared out evenly among "
                             f"num_groups={num_groups}")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            param = Parameter(_C.empty(num_channels, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, param)
        self.reset_parameters()

    def reset_parameters(self):
        """Scale 1, shift 0."""
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input):
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
