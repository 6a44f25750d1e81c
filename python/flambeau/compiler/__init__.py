"""Compiling: the calls are there and checked, and code runs as it is."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._compile import compile, list_backends

__all__ = ["allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
           "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends", "reset"]


def is_compiling() -> bool:
    """False: code runs as Python."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """A decorator, with or without arguments, for functions that are not to be compiled: it leaves them as they are."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Callable) -> Callable:
    """`fn` itself."""
    return fn


def assume_constant_result(fn: Callable) -> Callable:
    """`fn` itself."""
    return fn


def reset() -> None:
    """Forget what was compiled: nothing."""


def cudagraph_mark_step_begin() -> None:
    """Nothing: there are no CUDA graphs."""
