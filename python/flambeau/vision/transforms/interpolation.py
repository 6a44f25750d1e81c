"""Ways to compute pixels between pixels."""

from enum import Enum

__all__ = ["InterpolationMode", "PIL_FILTERS", "interpolation_mode"]


class InterpolationMode(Enum):
    """How new pixels are computed from old ones; the last three are for PIL images only."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


# numbers of PIL.Image.Resampling, written out so that this table needs no Pillow
PIL_FILTERS = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}


def interpolation_mode(mode) -> InterpolationMode:
    """A mode, or the number that Pillow gives one, as a mode. Errors: TypeError for anything else."""
    if isinstance(mode, InterpolationMode):
        return mode
    if isinstance(mode, int):
        for found, number in reversed(PIL_FILTERS.items()):
            if number == mode and found is not InterpolationMode.NEAREST_EXACT:
                return found
    raise TypeError(
        f"Argument interpolation should be an InterpolationMode or Pillow's number of one, got {mode!r}."
    )
