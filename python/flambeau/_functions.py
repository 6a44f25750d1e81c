"""Functions of the top namespace that are written in Python."""
from __future__ import annotations

from . import _C

__all__ = ["is_tensor", "is_storage", "is_floating_point", "is_complex", "numel", "as_tensor", "asarray", "from_dlpack",
           "set_default_dtype", "set_default_tensor_type", "get_num_interop_threads", "set_num_interop_threads",
           "broadcast_shapes", "result_type", "is_inference", "typename", "get_default_device", "set_default_device",
           "use_deterministic_algorithms", "are_deterministic_algorithms_enabled",
           "is_deterministic_algorithms_warn_only_enabled", "set_deterministic_debug_mode",
           "get_deterministic_debug_mode", "set_float32_matmul_precision", "get_float32_matmul_precision",
           "set_warn_always", "is_warn_always_enabled", "set_flush_denormal", "compiled_with_cxx11_abi",
           "get_device_module", "is_signed", "is_nonzero", "is_same_size", "is_conj", "is_neg", "allclose",
           "equal", "resolve_conj", "resolve_neg", "nonzero", "block_diag",
           "broadcast_tensors", "cartesian_prod", "meshgrid", "atleast_1d", "atleast_2d", "atleast_3d"]

_settings = {"deterministic": 0, "matmul_precision": "highest", "interop_threads": 1, "warn_always": False}


def is_tensor(obj):
    """Whether `obj` is a Tensor."""
    return isinstance(obj, _C.Tensor)


def is_storage(obj):
    """Whether `obj` is a storage."""
    from .storage import TypedStorage
    return isinstance(obj, (_C.UntypedStorage, TypedStorage))


def _need_tensor(function, name, position, given):
    if not isinstance(given, _C.Tensor):
        raise TypeError(f"{function}(): argument '{name}' (position {position}) must be Tensor, not "
                        f"{type(given).__name__}")


def is_floating_point(input):
    """Whether the dtype of `input` is floating."""
    _need_tensor("is_floating_point", "input", 1, input)
    return input.is_floating_point()


def is_complex(input):
    """Whether the dtype of `input` is complex."""
    _need_tensor("is_complex", "input", 1, input)
    return input.is_complex()


def is_signed(input):
    """Whether the dtype of `input` has negative numbers."""
    _need_tensor("is_signed", "input", 1, input)
    return input.is_signed()


def is_nonzero(input):
    """Whether the one element of `input` is not zero."""
    _need_tensor("is_nonzero", "input", 1, input)
    return input.is_nonzero()


def is_same_size(input, other):
    """Whether two tensors have the same shape."""
    _need_tensor("is_same_size", "input", 1, input)
    _need_tensor("is_same_size", "other", 2, other)
    return input.shape == other.shape


def is_conj(input):
    """Whether `input` is lazily conjugated: never, conjugates are computed."""
    return input.is_conj()


def is_neg(input):
    """Whether `input` is lazily negated: never, negatives are computed."""
    return input.is_neg()


def is_inference(input):
    """Whether `input` was made in inference mode."""
    _need_tensor("is_inference", "input", 1, input)
    return input.is_inference()


def numel(input):
    """The number of elements."""
    _need_tensor("numel", "input", 1, input)
    return input.numel()


def as_tensor(data, dtype=None, device=None):
    """A tensor of `data`, sharing memory with a tensor or NumPy array of the same dtype."""
    if device is not None:
        _C._check_device(device)
    if isinstance(data, _C.Tensor):
        return data if dtype is None or data.dtype == dtype else data.to(dtype)
    return _C._from_data(data, dtype, False)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """A tensor of `obj`: shares memory where it can, copies if `copy` is True, raises if it must not and would."""
    if isinstance(obj, _C.Tensor):
        result = obj.detach().clone() if copy else obj
        result = result if dtype is None or result.dtype == dtype else result.to(dtype)
    else:
        result = _C._from_data(obj, dtype, bool(copy))
    if copy is False and dtype is not None and isinstance(obj, _C.Tensor) and obj.dtype != dtype:
        raise ValueError("cannot alias a tensor of another dtype: leave copy=False out")
    if requires_grad and not result.requires_grad:
        result = result.detach().requires_grad_()
    return result


