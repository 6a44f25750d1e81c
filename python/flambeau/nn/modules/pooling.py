"""Pooling layers."""

from __future__ import annotations

from ... import _C
from .. import functional as F
from .module import Module
from .utils import _pair, _single, _triple

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _MaxPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]

    def __init__(
        self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input):
        pool = self._pool_with_indices if self.return_indices else self._pool
        return pool(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """Largest value of each window.

    Args:
        kernel_size, stride, padding, dilation: a number or one a dimension; stride is kernel_size by default.
        return_indices: also give the places of the values, for MaxUnpool.
        ceil_mode: round the output size up instead of down.
    Shapes: (N, C, L) or (C, L) → the same with pooled length.
    """

    _pool = staticmethod(_C.max_pool1d)
    _pool_with_indices = staticmethod(_C.max_pool1d_with_indices)


class MaxPool2d(_MaxPoolNd):
    """Largest value of each window.

    Shapes: (N, C, H, W) or (C, H, W) → the same with pooled sizes.
    """

    _pool = staticmethod(_C.max_pool2d)
    _pool_with_indices = staticmethod(_C.max_pool2d_with_indices)


class MaxPool3d(_MaxPoolNd):
    """Largest value of each window.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → the same with pooled sizes.
    """

    _pool = staticmethod(_C.max_pool3d)
    _pool_with_indices = staticmethod(_C.max_pool3d_with_indices)


class _MaxUnpoolNd(Module):
    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size = self._ntuple(kernel_size)
        self.stride = self._ntuple(stride if stride is not None else kernel_size)
        self.padding = self._ntuple(padding)

    def forward(self, input, indices, output_size=None):
        return self._unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Put values back to where MaxPool1d took them from.

    Shapes: (N, C, L) or (C, L) → the sizes before pooling.
    """

    _ntuple = staticmethod(_single)
    _unpool = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpoolNd):
    """Put values back to where MaxPool2d took them from.

    Shapes: (N, C, H, W) or (C, H, W) → the sizes before pooling.
    """

    _ntuple = staticmethod(_pair)
    _unpool = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpoolNd):
    """Put values back to where MaxPool3d took them from.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → the sizes before pooling.
    """

    _ntuple = staticmethod(_triple)
    _unpool = staticmethod(F.max_unpool3d)


class _AvgPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """Mean of each window.

    Args:
        kernel_size, stride, padding: stride is kernel_size by default.
        ceil_mode: round the output length up instead of down.
        count_include_pad: count the padding's zeros in the mean.
    Shapes: (N, C, L) or (C, L) → the same with pooled length.
    """

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = _single(stride if stride is not None else kernel_size)
        self.padding = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input):
        return _C.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class _SpatialAvgPoolNd(_AvgPoolNd):
    __constants__ = [*_AvgPoolNd.__constants__, "divisor_override"]

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=None,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def __setstate__(self, state):
        super().__setstate__(state)
        for name, default in (("padding", 0), ("ceil_mode", False), ("count_include_pad", True)):
            self.__dict__.setdefault(name, default)

    def forward(self, input):
        return self._pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool2d(_SpatialAvgPoolNd):
    """Mean of each window; see AvgPool1d. divisor_override: what sums are divided by instead of the count.

    Shapes: (N, C, H, W) or (C, H, W) → the same with pooled sizes.
    """

    _pool = staticmethod(_C.avg_pool2d)


class AvgPool3d(_SpatialAvgPoolNd):
    """Mean of each window; see AvgPool2d. Shapes: (N, C, D, H, W) or (C, D, H, W) → with pooled sizes."""

    _pool = staticmethod(_C.avg_pool3d)


class _FractionalMaxPoolNd(Module):
    __constants__ = ["kernel_size", "return_indices", "output_size", "output_ratio"]

    def __init__(
        self, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
    ):
        super().__init__()
        self.kernel_size = self._ntuple(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = self._ntuple(output_size) if output_size is not None else None
        self.output_ratio = self._ntuple(output_ratio) if output_ratio is not None else None
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__}: pass output_size or output_ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError(f"{type(self).__name__}: pass output_size or output_ratio, not both")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"{type(self).__name__}: output_ratio is a share, between 0 and 1; got "
                             f"{output_ratio}")

    def forward(self, input):
        return self._pool(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Max pool over windows at random places (Graham 2015).

    Args:
        kernel_size: size of the windows.
        output_size or output_ratio: size of the output, or its share of the input's, between 0 and 1.
        return_indices: also give the places of the values.
    Shapes: (N, C, H, W) or (C, H, W) → the same with the output sizes.
    """

    _ntuple = staticmethod(_pair)
    _pool = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Max pool over windows at random places (Graham 2015).

    Args:
        kernel_size: size of the windows.
        output_size or output_ratio: size of the output, or its share of the input's, between 0 and 1.
        return_indices: also give the places of the values.
    Shapes: (N, C, D, H, W) or (C, D, H, W) → the same with the output sizes.
    """

    _ntuple = staticmethod(_triple)
    _pool = staticmethod(F.fractional_max_pool3d)


class _LPPoolNd(Module):
    __constants__ = ["norm_type", "kernel_size", "stride", "ceil_mode"]

    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input):
        return self._pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self):
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """(Σ x^p)^(1/p) of each window. Shapes: (N, C, L) or (C, L) → the same with pooled length."""

    _pool = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPoolNd):
    """(Σ x^p)^(1/p) of each window. Shapes: (N, C, H, W) or (C, H, W) → the same with pooled sizes."""

    _pool = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPoolNd):
    """(Σ x^p)^(1/p) of each window. Shapes: (N, C, D, H, W) or (C, D, H, W) → the same with pooled sizes."""

    _pool = staticmethod(F.lp_pool3d)


class _AdaptiveMaxPoolNd(Module):
    __constants__ = ["output_size", "return_indices"]

    def __init__(self, output_size, return_indices=False):
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input):
        return self._pool(input, self.output_size, self.return_indices)

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Largest value of windows that give the output size. Shapes: (N, C, L) or (C, L) → with output_size."""

    _pool = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Largest value of windows that give the output size.

    Shapes: (N, C, H, W) or (C, H, W) → with output_size.
    """

    _pool = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Largest value of windows that give the output size.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → with output_size.
    """

    _pool = staticmethod(F.adaptive_max_pool3d)


class _AdaptiveAvgPoolNd(Module):
    __constants__ = ["output_size"]

    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def forward(self, input):
        return self._pool(input, self.output_size)

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Mean of windows that give the output size. Shapes: (N, C, L) or (C, L) → with output_size."""

    _pool = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Mean of windows that give the output size. Shapes: (N, C, H, W) or (C, H, W) → with output_size."""

    _pool = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Mean of windows that give the output size.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → with output_size.
    """

    _pool = staticmethod(F.adaptive_avg_pool3d)
