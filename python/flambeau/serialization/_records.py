"""Storages on their way into and out of files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

from flambeau import _C
from flambeau.serialization._locations import location_tag
from flambeau.serialization._names import STORAGE_NAMES, dtype_name
from flambeau.serialization._safe_globals import StorageKind


class StorageTable:
    """The storages of one file being written: each once, however many tensors view it."""

    def __init__(self, make_key: Callable[[int, Any], str]) -> None:
        self._make_key = make_key
        self.storages: dict[str, tuple[Any, int]] = {}
        self._known: dict[Any, tuple[str, Any]] = {}

    def refer(self, storage: Any, dtype: Any) -> tuple:
        """The persistent id of a storage; `dtype` None stands for bytes."""
        pointer = storage.data_ptr() if storage.device.type != "meta" else 0
        identity = (pointer, storage.nbytes()) if pointer and storage.nbytes() else id(storage)
        itemsize = 1 if dtype is None else dtype.itemsize
        known = self._known.get(identity)
        if known is None:
            known = self._make_key(len(self.storages), storage), dtype
            self._known[identity] = known
            self.storages[known[0]] = (storage, itemsize)
        key, first_dtype = known
        if first_dtype is not dtype and first_dtype is not None and dtype is not None:
            raise RuntimeError(
                f"save: two tensors or storages share memory as {first_dtype} and {dtype}; clone one of them"
            )
        kind = "UntypedStorage" if dtype is None else STORAGE_NAMES[dtype_name(dtype)]
        return kind, key, location_tag(storage), storage.nbytes() // itemsize


class StorageSource:
    """The storages of one file being read: each made once and placed where it belongs.

    Args:
        restore: from (storage, location) to the storage on its device.
        read: from (key, bytes, dtype or None) to the storage's memory as a `_C.UntypedStorage`.
    """

    def __init__(self, restore: Callable[[Any, str], Any], read: Callable[[str, int, Any], Any]) -> None:
        self._restore = restore
        self._read = read
        self._loaded: dict[str, Any] = {}
        self._public: dict[tuple, Any] = {}

    def find(self, reference: tuple) -> Any:
        """The storage that a persistent id names, from ("storage", kind, key, location, numel[, view])."""
        _, kind, key, location, numel, *view = reference
        kind, key, location = check_reference(kind, key, location, numel)
        itemsize = 1 if kind.dtype is None else kind.dtype.itemsize
        if key not in self._loaded:
            storage = self._read(key, numel * itemsize, kind.dtype)
            self._loaded[key] = restored(self._restore(storage, location))
        storage = self._loaded[key]
        if numel * itemsize > storage.nbytes():
            raise UnpicklingError(
                f"load: storage {key!r} has {storage.nbytes()} bytes, not {numel * itemsize}"
            )
        if view and view[0] is not None:
            _, first, count = view[0]
            if not all(type(n) is int and n >= 0 for n in (first, count)) or first + count > numel:
                raise UnpicklingError(f"load: a view of storage {key!r} reaches past its end")
            part = storage._to_bytes()[first * itemsize : (first + count) * itemsize]
            return of_kind(_C._storage_from_buffer(part), kind)
        if (key, kind.dtype) not in self._public:
            self._public[key, kind.dtype] = of_kind(storage, kind)
        return self._public[key, kind.dtype]


def restored(storage: Any) -> Any:
    """The untyped storage that `map_location` answered with."""
    untyped = (
        storage if isinstance(storage, _C.UntypedStorage) else getattr(storage, "untyped", lambda: None)()
    )
    if not isinstance(untyped, _C.UntypedStorage):
        raise TypeError(f"load: map_location must answer with a storage, not {type(storage)}")
    return untyped


def of_kind(storage: Any, kind: StorageKind) -> Any:
    """A storage as programs see it: with its dtype, or as bytes."""
    from flambeau.storage import TypedStorage

    return storage if kind.dtype is None else TypedStorage(wrap_storage=storage, dtype=kind.dtype)


def check_reference(kind: Any, key: Any, location: Any, numel: Any) -> tuple[StorageKind, str, str]:
    """The parts of a persistent id, if they make sense."""
    if isinstance(kind, type) and not isinstance(kind, StorageKind):
        kind = StorageKind(getattr(kind, "dtype", None))
    if isinstance(location, bytes):
        location = location.decode()
    if isinstance(key, bytes):
        key = key.decode()
    sound = (
        isinstance(kind, StorageKind)
        and isinstance(location, str)
        and type(numel) is int
        and 0 <= numel < 2**60
    )
    if not sound or not isinstance(key, (str, int)):
        raise UnpicklingError("load: a damaged reference to a storage")
    return kind, str(key), location


def swap_bytes(data: Any, dtype: Any) -> bytearray:
    """The same numbers in the other byte order; of complex ones each part is swapped."""
    size = 1 if dtype is None else dtype.itemsize // (2 if dtype.is_complex else 1)
    source = bytes(data)
    swapped = bytearray(len(source))
    for index in range(size):
        swapped[index::size] = source[size - 1 - index :: size]
    return swapped


def is_foreign(order: str | None) -> bool:
    """Whether a byte order is not this machine's."""
    return order is not None and order != sys.byteorder
