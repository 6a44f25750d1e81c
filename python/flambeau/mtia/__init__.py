"""Meta's accelerators, seen from a build without them."""

from __future__ import annotations

from typing import Any

from flambeau._absent_device import AbsentDeviceGuard, absent_class, define, device_index, fails, gives, not_built_text

_absent = fails(RuntimeError, "there is no MTIA device")
_not_built = fails(AssertionError, not_built_text("MTIA"))

default_generators: tuple = ()


class DeferredMtiaCallError(Exception):
    """A call that waited for MTIA to start has failed."""


__all__ = [
    *define(globals(), gives(False), "is_available()\n is_initialized()"),
    *define(globals(), gives(True), "is_bf16_supported(including_emulation=True)"),
    *define(globals(), gives(0), """
        device_count()
        max_memory_allocated(device=None)
        memory_allocated(device=None)
    """),
    *define(globals(), gives(None), """
        reset_peak_memory_stats(device=None)
        record_memory_history(enabled="all", stacks="python", max_entries=0)
        manual_seed(seed)
        manual_seed_all(seed)
        seed()
        seed_all()
        set_rng_state_all(new_states)
    """),
    *define(globals(), list, "get_rng_state_all()"),
    *define(globals(), dict, "memory_stats(device=None)"),
    *define(globals(), _not_built, 'init()\n initial_seed()\n get_rng_state(device="mtia")'),
    *define(globals(), _absent, """
        synchronize(device=None)
        current_device()
        current_stream(device=None)
        default_stream(device=None)
        get_device_capability(device=None)
        get_device_properties(device=None)
        snapshot()
        attach_out_of_memory_observer(observer)
        empty_cache()
        set_device(device)
        stream(stream)
        set_rng_state(new_state, device="mtia")
        graph_pool_handle()
    """),
    "MTIAGraph", "device", "graph", "set_stream",
]  # fmt: skip

MTIAGraph = absent_class(__name__, "MTIAGraph", _absent)
graph = absent_class(__name__, "graph", _absent)
Stream = absent_class(__name__, "Stream", _absent)
Event = absent_class(__name__, "Event", _absent)
StreamContext = absent_class(__name__, "StreamContext", _absent)


def set_stream(stream: Any) -> None:
    """Choose the current stream; only None can be given, and does nothing."""
    if stream is not None:
        _absent()


class device(AbsentDeviceGuard):
    """The current device in a block. Errors: RuntimeError on entry for an index ≥ 0: there is no device."""

    _enter_error = staticmethod(_absent)

    @staticmethod
    def _index(device: Any) -> int:
        return device_index(device, "mtia")
