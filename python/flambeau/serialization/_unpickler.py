"""The full pickle machine, used only when a program asks for it with `weights_only=False`."""

from __future__ import annotations

import importlib
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


def full_unpickle(stream: Any, find_storage: Callable, pickle_module: Any, options: dict[str, Any]) -> Any:
    """One object from a pickle that may run any code."""

    class Unpickler(pickle_module.Unpickler):
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
