"""Transforms of colour, brightness and sharpness."""

import flambeau as torch
from flambeau import nn

from . import functional as F

__all__ = [
    "ColorJitter",
    "GaussianBlur",
    "Grayscale",
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
]


def uniform(low: float, high: float) -> float:
    """One random number from the default generator."""
    return float(torch.empty(1).uniform_(low, high))


class ColorJitter(nn.Module):
    """Brightness, contrast, saturation and hue changed at random, in a random order.

    Args:
        brightness, contrast, saturation: a number x draws the factor from [max(0, 1 - x), 1 + x], a pair is
            the range itself.
        hue: a number x ≤ 0.5 draws from [-x, x], a pair within [-0.5, 0.5] is the range itself.
    Errors: ValueError for ranges outside of these; TypeError for neither a number nor a pair.
    """

    def __init__(self, brightness=0, contrast=0, saturation=0, hue=0) -> None:
        super().__init__()
        self.brightness = self._range("brightness", brightness)
        self.contrast = self._range("contrast", contrast)
        self.saturation = self._range("saturation", saturation)
        self.hue = self._range("hue", hue, middle=0.0, lowest=-0.5, highest=0.5)

    @staticmethod
    def _range(name, value, middle: float = 1.0, lowest: float = 0.0, highest: float = float("inf")):
        """(low, high), or None if there is nothing to change."""
        if isinstance(value, (int, float)):
            if value < 0:
                raise ValueError(f"If {name} is a single number, it must be non negative, got {value}.")
            low, high = middle - value, middle + value
            if name != "hue":
                low = max(low, 0.0)
        elif isinstance(value, (tuple, list)) and len(value) == 2:
            low, high = float(value[0]), float(value[1])
        else:
            raise TypeError(f"{name} must be a number or a pair of numbers, not {value!r}")
        if not lowest <= low <= high <= highest:
            raise ValueError(f"{name} values should be between {(lowest, highest)}, but got {[low, high]}.")
        return None if low == high == middle else (low, high)

    @staticmethod
    def get_params(brightness, contrast, saturation, hue) -> tuple:
        """(order of the four changes, brightness, contrast, saturation and hue factor or None)."""
        order = torch.randperm(4)
        return order, *(None if r is None else uniform(*r) for r in (brightness, contrast, saturation, hue))

    def forward(self, img):
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in order.tolist():
            if factors[i] is not None:
                img = changes[i](img, factors[i])
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


class Grayscale(nn.Module):
    """Without colour, in `num_output_channels` (1 or 3) channels."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img):
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class GaussianBlur(nn.Module):
    """Blurred by a bell curve.

    Args:
        kernel_size: pixels it reaches over, odd; one number or (x, y).
        sigma: standard deviation in pixels, or the range (low, high) to draw it from.
    """

    def __init__(self, kernel_size, sigma=(0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = F.size_pair(kernel_size)
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"Kernel size value should be an odd and positive number, got {kernel_size}.")
        low, high = (sigma, sigma) if isinstance(sigma, (int, float)) else sigma
        if not 0.0 < low <= high:
            raise ValueError(f"sigma values should be positive and of the form (min, max). Got {sigma}.")
        self.sigma = (low, high)

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        return uniform(sigma_min, sigma_max)

    def forward(self, img):
        sigma = self.get_params(*self.sigma)
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class _WithProbability(nn.Module):
    """A change that is made with probability `p`; a subclass defines `change`."""

    shown: tuple[str, ...] = ()

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, img):
        return self.change(img) if torch.rand(1).item() < self.p else img

    def __repr__(self) -> str:
        options = ",".join(f"{name}={getattr(self, name)}" for name in (*self.shown, "p"))
        return f"{type(self).__name__}({options})"


class RandomGrayscale(_WithProbability):
    """Without colour, in as many channels as before, with probability `p`."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def change(self, img):
        return F.rgb_to_grayscale(img, F.get_image_num_channels(img))


class RandomInvert(_WithProbability):
    """The negative, with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def change(self, img):
        return F.invert(img)


class RandomPosterize(_WithProbability):
    """Only the `bits` highest bits of each byte, with probability `p`."""

    shown = ("bits",)

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def change(self, img):
        return F.posterize(img, self.bits)


class RandomSolarize(_WithProbability):
    """The negative of pixels from `threshold` on, with probability `p`."""

    shown = ("threshold",)

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def change(self, img):
        return F.solarize(img, self.threshold)


class RandomAdjustSharpness(_WithProbability):
    """Sharpness times `sharpness_factor`, with probability `p`."""

    shown = ("sharpness_factor",)

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def change(self, img):
        return F.adjust_sharpness(img, self.sharpness_factor)


class RandomAutocontrast(_WithProbability):
    """Each channel stretched to the whole range, with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def change(self, img):
        return F.autocontrast(img)
