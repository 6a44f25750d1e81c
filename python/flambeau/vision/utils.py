"""Pictures of tensors."""

import math

import flambeau as torch
from flambeau._C import Tensor

from . import _pil

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
):
    """One image of many, row by row.

    Args:
        tensor: images (B, C, H, W), a list of images of one size, or a single image (C, H, W) or (H, W).
        nrow: images per row.
        padding: pixels between them.
        normalize: shift and scale the numbers to 0..1.
        value_range: (low, high) that become 0 and 1; default the smallest and largest number.
        scale_each: take these from each image instead of from all.
        pad_value: number of the pixels between.
    Shapes: result (C, H', W'); a single channel becomes three. A single image gets no frame.
    Errors: TypeError for anything but tensors.

    >>> import flambeau as torch
    >>> make_grid(torch.zeros(6, 3, 8, 8), nrow=3).shape
    torch.Size([3, 22, 32])
    """
    images = _as_batch(tensor)
    if normalize:
        images = images.clone()
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers.")
        for part in images if scale_each else [images]:
            low, high = value_range or (float(part.min()), float(part.max()))
            # against a division by zero for an even image
            part.clamp_(low, high).sub_(low).div_(max(high - low, 1e-5))
    count, channels, height, width = images.shape
    if count == 1:
        return images.squeeze(0)
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    cell_height, cell_width = height + padding, width + padding
    size = (channels, rows * cell_height + padding, columns * cell_width + padding)
    grid = images.new_full(size, pad_value)
    for i, image in enumerate(images):
        top, left = i // columns * cell_height + padding, i % columns * cell_width + padding
        grid[:, top : top + height, left : left + width] = image
    return grid


def _as_batch(tensor):
    if isinstance(tensor, list) and all(isinstance(image, Tensor) for image in tensor):
        tensor = torch.stack(tensor, dim=0)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}.")
    tensor = tensor.detach()
    if tensor.dim() == 2:
        tensor = tensor.unsqueeze(0)
    if tensor.dim() == 3:
        tensor = tensor.unsqueeze(0)
    return tensor.expand(-1, 3, -1, -1) if tensor.dim() == 4 and tensor.size(1) == 1 else tensor


def save_image(tensor, fp, format: str | None = None, **kwargs) -> None:
    """Write one image, or many as a grid, to a file. Needs Pillow.

    Args:
        tensor: as `make_grid` takes it, numbers 0..1.
        fp: file name or file object.
        format: as Pillow names it; default by the name's ending.
        **kwargs: passed to `make_grid`.
    """
    grid = make_grid(tensor, **kwargs)
    # + 0.5 rounds to the nearest of the 256 steps
    pixels = grid.mul(255).add(0.5).clamp(0, 255).to(torch.uint8)
    _pil.from_tensor(pixels).save(fp, format=format)
