"""Pooling functions. Max pools give (values, indices) with return_indices=True."""

from __future__ import annotations

from ... import _C

avg_pool1d = _C.avg_pool1d
avg_pool2d = _C.avg_pool2d
avg_pool3d = _C.avg_pool3d
adaptive_avg_pool1d = _C.adaptive_avg_pool1d


def as_tuple(value, n):
    """`value` n times, or as it is if it is a sequence."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """(largest value of each window, its place) of (N, C, L) or (C, L)."""
    stride = kernel_size if stride is None else stride
    return _C.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """(largest value of each window, its place) of (N, C, H, W) or (C, H, W)."""
    stride = kernel_size if stride is None else stride
    return _C.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """(largest value of each window, its place) of (N, C, D, H, W) or (C, D, H, W)."""
    stride = kernel_size if stride is None else stride
    return _C.max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest value of each window of (N, C, L) or (C, L)."""
    if return_indices:
        return max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool1d(
        input, kernel_size, kernel_size if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest value of each window of (N, C, H, W) or (C, H, W)."""
    if return_indices:
        return max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool2d(
        input, kernel_size, kernel_size if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest value of each window of (N, C, D, H, W) or (C, D, H, W)."""
    if return_indices:
        return max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return _C.max_pool3d(
        input, kernel_size, kernel_size if stride is None else stride, padding, dilation, ceil_mode
    )


def _output_sizes(output_size, input):
    """The output sizes with None replaced by the input's."""
    if not isinstance(output_size, (tuple, list)):
        return output_size
    if input.dim() <= len(output_size):
        raise ValueError(f"an output of {len(output_size)} sizes needs an input of {len(output_size) + 1} "
                         f"dims or more, it has {input.dim()}")
    own = input.size()[-len(output_size) :]
    return [size if wanted is None else wanted for wanted, size in zip(output_size, own)]


def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """(values, places) of adaptive_max_pool1d."""
    return _C.adaptive_max_pool1d(input, output_size)


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """(values, places) of adaptive_max_pool2d."""
    return _C.adaptive_max_pool2d(input, as_tuple(_output_sizes(output_size, input), 2))


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """(values, places) of adaptive_max_pool3d."""
    return _C.adaptive_max_pool3d(input, as_tuple(_output_sizes(output_size, input), 3))


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """Max pool with windows chosen so that the output has the given size."""
    pair = adaptive_max_pool1d_with_indices(input, output_size)
    return pair if return_indices else pair[0]


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """Max pool with windows chosen so that the output has the given sizes; None keeps the input's."""
    pair = adaptive_max_pool2d_with_indices(input, output_size)
    return pair if return_indices else pair[0]


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """Max pool with windows chosen so that the output has the given sizes; None keeps the input's."""
    pair = adaptive_max_pool3d_with_indices(input, output_size)
    return pair if return_indices else pair[0]


def adaptive_avg_pool2d(input, output_size):
    """Mean over windows chosen so that the output has the given sizes; None keeps the input's."""
    return _C.adaptive_avg_pool2d(input, as_tuple(_output_sizes(output_size, input), 2))


def adaptive_avg_pool3d(input, output_size):
    """Mean over windows chosen so that the output has the given sizes; None keeps the input's."""
    return _C.adaptive_avg_pool3d(input, as_tuple(_output_sizes(output_size, input), 3))


def _fractional(op, name, dims, input, kernel_size, output_size, output_ratio, samples):
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name}: pass output_size or output_ratio")
    if output_size is None:
        ratios = as_tuple(output_ratio, dims)
        if len(ratios) > dims:
            raise ValueError(f"{name}: output_ratio must be one number or {dims}, got {output_ratio}")
        output_size = [int(size * ratio) for size, ratio in zip(input.size()[-dims:], ratios)]
    if samples is None:
        batch = 1 if input.dim() == dims + 1 else input.size(0)
        samples = _C.rand(batch, input.size(-dims - 1), dims, dtype=input.dtype, device=input.device)
    return op(input, as_tuple(kernel_size, dims), as_tuple(output_size, dims), samples)


