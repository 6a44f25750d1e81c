"""How tensors and storages are pickled for another process: as the descriptor of their shared memory."""

from __future__ import annotations

import os
from multiprocessing import reduction
from typing import Any

from flambeau import _C
from flambeau._shared_memory import SharedBytes, share, shared_bytes_of

__all__ = ["init_reductions", "rebuild_storage", "rebuild_tensor", "reduce_storage", "reduce_tensor"]


def reduce_storage(storage: Any) -> tuple:
    """A storage as the descriptor of its shared memory, into which it moves if it is not there yet."""
    nbytes = storage.nbytes()
    if not nbytes:
        return _C.UntypedStorage, (0,)
    mapping = shared_bytes_of(share(storage))
    if mapping is None:
        raise RuntimeError(f"a storage of {nbytes} bytes could not be moved into shared memory")
    return rebuild_storage, (reduction.DupFd(mapping.file), nbytes)


def rebuild_storage(descriptor: Any, nbytes: int) -> Any:
    """The storage that another process sent."""
    file = descriptor.detach()
    if os.fstat(file).st_size < nbytes:
        os.close(file)
        raise RuntimeError(f"a storage of {nbytes} bytes was sent with less shared memory")
    return SharedBytes.over(file).storage(nbytes)


def reduce_typed_storage(storage: Any) -> tuple:
    """A storage with a dtype."""
    return rebuild_typed_storage, (storage.untyped(), storage.dtype)


def rebuild_typed_storage(storage: Any, dtype: Any) -> Any:
    """The storage that another process sent."""
    from flambeau.storage import TypedStorage

    return TypedStorage(wrap_storage=storage, dtype=dtype)


def reduce_tensor(tensor: Any) -> tuple:
    """A tensor as its storage and its place there.

    Errors: RuntimeError for a tensor that requires grad and is no leaf.
    """
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "Cannot send a tensor that requires grad and is no leaf to another process: autograd does not cross "
            "processes. Call detach() on it first."
        )
    plain = tensor.detach()
    place = plain.dtype, plain.storage_offset(), tuple(plain.shape), plain.stride()
    flags = tensor.is_conj(), tensor.is_neg(), tensor.requires_grad
    return rebuild_tensor, (type(tensor), plain.untyped_storage(), *place, flags)


def rebuild_tensor(
    kind: type, storage: Any, dtype: Any, offset: int, size: tuple, stride: tuple, flags: tuple
) -> Any:
    """The tensor that another process sent, over the same memory."""
    from flambeau.nn import Parameter

    is_conj, is_neg, requires_grad = flags
    tensor = _C._tensor_from_storage(storage, dtype, offset, size, stride)
    tensor = tensor.conj() if is_conj else tensor
    tensor = tensor._neg_view() if is_neg else tensor
    if issubclass(kind, Parameter):
        return kind(tensor, requires_grad)
    return tensor.requires_grad_() if requires_grad else tensor


def init_reductions() -> None:
    """Teach `multiprocessing` to send tensors, parameters and storages."""
    from flambeau.nn import Parameter
    from flambeau.storage import TypedStorage

    for kind, reduce in (
        (_C.Tensor, reduce_tensor),
        (Parameter, reduce_tensor),
        (_C.UntypedStorage, reduce_storage),
        (TypedStorage, reduce_typed_storage),
    ):
        reduction.ForkingPickler.register(kind, reduce)
