"""The format before the zip archive: a row of pickles, then the bytes of the storages."""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

from flambeau import _C
from flambeau.serialization._names import byte_order
from flambeau.serialization._pickle_reader import read_pickle
from flambeau.serialization._pickle_writer import PickleWriter
from flambeau.serialization._rebuild import flags_deferred
from flambeau.serialization._records import StorageSource, StorageTable, swap_bytes
from flambeau.serialization._zip import read_exactly

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
_SYSTEM = {
    "protocol_version": PROTOCOL_VERSION,
    "little_endian": sys.byteorder == "little",
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}


def _no_storage(*reference: Any) -> Any:
    raise UnpicklingError("load: the header of the file refers to a storage")


def write_legacy(value: Any, stream: Any, protocol: int) -> None:
    """Write `value` and its storages."""
    table = StorageTable(lambda count, storage: str(storage.data_ptr() or count + 1))

    def refer(storage: Any, dtype: Any) -> tuple:
        return (*table.refer(storage, dtype), None)

    body = PickleWriter(refer, protocol).dump(value)
    keys = sorted(table.storages)
    for header in (MAGIC_NUMBER, PROTOCOL_VERSION, _SYSTEM):
        stream.write(PickleWriter(_no_storage, protocol).dump(header))
    stream.write(body)
    stream.write(PickleWriter(_no_storage, protocol).dump(keys))
    for key in keys:
        storage, itemsize = table.storages[key]
        stream.write(struct.pack("<q", storage.nbytes() // itemsize))
        stream.write(storage._to_bytes())


def _end_of(stream: Any) -> int:
    here = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(here)
    return stream.tell() if end is None else end


def read_legacy(
    stream: Any, restore: Callable, encoding: str, unpickle: Callable[[Any, Callable], Any] | None
) -> Any:
    """Read what `write_legacy`, or PyTorch before 1.6, wrote.

    Args:
        stream: seekable file.
        restore: from (storage, location) to the storage on its device.
        encoding: of Python 2's byte strings.
        unpickle: the full pickle machine, or None for the restricted grammar.
    """
    if read_pickle(stream, _no_storage, encoding) != MAGIC_NUMBER:
        raise UnpicklingError("the file does not start like a checkpoint; is it one?")
    version = read_pickle(stream, _no_storage, encoding)
    if version != PROTOCOL_VERSION:
        raise UnpicklingError(f"Invalid protocol version: {version}")
    system = read_pickle(stream, _no_storage, encoding)
    end = _end_of(stream)
    pending: dict[str, tuple[Any, Any]] = {}
    room = end

    def allocate(key: str, nbytes: int, dtype: Any) -> Any:
        nonlocal room
        room -= nbytes
        if room < 0:
            raise UnpicklingError(
                f"load: the storages up to {key!r} ({nbytes} bytes) do not fit into the file"
            )
        storage = _C.UntypedStorage(nbytes)
        pending[key] = storage._to_bytes(), dtype
        return storage

    def restore_later(storage: Any, location: str) -> Any:
        if location == "cpu" or restore(storage, location) is storage:
            return storage
        return restore(storage, location)

    source = StorageSource(restore_later, allocate)
    with flags_deferred():
        if unpickle is None:
            value = read_pickle(stream, source.find, encoding)
        else:
            value = unpickle(stream, source.find)
        keys = read_pickle(stream, _no_storage, encoding)
        little = isinstance(system, dict) and system.get("little_endian", True)
        _fill(stream, keys, pending, foreign=bool(little) is not (byte_order() == "little"))
    return value


def _fill(stream: Any, keys: Any, pending: dict[str, tuple[Any, Any]], foreign: bool) -> None:
    """Read the storages' bytes into the memory that the tensors already view."""
    if not isinstance(keys, list) or not all(isinstance(key, (str, int)) for key in keys):
        raise UnpicklingError("load: the list of storages is damaged")
    if sorted(map(str, keys)) != sorted(pending):
        raise UnpicklingError("load: the list of storages does not agree with the tensors")
    for key in map(str, keys):
        data, dtype = pending[key]
        itemsize = 1 if dtype is None else dtype.itemsize
        count = bytearray(8)
        read_exactly(stream, count)
        (numel,) = struct.unpack(">q" if foreign else "<q", count)
        if numel * itemsize != len(data):
            raise UnpicklingError(f"load: storage {key!r} has {numel} elements, not {len(data) // itemsize}")
        read_exactly(stream, data)
        if foreign:
            data[:] = swap_bytes(data, dtype)


def buffered(stream: Any) -> Any:
    """A stream with `readline`, which pickles of names need."""
    return stream if hasattr(stream, "readline") else io.BytesIO(stream.read())
