"""NVIDIA's cuDNN: its settings are kept, and without a GPU nothing reads them."""

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

CUDNN_TENSOR_DTYPES = {_C.float16, _C.float32, _C.float64}


def version() -> None:
    """The version of cuDNN: None, this build has none."""
    return None


def is_available() -> bool:
    """Whether cuDNN is part of this build: never."""
    return False


def is_acceptable(tensor: Any) -> bool:
    """Whether cuDNN could compute with `tensor`: never."""
    return False


def _any_value(value: Any) -> None:
    pass


def _own_precision() -> str:
    return _fp32_precision if _fp32_precision != "none" else backends.fp32_precision  # noqa: F821


make_settings(
    __name__,
    {
        "enabled": (True, expect(bool, "set_enabled_cudnn")),
        "benchmark": (False, expect(bool, "set_benchmark_cudnn")),
        "benchmark_limit": (None, _any_value),
        "deterministic": (False, expect(bool, "set_deterministic_cudnn")),
        "allow_tf32": (True, expect(bool, "set_allow_tf32_cudnn")),
        "fp32_precision": ("none", check_precision),
        "depthwise_kernel": ("auto", _any_value),
    },
)
conv = Precision(_own_precision, "tf32")
rnn = Precision(_own_precision, "tf32")


def set_flags(
    _enabled: bool | None = None,
    _benchmark: bool | None = None,
    _benchmark_limit: int | None = None,
    _deterministic: bool | None = None,
    _allow_tf32: bool | None = None,
    _fp32_precision: str = "none",
    _depthwise_kernel: str | None = None,
) -> tuple:
    """Set several settings at once; returns what they were."""
    values = {
        "enabled": _enabled,
        "benchmark": _benchmark,
        "benchmark_limit": _benchmark_limit,
        "deterministic": _deterministic,
        "allow_tf32": _allow_tf32,
        "fp32_precision": _fp32_precision,
        "depthwise_kernel": _depthwise_kernel,
    }
    return tuple(set_many(__name__, values).values())


def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
    fp32_precision: str = "none",
    depthwise_kernel: str = "auto",
) -> AbstractContextManager[None]:
    """The settings in force inside a block."""
    values = {
        "enabled": enabled,
        "benchmark": benchmark,
        "benchmark_limit": benchmark_limit,
        "deterministic": deterministic,
        "allow_tf32": allow_tf32,
        "fp32_precision": fp32_precision,
        "depthwise_kernel": depthwise_kernel,
    }
    return flags_block(__name__, values)
