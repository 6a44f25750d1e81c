"""What `functional` does with tensor images (…, C, H, W)."""

import math

import flambeau as torch
import flambeau.nn.functional as nnf

from .interpolation import InterpolationMode

# weights of red, green, blue in brightness (ITU-R BT.601)
_LUMA = (0.2989, 0.587, 0.114)

_MAX_OF_DTYPE = {
    "uint8": 255,
    "int8": 127,
    "int16": 32767,
    "uint16": 65535,
    "int32": 2**31 - 1,
    "int64": 2**63 - 1,
}


def max_value(dtype) -> int:
    """The number that stands for white."""
    return _MAX_OF_DTYPE.get(str(dtype).removeprefix("torch."), 1)


def dimensions(image) -> list[int]:
    channels = 1 if image.dim() == 2 else image.shape[-3]
    return [channels, image.shape[-2], image.shape[-1]]


def hflip(image):
    return image.flip(-1)


def vflip(image):
    return image.flip(-2)


def crop(image, top: int, left: int, height: int, width: int):
    h, w = image.shape[-2:]
    bottom, right = top + height, left + width
    inside = image[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if top >= 0 and left >= 0 and bottom <= h and right <= w:
        return inside
    outside = (
        max(min(right, 0) - left, 0),
        max(right - max(w, left), 0),
        max(min(bottom, 0) - top, 0),
        max(bottom - max(h, top), 0),
    )
    return nnf.pad(inside, outside)


def resize(image, height: int, width: int, interpolation: InterpolationMode, antialias: bool):
    smooth = interpolation in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)
    if not smooth and interpolation not in (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT):
        raise ValueError(f"Tensors are resized with nearest, bilinear or bicubic, not {interpolation.value}.")

    def interpolate(batch):
        result = nnf.interpolate(
            batch,
            size=(height, width),
            mode=interpolation.value,
            align_corners=False if smooth else None,
            antialias=bool(antialias) and smooth,
        )
        if interpolation is InterpolationMode.BICUBIC and image.dtype == torch.uint8:
            # a cubic swings over the ends of the range
            result = result.clamp(0, 255)
        return result

    return _as_float_batch(interpolate, image)


def pad(image, borders: tuple[int, int, int, int], fill, mode: str):
    left, top, right, bottom = borders
    if mode == "symmetric":
        h, w = image.shape[-2:]
        rows = _mirrored_indices(-top, h + bottom, h)
        columns = _mirrored_indices(-left, w + right, w)
        return image[..., rows[:, None], columns[None, :]]
    if mode == "constant":
        # negative borders crop
        return nnf.pad(image, (left, right, top, bottom), value=float(fill))
    name = {"edge": "replicate", "reflect": "reflect"}[mode]
    return _as_float_batch(lambda batch: nnf.pad(batch, (left, right, top, bottom), mode=name), image)


def _mirrored_indices(start: int, end: int, size: int):
    """Indices start … end-1 folded into 0 … size-1, where the edge pixel comes twice."""
    folded = torch.arange(start, end).remainder(2 * size)
    return torch.minimum(folded, 2 * size - 1 - folded)


def blend(image, other, factor: float):
    """factor · image + (1 - factor) · other, within the range of the image's dtype."""
    bound = max_value(image.dtype)
    factor = float(factor)  # an int would make the product overflow in the dtype of the image
    return (factor * image + (1.0 - factor) * other).clamp(0, bound).to(image.dtype)


def grayscale(image, channels: int = 1):
    if image.shape[-3] == 1:
        return image.clone()
    red, green, blue = image.unbind(-3)
    gray = (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue).to(image.dtype).unsqueeze(-3)
    return gray.expand(*image.shape[:-3], channels, *image.shape[-2:]) if channels == 3 else gray


def adjust_contrast(image, factor: float):
    dtype = image.dtype if image.is_floating_point() else torch.float32
    mean = grayscale(image).to(dtype).mean(dim=(-3, -2, -1), keepdim=True)
    return blend(image, mean, factor)


def adjust_hue(image, factor: float):
    if image.shape[-3] == 1:
        return image
    hue, saturation, value = _rgb_to_hsv(convert_dtype(image, torch.float32)).unbind(-3)
    hue = (hue + factor).remainder(1.0)
    return convert_dtype(_hsv_to_rgb(hue, saturation, value), image.dtype)


