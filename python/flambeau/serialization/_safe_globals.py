"""Which names a file may use while `weights_only` is on, and how programs allow more."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from flambeau import _C
from flambeau.serialization import _numpy
from flambeau.serialization._names import DTYPE_NAMES, DTYPE_OF_STORAGE, file_module
from flambeau.serialization._rebuild import REBUILDERS

_allowed_by_program: list[Any] = []


class StorageKind:
    """What a file calls a storage class: its dtype, or None for bytes."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype


def encode_text(text: Any, encoding: Any = "latin1") -> bytes:
    """Bytes that travel as Latin-1 text in protocol 2."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("only Latin-1 text stands for bytes")
    return text.encode("latin1")


def _tensor_types() -> dict[tuple[str, str], Any]:
    from flambeau.nn import Parameter

    return {
        ("torch", "Tensor"): _C.Tensor,
        ("torch.nn.parameter", "Parameter"): Parameter,
        ("torch.nn", "Parameter"): Parameter,
    }


_BUILTINS = {
    name: getattr(__import__("builtins"), name)
    for name in (
        "set",
        "frozenset",
        "bytes",
        "bytearray",
        "complex",
        "list",
        "dict",
        "tuple",
        "int",
        "float",
        "str",
        "bool",
    )
}

_FIXED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "defaultdict"): collections.defaultdict,
    ("collections", "Counter"): collections.Counter,
    ("_codecs", "encode"): encode_text,
    ("torch", "Size"): _C.Size,
    ("torch", "device"): _C.device,
    ("numpy", "dtype"): _numpy.numpy_dtype,
    **{(module, name): value for name, value in _BUILTINS.items() for module in ("builtins", "__builtin__")},
    **{("torch", name): getattr(_C, name) for name in DTYPE_NAMES},
    **{("torch", kind): StorageKind(getattr(_C, name)) for kind, name in DTYPE_OF_STORAGE.items()},
    **{
        ("torch.storage", "UntypedStorage"): StorageKind(None),
        ("torch", "UntypedStorage"): StorageKind(None),
    },
    **REBUILDERS,
}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _FIXED[_module, "scalar"] = _numpy.numpy_scalar
    _FIXED[_module, "_reconstruct"] = _numpy.numpy_reconstruct

# What may be called with the arguments a file gives; tensor classes, dtypes and the classes that serve as
# factory of a defaultdict may only be named.
_ONLY_NAMED = (list, dict, tuple, int, float, str, bool)
CALLABLE = frozenset(
    id(value)
    for value in _FIXED.values()
    if callable(value) and not isinstance(value, (StorageKind, _C.dtype)) and value not in _ONLY_NAMED
)


def find_allowed(module: str, name: str) -> Any:
    """The object that a file may mean by a name, or None."""
    found = _FIXED.get((module, name))
    if found is not None:
        return found
    if module == "numpy" and name == "ndarray":
        import numpy

        return numpy.ndarray
    if module.startswith("torch"):
        found = _tensor_types().get((module, name))
        if found is not None:
            return found
    return program_allowed().get((module, name))


def program_allowed() -> dict[tuple[str, str], Any]:
    """The program's own additions by the names that files give them."""
    table: dict[tuple[str, str], Any] = {}
    for entry in _allowed_by_program:
        if isinstance(entry, tuple):
            value, path = entry
            module, _, name = path.rpartition(".")
        else:
            value, module, name = entry, entry.__module__, entry.__qualname__
        table[module, name] = value
        table[file_module(module), name] = value
    return table


def add_safe_globals(safe_globals: list[Callable | tuple[Callable, str]]) -> None:
    """Allow more classes and functions in files loaded with `weights_only=True`.

    They can then be called with whatever a file says: allow only what is harmless with any argument.

    Args:
        safe_globals: classes or functions, or pairs of one and the dotted name that files use for it.
    """
    for entry in safe_globals:
        valid = callable(entry) or (
            isinstance(entry, tuple) and len(entry) == 2 and callable(entry[0]) and isinstance(entry[1], str)
        )
        if not valid:
            raise ValueError(f"Expected either a global or a tuple of (global, str), but got {entry!r}")
    _allowed_by_program.extend(entry for entry in safe_globals if entry not in _allowed_by_program)


def clear_safe_globals() -> None:
    """Forget everything that `add_safe_globals` allowed."""
    _allowed_by_program.clear()


def get_safe_globals() -> list[Callable | tuple[Callable, str]]:
    """What `add_safe_globals` allowed so far."""
    return list(_allowed_by_program)


class safe_globals:
    """Allow more names inside a `with` block; takes the argument of `add_safe_globals`."""

    def __init__(self, safe_globals: list[Callable | tuple[Callable, str]]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self._before = list(_allowed_by_program)
        add_safe_globals(self.safe_globals)

    def __exit__(self, *error: Any) -> None:
        _allowed_by_program[:] = self._before
