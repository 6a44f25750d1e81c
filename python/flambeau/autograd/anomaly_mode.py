"""Anomaly mode: remember where each op ran forward, and fail when a gradient is NaN."""

from __future__ import annotations

import warnings

from flambeau import _C

TYPE_CHECKING = False  # importing typing costs milliseconds; type checkers know this name
if TYPE_CHECKING:
    from typing import Any

__all__ = ["detect_anomaly", "set_detect_anomaly"]


def _switch(mode: bool, check_nan: bool) -> tuple[bool, bool]:
    return _C._set_anomaly_mode(mode, check_nan)


class set_detect_anomaly:
    """Turn anomaly mode on or off, at once as a function or for a block in a `with`.

    Args:
        mode: True makes each node keep the stack of its forward call.
        check_nan: also raise a RuntimeError when a node computes a NaN gradient.

    >>> import flambeau as torch
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.prev, self.prev_check_nan = _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        _switch(self.prev, self.prev_check_nan)


class detect_anomaly:
    """Anomaly mode for a `with` block; it slows programs down, so it warns.

    Args:
        check_nan: also raise a RuntimeError when a node computes a NaN gradient.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.prev, self.prev_check_nan = _C.is_anomaly_enabled(), _C.is_anomaly_check_nan_enabled()
        warnings.warn(
            "Anomaly Detection has been enabled. It records every forward call and slows the program down: "
            "use it for debugging only.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self.prev, self.prev_check_nan = _switch(True, self.check_nan)

    def __exit__(self, *error: Any) -> None:
        _switch(self.prev, self.prev_check_nan)
