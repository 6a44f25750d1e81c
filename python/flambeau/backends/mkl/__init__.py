"""Intel's MKL, whose functions other libraries provide here."""

from __future__ import annotations

from typing import Any

VERBOSE_OFF = 0
VERBOSE_ON = 1


def is_available() -> bool:
    """Whether the functions for which PyTorch needs MKL work (fft, linear algebra): always True."""
    return True


class verbose:
    """A block in which MKL would report its calls; there being no MKL, nothing is reported.

    Args:
        enable: `VERBOSE_OFF` or `VERBOSE_ON`.
    """

    def __init__(self, enable: int) -> None:
        self.enable = enable

    def __enter__(self) -> verbose:
        return self

    def __exit__(self, *error: Any) -> bool:
        return False
