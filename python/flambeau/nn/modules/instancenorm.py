"""Instance normalisation."""

from __future__ import annotations

import warnings

from .. import functional as F
from .batchnorm import _LazyNormBase, _NormBase

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(_NormBase):
    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=False,
        track_running_stats=False,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _get_no_batch_dim(self):
        raise NotImplementedError

    def _check_input_dim(self, input):
        unbatched = self._get_no_batch_dim()
        self._require_dims(input, unbatched, unbatched + 1)

    def forward(self, input):
        self._check_input_dim(input)
        unbatched = input.dim() == self._get_no_batch_dim()
        batch = input.unsqueeze(0) if unbatched else input
        if batch.size(1) != self.num_features:
            message = (
                f"{self._get_name()}: num_features is {self.num_features}, dim {0 if unbatched else 1} of "
                f"the input has size {batch.size(1)}."
            )
            if self.affine:
                raise ValueError(message)
            warnings.warn(message + " With affine=False this has no consequence.", stacklevel=2)
        result = F.instance_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )
        return result.squeeze(0) if unbatched else result


class InstanceNorm1d(_InstanceNorm):
    """Normalise each channel of each sample over its places.

    Args: as of BatchNorm1d; without scale, shift and running statistics by default.
    Shapes: (N, C, L) or (C, L) → the same.
    Source: Ulyanov et al. 2016.
    """

    def _get_no_batch_dim(self):
        return 2


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of images. Shapes: (N, C, H, W) or (C, H, W) → the same."""

    def _get_no_batch_dim(self):
        return 3


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of volumes. Shapes: (N, C, D, H, W) or (C, D, H, W) → the same."""

    def _get_no_batch_dim(self):
        return 4


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """InstanceNorm1d that finds num_features itself. Shapes: (N, C, L) → the same."""

    cls_to_become = InstanceNorm1d

    def _get_no_batch_dim(self):
        return 2


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """InstanceNorm2d that finds num_features itself. Shapes: (N, C, H, W) → the same."""

    cls_to_become = InstanceNorm2d

    def _get_no_batch_dim(self):
        return 3


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """InstanceNorm3d that finds num_features itself. Shapes: (N, C, D, H, W) → the same."""

    cls_to_become = InstanceNorm3d

    def _get_no_batch_dim(self):
        return 4
