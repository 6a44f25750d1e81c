"""The CPU as a device, with the functions that other devices' modules have."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

__all__ = [
    "is_available",
    "is_initialized",
    "synchronize",
    "current_device",
    "current_stream",
    "stream",
    "set_device",
    "device_count",
    "Stream",
    "StreamContext",
    "Event",
]


class Stream:
    """The one queue of work of the CPU: operations have ended when they return."""

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        """Nothing to wait for."""

    def record_event(self) -> None:
        """Nothing to record."""

    def wait_event(self, event: Any) -> None:
        """Nothing to wait for."""


class Event:
    """A moment in the CPU's work: it has always passed."""

    def query(self) -> bool:
        return True

    def record(self, stream: Any = None) -> None:
        """Nothing to record."""

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def wait(self, stream: Any = None) -> None:
        """Nothing to wait for."""


_stream = Stream()


class StreamContext(AbstractContextManager):
    """A block on a stream: any block."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def synchronize(device: Any = None) -> None:
    """Waits for the work of the device, which has ended already."""


def current_device() -> str:
    """The name of the device, `cpu`."""
    return "cpu"


def current_stream(device: Any = None) -> Stream:
    """The one stream there is."""
    return _stream


def stream(stream: Any) -> StreamContext:
    """A block on `stream`."""
    return StreamContext(stream)


def set_device(device: Any) -> None:
    """Nothing to choose from."""


def device_count() -> int:
    """1."""
    return 1
