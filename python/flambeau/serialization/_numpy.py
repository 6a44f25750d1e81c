"""NumPy scalars and arrays in files, without trusting what the file says about their memory."""

from __future__ import annotations

import math
import re
from pickle import UnpicklingError
from typing import Any

_PLAIN_DTYPE = re.compile(r"(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,9}|[mM]8)")


def numpy_dtype(text: Any, align: Any = False, copy: Any = True) -> Any:
    """A fresh dtype object; only plain ones, whose elements hold no references."""
    import numpy

    if not isinstance(text, str) or not _PLAIN_DTYPE.fullmatch(text):
        raise UnpicklingError(f"load: the NumPy dtype {str(text)[:40]!r} is not a plain number or text dtype")
    return numpy.dtype(text, copy=True)


def with_dtype_state(dtype: Any, state: Any) -> Any:
    """`dtype` in the byte order that its saved state names."""
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
    if order not in ("<", ">", "|", "="):
        raise UnpicklingError("load: the state of a NumPy dtype is damaged")
    return dtype if order in "|=" else dtype.newbyteorder(order)


def numpy_scalar(dtype: Any, data: Any) -> Any:
    """One number from its bytes."""
    import numpy

    if not isinstance(dtype, numpy.dtype) or not isinstance(data, bytes) or len(data) != dtype.itemsize:
        raise UnpicklingError("load: a NumPy scalar's bytes do not fit its dtype")
    return numpy.frombuffer(data, dtype)[0]


def numpy_reconstruct(kind: Any, shape: Any, code: Any) -> Any:
    """The empty array that `set_array_state` fills afterwards."""
    import numpy

    if kind is not numpy.ndarray:
        raise UnpicklingError("load: only numpy.ndarray itself can be rebuilt")
    return numpy.empty(0, numpy.int8)


def set_array_state(array: Any, state: Any) -> None:
    """Give an array its shape, dtype and bytes."""
    import numpy

    if not isinstance(state, tuple) or len(state) != 5:
        raise UnpicklingError("load: the state of a NumPy array is damaged")
    version, shape, dtype, is_fortran, data = state
    if not isinstance(dtype, numpy.dtype) or dtype.hasobject or not isinstance(data, bytes):
        raise UnpicklingError("load: a NumPy array of Python objects, or a damaged one")
    counts = (
        isinstance(shape, tuple)
        and len(shape) <= 32
        and all(type(n) is int and 0 <= n < 2**31 for n in shape)
    )
    if not counts or math.prod(shape) * dtype.itemsize != len(data):
        raise UnpicklingError("load: a NumPy array's shape does not fit its bytes")
    array.__setstate__((1, shape, dtype, bool(is_fortran), data))