def fractional_max_pool2d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """(values, places) of fractional_max_pool2d."""
    return _fractional(
        _C.fractional_max_pool2d,
        "fractional_max_pool2d",
        2,
        input,
        kernel_size,
        output_size,
        output_ratio,
        _random_samples,
    )


def fractional_max_pool3d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """(values, places) of fractional_max_pool3d."""
    return _fractional(
        _C.fractional_max_pool3d,
        "fractional_max_pool3d",
        3,
        input,
        kernel_size,
        output_size,
        output_ratio,
        _random_samples,
    )


def fractional_max_pool2d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Max pool over windows at random places (Graham 2015)."""
    pair = fractional_max_pool2d_with_indices(
        input, kernel_size, output_size, output_ratio, True, _random_samples
    )
    return pair if return_indices else pair[0]


def fractional_max_pool3d(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """Max pool over windows at random places (Graham 2015)."""
    pair = fractional_max_pool3d_with_indices(
        input, kernel_size, output_size, output_ratio, True, _random_samples
    )
    return pair if return_indices else pair[0]


def _unpooled_size(input, kernel_size, stride, padding, output_size, dims):
    """The size of an unpooled output: the given one, checked, or the smallest possible."""
    own = input.size()[-dims:]
    default = [(own[d] - 1) * stride[d] + kernel_size[d] - 2 * padding[d] for d in range(dims)]
    if output_size is None:
        return default
    if len(output_size) == dims + 2:
        output_size = output_size[2:]
    if len(output_size) != dims:
        raise ValueError(
            f"max_unpool: output_size needs {dims} numbers, or {dims + 2} with batch and channels; got "
            f"{len(output_size)}"
        )
    for d in range(dims):
        low, high = default[d] - stride[d], default[d] + stride[d]
        if not low < output_size[d] < high:
            raise ValueError(
                f"max_unpool: output_size={output_size} is not possible; dim {d} can lie between {low} and "
                f"{high}"
            )
    return list(output_size)


def _unpool_arguments(input, kernel_size, stride, padding, output_size, dims):
    kernel = as_tuple(kernel_size, dims)
    step = kernel if stride is None else as_tuple(stride, dims)
    pad = as_tuple(padding, dims)
    return _unpooled_size(input, kernel, step, pad, output_size, dims), step, pad


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put values back to the places max_pool1d took them from, zeros elsewhere."""
    size, _, _ = _unpool_arguments(input, kernel_size, stride, padding, output_size, 1)
    return _C.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), [*size, 1]).squeeze(-1)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put values back to the places max_pool2d took them from, zeros elsewhere."""
    size, _, _ = _unpool_arguments(input, kernel_size, stride, padding, output_size, 2)
    return _C.max_unpool2d(input, indices, size)


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Put values back to the places max_pool3d took them from, zeros elsewhere."""
    size, step, pad = _unpool_arguments(input, kernel_size, stride, padding, output_size, 3)
    return _C.max_unpool3d(input, indices, size, step, pad)


def _power_mean(input, norm_type, kernel_size, stride, ceil_mode, pool, dims):
    mean = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    count = 1
    for size in as_tuple(kernel_size, dims):
        count *= size
    # A negative sum (odd powers) has no real root: its sign goes in front.
    return (_C.sign(mean) * _C.relu(_C.abs(mean))).mul(count).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(Σ x^p)^(1/p) over each window of (N, C, L) or (C, L)."""
    stride = kernel_size if stride is None else stride
    return _power_mean(input, norm_type, kernel_size, stride, ceil_mode, _C.avg_pool1d, 1)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(Σ x^p)^(1/p) over each window of (N, C, H, W) or (C, H, W)."""
    stride = kernel_size if stride is None else stride
    return _power_mean(input, norm_type, kernel_size, stride, ceil_mode, _C.avg_pool2d, 2)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(Σ x^p)^(1/p) over each window of (N, C, D, H, W) or (C, D, H, W)."""
    stride = kernel_size if stride is None else stride
    return _power_mean(input, norm_type, kernel_size, stride, ceil_mode, _C.avg_pool3d, 3)
