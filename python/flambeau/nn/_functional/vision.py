"""Resizing, sampling, padding, folding: functions on images and sequences."""

from __future__ import annotations

import warnings

from ... import _C
from .pooling import as_tuple

pixel_shuffle = _C.pixel_shuffle
pixel_unshuffle = _C.pixel_unshuffle
channel_shuffle = _C.channel_shuffle
native_channel_shuffle = _C.channel_shuffle


def pad(input, pad, mode="constant", value=None):
    """Pad the last dimensions.

    Args:
        pad: (before, after) of the last dimension, then of the one before it, …; negative sizes crop.
        mode: "constant", "reflect", "replicate" or "circular".
        value: what constant padding is filled with, 0 if None.
    """
    if isinstance(pad, int):
        raise TypeError("pad(): argument 'pad' (position 2) must be tuple of ints, not int")
    return _C.pad(input, pad, mode, value)


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Windows of (N, C, H, W) as columns (N, C·kh·kw, L)."""
    return _C.im2col(
        input, as_tuple(kernel_size, 2), as_tuple(dilation, 2), as_tuple(padding, 2), as_tuple(stride, 2)
    )


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns (N, C·kh·kw, L) added up into images (N, C, *output_size): the adjoint of unfold."""
    return _C.col2im(
        input,
        as_tuple(output_size, 2),
        as_tuple(kernel_size, 2),
        as_tuple(dilation, 2),
        as_tuple(padding, 2),
        as_tuple(stride, 2),
    )


_MODES = {
    ("nearest", 3): "upsample_nearest1d",
    ("nearest", 4): "upsample_nearest2d",
    ("nearest", 5): "upsample_nearest3d",
    ("nearest-exact", 3): "_upsample_nearest_exact1d",
    ("nearest-exact", 4): "_upsample_nearest_exact2d",
    ("nearest-exact", 5): "_upsample_nearest_exact3d",
    ("linear", 3): "upsample_linear1d",
    ("bilinear", 4): "upsample_bilinear2d",
    ("trilinear", 5): "upsample_trilinear3d",
    ("bicubic", 4): "upsample_bicubic2d",
}
_ANTIALIASED = {
    "bilinear": "_upsample_bilinear2d_aa",
    "bicubic": "_upsample_bicubic2d_aa",
    "lanczos": "_upsample_lanczos2d_aa",
}


def _per_dim(value, dims, input, name):
    if not isinstance(value, (list, tuple)):
        return [value] * dims
    if len(value) != dims:
        raise ValueError(
            f"interpolate: {name}={value} needs a number for each of the {dims} spatial dims of an input of "
            f"shape {tuple(input.shape)}, which is read as (N, C, *)"
        )
    return list(value)


