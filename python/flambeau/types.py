"""Names of types for annotations."""
from __future__ import annotations

import os
from builtins import (bool as _bool, bytes as _bytes, complex as _complex, float as _float, int as _int,  # noqa: F401
                      str as _str)
from collections.abc import Sequence
from typing import IO

from flambeau import Size, Tensor
from flambeau import device as _device, dtype as _dtype, layout as _layout  # noqa: F401
from flambeau.storage import UntypedStorage as Storage

__all__ = ["Number", "Device", "FileLike", "Storage"]

Number = int | float | bool
_Number = (int, float, bool)
Device = _device | str | int | None
FileLike = str | os.PathLike | IO[bytes]
IntLikeType = int
FloatLikeType = float
BoolLikeType = bool
_size = Size | list[int] | tuple[int, ...]
_TensorOrTensors = Tensor | Sequence[Tensor]
_TensorOrOptionalTensors = Tensor | Sequence[Tensor | None]
