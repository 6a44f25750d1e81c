"""Gradients of convolutions with respect to their input or weight, from the shape alone."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau as fb

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _of_input(dims: int) -> Callable:
    def conv_input(input_size: Any, weight: Any, grad_output: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
                   groups: int = 1) -> Any:
        with fb.enable_grad():
            x = fb.zeros(input_size, dtype=weight.dtype, requires_grad=True)
            y = getattr(fb.nn.functional, f"conv{dims}d")(x, weight, None, stride, padding, dilation, groups)
            return fb.autograd.grad(y, x, grad_output)[0]
    conv_input.__name__ = conv_input.__qualname__ = f"conv{dims}d_input"
    conv_input.__doc__ = f"""The gradient of `conv{dims}d` with respect to an input of shape `input_size`.

    Shapes: weight (out, in / groups, *kernel), grad_output (n, out, *positions) → input_size.
    """
    return conv_input


def _of_weight(dims: int) -> Callable:
    def conv_weight(input: Any, weight_size: Any, grad_output: Any, stride: Any = 1, padding: Any = 0,
                    dilation: Any = 1, groups: int = 1) -> Any:
        with fb.enable_grad():
            w = fb.zeros(weight_size, dtype=input.dtype, requires_grad=True)
            y = getattr(fb.nn.functional, f"conv{dims}d")(input, w, None, stride, padding, dilation, groups)
            return fb.autograd.grad(y, w, grad_output)[0]
    conv_weight.__name__ = conv_weight.__qualname__ = f"conv{dims}d_weight"
    conv_weight.__doc__ = f"""The gradient of `conv{dims}d` with respect to a weight of shape `weight_size`.

    Shapes: input (n, in, *size), grad_output (n, out, *positions) → weight_size.
    """
    return conv_weight


conv1d_input, conv2d_input, conv3d_input = (_of_input(n) for n in (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = (_of_weight(n) for n in (1, 2, 3))
