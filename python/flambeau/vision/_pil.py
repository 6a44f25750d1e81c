"""The one door to Pillow, which is optional: it is imported when an image object is first needed."""

import sys

import flambeau as torch

# modes whose pixels are no bytes
_WIDE_MODES = {"I": "int32", "F": "float32", "I;16": "uint16"}
_MODES_OF_CHANNELS = {1: ["L"], 2: ["LA"], 3: ["RGB", "YCbCr", "HSV"], 4: ["RGBA", "CMYK", "RGBX"]}
_MODES_OF_DTYPE = {"int16": "I;16", "uint16": "I;16", "int32": "I", "float32": "F", "uint8": "L"}


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


def to_tensor(image):
    """A PIL image as a tensor (C, H, W) of its numbers; mode "1" gives bool."""
    width, height = image.size
    dtype = getattr(torch, _WIDE_MODES.get(image.mode, "uint8"))
    # mode "1" packs eight pixels into a byte
    source = image.convert("L") if image.mode == "1" else image
    channels = len(image.getbands())
    if width * height == 0:
        return torch.empty((channels, height, width), dtype=dtype)
    pixels = torch.frombuffer(bytearray(source.tobytes()), dtype=dtype).reshape(height, width, channels)
    pixels = pixels.permute(2, 0, 1).contiguous()
    return pixels != 0 if image.mode == "1" else pixels


def from_tensor(tensor, mode: str | None = None):
    """A PIL image of a tensor (C, H, W). Errors: ValueError for an unfit mode, TypeError for a dtype."""
    channels, height, width = tensor.shape
    name = str(tensor.dtype).removeprefix("torch.")
    if channels == 1 and name in _MODES_OF_DTYPE:
        allowed = [_MODES_OF_DTYPE[name]]
    else:
        allowed = _MODES_OF_CHANNELS.get(channels, []) if name == "uint8" else []
    if channels > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    if mode == "1" and allowed == ["L"]:
        return from_tensor(tensor).convert("1")
    if mode is not None and mode not in allowed:
        raise ValueError(f"mode {mode!r} does not fit an image of {tensor.dtype}; choose one of {allowed}")
    if not allowed:
        raise TypeError(f"Input type {tensor.dtype} with {channels} channels is not supported by PIL images.")
    memory = bytearray(height * width * channels * tensor.dtype.itemsize)
    if memory:
        torch.frombuffer(memory, dtype=tensor.dtype).reshape(height, width, channels).copy_(
            tensor.permute(1, 2, 0)
        )
    return pillow().frombytes(mode or allowed[0], (width, height), bytes(memory))


def from_gray(tensor):
    """A PIL image in mode "L" of a uint8 tensor (H, W)."""
    return from_tensor(tensor.unsqueeze(0))
