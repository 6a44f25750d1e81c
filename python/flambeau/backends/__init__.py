"""Settings of the libraries beneath: each submodule speaks for one of them."""

from __future__ import annotations

import contextlib
import importlib
from contextlib import AbstractContextManager
from typing import Any

from flambeau.backends import _settings
from flambeau.backends._settings import check_precision, flags_block, make_settings, set_many

_SUBMODULES = ("cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp")

make_settings(__name__, {"fp32_precision": ("none", check_precision)})


def disable_global_flags() -> None:
    """Forbid setting these attributes from now on, except by the `flags()` blocks."""
    _settings.freeze()


def flags_frozen() -> bool:
    """Whether `disable_global_flags` was called."""
    return _settings.is_frozen()


def set_flags(_fp32_precision: str = "none") -> tuple:
    """Set the precision of float32 products; returns what was set before."""
    return tuple(set_many(__name__, {"fp32_precision": _fp32_precision}).values())


def flags(fp32_precision: str = "none") -> AbstractContextManager[None]:
    """The precision of float32 products inside a block."""
    return flags_block(__name__, {"fp32_precision": fp32_precision})


def __allow_nonbracketed_mutation() -> contextlib.AbstractContextManager:
    return _settings.unfrozen()


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
