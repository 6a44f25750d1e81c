"""Process-wide settings of `save` and `load`."""

from __future__ import annotations

import enum
import mmap
import threading
from typing import Any


class LoadEndianness(enum.Enum):
    """Byte order assumed for files that do not state theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class _Skipping(threading.local):
    """Whether this thread is inside `skip_data`."""

    data = False


skipping = _Skipping()

_settings: dict[str, Any] = {
    "endianness": None,
    "checksums": True,
    "mmap_flags": getattr(mmap, "MAP_PRIVATE", None),
}


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order assumed for files that do not state theirs; None means this machine's."""
    return _settings["endianness"]


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order assumed for files that do not state theirs."""
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("set_default_load_endianness: give a LoadEndianness or None, not "
                        f"{type(endianness).__name__}")
    _settings["endianness"] = endianness


def get_crc32_options() -> bool:
    """Whether `save` computes the checksums of its records."""
    return _settings["checksums"]


def set_crc32_options(compute_crc32: bool) -> None:
    """Choose whether `save` computes checksums; without them saving is faster and unzip tools complain."""
    _settings["checksums"] = bool(compute_crc32)


def get_default_mmap_options() -> int | None:
    """The flags with which `load(mmap=True)` maps files."""
    return _settings["mmap_flags"]


class set_default_mmap_options:
    """Choose `mmap.MAP_PRIVATE` (writes stay in the process) or `mmap.MAP_SHARED` (they go to the file).

    Works as a call and as a `with` block. Errors: ValueError for other flags.
    """

    def __init__(self, flags: int) -> None:
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                f"set_default_mmap_options: flags must be MAP_PRIVATE or MAP_SHARED, not {flags}"
            )
        self.prev = _settings["mmap_flags"]
        _settings["mmap_flags"] = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        _settings["mmap_flags"] = self.prev
