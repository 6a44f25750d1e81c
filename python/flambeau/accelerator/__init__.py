"""The accelerator of this machine, whichever it is: this build has none."""

from __future__ import annotations

from typing import Any

from flambeau._absent_device import absent_class, define, fails, gives

_absent = fails(RuntimeError, "this machine has no accelerator")

__all__ = [
    *define(globals(), gives(False), "is_available()"),
    *define(globals(), gives(0), "device_count()"),
    *define(globals(), gives(None), "current_accelerator(check_available=False)"),
    *define(globals(), _absent, """
        current_device_idx()
        current_device_index()
        get_device_capability(device=None, /)
        current_stream(device=None, /)
        empty_cache()
        empty_host_cache()
        get_memory_info(device_index=None, /)
        max_memory_allocated(device_index=None, /)
        max_memory_reserved(device_index=None, /)
        memory_allocated(device_index=None, /)
        memory_reserved(device_index=None, /)
        memory_stats(device_index=None, /)
        reset_accumulated_memory_stats(device_index=None, /)
        reset_peak_memory_stats(device_index=None, /)
        set_device_idx(device, /)
        set_device_index(device, /)
        set_stream(stream)
        synchronize(device=None, /)
    """),
    "Graph",
    "device_index",
]  # fmt: skip

Graph = absent_class(__name__, "Graph", _absent)


class device_index:
    """The current device in a block; None leaves it alone. Errors: RuntimeError on entry for any index."""

    def __init__(self, device: int | None, /) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            _absent()

    def __exit__(self, *error: Any) -> None:
        pass
