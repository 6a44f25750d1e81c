"""Functions between kinds of images, and of their numbers."""

import sys

import flambeau as torch
from flambeau._C import Tensor

from .. import _pil
from . import _tensor_ops


def pil_to_tensor(pic):
    """A PIL image as a tensor (C, H, W) of the same numbers; see PILToTensor."""
    if not _pil.is_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic).__name__}.")
    return _pil.to_tensor(pic)


def to_tensor(pic):
    """A PIL image or array (H, W, C) as a tensor (C, H, W); bytes 0..255 become 0..1; see ToTensor."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(pic, numpy.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        image = torch.from_numpy(numpy.ascontiguousarray(pic.reshape(*pic.shape[:2], -1).transpose(2, 0, 1)))
    elif _pil.is_image(pic):
        image = _pil.to_tensor(pic)
        if pic.mode == "1":
            image = image * torch.tensor(255, dtype=torch.uint8)
        elif pic.mode == "I;16":
            image = image.view(torch.int16)
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic).__name__}.")
    return image.to(torch.get_default_dtype()).div(255) if image.dtype == torch.uint8 else image


def to_pil_image(pic, mode: str | None = None):
    """A tensor (C, H, W) or (H, W), or an array (H, W, C), as a PIL image; see ToPILImage."""
    if isinstance(pic, Tensor):
        if pic.dim() not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.dim()} dimensions.")
        image = pic.unsqueeze(0) if pic.dim() == 2 else pic
    else:
        numpy = sys.modules.get("numpy")
        if numpy is None or not isinstance(pic, numpy.ndarray):
            raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic).__name__}.")
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        image = torch.from_numpy(numpy.ascontiguousarray(pic.reshape(*pic.shape[:2], -1).transpose(2, 0, 1)))
    if image.is_floating_point() and mode != "F":
        image = image.mul(255).to(torch.uint8)
    return _pil.from_tensor(image, mode)


def convert_image_dtype(image, dtype=None):
    """A tensor image in another dtype (default float32), scaled to its range; see ConvertImageDtype.

    Errors: RuntimeError for float32 → int32, int64 and float64 → int64, which cannot hold every integer.
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image.")
    return _tensor_ops.convert_dtype(image, torch.float32 if dtype is None else dtype)


def normalize(tensor, mean, std, inplace: bool = False):
    """(tensor - mean) / std for each channel of a floating tensor image (…, C, H, W).

    Errors: TypeError for another kind of image; ValueError for fewer than 3 dimensions or a zero in `std`.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor).__name__}.")
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.dim() < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got {tuple(tensor.shape)}."
        )
    mean = torch.as_tensor(mean, dtype=tensor.dtype).reshape(-1, 1, 1)
    std = torch.as_tensor(std, dtype=tensor.dtype).reshape(-1, 1, 1)
    if (std == 0).any():
        raise ValueError(
            f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero."
        )
    return (tensor if inplace else tensor.clone()).sub_(mean).div_(std)
