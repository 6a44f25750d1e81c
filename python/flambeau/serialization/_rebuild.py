"""Makes tensors from what files say about them, after checking it against the storage."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import flambeau
from flambeau import _C

_MAX_DIMS = 64


def _fail(text: str) -> None:
    raise RuntimeError(f"load: {text}; the file is damaged or hostile")


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _check_counts(name: str, values: Any) -> tuple[int, ...]:
    if not isinstance(values, (tuple, list)) or len(values) > _MAX_DIMS or not all(map(_is_count, values)):
        _fail(f"a tensor's {name} must be at most {_MAX_DIMS} integers ≥ 0, but is {str(values)[:80]}")
    return tuple(values)


class _Deferred(threading.local):
    """Calls that wait until the storages have their bytes, which old files give after the tensors."""

    calls: list[tuple[Callable, Any, Any]] | None = None


_deferred = _Deferred()


@contextlib.contextmanager
def flags_deferred() -> Iterator[None]:
    """Compute lazy conjugates and negatives at the end of the block, not when a tensor is made."""
    before, _deferred.calls = _deferred.calls, []
    try:
        yield
        with flambeau.no_grad():
            for function, tensor, result in _deferred.calls:
                result.copy_(function(tensor))
    finally:
        _deferred.calls = before


def _applied(function: Callable, tensor: Any) -> Any:
    if _deferred.calls is None:
        return function(tensor)
    result = _C.empty(tuple(tensor.shape), dtype=tensor.dtype)
    _deferred.calls.append((function, tensor, result))
    return result


def _with_hooks_and_flags(tensor: Any, requires_grad: Any, metadata: Any) -> Any:
    if metadata is not None:
        if not isinstance(metadata, dict):
            _fail("a tensor's metadata must be a dict")
        for flag, apply in (("conj", _C.Tensor.conj_physical), ("neg", _C.Tensor.neg)):
            if metadata.get(flag):
                tensor = _applied(apply, tensor)
    if requires_grad:
        if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
            _fail(f"a tensor of {tensor.dtype} cannot require gradients")
        tensor.requires_grad_()
    return tensor


def _view(storage: Any, dtype: Any, offset: Any, size: Any, stride: Any) -> Any:
    untyped = getattr(storage, "_untyped_storage", storage)
    if type(untyped) is not _C.UntypedStorage:
        _fail("a tensor refers to something that is no storage")
    if type(dtype) is not _C.dtype:
        _fail("a tensor's dtype is no dtype")
    if not (type(size) is type(stride) is tuple and len(size) == len(stride) <= _MAX_DIMS):
        size, stride = _check_counts("size", size), _check_counts("stride", stride)
    room = untyped.nbytes() // dtype.itemsize
    if type(offset) is not int or not 0 <= offset <= room or math.prod(size) >= 2**63:
        _fail(f"a tensor of size {size} starts at {str(offset)[:40]} of {room} elements")
    # It checks that every element lies inside the storage, and that sizes and strides are integers ≥ 0.
    return _C._tensor_from_storage(untyped, dtype, offset, size, stride)


def rebuild_tensor(storage: Any, storage_offset: Any, size: Any, stride: Any) -> Any:
    return _view(storage, getattr(storage, "dtype", None), storage_offset, size, stride)


def rebuild_tensor_v2(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    metadata: Any = None,
) -> Any:
    tensor = rebuild_tensor(storage, storage_offset, size, stride)
    return _with_hooks_and_flags(tensor, requires_grad, metadata)


def rebuild_tensor_v3(
    storage: Any, storage_offset: Any, size: Any, stride: Any, requires_grad: Any, backward_hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Any:  # fmt: skip
    tensor = _view(storage, dtype, storage_offset, size, stride)
    return _with_hooks_and_flags(tensor, requires_grad, metadata)


def rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Any:
    from flambeau.nn import Parameter

    if not isinstance(data, _C.Tensor):
        _fail("a parameter's data is no tensor")
    return Parameter(data, bool(requires_grad))


def rebuild_parameter_with_state(data: Any, requires_grad: Any, backward_hooks: Any, state: Any) -> Any:
    return set_state(rebuild_parameter(data, requires_grad, backward_hooks), state)


def rebuild_from_type_v2(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    if function not in TENSOR_BUILDERS:
        _fail("a tensor subclass is rebuilt by a function that makes no tensor")
    tensor = function(*arguments)
    if kind is not _C.Tensor and type(tensor) is not kind:
        if not (isinstance(kind, type) and issubclass(kind, _C.Tensor)):
            _fail(f"{kind} is no subclass of Tensor")
        tensor = tensor.as_subclass(kind)
    return set_state(tensor, state)


def rebuild_meta_tensor(dtype: Any, size: Any, stride: Any, requires_grad: Any) -> Any:
    size, stride = _check_counts("size", size), _check_counts("stride", stride)
    if len(size) != len(stride) or not isinstance(dtype, _C.dtype):
        _fail(f"a meta tensor has size {size}, strides {stride}, dtype {dtype}")
    tensor = _C.empty_strided(size, stride, dtype=dtype, device="meta")
    return _with_hooks_and_flags(tensor, requires_grad, None)


def rebuild_sparse_tensor(layout: Any, data: Any) -> Any:
    if str(layout) == "torch.sparse_coo":
        indices, values, size, *coalesced = data
        # The constructor's own check keeps the indices inside `size`.
        tensor = _C.sparse_coo_tensor(indices, values, size, check_invariants=True)
        return tensor._coalesced_(bool(coalesced[0])) if coalesced else tensor
    compressed, plain, values, size = data
    return _C.sparse_compressed_tensor(compressed, plain, values, size, layout=layout, check_invariants=True)


def set_state(tensor: Any, state: Any) -> Any:
    """Give a tensor the attributes that it was saved with."""
    slots: Any = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    for attributes in (state, slots):
        if attributes is None:
            continue
        if not isinstance(attributes, dict):
            _fail("the attributes of a tensor must be a dict")
        for name, value in attributes.items():
            if not isinstance(name, str) or name.startswith("__"):
                _fail(f"a tensor cannot have the attribute {str(name)[:40]!r}")
            setattr(tensor, name, value)
    return tensor


def get_layout(name: Any) -> Any:
    kind = str(name).rpartition(".")[2]
    layout = getattr(_C, kind, None)
    if not isinstance(layout, _C.layout):
        _fail(f"{str(name)[:40]!r} is no layout")
    return layout


TENSOR_BUILDERS = (
    rebuild_tensor, rebuild_tensor_v2, rebuild_tensor_v3, rebuild_parameter, rebuild_parameter_with_state,
    rebuild_meta_tensor, rebuild_sparse_tensor,
)  # fmt: skip

# (module, name) in files: what rebuilds the object here.
REBUILDERS = {
    ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild_tensor_v3,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter_with_state,
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): rebuild_meta_tensor,
    ("torch._utils", "_rebuild_sparse_tensor"): rebuild_sparse_tensor,
    ("torch._tensor", "_rebuild_from_type_v2"): rebuild_from_type_v2,
    ("torch.serialization", "_get_layout"): get_layout,
}