def from_dlpack(ext_tensor):
    """A tensor sharing memory with any object that offers `__dlpack__`."""
    import numpy
    if isinstance(ext_tensor, _C.Tensor):
        return ext_tensor.detach()
    if not hasattr(ext_tensor, "__dlpack__"):
        raise RuntimeError("from_dlpack needs an object with __dlpack__; a bare capsule cannot be read twice")
    return _C.from_numpy(numpy.from_dlpack(ext_tensor))


def set_default_dtype(d):
    """Set the dtype that Python floats become: a floating one."""
    _C._set_default_dtype(d)


def set_default_tensor_type(t):
    """Set the default dtype by the name or class of a tensor type."""
    from ._legacy_types import dtype_of
    _C._set_default_dtype(dtype_of(t))


def get_default_device():
    """The device tensors are made on: the CPU."""
    return _C.device("cpu")


def set_default_device(device):
    """Accepts the CPU only."""
    if device is not None:
        _C._check_device(device)


def get_device_module(device=None):
    """The module of a kind of device: `flambeau.cpu`, `flambeau.cuda` …

    Args: device, a device or its name; None for the default.
    Errors: RuntimeError for anything else, or a kind without a module.
    """
    import importlib
    if device is not None and not isinstance(device, (str, _C.device)):
        raise RuntimeError(f"get_device_module: {device!r} is neither a device nor the name of one")
    kind = "cpu" if device is None else _C.device(device).type
    try:
        return importlib.import_module(f"{__package__}.{kind}")
    except ModuleNotFoundError:
        raise RuntimeError(f"get_device_module: there is no module torch.{kind} for this kind of "
                           "device") from None


def get_num_interop_threads():
    """Threads for running operations side by side."""
    return _settings["interop_threads"]


def set_num_interop_threads(n):
    """Accepted; operations run one after the other, each on `get_num_threads()` threads."""
    if n <= 0:
        raise RuntimeError(f"set_num_interop_threads: the number must be positive, got {n}")
    _settings["interop_threads"] = n


def broadcast_shapes(*shapes):
    """The shape that `shapes` broadcast to.

    >>> fb.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    shapes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    rank = max((len(s) for s in shapes), default=0)
    result = [1] * rank
    for position, shape in enumerate(shapes):
        for i, size in enumerate(shape, rank - len(shape)):
            if size < 0:
                raise RuntimeError(f"broadcast_shapes: a size must not be negative, got {size}")
            if size == 1 or size == result[i]:
                continue
            if result[i] != 1:
                raise RuntimeError(f"Shape mismatch: argument {position} of broadcast_shapes is "
                                   f"{list(shape)} with {size} in dim {i - rank}, those before it are "
                                   f"{[list(s) for s in shapes[:position]]} and need {result[i]} there")
            result[i] = size
    return _C.Size(result)


def result_type(tensor1, tensor2):
    """The dtype of an operation on two tensors or numbers, by the promotion rules."""
    return _C._result_type(tensor1, tensor2)


def resolve_conj(input):
    """`input`: conjugates are computed at once."""
    return input


def resolve_neg(input):
    """`input`: negatives are computed at once."""
    return input


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether every |input - other| ≤ atol + rtol * |other|.

    >>> fb.allclose(fb.tensor([1., 2.]), fb.tensor([1., 2. + 1e-9]))
    True
    """
    return _C._all_true(_C.isclose(input, other, rtol, atol, equal_nan))


def equal(input, other):
    """Whether two tensors have the same shape and the same elements; nan equals nothing.

    >>> fb.equal(fb.tensor([1, 2]), fb.tensor([1, 2]))
    True
    """
    _need_tensor("equal", "input", 1, input)
    _need_tensor("equal", "other", 2, other)
    if input.shape != other.shape:
        return False
    return _C._all_true(_C.eq(input, other))


