"""Streams and events of Intel's GPUs, which this build does not have."""

from flambeau.xpu import Event, Stream

__all__ = ["Event", "Stream"]
