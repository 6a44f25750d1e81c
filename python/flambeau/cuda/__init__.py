"""CUDA, seen from a build without it: it answers "no device" wherever PyTorch's CPU build does."""

from __future__ import annotations

import importlib
from typing import Any

from flambeau import errors
from flambeau._absent_device import AbsentDeviceGuard, absent_class, define, device_index, fails, gives
from flambeau.cuda._absent import NOT_BUILT, no_nvml, not_built, not_present
from flambeau.cuda.graphs import *  # noqa: F403
from flambeau.cuda.graphs import __all__ as _graph_names
from flambeau.cuda.memory import *  # noqa: F403
from flambeau.cuda.memory import __all__ as _memory_names
from flambeau.cuda.random import *  # noqa: F403
from flambeau.cuda.random import __all__ as _random_names
from flambeau.cuda.streams import *  # noqa: F403
from flambeau.cuda.streams import __all__ as _stream_names

default_generators: tuple = ()
has_half = True
has_magma = False


class DeferredCudaCallError(Exception):
    """A call that waited for CUDA to start has failed."""


class CudaError(RuntimeError):
    """An error code of the CUDA runtime.

    Args:
        code: the runtime's error number.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"CUDA error {code}: {NOT_BUILT}")


class cudaStatus:
    """Two error numbers of the CUDA runtime."""

    SUCCESS = 0
    ERROR_NOT_READY = 34


_function_names = [
    *define(globals(), gives(False), """
        is_available()
        is_initialized()
        is_bf16_supported(including_emulation=True)
        is_tf32_supported()
        _is_compiled()
    """),
    *define(globals(), gives(0), "device_count()"),
    *define(globals(), gives(None), "_lazy_call(callable, **kwargs)"),
    *define(globals(), gives(-1), "_device_count_nvml()"),
    *define(globals(), list, "get_arch_list()"),
    *define(globals(), gives(""), "get_gencode_flags()"),
    *define(globals(), not_built, """
        init()
        _lazy_init()
        can_device_access_peer(device, peer_device)
        cudart()
        current_blas_handle()
        current_solver_handle()
        current_device()
        current_stream(device=None)
        default_stream(device=None)
        get_device_capability(device=None)
        get_device_name(device=None)
        get_device_properties(device=None)
        get_stream_from_external(data_ptr, device=None)
        get_sync_debug_mode()
        ipc_collect()
        set_sync_debug_mode(debug_mode)
        synchronize(device=None)
    """),
    *define(globals(), not_present, "check_error(res)"),
    *define(globals(), no_nvml, """
        device_memory_used(device=None)
        memory_usage(device=None)
        temperature(device=None)
        power_draw(device=None)
        clock_rate(device=None)
        utilization(device=None)
    """),
]  # fmt: skip


def set_device(device: Any) -> None:
    """Choose the current device; a negative index chooses none.

    Errors: ValueError for a device that is not CUDA, AttributeError for one that is.
    """
    if device_index(device, "cuda") >= 0:
        not_present()


def set_stream(stream: Any) -> None:
    """Choose the current stream; only None can be given, and does nothing."""
    if stream is not None:
        not_built()


class device(AbsentDeviceGuard):
    """The current device in a block. Errors: RuntimeError on entry for an index ≥ 0: there is no device."""

    _enter_error = staticmethod(
        fails(RuntimeError, f"torch.cuda.device: {NOT_BUILT}")
    )

    @staticmethod
    def _index(device: Any) -> int:
        return device_index(device, "cuda")


class device_of(device):
    """The device of a tensor as the current one in a block; a tensor that is not on a GPU changes nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_cuda else -1)


class StreamContext:
    """The current stream in a block; None leaves it alone."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        set_stream(self.stream)

    def __exit__(self, *error: Any) -> None:
        pass


def stream(stream: Any) -> StreamContext:
    """A block in which `stream` is the current one; None leaves it alone."""
    return StreamContext(stream)


_TYPE_NAMES = ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
_tensor_names = [f"{name}Tensor" for name in _TYPE_NAMES]
_storage_names = [f"{name}Storage" for name in (*_TYPE_NAMES, "ComplexDouble", "ComplexFloat")]
for _name in _tensor_names:
    _error = fails(TypeError, f"type torch.cuda.{_name} not available. {NOT_BUILT}")
    globals()[_name] = absent_class(__name__, _name, _error)
for _name in _storage_names:
    globals()[_name] = absent_class(__name__, _name, not_built)

_SUBMODULES = (
    "amp",
    "graphs",
    "memory",
    "nccl",
    "nvtx",
    "profiler",
    "random",
    "sparse",
    "streams",
    "tunable",
)

__all__ = [
    *_function_names, *_graph_names, *_memory_names, *_random_names, *_stream_names, *_tensor_names,
    *_storage_names, *_SUBMODULES, "CudaError", "DeferredCudaCallError", "OutOfMemoryError", "StreamContext",
    "cudaStatus", "default_generators", "device", "device_of", "has_half", "has_magma", "set_device",
    "set_stream", "stream",
]  # fmt: skip
__all__ = [name for name in __all__ if not name.startswith("_")]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in ("OutOfMemoryError", "AcceleratorError"):
        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
