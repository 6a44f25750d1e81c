"""What `functional` does with PIL images."""

from .. import _pil
from .interpolation import PIL_FILTERS

# color modes whose pixels are single numbers
_GRAY_MODES = {"L", "1", "I", "F", "I;16"}


def dimensions(image) -> list[int]:
    width, height = image.size
    return [len(image.getbands()), height, width]


def hflip(image):
    return image.transpose(_pil.pillow().Transpose.FLIP_LEFT_RIGHT)


def vflip(image):
    return image.transpose(_pil.pillow().Transpose.FLIP_TOP_BOTTOM)


def crop(image, top: int, left: int, height: int, width: int):
    return image.crop((left, top, left + width, top + height))


def resize(image, height: int, width: int, interpolation, antialias: bool):
    return image.resize((width, height), PIL_FILTERS[interpolation])


def pad(image, borders: tuple[int, int, int, int], fill):
    """`borders`: left, top, right, bottom."""
    from PIL import ImageOps

    return ImageOps.expand(image, border=borders, fill=_fill(image, fill))


def rotate(image, angle: float, interpolation, expand: bool, center, fill):
    return image.rotate(angle, PIL_FILTERS[interpolation], expand, center, fillcolor=_fill(image, fill))


def affine(image, matrix: list[float], interpolation, fill):
    method = _pil.pillow().Transform.AFFINE
    return image.transform(
        image.size, method, matrix, PIL_FILTERS[interpolation], fillcolor=_fill(image, fill)
    )


def enhance(image, kind: str, factor: float):
    """`kind`: a class of PIL.ImageEnhance."""
    from PIL import ImageEnhance

    return getattr(ImageEnhance, kind)(image).enhance(factor)


def adjust_hue(image, factor: float):
    if image.mode in _GRAY_MODES:
        return image
    hue, saturation, value = image.convert("HSV").split()
    # the hue of this mode is a circle of 256 steps
    shift = int(factor * 255)
    hue = hue.point([(step + shift) % 256 for step in range(256)])
    return _pil.pillow().merge("HSV", (hue, saturation, value)).convert(image.mode)


def adjust_gamma(image, gamma: float, gain: float):
    rgb = image.convert("RGB")
    # 256 - 1e-3: the brightest value must round down to 255, not up to 256
    table = [int((256 - 1e-3) * gain * (value / 255) ** gamma) for value in range(256)]
    return rgb.point(table * 3).convert(image.mode)


def to_grayscale(image, channels: int):
    gray = image.convert("L")
    return gray if channels == 1 else _pil.pillow().merge("RGB", (gray,) * 3)


def operation(image, name: str, *args):
    """A function of PIL.ImageOps."""
    from PIL import ImageOps

    return getattr(ImageOps, name)(image, *args)


def _fill(image, fill):
    """A fill colour as Pillow wants it: one number, or one per band."""
    bands = len(image.getbands())
    if fill is None:
        return 0 if bands == 1 else (0,) * bands
    if isinstance(fill, (int, float)):
        return fill if bands == 1 else (int(fill),) * bands
    if len(fill) not in (1, bands):
        raise ValueError(
            f"The number of elements in fill should be 1 or {bands}, the image's bands; got {len(fill)}."
        )
    values = [*fill] * bands if len(fill) == 1 else [*fill]
    if image.mode != "F":
        values = [int(value) for value in values]
    return values[0] if bands == 1 else tuple(values)
