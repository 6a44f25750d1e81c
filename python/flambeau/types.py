"""Names of types for annotations."""
from __future__ import annotations

import os
from builtins import (bool as _bool, bytes as _bytes, complex as _complex, float as _float, int as _int,  # noqa: F401
                      str as _str)
from collections.abc import Sequence
from typing import IO, Any, Union

import flambeau as fb
from flambeau import Size, Tensor
from flambeau import device as _device, dtype as _dtype, layout as _layout  # noqa: F401

__all__ = ["Number", "Device", "FileLike", "Storage"]

Number = Union[int, float, bool]
_Number = (int, float, bool)
Device = Union[_device, str, int, None]
FileLike = Union[str, os.PathLike[str], IO[bytes]]
IntLikeType = int
FloatLikeType = float
BoolLikeType = bool
_size = Union[Size, list[int], tuple[int, ...]]
_TensorOrTensors = Union[Tensor, Sequence[Tensor]]
_TensorOrOptionalTensors = Union[Tensor, Sequence[Union[Tensor, None]]]


def __getattr__(name: str) -> Any:
    if name == "Storage":
        return fb.UntypedStorage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
