"""Laying out convolution weights in another memory format."""

from __future__ import annotations

from ..modules import conv

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _convert(module, memory_format, kinds):
    for child in module.modules():
        if isinstance(child, kinds):
            weight = child.weight.detach().clone().contiguous(memory_format=memory_format)
            child.weight.data = weight.resize_(weight.size(), memory_format=memory_format)
    return module


def convert_conv2d_weight_memory_format(module, memory_format):
    """Lay out the weights of all 2-d convolutions below `module` in `memory_format`."""
    return _convert(module, memory_format, (conv.Conv2d, conv.ConvTranspose2d))


def convert_conv3d_weight_memory_format(module, memory_format):
    """Lay out the weights of all 3-d convolutions below `module` in `memory_format`."""
    return _convert(module, memory_format, (conv.Conv3d, conv.ConvTranspose3d))
