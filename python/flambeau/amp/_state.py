"""Whether mixed precision is on and in which dtype, for each type of device.

On the CPU the core acts on it; the states of absent devices are kept so that programs find what they set.
"""
from __future__ import annotations

from flambeau import _C

_DTYPES = {"cuda": _C.float16, "xpu": _C.float16, "mps": _C.float16, "mtia": _C.float16, "ipu": _C.float16,
           "privateuseone": _C.float16, "hpu": _C.bfloat16, "xla": _C.bfloat16, "maia": _C.bfloat16}
_absent = {name: [False, dtype] for name, dtype in _DTYPES.items()}


def _checked(device_type):
    """The type as a string. Errors: RuntimeError for one that does not exist or has no mixed precision."""
    if not isinstance(device_type, str):
        raise TypeError(f"the device type must be a str, not {type(device_type).__name__}")
    if device_type == "cpu" or device_type in _absent:
        return device_type
    kind = _C.device(device_type).type
    raise RuntimeError(f"unknown device type for autocast: '{kind}'")


def is_autocast_available(device_type):
    """Whether PyTorch has mixed precision for this type of device. Errors: RuntimeError for an unknown type.

    >>> fb.amp.is_autocast_available("cpu")
    True
    """
    if device_type == "cpu" or device_type in _absent:
        return True
    _C.device(device_type)                                              # raises for an unknown type
    return False


def is_autocast_enabled(device_type="cuda"):
    """Whether mixed precision is on for a type of device."""
    kind = _checked(device_type)
    return _C._autocast_enabled() if kind == "cpu" else _absent[kind][0]


def set_autocast_enabled(device_type, enabled=None):
    """Switch mixed precision on or off: (device_type, enabled), or (enabled) for CUDA."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    kind = _checked(device_type)
    if kind == "cpu":
        _C._set_autocast_enabled(bool(enabled))
    else:
        _absent[kind][0] = bool(enabled)


def get_autocast_dtype(device_type):
    """The dtype that chosen operations take while mixed precision is on.

    >>> fb.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    kind = _checked(device_type)
    return _C._autocast_dtype() if kind == "cpu" else _absent[kind][1]


def set_autocast_dtype(device_type, dtype):
    """Choose the dtype of mixed precision for a type of device."""
    kind = _checked(device_type)
    if kind == "cpu":
        _C._set_autocast_dtype(dtype)
    else:
        _absent[kind][1] = dtype


def is_autocast_cache_enabled():
    """Whether a parameter is cast once per context."""
    return _C._autocast_cache_enabled()


def set_autocast_cache_enabled(enabled):
    _C._set_autocast_cache_enabled(bool(enabled))


def autocast_increment_nesting():
    """Enter one more context; the number of contexts entered."""
    return _C._autocast_nesting(1)


def autocast_decrement_nesting():
    return _C._autocast_nesting(-1)


def clear_autocast_cache():
    """Forget the casts of parameters."""
    _C._clear_autocast_cache()


def _deprecated(old, function, device_type):
    def call(*args):
        import warnings
        warnings.warn(f"torch.{old}() is deprecated. Please use torch.{function.__name__}('{device_type}') instead.",
                      DeprecationWarning, stacklevel=2)
        return function(device_type, *args)
    call.__name__ = call.__qualname__ = old
    call.__doc__ = f"`{function.__name__}('{device_type}')`, which is the spelling to use."
    return call


is_autocast_cpu_enabled = _deprecated("is_autocast_cpu_enabled", is_autocast_enabled, "cpu")
set_autocast_cpu_enabled = _deprecated("set_autocast_cpu_enabled", set_autocast_enabled, "cpu")
get_autocast_cpu_dtype = _deprecated("get_autocast_cpu_dtype", get_autocast_dtype, "cpu")
set_autocast_cpu_dtype = _deprecated("set_autocast_cpu_dtype", set_autocast_dtype, "cpu")
get_autocast_gpu_dtype = _deprecated("get_autocast_gpu_dtype", get_autocast_dtype, "cuda")
set_autocast_gpu_dtype = _deprecated("set_autocast_gpu_dtype", set_autocast_dtype, "cuda")

__all__ = [name for name in globals() if "autocast" in name and not name.startswith("_")]