def _rgb_to_hsv(image):
    """Hexcone model, hue 0..1. Source: A. R. Smith, Color gamut transform pairs, SIGGRAPH (1978)."""
    red, green, blue = image.unbind(-3)
    high, low = image.amax(-3), image.amin(-3)
    gray = high == low
    spread = high - low
    saturation = spread / torch.where(gray, 1.0, high)
    divisor = torch.where(gray, 1.0, spread)
    r, g, b = (high - red) / divisor, (high - green) / divisor, (high - blue) / divisor
    sector = torch.where(high == red, b - g, torch.where(high == green, 2.0 + r - b, 4.0 + g - r))
    hue = (sector / 6.0 + 1.0).fmod(1.0)
    return torch.stack((torch.where(gray, 0.0, hue), saturation, high), -3)


def _hsv_to_rgb(hue, saturation, value):
    sector = (hue * 6.0).floor()
    rest = hue * 6.0 - sector
    low = (value * (1.0 - saturation)).clamp(0.0, 1.0)
    falling = (value * (1.0 - saturation * rest)).clamp(0.0, 1.0)
    rising = (value * (1.0 - saturation * (1.0 - rest))).clamp(0.0, 1.0)
    # around the circle of hues, a channel is at its height for two of six sectors
    curve = torch.stack((value, falling, low, low, rising, value), -3)
    sector = sector.to(torch.int64).remainder(6)
    start = torch.tensor([0, 4, 2]).reshape(3, 1, 1)  # sector in which red, green, blue begin
    return curve.gather(-3, (sector.unsqueeze(-3) + start).remainder(6))


def adjust_gamma(image, gamma: float, gain: float):
    floating = image if image.is_floating_point() else convert_dtype(image, torch.float32)
    return convert_dtype((gain * floating**gamma).clamp(0, 1), image.dtype)


def adjust_sharpness(image, factor: float):
    if image.shape[-1] <= 2 or image.shape[-2] <= 2:
        return image
    kernel = torch.ones(3, 3)
    kernel[1, 1] = 5.0
    channels = image.shape[-3]
    weight = (kernel / kernel.sum()).expand(channels, 1, 3, 3)
    smooth = image.clone()
    # the border has no full neighbourhood and stays
    smooth[..., 1:-1, 1:-1] = _as_float_batch(lambda batch: nnf.conv2d(batch, weight, groups=channels), image)
    return blend(image, smooth, factor)


def gaussian_blur(image, kernel_size: list[int], sigma: list[float]):
    def bell(size: int, deviation: float):
        x = torch.linspace(-(size - 1) / 2, (size - 1) / 2, steps=size)
        weights = torch.exp(-0.5 * (x / deviation) ** 2)
        return weights / weights.sum()

    channels = image.shape[-3]
    kernel = bell(kernel_size[1], sigma[1])[:, None] * bell(kernel_size[0], sigma[0])[None, :]
    weight = kernel.expand(channels, 1, *kernel.shape)
    x, y = kernel_size[0] // 2, kernel_size[1] // 2

    def blur(batch):
        padded = nnf.pad(batch, (x, x, y, y), mode="reflect")
        return nnf.conv2d(padded, weight.to(batch.dtype), groups=channels)

    return _as_float_batch(blur, image)


def posterize(image, bits: int):
    return image & (256 - 2 ** (8 - bits))


def solarize(image, threshold: float):
    return torch.where(image >= threshold, max_value(image.dtype) - image, image)


def autocontrast(image):
    bound = max_value(image.dtype)
    dtype = image.dtype if image.is_floating_point() else torch.float32
    low = image.amin(dim=(-2, -1), keepdim=True).to(dtype)
    high = image.amax(dim=(-2, -1), keepdim=True).to(dtype)
    flat = low == high
    scale = bound / torch.where(flat, 1.0, high - low)
    stretched = ((image - torch.where(flat, 0.0, low)) * torch.where(flat, 1.0, scale)).clamp(0, bound)
    return stretched.to(image.dtype)


