"""Transforms between kinds of images, and of their numbers."""

import flambeau as torch
from flambeau import nn

from . import functional as F

__all__ = ["ConvertImageDtype", "LinearTransformation", "Normalize", "PILToTensor", "ToPILImage", "ToTensor"]


class ToTensor:
    """A PIL image or array (H, W, C) as a tensor (C, H, W); numbers 0..255 become 0..1."""

    def __call__(self, pic):
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """A PIL image as a tensor (C, H, W) of the same numbers."""

    def __call__(self, pic):
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """A tensor (C, H, W) or array (H, W, C) as a PIL image; `mode` as Pillow names it, by default guessed."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic):
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(nn.Module):
    """A tensor image in another dtype, its numbers scaled to the range of that dtype (floating: 0..1)."""

    def __init__(self, dtype) -> None:
        super().__init__()
        if not isinstance(dtype, torch.dtype):
            raise TypeError("Argument dtype should be of type torch.dtype.")
        self.dtype = dtype

    def forward(self, image):
        return F.convert_image_dtype(image, self.dtype)


class Normalize(nn.Module):
    """(image - mean) / std for each channel of a tensor image.

    Args:
        mean, std: one number per channel.
        inplace: write into the image.
    """

    def __init__(self, mean, std, inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor):
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(nn.Module):
    """The flattened image minus `mean_vector`, times `transformation_matrix`; for whitening.

    Args:
        transformation_matrix: (D, D) with D = C·H·W.
        mean_vector: (D,).
    Errors: ValueError if the sizes do not fit.
    """

    def __init__(self, transformation_matrix, mean_vector) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(f"transformation_matrix should be square, got {rows} x {columns}.")
        if mean_vector.size(0) != rows:
            raise ValueError(
                f"mean_vector should have the length {rows} of the matrix, got {mean_vector.size(0)}."
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor):
        size = tensor[..., :, :, :].shape[-3:].numel()
        if size != self.transformation_matrix.size(0):
            raise ValueError(
                f"An image of shape {tuple(tensor.shape)} has {size} numbers, the matrix is for "
                f"{self.transformation_matrix.size(0)}."
            )
        flat = tensor.reshape(-1, size) - self.mean_vector
        return (flat @ self.transformation_matrix).reshape(tensor.shape)

    def __repr__(self) -> str:
        matrix, mean = self.transformation_matrix.tolist(), self.mean_vector.tolist()
        return f"{type(self).__name__}(transformation_matrix={matrix}, mean_vector={mean})"