def typename(obj):
    """The type of `obj` as a string."""
    if isinstance(obj, _C.Tensor):
        return obj.type()
    kind = obj if isinstance(obj, type) else type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Recorded; every algorithm here is deterministic for a given number of threads."""
    _settings["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled():
    return _settings["deterministic"] > 0


def is_deterministic_algorithms_warn_only_enabled():
    return _settings["deterministic"] == 1


def set_deterministic_debug_mode(debug_mode):
    modes = {"default": 0, "warn": 1, "error": 2}
    _settings["deterministic"] = modes[debug_mode] if isinstance(debug_mode, str) else int(debug_mode)


def get_deterministic_debug_mode():
    return _settings["deterministic"]


def set_float32_matmul_precision(precision):
    """Recorded; float32 products are computed in float32."""
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"set_float32_matmul_precision: unknown precision {precision!r}, choose "
                           "'highest', 'high' or 'medium'")
    _settings["matmul_precision"] = precision


def get_float32_matmul_precision():
    return _settings["matmul_precision"]


def set_warn_always(b):
    _settings["warn_always"] = bool(b)


def is_warn_always_enabled():
    return _settings["warn_always"]


def set_flush_denormal(mode):
    """False: subnormal numbers are kept."""
    return False


def compiled_with_cxx11_abi():
    return True


def _variadic(tensors):
    return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors


def nonzero(input, *, as_tuple=False, out=None):
    """The coordinates of all elements that are not zero.

    Args: input, of any dtype and shape (*) with k dims; as_tuple, to get one tensor per dim instead of one in all.
    Shapes: → (n, k), or k tensors (n,); int64.

    >>> fb.nonzero(fb.tensor([0, 7]))
    tensor([[1]])
    """
    if as_tuple:
        return _C.nonzero_numpy(input)
    return _C.nonzero(input) if out is None else _C.nonzero(input, out=out)


def block_diag(*tensors):
    """A matrix with the given ones along its diagonal and zeros elsewhere; vectors count as rows.

    >>> fb.block_diag(fb.tensor([[1]]), fb.tensor([[2, 3]]))
    tensor([[1, 0, 0],
            [0, 2, 3]])
    """
    return _C.block_diag(tensors)


def broadcast_tensors(*tensors):
    """Tensors expanded to the shape they broadcast to, as views.

    >>> fb.broadcast_tensors(fb.ones(2, 1), fb.ones(3))[0].shape
    torch.Size([2, 3])
    """
    return _C.broadcast_tensors(_variadic(tensors))


def cartesian_prod(*tensors):
    """All tuples with one element of each vector, in lexicographic order.

    >>> fb.cartesian_prod(fb.tensor([1, 2]), fb.tensor([3]))
    tensor([[1, 3],
            [2, 3]])
    """
    return _C.cartesian_prod(tensors)


def meshgrid(*tensors, indexing=None):
    """Coordinates of a grid: each vector expanded along the dims of the others; views.

    Args: tensors, vectors or numbers of one dtype; indexing, "ij" (default) or "xy", which swaps the first two dims.

    >>> fb.meshgrid(fb.tensor([1, 2]), fb.tensor([3]), indexing="ij")[0]
    tensor([[1],
            [2]])
    """
    if indexing is None:
        import warnings
        warnings.warn("meshgrid: pass indexing='ij', the present default, or 'xy' explicitly; a later version may "
                      "require it", stacklevel=2)
    return _C.meshgrid(_variadic(tensors), indexing=indexing)


def _at_least(function):
    def at_least(*tensors):
        if len(tensors) == 1 and isinstance(tensors[0], _C.Tensor):
            return function(tensors[0])
        return tuple(function(t) for t in _variadic(tensors))
    at_least.__name__ = at_least.__qualname__ = function.__name__
    at_least.__doc__ = function.__doc__
    return at_least


atleast_1d = _at_least(_C.atleast_1d)
atleast_2d = _at_least(_C.atleast_2d)
atleast_3d = _at_least(_C.atleast_3d)


# The modules of flambeau.nn reach every function through the extension module.
for _function in (allclose, equal, as_tensor, broadcast_shapes):
    setattr(_C, _function.__name__, _function)