def convert_dtype(image, dtype):
    """The image with its numbers scaled from the range of its dtype to that of another."""
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        if (image.dtype, dtype) in (
            (torch.float32, torch.int32),
            (torch.float32, torch.int64),
            (torch.float64, torch.int64),
        ):
            raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
        # each integer gets an equal share of 0..1; 1.0 itself must not overflow
        return (image * (max_value(dtype) + 1.0 - 1e-3)).to(dtype)
    bound = max_value(image.dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / bound
    wanted = max_value(dtype)
    if bound > wanted:
        return torch.div(image, (bound + 1) // (wanted + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((wanted + 1) // (bound + 1))


def warp(
    image, matrix: list[float], interpolation: InterpolationMode, fill, size: tuple[int, int] | None = None
):
    """The image seen through an affine map from output to input pixels, both measured from the centre.

    Args:
        matrix: the six numbers a b c d e f of x' = a x + b y + c, y' = d x + e y + f.
        fill: number or one per channel for what lies outside; None is 0.
        size: (height, width) of the result, default that of the image.
    """
    if interpolation not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        raise ValueError(
            f"Tensors are warped with nearest or bilinear interpolation, not {interpolation.value}."
        )
    channels, h, w = image.shape[-3:]
    if isinstance(fill, (list, tuple)) and len(fill) not in (1, channels):
        raise ValueError(
            f"The number of elements in fill should be 1 or {channels}, the channels; got {len(fill)}."
        )
    height, width = size or (h, w)
    dtype = image.dtype if image.is_floating_point() else torch.float32
    x = torch.linspace(-width * 0.5 + 0.5, width * 0.5 - 0.5, steps=width)
    y = torch.linspace(-height * 0.5 + 0.5, height * 0.5 - 0.5, steps=height)
    base = torch.stack(
        (x.expand(height, width), y[:, None].expand(height, width), torch.ones(height, width)), -1
    )
    theta = torch.tensor(matrix).reshape(2, 3)
    scaled = theta.T / torch.tensor([0.5 * w, 0.5 * h])  # grid_sample measures from -1 to 1
    grid = (base.reshape(-1, 3) @ scaled).reshape(1, height, width, 2).to(dtype)

    def sample(batch):
        grids = grid.expand(batch.shape[0], height, width, 2)
        if fill is None:
            return nnf.grid_sample(batch, grids, interpolation.value, "zeros", align_corners=False)
        # a channel of ones, warped along, tells how much of each pixel came from inside
        ones = torch.ones_like(batch[:, :1])
        warped = nnf.grid_sample(
            torch.cat((batch, ones), 1), grids, interpolation.value, "zeros", align_corners=False
        )
        inside = warped[:, -1:]
        colour = torch.tensor([fill] if isinstance(fill, (int, float)) else list(fill), dtype=dtype).reshape(
            1, -1, 1, 1
        )
        if interpolation is InterpolationMode.NEAREST:
            return torch.where(inside < 0.5, colour, warped[:, :-1])
        return warped[:, :-1] * inside + (1.0 - inside) * colour

    return _as_float_batch(sample, image)


def rotated_size(matrix: list[float], width: int, height: int) -> tuple[int, int]:
    """(height, width) of the smallest image that holds a rotated one."""
    corners = [(sx * 0.5 * width, sy * 0.5 * height) for sx in (-1, 1) for sy in (-1, 1)]
    xs = [matrix[0] * x + matrix[1] * y + matrix[2] for x, y in corners]
    ys = [matrix[3] * x + matrix[4] * y + matrix[5] for x, y in corners]

    def extent(values: list[float], size: int) -> int:
        # measured from the image's edge; the margin is for rounding errors of the rotation
        low, high = min(values) + size * 0.5, max(values) + size * 0.5
        return math.ceil(high - 1e-4) - math.floor(low + 1e-4)

    return extent(ys, height), extent(xs, width)


def _as_float_batch(function, image):
    """`function` of the image as a floating batch (N, C, H, W), back in the image's shape and dtype."""
    batch = image if image.dim() >= 4 else image.reshape((1,) * (4 - image.dim()) + tuple(image.shape))
    lead = batch.shape[:-3]
    batch = batch.reshape(-1, *batch.shape[-3:])
    if not image.is_floating_point():
        batch = batch.to(torch.float32)
    result = function(batch)
    if not image.is_floating_point():
        result = result.round().to(image.dtype)
    if image.dim() > 4:
        return result.reshape(*lead, *result.shape[-3:])
    return result if image.dim() == 4 else result.reshape(result.shape[4 - image.dim() :])
