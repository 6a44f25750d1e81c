"""Transforms of size, and of rectangles within the image."""

import math
import warnings

import flambeau as torch
from flambeau import nn

from . import functional as F
from .color import uniform
from .interpolation import InterpolationMode, interpolation_mode

__all__ = [
    "CenterCrop",
    "FiveCrop",
    "Pad",
    "RandomCrop",
    "RandomErasing",
    "RandomResizedCrop",
    "Resize",
    "TenCrop",
]


def _integer(low: int, high: int) -> int:
    """A random integer, `high` excluded."""
    return torch.randint(low, high, size=(1,)).item()


class Resize(nn.Module):
    """The image in another size.

    Args:
        size: (height, width); one number is the shorter edge, the other keeps the proportions.
        interpolation: an InterpolationMode.
        max_size: with one number as size, the most the longer edge may have.
        antialias: for tensors, average over what a smaller pixel covers; PIL images always do.
    Errors: TypeError if size is neither an int nor a sequence; ValueError for a sequence of other lengths.
    """

    def __init__(self, size, interpolation=InterpolationMode.BILINEAR, max_size=None, antialias=True) -> None:
        super().__init__()
        if not isinstance(size, int) and not isinstance(size, (list, tuple)):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}.")
        if not isinstance(size, int) and len(size) not in (1, 2):
            raise ValueError(f"If size is a sequence, it should have 1 or 2 values, got {size}.")
        self.size = size
        self.max_size = max_size
        self.interpolation = interpolation_mode(interpolation)
        self.antialias = antialias

    def forward(self, img):
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop(nn.Module):
    """The middle (height, width) of the image; one that is too small gets a border of 0."""

    def __init__(self, size) -> None:
        super().__init__()
        self.size = F.size_pair(size)

    def forward(self, img):
        return F.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(nn.Module):
    """The image with borders.

    Args:
        padding: pixels on all sides, or (left and right, top and bottom), or (left, top, right, bottom).
        fill: number for a constant border; for PIL images also one per channel.
        padding_mode: "constant", "edge" (last pixel again), "reflect" (mirrored without the edge pixel) or
            "symmetric" (mirrored with it).
    """

    def __init__(self, padding, fill=0, padding_mode: str = "constant") -> None:
        super().__init__()
        if not isinstance(padding, (int, float, tuple, list)):
            raise TypeError(f"Got inappropriate padding arg {padding!r}.")
        if not isinstance(fill, (int, float, str, tuple, list)):
            raise TypeError(f"Got inappropriate fill arg {fill!r}.")
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ValueError("Padding mode should be either constant, edge, reflect or symmetric.")
        F._borders(padding)
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img):
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        options = f"padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode}"
        return f"{type(self).__name__}({options})"


