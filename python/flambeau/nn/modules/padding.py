"""Padding layers. `padding` is one number or (left, right, top, bottom, front, back)."""

from __future__ import annotations

from ... import _C
from .module import Module
from .utils import _ntuple

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _PadNd(Module):
    """Pads the last `_dims` dimensions in the way `_mode`."""

    __constants__ = ["padding"]
    _dims = 1
    _mode = "constant"

    def __init__(self, padding):
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)

    def forward(self, input):
        return _C.pad(input, self.padding, self._mode)

    def extra_repr(self):
        return f"{self.padding}"


class _CircularPadNd(_PadNd):
    _mode = "circular"

    def forward(self, input):
        if input.dim() not in (self._dims + 1, self._dims + 2):
            raise ValueError(
                f"{type(self).__name__}: the input needs {self._dims + 1} dims, or {self._dims + 2} with a "
                f"batch; it has {input.dim()}"
            )
        return _C.pad(input, self.padding, self._mode)


class _ConstantPadNd(_PadNd):
    __constants__ = ["padding", "value"]

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return _C.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class CircularPad1d(_CircularPadNd):
    """Wrap around. Shapes: (N, C, L) or (C, L) → with padding added to the last dimension."""

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """Wrap around. Shapes: (N, C, H, W) or (C, H, W) → with padding added to the last 2 dimensions."""

    _dims = 2


class CircularPad3d(_CircularPadNd):
    """Wrap around. Shapes: (N, C, D, H, W) or (C, D, H, W) → with padding added to the last 3 dimensions."""

    _dims = 3


class ConstantPad1d(_ConstantPadNd):
    """Fill with a constant. Shapes: (N, C, L) or (C, L) → with padding added to the last dimension."""

    _dims = 1


class ConstantPad2d(_ConstantPadNd):
    """Fill with a constant.

    Shapes: (N, C, H, W) or (C, H, W) → with padding added to the last 2 dimensions.
    """

    _dims = 2


class ConstantPad3d(_ConstantPadNd):
    """Fill with a constant.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → with padding added to the last 3 dimensions.
    """

    _dims = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Mirror without repeating the edge.

    Shapes: (N, C, L) or (C, L) → with padding added to the last dimension.
    """

    _dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Mirror without repeating the edge.

    Shapes: (N, C, H, W) or (C, H, W) → with padding added to the last 2 dimensions.
    """

    _dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Mirror without repeating the edge.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → with padding added to the last 3 dimensions.
    """

    _dims = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Repeat the edge. Shapes: (N, C, L) or (C, L) → with padding added to the last dimension."""

    _dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Repeat the edge. Shapes: (N, C, H, W) or (C, H, W) → with padding added to the last 2 dimensions."""

    _dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Repeat the edge.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → with padding added to the last 3 dimensions.
    """

    _dims = 3


class ZeroPad1d(ConstantPad1d):
    """Fill with zeros. Shapes: (N, C, L) or (C, L) → with padding added to the last dimension."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Fill with zeros. Shapes: (N, C, H, W) or (C, H, W) → with padding added to the last 2 dimensions."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Fill with zeros.

    Shapes: (N, C, D, H, W) or (C, D, H, W) → with padding added to the last 3 dimensions.
    """

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"
