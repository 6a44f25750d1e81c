"""The one door to Pillow, which is optional: it is imported when an image object is first needed."""

import sys


def pillow():
    """The module PIL.Image. Errors: ImportError that says what to install."""
    try:
        import PIL.Image
    except ImportError as error:
        raise ImportError('PIL images need Pillow: pip install "flambeau[vision]"') from error
    return PIL.Image


def is_image(value) -> bool:
    """Whether `value` is a PIL image."""
    # nobody can hold one before the module is loaded
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def from_gray(tensor):
    """A PIL image in mode "L" of a uint8 tensor (H, W)."""
    height, width = tensor.shape
    return pillow().frombytes("L", (width, height), tensor.contiguous().numpy().tobytes())
