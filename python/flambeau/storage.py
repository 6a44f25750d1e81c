"""Storages: the memory under tensors, as bytes and as numbers of one dtype."""

from __future__ import annotations

from typing import Any
from collections.abc import Iterator

from flambeau import _C

UntypedStorage = _C.UntypedStorage

_DTYPE_OF_CLASS = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}  # fmt: skip

__all__ = ["UntypedStorage", "TypedStorage", *_DTYPE_OF_CLASS]


class TypedStorage:
    """The elements of a storage, in memory order.

    Args:
        args: nothing (empty), a number of elements, or a sequence of values.
        wrap_storage: an `UntypedStorage` to look at instead of making one.
        dtype: type of the elements; by default the default dtype.
        device: where to make the storage.
    Errors: TypeError for other arguments, RuntimeError if both `args` and `wrap_storage` are given.

    >>> import flambeau as torch
    >>> torch.ones(2).storage().tolist()
    [1.0, 1.0]
    """

    _class_dtype: Any = None

    def __init__(
        self,
        *args: Any,
        wrap_storage: Any = None,
        dtype: Any = None,
        device: Any = None,
        _internal: bool = False,
    ) -> None:
        if self._class_dtype is not None:
            if dtype is not None and dtype != self._class_dtype:
                raise RuntimeError(f"{type(self).__name__} holds {self._class_dtype}, not {dtype}")
            dtype = self._class_dtype
        self.dtype = _C.get_default_dtype() if dtype is None else dtype
        if wrap_storage is not None:
            if args or not isinstance(wrap_storage, UntypedStorage):
                raise TypeError(
                    f"wrap_storage must be the only source and an UntypedStorage, not {type(wrap_storage)}"
                )
            self._untyped_storage = wrap_storage
            return
        if len(args) > 1:
            raise TypeError(f"{type(self).__name__} takes a size or a sequence, not {len(args)} arguments")
        if args and isinstance(args[0], UntypedStorage):
            self._untyped_storage = args[0]
        elif args and not isinstance(args[0], int):
            tensor = _C.tensor(list(args[0]), dtype=self.dtype, device=device)
            self._untyped_storage = tensor.untyped_storage()
        else:
            count = args[0] if args else 0
            self._untyped_storage = _C.empty(count, dtype=self.dtype, device=device).untyped_storage()

    # --- facts ---

    @property
    def device(self) -> Any:
        """Where the storage is."""
        return self._untyped_storage.device

    @property
    def is_cuda(self) -> bool:
        """Whether the storage is on a GPU: False."""
        return self.device.type == "cuda"

    @property
    def is_sparse(self) -> bool:
        """Whether the storage belongs to a sparse tensor: never."""
        return False

    def untyped(self) -> Any:
        """The bytes underneath."""
        return self._untyped_storage

    def nbytes(self) -> int:
        """Length in bytes."""
        return self._untyped_storage.nbytes()

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    def size(self) -> int:
        """Number of elements."""
        return self.nbytes() // self.element_size()

    __len__ = size

    def data_ptr(self) -> int:
        """Address of the first byte."""
        return self._untyped_storage.data_ptr()

    def get_device(self) -> int:
        """Index of the device; -1 on the CPU."""
        return self._tensor().get_device()

    def is_shared(self) -> bool:
        """Whether other processes see the same memory."""
        return self._untyped_storage.is_shared()

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is locked for transfers to a GPU: False."""
        return False

    def type(self, dtype: Any = None) -> Any:
        """The name of the storage's class, or a copy with another dtype."""
        if dtype is None:
            return f"torch.{_CLASS_OF_DTYPE.get(self.dtype, 'TypedStorage')}"
        if isinstance(dtype, str):
            dtype = _CLASSES[dtype.rpartition(".")[2]]._class_dtype
        return self._converted(getattr(dtype, "_class_dtype", dtype))

    # --- elements ---

    def _tensor(self) -> Any:
        return _C._tensor_from_storage(self._untyped_storage, self.dtype, 0, (self.size(),), (1,))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError(f"{type(self).__name__}: a slice can be taken of .untyped() only")
        if not isinstance(index, int):
            raise RuntimeError(f"can't index a {type(self).__name__} with {type(index)}")
        if not -self.size() <= index < self.size():
            raise IndexError(f"{type(self).__name__}: index {index} lies out of range, there are "
                             f"{self.size()} elements")
        return self._tensor()[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(index, (int, slice)):
            raise RuntimeError(f"can't index a {type(self).__name__} with {type(index)}")
        self._tensor()[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def tolist(self) -> list:
        """The elements as Python numbers."""
        return self._tensor().tolist()

    def fill_(self, value: Any) -> TypedStorage:
        """Set every element."""
        self._tensor().fill_(value)
        return self

    def copy_(self, source: Any, non_blocking: bool | None = None) -> TypedStorage:
        """Take the elements of another storage, converted."""
        other = (
            source if isinstance(source, TypedStorage) else TypedStorage(wrap_storage=source, dtype=_C.uint8)
        )
        self._tensor().copy_(other._tensor())
        return self

    def resize_(self, size: int) -> None:
        """Change the number of elements."""
        self._untyped_storage.resize_(size * self.element_size())

    # --- copies ---

    def _wrap(self, tensor: Any) -> TypedStorage:
        return TypedStorage(wrap_storage=tensor.untyped_storage(), dtype=tensor.dtype)

    def clone(self) -> TypedStorage:
        """A copy."""
        return self._wrap(self._tensor().clone())

    def cpu(self) -> TypedStorage:
        """The storage on the CPU."""
        return self if self.device.type == "cpu" else self._wrap(self._tensor().cpu())

    def share_memory_(self) -> TypedStorage:
        """Move the memory to where other processes see it."""
        self._untyped_storage.share_memory_()
        return self

    def _converted(self, dtype: Any) -> TypedStorage:
        return self._wrap(self._tensor().to(dtype, copy=True))

    def __copy__(self) -> TypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict) -> TypedStorage:
        # Tensors copied in the same deepcopy must find the same new memory.
        seen = memo.setdefault("torch", {})
        key = self.data_ptr()
        if key not in seen:
            seen[key] = self.clone()
        return seen[key]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TypedStorage)
            and self.dtype == other.dtype
            and (self.data_ptr() == other.data_ptr() and self.nbytes() == other.nbytes())
        )

    def __hash__(self) -> int:
        return hash((self.data_ptr(), str(self.dtype)))

    def __repr__(self) -> str:
        lines = [f" {value}" for value in self.tolist()] if self.device.type != "meta" else ["..."]
        name = f"torch.storage.TypedStorage(dtype={self.dtype}, device={self.device})"
        return "\n".join([*lines, f"[{name} of size {self.size()}]"])


class _NamedStorageType(type):
    """`isinstance(storage, FloatStorage)` asks for the dtype, not the class."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype == cls._class_dtype


def _converter(dtype: Any) -> Any:
    return lambda self: self._converted(dtype)


_CLASSES: dict[str, Any] = {}
_CLASS_OF_DTYPE: dict[Any, str] = {}
for _name, _dtype_name in _DTYPE_OF_CLASS.items():
    _dtype = getattr(_C, _dtype_name)
    _members = {
        "_class_dtype": _dtype,
        "dtype": _dtype,
        "__module__": __name__,
        "__doc__": f"Elements of {_dtype}.",
    }
    _CLASSES[_name] = _NamedStorageType(_name, (TypedStorage,), _members)
    _CLASS_OF_DTYPE[_dtype] = _name
    globals()[_name] = _CLASSES[_name]
    _method = {"ComplexFloatStorage": "complex_float", "ComplexDoubleStorage": "complex_double"}.get(
        _name, _name[: -len("Storage")].lower()
    )
    setattr(TypedStorage, _method, _converter(_dtype))
