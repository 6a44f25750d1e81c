"""Python's `multiprocessing` with tensors that cross between processes without a copy.

A tensor that is sent through a queue or a pipe moves into shared memory first; sender and receiver then see
each other's writes. The memory is a nameless file whose descriptor is sent: nothing is left behind when a
process ends, however it ends.
"""

from multiprocessing import *  # noqa: F403
from multiprocessing import __all__ as _standard

from . import reductions
from .reductions import init_reductions
from .spawn import (
    ProcessContext,
    ProcessException,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    *_standard,
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "init_reductions",
    "reductions",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]

_STRATEGIES = {"file_descriptor", "file_system"}
_strategy = "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The names that `set_sharing_strategy` takes."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """The name given to `set_sharing_strategy`; at first "file_descriptor"."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Choose how tensors are shared. Both names are taken; descriptors are sent in either case.

    Errors: AssertionError for another name.
    """
    global _strategy
    if new_strategy not in _STRATEGIES:
        raise AssertionError(f"sharing strategies are {sorted(_STRATEGIES)}, not {new_strategy!r}")
    _strategy = new_strategy


init_reductions()
