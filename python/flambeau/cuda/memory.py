"""Memory of CUDA devices, of which there are none: sizes are 0, statistics are empty."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from flambeau._absent_device import absent_class, define, fails, gives
from flambeau.cuda._absent import no_instance, not_built, not_present

__all__ = [
    *define(globals(), gives(None), "empty_cache()\n caching_allocator_enable(value=True)"),
    *define(globals(), gives(0), """
        memory_allocated(device=None)
        max_memory_allocated(device=None)
        memory_reserved(device=None)
        max_memory_reserved(device=None)
        memory_cached(device=None)
        max_memory_cached(device=None)
    """),
    *define(globals(), OrderedDict, "memory_stats(device=None)\n host_memory_stats()"),
    *define(globals(), dict, "memory_stats_as_nested_dict(device=None)\n host_memory_stats_as_nested_dict()"),
    *define(globals(), not_built, """
        caching_allocator_alloc(size, device=None, stream=None)
        get_per_process_memory_fraction(device=None)
        set_per_process_memory_fraction(fraction, device=None)
        mem_get_info(device=None)
    """),
    *define(globals(), not_present, """
        caching_allocator_delete(mem_ptr)
        get_allocator_backend()
        change_current_allocator(allocator)
        memory_snapshot(mempool_id=None, include_traces=True)
        reset_accumulated_host_memory_stats()
        reset_accumulated_memory_stats(device=None)
        reset_max_memory_allocated(device=None)
        reset_max_memory_cached(device=None)
        reset_peak_host_memory_stats()
        reset_peak_memory_stats(device=None)
    """),
    *define(globals(), fails(KeyError, "allocated_bytes.all.current"),
            "memory_summary(device=None, abbreviated=False)"),
    *define(globals(), gives("install nvidia-ml-py to list the processes of a GPU"),
            "list_gpu_processes(device=None)"),
    "CUDAPluggableAllocator",
    "MemPool",
    "caching_allocator_disabled",
    "use_mem_pool",
]  # fmt: skip

CUDAPluggableAllocator = absent_class(__name__, "CUDAPluggableAllocator", no_instance)
MemPool = absent_class(__name__, "MemPool", no_instance)


@contextlib.contextmanager
def caching_allocator_disabled() -> Iterator[None]:
    """Do without cached device memory in a block; without devices there is none to do without."""
    yield


@contextlib.contextmanager
def use_mem_pool(pool: Any, device: Any = None) -> Iterator[None]:
    """Take device memory from `pool` in a block. Errors: AssertionError on entry, there being no device."""
    not_built()
    yield
