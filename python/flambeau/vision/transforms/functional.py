"""The transforms as functions of an image, a PIL image or a tensor (…, C, H, W), and their parameters."""

import math
import numbers

import flambeau as torch
from flambeau._C import Tensor

from .. import _pil
from . import _pil_ops, _tensor_ops
from ._conversion import convert_image_dtype, normalize, pil_to_tensor, to_pil_image, to_tensor
from .interpolation import InterpolationMode, interpolation_mode

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "autocontrast",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "erase",
    "five_crop",
    "gaussian_blur",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "invert",
    "normalize",
    "pad",
    "pil_to_tensor",
    "posterize",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "solarize",
    "ten_crop",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]


def _is_tensor(img) -> bool:
    if isinstance(img, Tensor):
        if img.dim() < 2:
            raise TypeError(
                f"A tensor image has at least 2 dimensions, this one has shape {tuple(img.shape)}."
            )
        return True
    if not _pil.is_image(img):
        raise TypeError(f"img should be PIL Image or Tensor. Got {type(img).__name__}.")
    return False


def get_dimensions(img) -> list[int]:
    """[channels, height, width]."""
    return (_tensor_ops if _is_tensor(img) else _pil_ops).dimensions(img)


def get_image_size(img) -> list[int]:
    """[width, height]."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img) -> int:
    """Number of channels."""
    return get_dimensions(img)[0]


def resize(
    img, size, interpolation=InterpolationMode.BILINEAR, max_size: int | None = None, antialias: bool = True
):
    """The image in another size; see Resize."""
    interpolation = interpolation_mode(interpolation)
    _, height, width = get_dimensions(img)
    new_height, new_width = _resized(height, width, size, max_size)
    if (new_height, new_width) == (height, width):
        return img
    ops = _tensor_ops if _is_tensor(img) else _pil_ops
    return ops.resize(img, new_height, new_width, interpolation, antialias)


def _resized(height: int, width: int, size, max_size: int | None) -> tuple[int, int]:
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) > 2:
        raise ValueError(f"size must be an int, or one or two of them; got {len(sizes)}")
    if len(sizes) == 2:
        if max_size is not None:
            raise ValueError(
                "max_size should only be passed if size specifies the length of the smaller edge."
            )
        return sizes[0], sizes[1]
    short, long = sorted((height, width))
    if max_size is not None and max_size <= sizes[0]:
        raise ValueError(
            f"max_size = {max_size} must be strictly greater than the requested size = {sizes[0]}."
        )
    new_short, new_long = sizes[0], int(sizes[0] * long / short)
    if max_size is not None and new_long > max_size:
        new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if width <= height else (new_short, new_long)


def pad(img, padding, fill=0, padding_mode: str = "constant"):
    """The image with borders added; see Pad."""
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError(
            f"Padding mode should be either constant, edge, reflect or symmetric, got {padding_mode!r}."
        )
    borders = _borders(padding)
    if _is_tensor(img):
        return _tensor_ops.pad(img, borders, fill, padding_mode)
    if padding_mode == "constant":
        return _pil_ops.pad(img, borders, fill)
    return _pil.from_tensor(_tensor_ops.pad(_pil.to_tensor(img), borders, fill, padding_mode), img.mode)


def _borders(padding) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of one number for all sides, two for the axes, or four."""
    values = [padding] if isinstance(padding, numbers.Number) else list(padding)
    if len(values) not in (1, 2, 4):
        raise ValueError(f"padding must be an int, or 1, 2 or 4 of them; got {len(values)}")
    return tuple(values * (4 // len(values)))


def crop(img, top: int, left: int, height: int, width: int):
    """A rectangle of the image; what lies outside of it is 0."""
    return (_tensor_ops if _is_tensor(img) else _pil_ops).crop(img, top, left, height, width)


def center_crop(img, output_size):
    """The middle of the image; one that is too small gets a border of 0 first."""
    crop_height, crop_width = size_pair(output_size)
    _, height, width = get_dimensions(img)
    missing_x, missing_y = max(crop_width - width, 0), max(crop_height - height, 0)
    if missing_x or missing_y:
        img = pad(img, [missing_x // 2, missing_y // 2, (missing_x + 1) // 2, (missing_y + 1) // 2])
        _, height, width = get_dimensions(img)
    top, left = round((height - crop_height) / 2.0), round((width - crop_width) / 2.0)
    return crop(img, top, left, crop_height, crop_width)


def resized_crop(
    img,
    top: int,
    left: int,
    height: int,
    width: int,
    size,
    interpolation=InterpolationMode.BILINEAR,
    antialias: bool = True,
):
    """`crop`, then `resize`."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def hflip(img):
    """Left and right exchanged."""
    return (_tensor_ops if _is_tensor(img) else _pil_ops).hflip(img)


def vflip(img):
    """Top and bottom exchanged."""
    return (_tensor_ops if _is_tensor(img) else _pil_ops).vflip(img)


def five_crop(img, size) -> tuple:
    """The four corners (top left, top right, bottom left, bottom right) and the centre.

    Errors: ValueError if the image is smaller than `size`.
    """
    h, w = size_pair(size)
    _, height, width = get_dimensions(img)
    if w > width or h > height:
        raise ValueError(f"Requested crop size {(h, w)} is bigger than input size {(height, width)}.")
    corners = [(0, 0), (0, width - w), (height - h, 0), (height - h, width - w)]
    return (*(crop(img, top, left, h, w) for top, left in corners), center_crop(img, (h, w)))


def ten_crop(img, size, vertical_flip: bool = False) -> tuple:
    """`five_crop` of the image and of its mirror image."""
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


def size_pair(size) -> tuple[int, int]:
    """(height, width) of one number for both, or of two."""
    values = [size] if isinstance(size, numbers.Number) else list(size)
    if len(values) not in (1, 2):
        raise ValueError(f"Please provide only one or two dimensions (h, w) for size, not {len(values)}.")
    return int(values[0]), int(values[-1])


def adjust_brightness(img, brightness_factor: float):
    """0 is black, 1 the image itself, 2 twice as bright."""
    if _is_tensor(img):
        _check_factor("brightness_factor", brightness_factor)
        return _tensor_ops.blend(img, torch.zeros_like(img), brightness_factor)
    return _pil_ops.enhance(img, "Brightness", brightness_factor)


def adjust_contrast(img, contrast_factor: float):
    """0 is even gray, 1 the image itself, 2 twice the contrast."""
    if _is_tensor(img):
        _check_factor("contrast_factor", contrast_factor)
        return _tensor_ops.adjust_contrast(img, contrast_factor)
    return _pil_ops.enhance(img, "Contrast", contrast_factor)


def adjust_saturation(img, saturation_factor: float):
    """0 is without colour, 1 the image itself, 2 twice as colourful."""
    if not _is_tensor(img):
        return _pil_ops.enhance(img, "Color", saturation_factor)
    _check_factor("saturation_factor", saturation_factor)
    if img.shape[-3] == 1:
        return img
    return _tensor_ops.blend(img, _tensor_ops.grayscale(img), saturation_factor)


def adjust_hue(img, hue_factor: float):
    """Colours moved along the circle of hues by `hue_factor` of a turn, -0.5..0.5.

    Errors: ValueError for another factor.
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    return (_tensor_ops if _is_tensor(img) else _pil_ops).adjust_hue(img, hue_factor)


def adjust_gamma(img, gamma: float, gain: float = 1):
    """gain · image^gamma, for numbers 0..1; a gamma above 1 darkens the shadows."""
    _check_factor("gamma", gamma)
    return (_tensor_ops if _is_tensor(img) else _pil_ops).adjust_gamma(img, gamma, gain)


def adjust_sharpness(img, sharpness_factor: float):
    """0 is blurred, 1 the image itself, 2 twice as sharp."""
    if _is_tensor(img):
        _check_factor("sharpness_factor", sharpness_factor)
        return _tensor_ops.adjust_sharpness(img, sharpness_factor)
    return _pil_ops.enhance(img, "Sharpness", sharpness_factor)


def _check_factor(name: str, value: float) -> None:
    if value < 0:
        raise ValueError(f"{name} ({value}) is not non-negative.")


def to_grayscale(img, num_output_channels: int = 1):
    """A PIL image as gray, in one channel or three equal ones."""
    if not _pil.is_image(img):
        raise TypeError("Input should be PIL Image.")
    return rgb_to_grayscale(img, num_output_channels)


def rgb_to_grayscale(img, num_output_channels: int = 1):
    """A colour image as gray, in one channel or three equal ones."""
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}.")
    if _is_tensor(img):
        return _tensor_ops.grayscale(img, num_output_channels)
    return _pil_ops.to_grayscale(img, num_output_channels)


def invert(img):
    """The negative."""
    return _tensor_ops.max_value(img.dtype) - img if _is_tensor(img) else _pil_ops.operation(img, "invert")


def posterize(img, bits: int):
    """Only the `bits` (0..8) highest bits of each byte."""
    if not _is_tensor(img):
        return _pil_ops.operation(img, "posterize", bits)
    if img.dtype != torch.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}.")
    return _tensor_ops.posterize(img, bits)


def solarize(img, threshold: float):
    """The negative of the pixels from `threshold` on."""
    if not _is_tensor(img):
        return _pil_ops.operation(img, "solarize", threshold)
    if threshold > _tensor_ops.max_value(img.dtype):
        raise TypeError(f"Threshold {threshold} should be at most the largest number of {img.dtype} images.")
    return _tensor_ops.solarize(img, threshold)


def autocontrast(img):
    """Each channel stretched to the whole range."""
    return _tensor_ops.autocontrast(img) if _is_tensor(img) else _pil_ops.operation(img, "autocontrast")


def gaussian_blur(img, kernel_size, sigma=None):
    """Blurred by a bell curve; see GaussianBlur.

    Args:
        kernel_size: pixels it reaches over, odd; one number or (x, y).
        sigma: standard deviation in pixels, one number or (x, y); default 0.15 · kernel_size + 0.35.
    """
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2 or any(size <= 0 or size % 2 == 0 for size in sizes):
        raise ValueError(f"kernel_size should be one or two odd and positive integers. Got {kernel_size}.")
    if sigma is None:
        sigmas = [size * 0.15 + 0.35 for size in sizes]
    else:
        sigmas = [float(value) for value in ([sigma] if isinstance(sigma, numbers.Number) else sigma)]
        sigmas = sigmas * 2 if len(sigmas) == 1 else sigmas
    if len(sigmas) != 2 or any(value <= 0 for value in sigmas):
        raise ValueError(f"sigma should be one or two positive numbers. Got {sigma}.")
    if _is_tensor(img):
        return _tensor_ops.gaussian_blur(img, sizes, sigmas)
    return _pil.from_tensor(_tensor_ops.gaussian_blur(_pil.to_tensor(img), sizes, sigmas), img.mode)


def rotate(
    img, angle: float, interpolation=InterpolationMode.NEAREST, expand: bool = False, center=None, fill=None
):
    """Turned by `angle` degrees, counter-clockwise; see RandomRotation.

    Args:
        expand: make the result large enough for the whole image.
        center: (x, y) of the point to turn around, from the top left; default the middle.
        fill: number or one per channel for what comes from outside; None is 0.
    """
    interpolation = interpolation_mode(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float.")
    if center is not None and len(center) != 2:
        raise ValueError(f"center should hold two numbers, got {center}.")
    if not _is_tensor(img):
        return _pil_ops.rotate(img, angle, interpolation, expand, center, fill)
    _, height, width = get_dimensions(img)
    offset = (0.0, 0.0) if center is None else (center[0] - width * 0.5, center[1] - height * 0.5)
    matrix = _inverse_affine_matrix(offset, -angle, (0.0, 0.0), 1.0, (0.0, 0.0))
    size = _tensor_ops.rotated_size(matrix, width, height) if expand else None
    return _tensor_ops.warp(img, matrix, interpolation, fill, size)


def affine(
    img,
    angle: float,
    translate,
    scale: float,
    shear,
    interpolation=InterpolationMode.NEAREST,
    fill=None,
    center=None,
):
    """Turned, scaled, sheared and moved, the centre staying where it is before the move; see RandomAffine.

    Args:
        angle: degrees, clockwise.
        translate: (right, down) in pixels.
        scale: > 0.
        shear: degrees along x, or along (x, y).
        fill, center: as `rotate`.
    """
    interpolation = interpolation_mode(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float.")
    if len(translate) != 2:
        raise ValueError(f"translate must be a pair, got {len(translate)} numbers")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive.")
    shears = [shear, 0.0] if isinstance(shear, numbers.Number) else [float(value) for value in shear]
    if len(shears) not in (1, 2):
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}.")
    shears = shears * 2 if len(shears) == 1 else shears
    if center is not None and len(center) != 2:
        raise ValueError(f"center should hold two numbers, got {center}.")
    _, height, width = get_dimensions(img)
    if not _is_tensor(img):
        middle = (width * 0.5, height * 0.5) if center is None else center
        matrix = _inverse_affine_matrix(middle, angle, translate, scale, shears)
        return _pil_ops.affine(img, matrix, interpolation, fill)
    offset = (0.0, 0.0) if center is None else (center[0] - width * 0.5, center[1] - height * 0.5)
    matrix = _inverse_affine_matrix(offset, angle, translate, scale, shears)
    return _tensor_ops.warp(img, matrix, interpolation, fill)


def _inverse_affine_matrix(center, angle: float, translate, scale: float, shear) -> list[float]:
    """From a pixel of the result to that of the image: a b c d e f of x' = a x + b y + c, y' = d x + e y + f.

    The forward map is T · C · R · S · Z · C⁻¹: move, around the centre turn, shear (y after x) and scale.
    """
    turn, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    # R · S, written out
    a = math.cos(turn - shear_y) / math.cos(shear_y)
    b = -math.cos(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)
    c = math.sin(turn - shear_y) / math.cos(shear_y)
    d = -math.sin(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)
    # its inverse: the determinant is 1
    a, b, c, d = d / scale, -b / scale, -c / scale, a / scale
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    return [a, b, a * x + b * y + center[0], c, d, c * x + d * y + center[1]]


def erase(img, i: int, j: int, h: int, w: int, v, inplace: bool = False):
    """A tensor image whose rectangle from row `i`, column `j`, `h` by `w`, is overwritten with `v`."""
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img).__name__}.")
    img = img if inplace else img.clone()
    img[..., i : i + h, j : j + w] = v
    return img
