"""oneDNN, which computes large products and convolutions."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from flambeau import _C, backends
from flambeau.backends._settings import (
    Precision,
    check_precision,
    expect,
    flags_block,
    make_settings,
    set_many,
)

VERBOSE_OFF = 0
VERBOSE_ON = 1
VERBOSE_ON_CREATION = 2


def is_available() -> bool:
    """Whether the oneDNN library is part of this build."""
    return _C._has_onednn()


def is_acl_available() -> bool:
    """Whether oneDNN uses Arm's Compute Library: never."""
    return False


class verbose:
    """A block in which oneDNN reports each primitive it runs.

    Args:
        level: `VERBOSE_OFF`, `VERBOSE_ON`, or `VERBOSE_ON_CREATION` to report their creation too.
    Errors: RuntimeError on entry if the library refuses.
    """

    def __init__(self, level: int) -> None:
        self.level = level

    def __enter__(self) -> verbose | None:
        if self.level == VERBOSE_OFF:
            return None
        if not _C._set_onednn_verbose(self.level):
            raise RuntimeError(f"oneDNN refuses the verbosity {self.level}")
        return self

    def __exit__(self, *error: Any) -> bool:
        _C._set_onednn_verbose(VERBOSE_OFF)
        return False


def _any_value(value: Any) -> None:
    pass


def _own_precision() -> str:
    return _fp32_precision if _fp32_precision != "none" else backends.fp32_precision  # noqa: F821


make_settings(
    __name__,
    {
        "enabled": (True, expect(bool, "set_enabled_mkldnn")),
        "deterministic": (False, expect(bool, "set_deterministic_mkldnn")),
        "allow_tf32": (None, _any_value),
        "fp32_precision": ("none", check_precision),
    },
    {"enabled": lambda value: _C._set_onednn_enabled(value)},
)
conv = Precision(_own_precision)
matmul = Precision(_own_precision)
rnn = Precision(_own_precision)


def set_flags(
    _enabled: bool | None = None,
    _deterministic: bool | None = None,
    _allow_tf32: bool | None = None,
    _fp32_precision: str = "none",
) -> tuple:
    """Set several settings at once; returns what they were."""
    values = {"enabled": _enabled, "deterministic": _deterministic, "allow_tf32": _allow_tf32}
    return tuple(set_many(__name__, {**values, "fp32_precision": _fp32_precision}).values())


def flags(
    enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True, fp32_precision: str = "none"
) -> AbstractContextManager[None]:
    """The settings in force inside a block."""
    values = {"enabled": enabled, "deterministic": deterministic, "allow_tf32": allow_tf32}
    return flags_block(__name__, {**values, "fp32_precision": fp32_precision})
