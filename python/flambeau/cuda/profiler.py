"""NVIDIA's profiler, which this build does not have."""

import contextlib
from collections.abc import Iterator

from flambeau._absent_device import define
from flambeau.cuda._absent import not_built

__all__ = [*define(globals(), not_built, "start()\n stop()"), "profile"]


@contextlib.contextmanager
def profile() -> Iterator[None]:
    """Profile a block. Errors: AssertionError on entry, there being no device."""
    not_built()
    yield
