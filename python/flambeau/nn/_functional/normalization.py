"""Normalisation functions."""

from __future__ import annotations

import math

from ... import _C


def _more_than_one_value(size, batch, spatial):
    """ValueError if a statistic would be taken over a single value."""
    if batch * spatial == 1:
        raise ValueError("batch_norm: one value per channel has no variance to train with; the input has "
                         f"size {size}")


def batch_norm(
    input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    """Normalise each channel over batch and places (Ioffe & Szegedy 2015).

    Args:
        input: (N, C) or (N, C, *).
        running_mean, running_var: (C), used if not training, else updated by `momentum`; may be None.
        weight, bias: (C) or None.
    """
    if training:
        size = input.size()
        _more_than_one_value(size, size[0], math.prod(size[2:]))
    return _C.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)


def instance_norm(
    input,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-5,
):
    """Normalise each channel of each sample over places (Ulyanov et al. 2016). input (N, C, *)."""
    if use_input_stats:
        size = input.size()
        if math.prod(size[2:]) == 1:
            raise ValueError("instance_norm: one place per channel has no variance to train with; the input "
                             f"has size {size}")
    return _C.instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True
    )


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Normalise over the last dimensions, of sizes `normalized_shape` (Ba et al. 2016)."""
    return _C.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Divide by the root mean square over the last dimensions (Zhang & Sennrich 2019)."""
    return _C.rms_norm(input, normalized_shape, weight, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Normalise groups of channels of each sample (Wu & He 2018). input (N, C, *)."""
    if input.dim() < 2:
        raise RuntimeError(f"group_norm: the input needs dims (N, C, *), it has {input.dim()}")
    size = input.size()
    _more_than_one_value(size, size[0], size[1] // num_groups * math.prod(size[2:]))
    return _C.group_norm(input, num_groups, weight, bias, eps)


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """
    / (k + alpha·mean of x² over `size` neighbouring channels)^beta (Krizhevsky 2012). input (N, C, *).
    """
    dim = input.dim()
    if dim < 3:
        raise ValueError(f"local_response_norm: the input needs dims (N, C, *), three or more; it has {dim}")
    if input.numel() == 0:
        return input
    square = input.mul(input)
    if dim == 3:
        square = _C.pad(square.unsqueeze(1), (0, 0, size // 2, (size - 1) // 2))
        mean = _C.avg_pool2d(square, (size, 1), stride=1).squeeze(1)
    else:
        sizes = input.size()
        square = square.view(sizes[0], 1, sizes[1], sizes[2], -1)
        square = _C.pad(square, (0, 0, 0, 0, size // 2, (size - 1) // 2))
        mean = _C.avg_pool3d(square, (size, 1, 1), stride=1).squeeze(1).view(sizes)
    return input / mean.mul(alpha).add(k).pow(beta)


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """x / max(‖x‖_p, eps) along `dim`."""
    length = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / length if out is None else _C.div(input, length, out=out)
