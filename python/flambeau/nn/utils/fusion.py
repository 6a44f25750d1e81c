"""Folding a batch norm of evaluation mode into the layer before it."""

from __future__ import annotations

import copy

from ... import _C
from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _scale_and_shift(bias, mean, var, eps, scale, shift):
    """(factor of the weights, new bias): y = scale·(x + bias − mean)/√(var + eps) + shift."""
    bias = _C.zeros_like(mean) if bias is None else bias
    scale = _C.ones_like(mean) if scale is None else scale
    shift = _C.zeros_like(mean) if shift is None else shift
    factor = scale * _C.rsqrt(var + eps)
    return factor, (bias - mean) * factor + shift


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """(weight, bias) of the convolution that includes the batch norm."""
    factor, bias = _scale_and_shift(conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    weight = (conv_w * factor.reshape(shape)).to(conv_w.dtype)
    return (
        Parameter(weight, conv_w.requires_grad),
        Parameter(bias.to(conv_w.dtype), True if conv_b is None else conv_b.requires_grad),
    )


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """(weight, bias) of the linear layer that includes the batch norm."""
    factor, bias = _scale_and_shift(linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    weight = (linear_w * factor.unsqueeze(-1)).to(linear_w.dtype)
    return (
        Parameter(weight, linear_w.requires_grad),
        Parameter(bias.to(linear_w.dtype), True if linear_b is None else linear_b.requires_grad),
    )


def _check_evaluation(layer, norm):
    if layer.training or norm.training:
        raise AssertionError("fusing keeps the running statistics; call .eval() on both modules first")
    if norm.running_mean is None or norm.running_var is None:
        raise AssertionError("Fusion needs the running statistics of the batch norm")


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """A copy of `conv` that includes `bn`; both in evaluation mode."""
    _check_evaluation(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_linear_bn_eval(linear, bn):
    """A copy of `linear` that includes `bn`; both in evaluation mode."""
    _check_evaluation(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(f"fuse_linear_bn_weights: linear gives {linear.out_features} features, bn takes "
                             f"{bn.num_features}; bn needs as many, or 1")
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused
