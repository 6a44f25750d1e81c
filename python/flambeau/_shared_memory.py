"""Storages in memory that several processes map: nameless files, known by descriptor and inode."""

from __future__ import annotations

import mmap
import os
import weakref
from typing import Any

from flambeau import _C


def memory_file(size: int, purpose: str) -> int:
    """The descriptor of a nameless file in memory, with all its pages reserved.

    Without the reservation, running out of memory would be a bus error at some later write.

    Args:
        size: bytes.
        purpose: what the memory is for, for the message of the error.
    Errors: RuntimeError if there is not so much memory.
    """
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("flambeau")
    else:
        import tempfile

        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
        else:
            os.ftruncate(file, size)
    except OSError as error:
        os.close(file)
        raise RuntimeError(f"No shared memory for {purpose} ({error.strerror}).") from error
    return file


class SharedBytes(mmap.mmap):
    """A mapped nameless file; it is closed when the last storage over it is gone."""

    file: int

    @classmethod
    def over(cls, file: int) -> SharedBytes:
        """The mapping of a descriptor, which now belongs to it."""
        status = os.fstat(file)
        inode = status.st_dev, status.st_ino
        known = _by_inode.get(inode)
        if known is not None:
            os.close(file)
            return known
        mapping = cls(file, status.st_size)
        mapping.file = file
        weakref.finalize(mapping, os.close, file)
        _by_inode[inode] = mapping
        return mapping

    def storage(self, nbytes: int) -> Any:
        """A storage over the first bytes."""
        storage = _C._storage_from_buffer(memoryview(self)[:nbytes])
        _by_address[storage.data_ptr()] = self
        return storage


# Of the mappings in use; both forget those that are gone.
_by_inode: weakref.WeakValueDictionary[tuple[int, int], SharedBytes] = weakref.WeakValueDictionary()
_by_address: weakref.WeakValueDictionary[int, SharedBytes] = weakref.WeakValueDictionary()


def shared_bytes_of(storage: Any) -> SharedBytes | None:
    """The mapping that a storage lies in, or None if it is this process's own."""
    return _by_address.get(storage.data_ptr())


def share(storage: Any) -> Any:
    """Move a storage into shared memory, with all tensors that view it; returns it.

    Errors: RuntimeError if there is not so much shared memory.
    """
    nbytes = storage.nbytes()
    if nbytes and shared_bytes_of(storage) is None:
        mapping = SharedBytes.over(memory_file(nbytes, f"a storage of {nbytes / 1e6:.1f} MB"))
        storage._move_into(memoryview(mapping))
        _by_address[storage.data_ptr()] = mapping
    return storage
