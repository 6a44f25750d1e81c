"""The full pickle machine, used only when a program asks for it with `weights_only=False`."""

from __future__ import annotations

import importlib
import io
import pickle
from collections.abc import Callable
from typing import Any

from flambeau import _C, nn
from flambeau.serialization._names import DTYPE_OF_STORAGE, check_present, local_module
from flambeau.serialization._rebuild import REBUILDERS
from flambeau.serialization._safe_globals import StorageKind


def _find(module: str, name: str, fallback: Callable[[str, str], Any]) -> Any:
    known = REBUILDERS.get((module, name))
    if known is not None:
        return known
    if module == "torch" and name in DTYPE_OF_STORAGE:
        return StorageKind(getattr(_C, DTYPE_OF_STORAGE[name]))
    if module in ("torch", "torch.storage") and name == "UntypedStorage":
        return StorageKind(None)
    local = local_module(module)
    if local == module:
        return fallback(module, name)
    try:
        found: Any = importlib.import_module(local)
        for part in name.split("."):
            found = getattr(found, part)
    except (AttributeError, ModuleNotFoundError):
        check_present(module, name)
        layer = getattr(nn, name, None) if module.startswith("torch.nn.modules.") else None
        if layer is None:
            raise AttributeError(f"Can't get attribute {name!r} on module {module!r}") from None
        return layer
    return found


def _check_dtype_state(state: Any) -> None:
    """Refuse what NumPy's dtype does not survive: it reads its state unchecked, and a damaged one ends the process.

    A state is (version, byte order, subarray, names, fields, item size, alignment, flags[, metadata]).
    """
    sizes = isinstance(state, tuple) and len(state) in (8, 9) and (state[0], *state[5:8])
    good = sizes and all(type(size) is int for size in sizes) and isinstance(state[1], str)
    if good:
        _, _, subarray, names, fields = state[:5]
        good = names is None and fields is None or (
            isinstance(names, tuple) and isinstance(fields, dict) and set(names) <= set(fields)
            and all(isinstance(name, str) for name in names)
            and all(isinstance(place, tuple) and len(place) in (2, 3) and type(place[1]) is int
                    for place in fields.values()))
        good = good and (subarray is None or isinstance(subarray, tuple) and len(subarray) == 2
                         and isinstance(subarray[1], (int, tuple)))
    if not good:
        raise pickle.UnpicklingError("load: the state of a NumPy dtype is damaged")


class _CheckingUnpickler(pickle._Unpickler):  # type: ignore[name-defined]
    """Python's unpickler written in Python, which lets the states of dtypes be looked at."""

    dispatch = dict(pickle._Unpickler.dispatch)  # type: ignore[attr-defined]

    def load_build(self) -> None:
        target = self.stack[-2]
        is_numpys = type(target).__module__.split(".")[0] == "numpy"
        if is_numpys and hasattr(target, "fields") and hasattr(target, "isbuiltin"):
            _check_dtype_state(self.stack[-1])
        super().load_build()

    def load(self) -> Any:
        try:
            return super().load()
        except EOFError as error:
            raise EOFError(str(error) or "load: the pickle ends before its object is complete") from None

    dispatch[pickle.BUILD[0]] = load_build


def _machine(pickle_module: Any, stream: Any) -> type:
    """The unpickler to use: the fast one unless the pickle names NumPy, as far as that can be seen."""
    if pickle_module is not pickle:
        return pickle_module.Unpickler
    if isinstance(stream, io.BytesIO) and stream.getvalue().find(b"numpy", stream.tell()) < 0:
        return pickle.Unpickler
    return _CheckingUnpickler


def full_unpickle(stream: Any, find_storage: Callable, pickle_module: Any, options: dict[str, Any]) -> Any:
    """One object from a pickle that may run any code."""

    class Unpickler(_machine(pickle_module, stream)):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> Any:
            return _find(module, name, super().find_class)

        def persistent_load(self, reference: Any) -> Any:
            if reference[0] in ("module", b"module"):
                # Files of 2017 and before carry the source of each module class along.
                return reference[1]
            if reference[0] not in ("storage", b"storage"):
                raise pickle.UnpicklingError(f"load: unknown kind of persistent id {reference[0]!r}")
            return find_storage(reference)

    return Unpickler(stream, **{"encoding": "utf-8", **options}).load()
