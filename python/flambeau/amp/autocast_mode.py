"""`autocast`: mixed precision in a block or a function."""
from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping

from flambeau import _C
from flambeau.amp import _state
from flambeau.amp._state import is_autocast_available

__all__ = ["autocast_decorator", "autocast", "is_autocast_available", "custom_fwd", "custom_bwd"]

_CPU_DTYPES = (_C.bfloat16, _C.float16)


def autocast_decorator(autocast_instance, func):
    """`func`, run inside `autocast_instance`."""
    @functools.wraps(func)
    def decorated(*args, **kwargs):
        with autocast_instance:
            return func(*args, **kwargs)
    return decorated


class autocast:
    """A block, or a decorator, in which matrix products and convolutions run in lower precision, losses in float32.

    Inputs are cast as each operation needs; the weights stay float32 and so do their gradients. Blocks nest, and
    `enabled=False` inside switches mixed precision off. Run the backward pass outside.

    Args:
        device_type: "cpu"; others are accepted, and "cuda" warns that there is none.
        dtype: bfloat16 (the default on the CPU) or float16.
        enabled: False for a block without mixed precision.
        cache_enabled: cast a parameter once for all its uses in the outermost block.
    Errors: ValueError if `device_type` is not a str; RuntimeError for a type of device without mixed precision.

    >>> with fb.autocast("cpu"):
    ...     y = fb.ones(2, 2) @ fb.ones(2, 2)
    >>> y.dtype
    torch.bfloat16
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise ValueError(f"autocast: device_type must be a str, not {type(device_type).__name__}")
        if not is_autocast_available(device_type):
            raise RuntimeError(f"autocast: there is no autocast for device_type={device_type!r}")
        self.device = device_type
        self.fast_dtype = _state.get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = _state.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if device_type == "cuda" and enabled:
            warnings.warn("CUDA is not available: there is no such device. Disabling autocast.", stacklevel=2)
            enabled = False
        elif device_type == "cpu" and enabled and self.fast_dtype not in _CPU_DTYPES:
            warnings.warn(f"autocast: {self.fast_dtype} is no dtype for the CPU's autocast, which takes "
                          "bfloat16 and float16; it stays off",
                          stacklevel=2)
            enabled = False
        self._enabled = enabled

    def __enter__(self):
        self._before = (_state.is_autocast_cache_enabled(), _state.is_autocast_enabled(self.device),
                        _state.get_autocast_dtype(self.device))
        self._set(self._cache_enabled, self._enabled, self.fast_dtype)
        _state.autocast_increment_nesting()
        return self

    def _set(self, cache_enabled, enabled, dtype):
        _state.set_autocast_enabled(self.device, enabled)
        _state.set_autocast_dtype(self.device, dtype)
        _state.set_autocast_cache_enabled(cache_enabled)

    def __exit__(self, *error):
        if _state.autocast_decrement_nesting() == 0:
            _state.clear_autocast_cache()
        self._set(*self._before)
        return False

    def __call__(self, func):
        return autocast_decorator(self, func)


def _enter_autocast(*args):
    """Enter a block by hand; `_exit_autocast` leaves it."""
    mode = autocast(*args)
    mode.__enter__()
    return mode


def _exit_autocast(mode):
    mode.__exit__(None, None, None)


def _cast(value, device_type, dtype):
    """Floating tensors of a device type in another dtype, through lists, tuples and mappings; float64 stays."""
    if isinstance(value, _C.Tensor):
        eligible = value.is_floating_point() and value.device.type == device_type and value.dtype != _C.float64
        return value.to(dtype) if eligible else value
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, Mapping):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        cast = [_cast(v, device_type, dtype) for v in value]
        return type(value)(*cast) if hasattr(value, "_fields") else type(value)(cast)
    return value


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """Decorates `forward` of an autograd function: it remembers the state of mixed precision for `custom_bwd`.

    Args:
        device_type: "cpu" or another.
        cast_inputs: a dtype: inputs are cast to it and mixed precision is off inside, if it was on outside.
    Errors: ValueError unless `device_type` is a str.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"autocast: device_type must be a str, not {type(device_type).__name__}")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args, **kwargs):
        args[0]._dtype = _state.get_autocast_dtype(device_type)
        enabled = _state.is_autocast_enabled(device_type)
        args[0]._fwd_used_autocast = enabled and cast_inputs is None
        if not enabled or cast_inputs is None:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))
    return decorated


def custom_bwd(bwd=None, *, device_type):
    """Decorates `backward` of an autograd function: it runs under the mixed precision that `custom_fwd` saw."""
    if not isinstance(device_type, str):
        raise ValueError(f"autocast: device_type must be a str, not {type(device_type).__name__}")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args, **kwargs):
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)
    return decorated
