"""Apple's GPUs, seen from a build without them."""

import importlib
from typing import Any

from flambeau._absent_device import absent_class, define, fails, gives

_absent = fails(RuntimeError, "Cannot execute this function without MPS backend.")

__all__ = [
    *define(globals(), gives(0), "device_count()"),
    *define(globals(), gives(False), "is_available()"),
    *define(globals(), gives(None), "manual_seed(seed)"),
    *define(globals(), _absent, """
        get_rng_state(device="mps")
        set_rng_state(new_state, device="mps")
        seed()
        synchronize()
        empty_cache()
        set_per_process_memory_fraction(fraction)
        current_allocated_memory()
        driver_allocated_memory()
        recommended_max_memory()
        compile_shader(source)
        load_metallib(path)
    """),
    "Event",
    "event",
    "profiler",
]  # fmt: skip

Event = absent_class(__name__, "Event", _absent)


def __getattr__(name: str) -> Any:
    if name in ("event", "profiler"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
