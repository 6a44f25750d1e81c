"""Limits of the number types: `finfo` and `iinfo`."""

from __future__ import annotations

from typing import Any

from flambeau import _C

# name: (bits, fraction bits, smallest normal exponent, largest value, decimal digits that survive)
# IEEE 754-2019 table 3.5; bfloat16: Intel 338302-001; 8-bit types: Micikevicius et al., arXiv:2209.05433,
# Graphcore arXiv:2206.02915 (fnuz), OCP Microscaling Formats 1.0 (e8m0).
_FLOATS = {
    "float16": (16, 10, -14, 65504.0, 3),
    "bfloat16": (16, 7, -126, (2 - 2.0**-7) * 2.0**127, 2),
    "float32": (32, 23, -126, (2 - 2.0**-23) * 2.0**127, 6),
    "float64": (64, 52, -1022, (2 - 2.0**-52) * 2.0**1023, 15),
    "float8_e4m3fn": (8, 3, -6, 448.0, 0),
    "float8_e5m2": (8, 2, -14, 57344.0, 0),
    "float8_e4m3fnuz": (8, 3, -7, 240.0, 0),
    "float8_e5m2fnuz": (8, 2, -15, 57344.0, 0),
    "float8_e8m0fnu": (8, 0, -127, 2.0**127, 0),
}
# The spacing above 1 that PyTorch reports for this type is half its true one.
_EPS = {"float8_e5m2fnuz": 0.125}
_COMPLEX_PARTS = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
_UNSIGNED_ONLY = {"float8_e8m0fnu"}
_INTEGER_BITS = {
    "uint8": 8, "int8": 8, "uint16": 16, "int16": 16, "uint32": 32, "int32": 32, "uint64": 64, "int64": 64,
}  # fmt: skip


def _dtype_name(dtype: Any, class_name: str) -> str:
    if not isinstance(dtype, _C.dtype):
        raise TypeError(
            f"{class_name}(): argument 'type' (position 1) must be torch.dtype, not {type(dtype).__name__}"
        )
    return str(dtype).rpartition(".")[2]


class _DtypeInfo:
    """Read-only facts about one dtype, held in slots whose names start with an underscore."""

    __slots__ = ("_bits", "_dtype", "_max", "_min")
    __hash__ = None  # type: ignore[assignment]

    bits = property(lambda self: self._bits, doc="Bits per number; for complex types, per part.")
    dtype = property(lambda self: self._dtype, doc='Name of the dtype, for example "float32".')
    max = property(lambda self: self._max, doc="Largest value.")
    min = property(lambda self: self._min, doc="Smallest value.")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._dtype == other._dtype

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"cannot pickle '{type(self).__name__}' object: pickle the dtype instead")


class finfo(_DtypeInfo):
    """Limits of a floating-point type.

    Args:
        type: a floating or complex dtype; by default the default dtype. A complex dtype answers for its
        parts.
    Errors: TypeError if `type` is not floating or complex.

    >>> import flambeau as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    __slots__ = ("_eps", "_resolution", "_smallest_normal")
    __module__ = "flambeau"

    def __init__(self, type: Any = None) -> None:
        name = _dtype_name(_C.get_default_dtype() if type is None else type, "finfo")
        name = _COMPLEX_PARTS.get(name, name)
        if name not in _FLOATS:
            raise TypeError(
                f"torch.finfo is about floating and complex dtypes; for torch.{name} use torch.iinfo"
            )
        bits, fraction_bits, smallest_exponent, largest, digits = _FLOATS[name]
        self._bits, self._dtype, self._max = bits, name, largest
        self._smallest_normal = 2.0**smallest_exponent
        self._min = self._smallest_normal if name in _UNSIGNED_ONLY else -largest
        self._eps = _EPS.get(name, 2.0**-fraction_bits)
        self._resolution = float(f"1e-{digits}")

    eps = property(lambda self: self._eps, doc="Distance from 1 to the next larger number.")
    resolution = property(lambda self: self._resolution, doc="Decimal resolution, a power of ten.")
    smallest_normal = property(lambda self: self._smallest_normal, doc="Smallest positive normal number.")
    tiny = property(lambda self: self._smallest_normal, doc="Another name of `smallest_normal`.")

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return (
            "finfo(" + "".join(f"{name}={getattr(self, name):g}, " for name in names) + f"dtype={self.dtype})"
        )


class iinfo(_DtypeInfo):
    """Limits of an integer type.

    Args:
        type: an integer dtype.
    Errors: TypeError if `type` is not an integer dtype.

    >>> import flambeau as torch
    >>> torch.iinfo(torch.int8).max
    127
    """

    __slots__ = ()
    __module__ = "flambeau"

    def __init__(self, type: Any) -> None:
        name = _dtype_name(type, "iinfo")
        if name == "bool":
            raise TypeError("torch.iinfo is about integer dtypes; torch.bool holds no numbers")
        if name not in _INTEGER_BITS:
            raise TypeError(f"torch.iinfo is about integer dtypes; for torch.{name} use torch.finfo")
        bits = _INTEGER_BITS[name]
        signed = not name.startswith("u")
        self._bits, self._dtype = bits, name
        self._max = 2 ** (bits - signed) - 1
        self._min = -(2 ** (bits - 1)) if signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
