"""The methods of `UntypedStorage` that are written in Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import _C
from ._shared_memory import share, shared_bytes_of

UntypedStorage = _C.UntypedStorage


def _bytes(self: Any) -> Any:
    """The storage as a uint8 tensor over the same memory."""
    return _C._tensor_from_storage(self, _C.uint8, 0, (self.nbytes(),), (1,))


def _index(self: Any, index: Any) -> Any:
    if isinstance(index, slice):
        if index.step not in (None, 1):
            raise RuntimeError(f"UntypedStorage: a slice must have step 1, got {index.step}")
        return index
    if not isinstance(index, int):
        raise TypeError(f"UntypedStorage: {type(index).__name__} is no index, an int or a slice is")
    if not -self.nbytes() <= index < self.nbytes():
        raise IndexError(f"UntypedStorage: index {index} lies out of range, there are {self.nbytes()} bytes")
    return index


def __getitem__(self: Any, index: Any) -> Any:
    index = _index(self, index)
    if isinstance(index, int):
        return self._to_bytes()[index]
    return _C._storage_from_buffer(self._to_bytes()[index])


def __setitem__(self: Any, index: Any, value: Any) -> None:
    _bytes(self)[_index(self, index)] = value


def __iter__(self: Any) -> Iterator[int]:
    return iter(self.tolist())


def __repr__(self: Any) -> str:
    lines = "".join(f" {value}\n" for value in self.tolist())
    return f"{lines}[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"


def __copy__(self: Any) -> Any:
    return self.clone()


def __deepcopy__(self: Any, memo: dict) -> Any:
    # Tensors copied in the same deepcopy must find the same new memory.
    key = ("storage", self._id())
    if key not in memo:
        memo[key] = self.clone()
    return memo[key]


def __eq__(self: Any, other: object) -> bool:
    return isinstance(other, UntypedStorage) and self._id() == other._id()


def __hash__(self: Any) -> int:
    return hash(self._id())


def clone(self: Any) -> Any:
    """A copy."""
    return _C._storage_from_buffer(bytearray(self._to_bytes()))


def copy_(self: Any, source: Any, non_blocking: bool | None = None) -> Any:
    """Take the bytes of another storage of the same length."""
    source = getattr(source, "_untyped_storage", source)
    if source.nbytes() != self.nbytes():
        raise RuntimeError(f"copy_: storages have {self.nbytes()} and {source.nbytes()} bytes")
    _bytes(self).copy_(_bytes(source))
    return self


def fill_(self: Any, value: int) -> Any:
    """Set every byte."""
    _bytes(self).fill_(value)
    return self


def tolist(self: Any) -> list:
    """The bytes as Python numbers."""
    return list(self._to_bytes())


def cpu(self: Any) -> Any:
    """The storage on the CPU: itself."""
    return self


def new(self: Any) -> Any:
    """An empty storage."""
    return UntypedStorage()


def untyped(self: Any) -> Any:
    """The storage itself."""
    return self


def element_size(self: Any) -> int:
    """Bytes per element: 1."""
    return 1


def type(self: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the class."""
    if dtype is None:
        return "torch.storage.UntypedStorage"
    from .storage import TypedStorage

    return TypedStorage(wrap_storage=self, dtype=_C.uint8).type(dtype)


def get_device(self: Any) -> int:
    """Index of the device: -1 on the CPU."""
    return -1


def is_pinned(self: Any, device: Any = None) -> bool:
    """Whether the memory is locked for transfers to a GPU: False."""
    return False


def is_shared(self: Any) -> bool:
    """Whether other processes can see the same memory."""
    return shared_bytes_of(self) is not None


def share_memory_(self: Any) -> Any:
    """Move into memory that other processes can see; returns self. Errors: RuntimeError if there is none left."""
    # it teaches multiprocessing to send tensors, for which this is done
    from . import multiprocessing  # noqa: F401

    return share(self)


def resizable(self: Any) -> bool:
    """Whether resize_ may be called."""
    return True


def byteswap(self: Any, dtype: Any) -> None:
    """Reverse the bytes of every element of `dtype`, of a complex one those of its parts."""
    size = dtype.itemsize // (2 if dtype.is_complex else 1)
    count = self.nbytes() // size
    elements = _C._tensor_from_storage(self, _C.uint8, 0, (count, size), (size, 1))
    elements.copy_(elements.flip(1))


_FUNCTIONS = (
    __getitem__, __setitem__, __iter__, __repr__, __copy__, __deepcopy__, __eq__, __hash__, clone, copy_, fill_,
    tolist, cpu, new, untyped, element_size, type, get_device, is_pinned, is_shared,
    share_memory_, resizable, byteswap,
)  # fmt: skip


def attach() -> None:
    """Give the class its methods."""
    for function in _FUNCTIONS:
        setattr(UntypedStorage, function.__name__, function)
    UntypedStorage.device = property(lambda self: _C.device("cpu"), doc="Where the storage is.")
    UntypedStorage.is_cuda = UntypedStorage.is_sparse = UntypedStorage.is_hpu = False
    UntypedStorage.is_sparse_csr = False
    UntypedStorage.filename = None
