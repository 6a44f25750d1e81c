"""The profiler of Apple's GPUs, which this build does not have."""

import contextlib
from collections.abc import Iterator

from flambeau._absent_device import define, fails
from flambeau.mps import _absent

_missing = fails(AttributeError, "this function exists in builds with Metal only")

__all__ = [
    *define(globals(), _absent, 'start(mode="interval", wait_until_completed=False)\n stop()'),
    *define(globals(), _missing, "is_metal_capture_enabled()\n is_capturing_metal()"),
    "profile",
    "metal_capture",
]


@contextlib.contextmanager
def profile(mode: str = "interval", wait_until_completed: bool = False) -> Iterator[None]:
    """Profile a block. Errors: RuntimeError on entry, there being no device."""
    _absent()
    yield


@contextlib.contextmanager
def metal_capture(fname: str) -> Iterator[None]:
    """Capture a block's Metal commands. Errors: AttributeError on entry, there being no Metal."""
    _missing()
    yield
