"""Tensors in memory that forked processes go on sharing."""
from __future__ import annotations

import mmap
import weakref

from . import _C

_mappings = weakref.WeakValueDictionary()  # address → the mapping that lives as long as its storage


def is_shared(tensor):
    """Whether the storage of `tensor` was moved to shared memory."""
    return tensor.untyped_storage().data_ptr() in _mappings


def move(tensor):
    """Move the storage of `tensor` into an anonymous shared mapping; returns the tensor."""
    old = tensor.untyped_storage()
    if is_shared(tensor):
        return tensor
    mapping = mmap.mmap(-1, max(old.nbytes(), 1))
    mapping[:old.nbytes()] = bytes(old._to_bytes())
    storage = _C._storage_from_buffer(mapping)
    data = _C._tensor_from_storage(storage, tensor.dtype, tensor.storage_offset(), tuple(tensor.shape),
                                   tensor.stride())
    _C._become(tensor, data)
    _mappings[tensor.untyped_storage().data_ptr()] = mapping
    return tensor
