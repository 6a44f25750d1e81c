"""Exceptions: each derives from exactly the built-in class that PyTorch raises in the same place.

`FlambeauError` is the mix-in they share, so `except RuntimeError` and `except FlambeauError` both catch them.
"""
from __future__ import annotations

__all__ = ["FlambeauError", "ShapeError", "DTypeError", "DeviceError", "VersionError", "GradError",
           "LinAlgError", "UnsupportedError", "help"]


class FlambeauError(Exception):
    """What every error raised by flambeau itself is."""


class ShapeError(FlambeauError, RuntimeError):
    """Shapes do not fit together. Compare the two shapes in the message dim by dim, from the right."""


class DTypeError(FlambeauError, RuntimeError):
    """An operation does not take this dtype, or may not cast to it. Convert first: `x.float()`, `x.to(dtype)`."""


class DeviceError(FlambeauError, RuntimeError):
    """A device that is not there. flambeau computes on the CPU."""


class VersionError(FlambeauError, RuntimeError):
    """A value saved for backward was overwritten. Use the out-of-place operation, or `clone()` before writing."""


class GradError(FlambeauError, RuntimeError):
    """Backward cannot run: no graph, a graph already used, or a write to a leaf that requires grad."""


class LinAlgError(FlambeauError, RuntimeError):
    """A factorization broke down: the matrix is singular, not positive definite, or the iteration did not end."""


class UnsupportedError(FlambeauError, NotImplementedError):
    """Something PyTorch has and flambeau does not have yet."""


class OutOfMemoryError(RuntimeError):
    """An accelerator has no memory left; never raised here: the CPU's is a MemoryError. For `except` clauses."""

    __module__ = __package__


class AcceleratorError(RuntimeError):
    """An accelerator failed; never raised here. For `except` clauses."""

    __module__ = __package__


def _named(name: str, built_in: type) -> type:
    doc = f"{built_in.__name__} raised by flambeau."
    return type(name, (FlambeauError, built_in), {"__module__": __name__, "__doc__": doc})


_classes = {c.__name__: c for c in (ShapeError, DTypeError, DeviceError, VersionError, GradError, LinAlgError,
                                   UnsupportedError)}
_classes.update({b.__name__: _named(b.__name__, b) for b in (RuntimeError, IndexError, ValueError, TypeError)})


def help(error: BaseException | type) -> None:
    """Print what a class of error means and what usually mends it.

    >>> import flambeau as fb
    >>> fb.errors.help(fb.errors.GradError)
    GradError: Backward cannot run: no graph, a graph already used, or a write to a leaf that requires grad.
    """
    kind = error if isinstance(error, type) else type(error)
    print(f"{kind.__name__}: {(kind.__doc__ or 'no page').strip()}")
