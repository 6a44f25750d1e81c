"""Intel's GPUs, seen from a build without them."""

from __future__ import annotations

import contextlib
import importlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from flambeau._absent_device import AbsentDeviceGuard, absent_class, define, device_index, fails, gives, not_built_text

NOT_BUILT = not_built_text("XPU")
not_built = fails(AssertionError, NOT_BUILT)
_no_instance = fails(RuntimeError, f"this class has no instances here. {NOT_BUILT}")

default_generators: tuple = ()

__all__ = [
    *define(globals(), gives(False), """
        is_available()
        is_initialized()
        is_bf16_supported(including_emulation=True)
        is_tf32_supported()
    """),
    *define(globals(), gives(0), """
        device_count()
        memory_allocated(device=None)
        memory_reserved(device=None)
        max_memory_allocated(device=None)
        max_memory_reserved(device=None)
    """),
    *define(globals(), gives(None), """
        empty_cache()
        manual_seed(seed)
        manual_seed_all(seed)
        seed()
        seed_all()
        set_rng_state(new_state, device="xpu")
        set_rng_state_all(new_states)
        set_stream(stream)
    """),
    *define(globals(), list, "get_arch_list()\n get_rng_state_all()\n memory_snapshot(mempool_id=None)"),
    *define(globals(), gives(""), "get_gencode_flags()"),
    *define(globals(), OrderedDict, "memory_stats(device=None)"),
    *define(globals(), dict, "memory_stats_as_nested_dict(device=None)"),
    *define(globals(), not_built, """
        init()
        can_device_access_peer(device, peer)
        current_device()
        current_stream(device=None)
        get_device_capability(device=None)
        get_device_name(device=None)
        get_device_properties(device=None)
        get_per_process_memory_fraction(device=None)
        set_per_process_memory_fraction(fraction, device=None)
        get_rng_state(device="xpu")
        get_stream_from_external(data_ptr, device=None)
        initial_seed()
        mem_get_info(device=None)
        synchronize(device=None)
    """),
    *define(globals(), fails(AttributeError, f"this function exists in XPU builds only: {NOT_BUILT}"), """
        change_current_allocator(allocator)
        reset_accumulated_memory_stats(device=None)
        reset_peak_memory_stats(device=None)
    """),
    *define(globals(), _no_instance, """
        graph_pool_handle()
        is_current_stream_capturing()
        make_graphed_callables(callables, sample_args, num_warmup_iters=3, allow_unused_input=False, pool=None)
    """),
    *define(globals(), fails(ImportError, "install pyzes to ask about Intel's devices"), """
        clock_rate(device=None)
        device_memory_used(device=None)
        memory_usage(device=None)
        power_draw(device=None)
        temperature(device=None)
        utilization(device=None)
    """),
    "Event", "MemPool", "Stream", "StreamContext", "XPUGraph", "XPUPluggableAllocator", "default_generators",
    "device", "device_of", "graph", "set_device", "stream", "use_mem_pool",
]  # fmt: skip

Event, MemPool, Stream, XPUGraph, XPUPluggableAllocator, graph = (
    absent_class(__name__, name, _no_instance)
    for name in ("Event", "MemPool", "Stream", "XPUGraph", "XPUPluggableAllocator", "graph")
)


def set_device(device: Any) -> None:
    """Choose the current device. Errors: AssertionError, there being none, unless the index is negative."""
    if device_index(device, "xpu") >= 0:
        not_built()


class device(AbsentDeviceGuard):
    """The current device in a block. Errors: AssertionError on entry for an index ≥ 0: there is no device."""

    _enter_error = staticmethod(not_built)

    @staticmethod
    def _index(device: Any) -> int:
        return device_index(device, "xpu")


class device_of(device):
    """The device of a tensor as the current one in a block; a tensor elsewhere changes nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_xpu else -1)


class StreamContext:
    """The current stream in a block; None leaves it alone."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            not_built()

    def __exit__(self, *error: Any) -> None:
        pass


def stream(stream: Any) -> StreamContext:
    """A block in which `stream` is the current one; None leaves it alone."""
    return StreamContext(stream)


@contextlib.contextmanager
def use_mem_pool(pool: Any, device: Any = None) -> Iterator[None]:
    """Take device memory from `pool` in a block. Errors: AssertionError on entry: there is no device."""
    not_built()
    yield


def __getattr__(name: str) -> Any:
    if name == "streams":
        return importlib.import_module(f"{__name__}.streams")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
