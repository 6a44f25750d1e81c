"""Names that files use: PyTorch's names of storages and dtypes, and the way between module paths."""

from __future__ import annotations

import re
import sys
from typing import Any

from flambeau import _C
from flambeau.errors import UnsupportedError

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

# What files of PyTorch may hold and this package has no tensors of: names of dtypes, storages and functions.
_ABSENT = re.compile(
    r"(uint(16|32|64)|complex32|float(8|4)_\w+|q?u?int\d+(x2)?|bits\w+|Q?U?Int\w*Storage|ComplexHalfStorage"
    r"|_rebuild_\w+)"
)


def check_present(module: str, name: str) -> None:
    """Errors: UnsupportedError for a name of PyTorch's tensors of kinds that this package has not."""
    if module in ("torch", "torch._utils") and _ABSENT.fullmatch(name):
        raise UnsupportedError(
            f"load: the file holds a tensor of a kind that flambeau has not: {module}.{name}"
        )


_PACKAGE = __name__.partition(".")[0]
# Protocol 2 is Python 2's: its readers expect these names.
_OLD_MODULES = {"builtins": "__builtin__", "copyreg": "copy_reg"}
_NEW_MODULES = {old: new for new, old in _OLD_MODULES.items()}


def dtype_name(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


# Modules of nn whose classes PyTorch keeps elsewhere.
_HOMES = {
    "attention": "activation", "lazy_conv": "conv", "parameter_container": "container", "rnn_cell": "rnn",
}  # fmt: skip


def file_module(module: str) -> str:
    """The module name written to files for a module of this process."""
    if module.startswith(f"{_PACKAGE}.nn._functional"):
        return "torch.nn.functional"
    layers = f"{_PACKAGE}.nn.modules."
    if module.startswith(layers) and module[len(layers) :] in _HOMES:
        return "torch.nn.modules." + _HOMES[module[len(layers) :]]
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
