"""Convolutions and transposed convolutions."""

from __future__ import annotations

import math

from ... import _C
from .. import init
from ..parameter import Parameter
from .module import Module
from .utils import _pair, _reverse_repeat_tuple, _single, _triple

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class _ConvNd(Module):
    __constants__ = [
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        transposed,
        output_padding,
        groups,
        bias,
        padding_mode,
        device=None,
        dtype=None,
    ):
        super().__init__()
        _check_arguments(in_channels, out_channels, groups, padding, padding_mode, stride)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._amounts_for_pad()
        shape = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(_C.empty((*shape, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(_C.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _amounts_for_pad(self):
        """How much `pad` adds before and after each dimension, the last one first."""
        if not isinstance(self.padding, str):
            return _reverse_repeat_tuple(self.padding, 2)
        amounts = []
        for dilation, kernel in zip(reversed(self.dilation), reversed(self.kernel_size)):
            total = dilation * (kernel - 1) if self.padding == "same" else 0
            amounts += [total // 2, total - total // 2]
        return amounts

    def reset_parameters(self):
        """Draw weight and bias from U(−1/√fan_in, 1/√fan_in)."""
        # kaiming_uniform with a = √5 is U(−1/√fan_in, 1/√fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def extra_repr(self):
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        dims = len(self.kernel_size)
        if self.padding != (0,) * dims:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * dims:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * dims:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")

    def forward(self, input):
        if self.padding_mode == "zeros":
            return self._conv(
                input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
            )
        padded = _C.pad(input, self._reversed_padding_repeated_twice, self.padding_mode)
        return self._conv(
            padded,
            self.weight,
            self.bias,
            self.stride,
            (0,) * len(self.kernel_size),
            self.dilation,
            self.groups,
        )


def _check_arguments(in_channels, out_channels, groups, padding, padding_mode, stride):
    if groups <= 0:
        raise ValueError(f"conv: groups must be positive, got {groups}")
    if in_channels % groups != 0:
        raise ValueError(f"conv: in_channels={in_channels} cannot be shared out evenly among groups={groups}")
    if out_channels % groups != 0:
        raise ValueError(f"conv: out_channels={out_channels} cannot be shared out evenly among "
                         f"groups={groups}")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"conv: unknown padding={padding!r}, choose 'same', 'valid' or numbers")
        if padding == "same" and any(s != 1 for s in stride):
            raise ValueError(f"conv: padding='same' needs stride 1, got {stride}")
    modes = ("zeros", "reflect", "replicate", "circular")
    if padding_mode not in modes:
        raise ValueError(f"conv: unknown padding_mode={padding_mode!r}, choose one of {modes}")


class Conv1d(_ConvNd):
    """Cross-correlation of sequences with learnt filters.

    Args:
        in_channels, out_channels: multiples of groups.
        kernel_size, stride, padding, dilation: in steps; padding also "same" or "valid".
        groups: channels are cut into so many independent convolutions.
        bias: whether to add one number a channel.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
    Shapes: (N, in_channels, L) or (in_channels, L) → (N, out_channels, L') or (out_channels, L')
    with L' = (L + 2·padding − dilation·(kernel_size − 1) − 1) // stride + 1.
    """

    _conv = staticmethod(_C.conv1d)

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        padding = padding if isinstance(padding, str) else _single(padding)
        super().__init__(
            in_channels,
            out_channels,
            _single(kernel_size),
            _single(stride),
            padding,
            _single(dilation),
            False,
            _single(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class Conv2d(_ConvNd):
    """Cross-correlation of images with learnt filters; see Conv1d.

    Shapes: (N, in_channels, H, W) or (in_channels, H, W) → (N, out_channels, H', W') or (out_channels, H',
    W').

    >>> fb.nn.Conv2d(3, 8, 3, padding=1)(fb.ones(1, 3, 5, 5)).shape
    torch.Size([1, 8, 5, 5])
    """

    _conv = staticmethod(_C.conv2d)

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        padding = padding if isinstance(padding, str) else _pair(padding)
        super().__init__(
            in_channels,
            out_channels,
            _pair(kernel_size),
            _pair(stride),
            padding,
            _pair(dilation),
            False,
            _pair(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class Conv3d(_ConvNd):
    """Cross-correlation of volumes with learnt filters; see Conv1d.

    Shapes: (N, in_channels, D, H, W) or without N → out_channels and the new sizes likewise.
    """

    _conv = staticmethod(_C.conv3d)

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        padding = padding if isinstance(padding, str) else _triple(padding)
        super().__init__(
            in_channels,
            out_channels,
            _triple(kernel_size),
            _triple(stride),
            padding,
            _triple(dilation),
            False,
            _triple(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class _ConvTransposeNd(_ConvNd):
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        transposed,
        output_padding,
        groups,
        bias,
        padding_mode,
        device=None,
        dtype=None,
    ):
        if padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__}: padding_mode must be 'zeros', not {padding_mode!r}")
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            transposed,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(self, input, output_size):
        """What must be added at the end so that the output has `output_size`."""
        if output_size is None:
            return self.output_padding
        dims = len(self.kernel_size)
        spatial = input.dim() - dims
        output_size = list(output_size)
        if len(output_size) == spatial + dims:
            output_size = output_size[spatial:]
        if len(output_size) != dims:
            raise ValueError(
                f"ConvTranspose{dims}d: output_size takes {dims} numbers, or {spatial + dims} with batch and "
                f"channels; got {len(output_size)} for an input of {input.dim()} dims"
            )
        smallest = [
            (input.size(d + spatial) - 1) * self.stride[d]
            - 2 * self.padding[d]
            + self.dilation[d] * (self.kernel_size[d] - 1)
            + 1
            for d in range(dims)
        ]
        for wanted, low, stride in zip(output_size, smallest, self.stride):
            if not low <= wanted <= low + stride - 1:
                largest = [s + t - 1 for s, t in zip(smallest, self.stride)]
                raise ValueError(
                    f"ConvTranspose{dims}d: output_size={output_size} is not possible for an input of "
                    f"{input.size()[2:]}; it may lie from {smallest} to {largest}"
                )
        return [wanted - low for wanted, low in zip(output_size, smallest)]

    def forward(self, input, output_size=None):
        return self._conv(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(_ConvTransposeNd):
    """The adjoint of Conv1d: spreads each input over the filter.

    Args: as of Conv1d; output_padding: extra length at the end of the output.
    Shapes: (N, in_channels, L) or (in_channels, L) → (N, out_channels, L') or (out_channels, L')
    with L' = (L − 1)·stride − 2·padding + dilation·(kernel_size − 1) + output_padding + 1.
    """

    _conv = staticmethod(_C.conv_transpose1d)

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__(
            in_channels,
            out_channels,
            _single(kernel_size),
            _single(stride),
            _single(padding),
            _single(dilation),
            True,
            _single(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class ConvTranspose2d(_ConvTransposeNd):
    """The adjoint of Conv2d; see ConvTranspose1d.

    Shapes: (N, in_channels, H, W) or (in_channels, H, W) → (N, out_channels, H', W') or (out_channels, H',
    W').
    """

    _conv = staticmethod(_C.conv_transpose2d)

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__(
            in_channels,
            out_channels,
            _pair(kernel_size),
            _pair(stride),
            _pair(padding),
            _pair(dilation),
            True,
            _pair(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class ConvTranspose3d(_ConvTransposeNd):
    """The adjoint of Conv3d; see ConvTranspose1d.

    Shapes: (N, in_channels, D, H, W) or without N → out_channels and the new sizes likewise.
    """

    _conv = staticmethod(_C.conv_transpose3d)

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__(
            in_channels,
            out_channels,
            _triple(kernel_size),
            _triple(stride),
            _triple(padding),
            _triple(dilation),
            True,
            _triple(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )
