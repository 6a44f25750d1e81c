"""Events of Apple's GPUs, which this build does not have."""

from flambeau.mps import Event

__all__ = ["Event"]
