"""Transforms of place and direction."""

import flambeau as torch
from flambeau import nn

from . import functional as F
from .color import uniform
from .interpolation import InterpolationMode, interpolation_mode

__all__ = ["RandomAffine", "RandomHorizontalFlip", "RandomRotation", "RandomVerticalFlip"]


class RandomHorizontalFlip(nn.Module):
    """Left and right exchanged, with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img):
        return F.hflip(img) if torch.rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(nn.Module):
    """Top and bottom exchanged, with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img):
        return F.vflip(img) if torch.rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


def _angles(name: str, value, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """A range of degrees: a number x ≥ 0 is [-x, x]."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be positive, got {value}.")
        return [float(-value), float(value)]
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{name} should be a number or a sequence of length {lengths}, got {value!r}.")
    if len(value) not in lengths:
        raise ValueError(f"{name} must hold {' or '.join(map(str, lengths))} numbers, got {value}")
    return [float(angle) for angle in value]


def _fill_colour(img, fill):
    if isinstance(fill, (int, float)) and not F._pil.is_image(img):
        return [float(fill)] * F.get_dimensions(img)[0]
    return fill


class RandomRotation(nn.Module):
    """Turned by a random angle.

    Args:
        degrees: range (low, high), counter-clockwise; a number x is (-x, x).
        interpolation: an InterpolationMode.
        expand: make the result large enough for the whole image.
        center: (x, y) to turn around, from the top left; default the middle.
        fill: number or one per channel for what comes from outside.
    """

    def __init__(
        self, degrees, interpolation=InterpolationMode.NEAREST, expand=False, center=None, fill=0
    ) -> None:
        super().__init__()
        self.degrees = _angles("degrees", degrees)
        self.center = center
        self.interpolation = interpolation_mode(interpolation)
        self.expand = expand
        self.fill = 0 if fill is None else fill

    @staticmethod
    def get_params(degrees) -> float:
        return uniform(float(degrees[0]), float(degrees[1]))

    def forward(self, img):
        angle = self.get_params(self.degrees)
        return F.rotate(
            img, angle, self.interpolation, self.expand, self.center, _fill_colour(img, self.fill)
        )

    def __repr__(self) -> str:
        text = f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}"
        text += f", expand={self.expand}"
        if self.center is not None:
            text += f", center={self.center}"
        return text + f", fill={self.fill})"


class RandomAffine(nn.Module):
    """Turned, moved, scaled and sheared at random, around the centre.

    Args:
        degrees: range of angles; a number x is (-x, x).
        translate: largest move as a share of (width, height), each 0..1; None does not move.
        scale: range of factors; None does not scale.
        shear: range of degrees along x, or of (x, y) as four numbers; a number x is (-x, x); None is none.
        interpolation, fill, center: as RandomRotation takes them.
    """

    def __init__(
        self,
        degrees,
        translate=None,
        scale=None,
        shear=None,
        interpolation=InterpolationMode.NEAREST,
        fill=0,
        center=None,
    ) -> None:
        super().__init__()
        self.degrees = _angles("degrees", degrees)
        if translate is not None and not all(0.0 <= share <= 1.0 for share in translate):
            raise ValueError(f"translation values should be between 0 and 1, got {translate}.")
        if scale is not None and not all(factor > 0 for factor in scale):
            raise ValueError(f"scale values should be positive, got {scale}.")
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else _angles("shear", shear, (2, 4))
        self.interpolation = interpolation_mode(interpolation)
        self.fill = 0 if fill is None else fill
        self.center = center

    @staticmethod
    def get_params(degrees, translate, scale_ranges, shears, img_size) -> tuple:
        """(angle, (right, down) in pixels, scale, (shear x, shear y))."""
        angle = uniform(float(degrees[0]), float(degrees[1]))
        moves = (0, 0)
        if translate is not None:
            most = [float(share * size) for share, size in zip(translate, img_size)]
            moves = tuple(round(uniform(-limit, limit)) for limit in most)
        scale = 1.0 if scale_ranges is None else uniform(scale_ranges[0], scale_ranges[1])
        shear_x = shear_y = 0.0
        if shears is not None:
            shear_x = uniform(shears[0], shears[1])
            if len(shears) == 4:
                shear_y = uniform(shears[2], shears[3])
        return angle, moves, scale, (shear_x, shear_y)

    def forward(self, img):
        _, height, width = F.get_dimensions(img)
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        fill = _fill_colour(img, self.fill)
        return F.affine(img, *drawn, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self) -> str:
        text = f"{type(self).__name__}(degrees={self.degrees}"
        for name in ("translate", "scale", "shear"):
            if getattr(self, name) is not None:
                text += f", {name}={getattr(self, name)}"
        if self.interpolation is not InterpolationMode.NEAREST:
            text += f", interpolation={self.interpolation.value}"
        text += f", fill={self.fill}" if self.fill != 0 else ""
        text += f", center={self.center}" if self.center is not None else ""
        return text + ")"
