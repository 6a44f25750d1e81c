"""Names that files use: PyTorch's names of storages and dtypes, and the way between module paths."""

from __future__ import annotations

import sys
from typing import Any

from flambeau import _C

STORAGE_NAMES = {
    "float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage", "int32": "IntStorage", "int16": "ShortStorage", "int8": "CharStorage",
    "uint8": "ByteStorage", "bool": "BoolStorage", "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}  # fmt: skip
DTYPE_OF_STORAGE = {storage: dtype for dtype, storage in STORAGE_NAMES.items()}

DTYPE_NAMES = frozenset(
    name for name in (
        *STORAGE_NAMES, "uint16", "uint32", "uint64", "complex32", "float8_e4m3fn", "float8_e5m2",
        "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
    ) if hasattr(_C, name)
)  # fmt: skip

_PACKAGE = __name__.partition(".")[0]
# Protocol 2 is Python 2's: its readers expect these names.
_OLD_MODULES = {"builtins": "__builtin__", "copyreg": "copy_reg"}
_NEW_MODULES = {old: new for new, old in _OLD_MODULES.items()}


def dtype_name(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


def file_module(module: str) -> str:
    """The module name written to files for a module of this process."""
    if module == _PACKAGE or module == f"{_PACKAGE}._C":
        return "torch"
    if module.startswith(f"{_PACKAGE}."):
        return "torch" + module[len(_PACKAGE) :]
    return _OLD_MODULES.get(module, module)


def local_module(module: str) -> str:
    """The module of this process for a module name found in a file."""
    if module == "torch" or module.startswith("torch."):
        return _PACKAGE + module[len("torch") :]
    return _NEW_MODULES.get(module, module)


def new_module(module: str) -> str:
    """Python 3's name of a module that file_module() gave Python 2's name."""
    return _NEW_MODULES.get(module, module)


def byte_order() -> str:
    return sys.byteorder
