"""Marks in NVIDIA's profiler, which this build does not have."""

import contextlib
from collections.abc import Iterator
from typing import Any

from flambeau._absent_device import define, fails
from flambeau.cuda._absent import not_present

_no_nvtx = fails(RuntimeError, "NVTX is part of CUDA, which this build is without")

__all__ = [
    *define(globals(), _no_nvtx, "range_push(msg)\n range_pop()\n mark(msg)"),
    *define(globals(), not_present, "range_start(msg)\n range_end(range_id)"),
    "range",
]


@contextlib.contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """Mark a block. Errors: RuntimeError on entry, there being no NVTX."""
    _no_nvtx()
    yield
