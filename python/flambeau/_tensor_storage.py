"""Methods of `Tensor` about the memory behind it; attached by _tensor.py."""
from __future__ import annotations

from . import _C

Tensor = _C.Tensor


def untyped_storage(self):
    """The bytes behind this tensor, shared by all its views."""
    return _C._untyped_storage(self)


def storage(self):
    """The storage behind this tensor, as numbers of its dtype."""
    from .storage import TypedStorage
    return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype, _internal=True)


def set_(self, source=None, storage_offset=0, size=None, stride=None):
    """Have this tensor show the memory of `source`; returns self."""
    if source is None:
        source = _C.empty(0, dtype=self.dtype)
    elif isinstance(source, Tensor) and source.dtype != self.dtype:
        raise RuntimeError(f"set_(): cannot show memory of {source.dtype} in a tensor of type {self.dtype}")
    elif not isinstance(source, Tensor):
        storage = getattr(source, "_untyped_storage", source)
        count = storage.nbytes() // self.element_size()
        size = (count,) if size is None else tuple(size)
        stride = _packed(size) if stride is None else tuple(stride)
        source = _C._tensor_from_storage(storage, self.dtype, storage_offset, size, stride)
    elif size is not None:
        stride = _packed(size) if stride is None else stride
        source = _C._tensor_from_storage(source.untyped_storage(), self.dtype, storage_offset, tuple(size),
                                         tuple(stride))
    _C._become(self, source)
    return self


def _packed(size):
    strides, step = [], 1
    for s in reversed(size):
        strides.insert(0, step)
        step *= max(s, 1)
    return tuple(strides)


def resize_(self, *sizes, memory_format=None):
    """Give this tensor another shape, growing its storage if needed; new elements are not initialised."""
    size = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    if self.requires_grad:
        raise RuntimeError("resize: the tensor requires grad, so its size must stay; resize .detach()")
    _C._resize_(self, tuple(size))
    return self


def resize_as_(self, other, memory_format=None):
    """Give this tensor the shape of `other`, growing its storage if needed."""
    return resize_(self, *other.shape)


def is_shared(self):
    """Whether the storage lies in memory shared between processes."""
    return self.untyped_storage().is_shared()


def share_memory_(self):
    """Move the storage, and so every view of it, into memory shared between processes; returns self."""
    self.untyped_storage().share_memory_()
    return self


def is_pinned(self, device=None):
    """False: memory is pinned for a GPU's sake only."""
    return False


def pin_memory(self, device=None):
    """This tensor: there is no GPU to pin memory for."""
    return self


METHODS = (untyped_storage, storage, set_, resize_, resize_as_, is_shared, share_memory_, is_pinned, pin_memory)