def interpolate(
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """Resize (N, C, L), (N, C, H, W) or (N, C, D, H, W).

    Args:
        size, scale_factor: one of them, a number or one a dimension.
        mode: "nearest", "nearest-exact", "area", "linear" (3-d), "bilinear" or "bicubic" (4-d),
            "trilinear" (5-d).
        align_corners: whether corner pixels keep their values; only for the linear and cubic modes.
        recompute_scale_factor: use the scale that the rounded size gives.
        antialias: smooth while shrinking; only bilinear and bicubic.
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "interpolate: align_corners has a meaning for 'linear', 'bilinear', 'bicubic' and "
                f"'trilinear' only, not for {mode!r}"
            )
    elif align_corners is None:
        align_corners = False
    dims = input.dim() - 2
    if size is not None and scale_factor is not None:
        raise ValueError("interpolate: pass size or scale_factor, not both")
    if size is None and scale_factor is None:
        raise ValueError("interpolate: pass size or scale_factor")
    scales = None
    if size is not None:
        size = _per_dim(size, dims, input, "output size")
        if recompute_scale_factor:
            raise ValueError("interpolate: recompute_scale_factor has no meaning when size is given")
    else:
        scales = _per_dim(scale_factor, dims, input, "scale_factor")
        if recompute_scale_factor or mode == "area":
            size = [int(n * s) for n, s in zip(input.shape[2:], scales)]
            scales = None
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.dim() == 4):
        raise ValueError(
            "interpolate: antialias is for images, (N, C, H, W), and mode 'bilinear', 'bicubic' or "
            f"'lanczos'; got {input.dim()} dims and {mode!r}"
        )
    if mode == "area" and input.dim() in (3, 4, 5):
        return getattr(_C, f"adaptive_avg_pool{dims}d")(input, size)
    if antialias:
        return getattr(_C, _ANTIALIASED[mode])(input, size, align_corners, scales)
    name = _MODES.get((mode, input.dim()))
    if name is None:
        raise NotImplementedError(
            f"interpolate: mode={mode!r} does not fit an input of {input.dim()} dims; 'linear' takes 3, "
            "'bilinear' and 'bicubic' 4, 'trilinear' 5, 'nearest', 'nearest-exact' and 'area' 3 to 5"
        )
    if mode.startswith("nearest"):
        return getattr(_C, name)(input, size, scales)
    return getattr(_C, name)(input, size, align_corners, scales)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """Old name of interpolate."""
    warnings.warn(
        "nn.functional.upsample is an old name; use interpolate", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """Old form of interpolate(mode="nearest")."""
    warnings.warn(
        "nn.functional.upsample_nearest is an old name; use interpolate(mode='nearest')",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """Old form of interpolate(mode="bilinear", align_corners=True)."""
    warnings.warn(
        "nn.functional.upsample_bilinear is an old name; use interpolate(mode='bilinear', "
        "align_corners=True)",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


_SAMPLE_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """Values of (N, C, H, W) or (N, C, D, H, W) at the places of `grid`, in [−1, 1].

    Args:
        grid: (N, H', W', 2) with (x, y), or (N, D', H', W', 3) with (x, y, z).
        mode: "bilinear", "nearest" or "bicubic"; padding_mode: "zeros", "border" or "reflection".
        align_corners: whether ±1 are the centres of the corner pixels; False if None.
    """
    if mode not in _SAMPLE_MODES:
        raise ValueError(f"grid_sample: unknown mode={mode!r}, choose 'bilinear', 'nearest' or 'bicubic'")
    if padding_mode not in _PADDING_MODES:
        raise ValueError(
            f"grid_sample: unknown padding_mode={padding_mode!r}, choose 'zeros', 'border' or 'reflection'"
        )
    if align_corners is None:
        warnings.warn(
            "grid_sample: align_corners is not given and taken as False; old PyTorch code means True",
            stacklevel=2,
        )
        align_corners = False
    return _C.grid_sampler(input, grid, _SAMPLE_MODES[mode], _PADDING_MODES[padding_mode], align_corners)


def affine_grid(theta, size, align_corners=None):
    """The grid for grid_sample that an affine map gives.

    Args:
        theta: (N, 2, 3) or (N, 3, 4).
        size: the output's size, (N, C, H, W) or (N, C, D, H, W).
    """
    if align_corners is None:
        warnings.warn(
            "affine_grid: align_corners is not given and taken as False; old PyTorch code means True",
            stacklevel=2,
        )
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"affine_grid: theta must have a floating dtype, it is {theta.dtype}")
    expected = {4: (2, 3), 5: (3, 4)}.get(len(size))
    if expected is None:
        raise NotImplementedError(f"affine_grid: size must be (N, C, H, W) or (N, C, D, H, W), got {size}")
    if theta.dim() != 3 or tuple(theta.shape[-2:]) != expected:
        raise ValueError(
            f"affine_grid: for size {size}, theta must have shape (N, {expected[0]}, {expected[1]}); it has "
            f"{tuple(theta.shape)}"
        )
    if min(size) <= 0:
        raise ValueError(f"affine_grid: every number in size must be positive, got {size}")
    return _C.affine_grid_generator(theta, size, align_corners)