class RandomCrop(nn.Module):
    """A rectangle of the image at a random place.

    Args:
        size: (height, width), or one number for both.
        padding, fill, padding_mode: borders added before, as Pad takes them.
        pad_if_needed: also add borders to an image that is too small.
    Errors: ValueError if the rectangle does not fit.
    """

    def __init__(
        self, size, padding=None, pad_if_needed: bool = False, fill=0, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        self.size = F.size_pair(size)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img, output_size) -> tuple[int, int, int, int]:
        """(top, left, height, width)."""
        _, height, width = F.get_dimensions(img)
        h, w = output_size
        if height < h or width < w:
            raise ValueError(
                f"Required crop size {(h, w)} is larger than input image size {(height, width)}."
            )
        if (height, width) == (h, w):
            return 0, 0, h, w
        top = _integer(0, height - h + 1)
        return top, _integer(0, width - w + 1), h, w

    def forward(self, img):
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, height, width = F.get_dimensions(img)
        if self.pad_if_needed and width < self.size[1]:
            img = F.pad(img, [self.size[1] - width, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and height < self.size[0]:
            img = F.pad(img, [0, self.size[0] - height], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomResizedCrop(nn.Module):
    """A rectangle of random area, proportions and place, resized.

    Args:
        size: (height, width) of the result, or one number for both.
        scale: range of the rectangle's share of the image's area.
        ratio: range of width / height.
        interpolation, antialias: as Resize takes them.
    Source: Szegedy et al., Going deeper with convolutions, CVPR (2015), §6.
    """

    def __init__(
        self,
        size,
        scale=(0.08, 1.0),
        ratio=(3.0 / 4.0, 4.0 / 3.0),
        interpolation=InterpolationMode.BILINEAR,
        antialias: bool = True,
    ) -> None:
        super().__init__()
        self.size = F.size_pair(size)
        if not isinstance(scale, (list, tuple)) or not isinstance(ratio, (list, tuple)):
            raise TypeError("Scale and ratio should be sequences.")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max).", stacklevel=2)
        self.interpolation = interpolation_mode(interpolation)
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(img, scale, ratio) -> tuple[int, int, int, int]:
        """(top, left, height, width)."""
        _, height, width = F.get_dimensions(img)
        for h, w in _random_sizes(height * width, scale, ratio, width_by_aspect=True):
            if 0 < w <= width and 0 < h <= height:
                top = _integer(0, height - h + 1)
                return top, _integer(0, width - w + 1), h, w
        # none fitted: the middle, with the proportions that come nearest to the range
        proportion = width / height
        w, h = width, height
        if proportion < min(ratio):
            h = round(w / min(ratio))
        elif proportion > max(ratio):
            w = round(h * max(ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img):
        top, left, h, w = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, top, left, h, w, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(value, 4) for value in pair) for pair in (self.scale, self.ratio))
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


def _random_sizes(area: int, scale, ratio, width_by_aspect: bool, tries: int = 10):
    """(height, width) of rectangles of random area and proportions."""
    log_ratio = torch.log(torch.tensor(ratio)).tolist()
    for _ in range(tries):
        target = area * uniform(scale[0], scale[1])
        # drawn on a logarithmic scale, so that upright and lying rectangles are as likely
        aspect = torch.exp(torch.empty(1).uniform_(log_ratio[0], log_ratio[1])).item()
        long, short = round(math.sqrt(target * aspect)), round(math.sqrt(target / aspect))
        yield (short, long) if width_by_aspect else (long, short)


class FiveCrop(nn.Module):
    """A tuple of the four corners and the centre, each (height, width)."""

    def __init__(self, size) -> None:
        super().__init__()
        self.size = F.size_pair(size)

    def forward(self, img) -> tuple:
        return F.five_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class TenCrop(nn.Module):
    """FiveCrop of the image and of its mirror image."""

    def __init__(self, size, vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = F.size_pair(size)
        self.vertical_flip = vertical_flip

    def forward(self, img) -> tuple:
        return F.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"


class RandomErasing(nn.Module):
    """A random rectangle of a tensor image overwritten, with probability `p`.

    Args:
        p: probability.
        scale: range of the rectangle's share of the image's area.
        ratio: range of height / width.
        value: a number, one per channel, or "random" for noise from the normal distribution.
        inplace: write into the image.
    Source: Zhong et al., Random erasing data augmentation, arXiv:1708.04896.
    """

    def __init__(self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace: bool = False) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence.")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'.")
        if not isinstance(scale, (tuple, list)) or not isinstance(ratio, (tuple, list)):
            raise TypeError("Scale and ratio should be sequences.")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max).", stacklevel=2)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1.")
        if not 0 <= p <= 1:
            raise ValueError("Random erasing probability should be between 0 and 1.")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(img, scale, ratio, value=None) -> tuple:
        """(top, left, height, width, what to write); the whole image and itself if no rectangle fitted."""
        channels, height, width = img.shape[-3:]
        for h, w in _random_sizes(height * width, scale, ratio, width_by_aspect=False):
            if h >= height or w >= width:
                continue
            if value is None:
                content = torch.empty([channels, h, w], dtype=torch.float32).normal_()
            else:
                content = torch.tensor(value)[:, None, None]
            top = _integer(0, height - h + 1)
            return top, _integer(0, width - w + 1), h, w, content
        return 0, 0, height, width, img

    def forward(self, img):
        if torch.rand(1) >= self.p:
            return img
        if isinstance(self.value, (int, float)):
            value = [float(self.value)]
        else:
            value = None if isinstance(self.value, str) else [float(v) for v in self.value]
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(
                f"value should hold one number or one per channel ({img.shape[-3]}), got {len(value)}."
            )
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
