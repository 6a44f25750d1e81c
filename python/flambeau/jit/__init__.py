"""TorchScript, as far as a program that runs in Python needs it.

`script` gives back what it is given: functions and modules run as the Python they are, with the same results. Nothing
is compiled, and script files cannot be read or written.
"""
from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, Final

from flambeau import errors, nn
from flambeau.futures import Future

__all__ = ["Attribute", "Error", "Final", "Future", "ScriptFunction", "ScriptModule", "annotate", "export", "fork",
           "freeze", "ignore", "interface", "isinstance", "is_scripting", "is_tracing", "load",
           "optimize_for_inference",
           "save", "script", "script_if_tracing", "script_method", "set_fusion_strategy", "strict_fusion", "trace",
           "trace_module", "unused", "wait"]


class Error(RuntimeError):
    """An error in script code."""


class ScriptFunction:
    """A compiled function: there are none, `script` gives back functions as they are."""


class ScriptModule(nn.Module):
    """A module whose methods may be marked `script_method`; they run as Python."""


class Attribute:
    """A value and its type. `annotate` is the plain spelling."""

    def __init__(self, value: Any, type: Any) -> None:
        self.value, self.type = value, type


def script(obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None) -> Any:
    """`obj` itself: a function, class or module that runs as Python.

    >>> @fb.jit.script
    ... def double(x):
    ...     return 2 * x
    >>> double(fb.tensor([1.]))
    tensor([2.])
    """
    return obj


def _unchanged(fn: Callable) -> Callable:
    """`fn` itself."""
    return fn


export = unused = script_method = script_if_tracing = interface = _unchanged


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """A decorator, with or without arguments, that leaves the function as it is."""
    return drop if callable(drop) else _unchanged


def annotate(the_type: Any, the_value: Any) -> Any:
    """`the_value`."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether `obj` is of a type, which may be a generic one such as list[int]."""
    from typing import get_args, get_origin
    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, t) for t in target_type)
    origin, inner = get_origin(target_type), get_args(target_type)
    if origin is None:
        return builtins.isinstance(obj, target_type)
    if not builtins.isinstance(origin, type):                           # a union
        return any(isinstance(obj, t) for t in inner)
    if not builtins.isinstance(obj, origin):
        return False
    if origin is dict:
        return all(isinstance(k, inner[0]) and isinstance(v, inner[1]) for k, v in obj.items())
    if origin is tuple:
        return len(obj) == len(inner) and all(isinstance(v, t) for v, t in zip(obj, inner))
    return all(isinstance(v, inner[0]) for v in obj)


def is_scripting() -> bool:
    """False: code runs as Python."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def fork(func: Callable, *args: Any, **kwargs: Any) -> Future:
    """Call `func` now; a future that is done."""
    future = Future()
    try:
        future.set_result(func(*args, **kwargs))
    except Exception as error:
        future.set_exception(error)
    return future


def wait(future: Future) -> Any:
    """The value of a future."""
    return future.wait()


def freeze(mod: Any, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Any:
    """`mod`, which must be in evaluation mode. Errors: RuntimeError if it is training."""
    if mod.training:
        raise RuntimeError("jit.freeze: the module is in training mode; call .eval() first")
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """`mod` in evaluation mode."""
    return mod.eval()


def set_fusion_strategy(strategy: list[tuple[str, int]]) -> None:
    """Accepted; nothing is fused."""


class strict_fusion:
    """A block in which everything must be fused; nothing is looked at."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


def _refuses(name: str, why: str) -> Callable:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise errors.UnsupportedError(f"torch.jit.{name}: {why}")
    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Not available: {why}. Errors: UnsupportedError."
    return refuse


trace = _refuses("trace", "programs cannot be traced; call the function or module itself")
trace_module = _refuses("trace_module", "programs cannot be traced; call the module itself")
load = _refuses("load", "script files cannot be read; save a state_dict instead")
save = _refuses("save", "script files cannot be written; save a state_dict instead")
