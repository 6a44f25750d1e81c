"""`torch.compile`, as far as it goes: the call is checked as PyTorch checks it, and the code runs as it is."""
from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from flambeau import nn

__all__ = ["OptimizedModule", "compile", "list_backends"]

_BACKENDS = ("eager", "aot_eager", "inductor", "cudagraphs", "openxla", "tvm")
_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")
_said = False


def list_backends(exclude_tags: tuple[str, ...] = ("debug", "experimental")) -> list[str]:
    """The names that `compile` takes as `backend`, but for those for debugging.

    >>> fb.compiler.list_backends()
    ['cudagraphs', 'inductor', 'openxla', 'tvm']
    """
    debugging = () if exclude_tags is None or "debug" not in exclude_tags else ("eager", "aot_eager")
    return sorted(name for name in _BACKENDS if name not in debugging)


class OptimizedModule(nn.Module):
    """What `compile` makes of a module: calls go to it, and its attributes are this module's too.

    Names in `state_dict` begin with `_orig_mod.`, as PyTorch's do.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._orig_mod = module
        self.training = module.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._orig_mod(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return super().__getattr__(name)
        return getattr(self._orig_mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_orig_mod", "training") or "_orig_mod" not in self.__dict__.get("_modules", ()):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._orig_mod, name)

    def __len__(self) -> int:
        return len(self._orig_mod)

    def __iter__(self) -> Any:
        return iter(self._orig_mod)

    def __getitem__(self, key: Any) -> Any:
        return self._orig_mod[key]


def _check(backend: Any, mode: str | None, options: dict[str, Any] | None) -> None:
    if mode is not None and options is not None:
        raise RuntimeError("compile: mode is a set of options by name; pass mode or options, not both")
    if not callable(backend) and backend not in _BACKENDS:
        raise RuntimeError(f"Invalid backend: {backend!r}, known are {', '.join(list_backends(None))}")
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"compile: unknown mode={mode!r}, choose one of: {', '.join(_MODES)}")


def _say_once() -> None:
    global _said
    if not _said:
        _said = True
        warnings.warn("torch.compile: flambeau has no compiler yet; the code runs as it is, with the same results.",
                      UserWarning, stacklevel=3)


def compile(model: Callable | None = None, *, fullgraph: bool = False, dynamic: bool | None = None,
            backend: str | Callable = "inductor", mode: str | None = None, options: dict[str, Any] | None = None,
            disable: bool = False, name: str | None = None) -> Callable:
    """A function or module that computes what `model` computes. There is no compiler yet: it runs as it is.

    Says so once, unless `backend` is "eager" or "aot_eager", which ask for just that. A backend that is a function is
    refused: it would get a graph, and nothing records one.

    Args:
        model: a function or module; without it, a decorator is returned.
        fullgraph, dynamic: whether one graph must hold all, and sizes may change: any code and any sizes run here.
        mode, options: how much to optimize; checked, no effect.
        disable: return `model` itself.
        name: of the compiled code, for logs.
    Errors: RuntimeError for an unknown backend or mode, AssertionError for what cannot be called,
        UnsupportedError for a backend that is a function.

    >>> fb.compile(lambda x: x * 2, backend="eager")(fb.ones(2))
    tensor([2., 2.])
    """
    if model is None:
        return lambda target: compile(target, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode,
                                      options=options, disable=disable, name=name)
    _check(backend, mode, options)
    if not callable(model):
        raise AssertionError(f"compile: model must be a function or a module, not {type(model).__name__}")
    if disable:
        return model
    if callable(backend):
        from flambeau.errors import UnsupportedError

        raise UnsupportedError("torch.compile: a backend that is a function needs a recorded graph, which flambeau "
                               "does not make yet; name a backend, or pass disable=True")
    if backend not in ("eager", "aot_eager"):
        _say_once()
    if isinstance(model, nn.Module):
        return OptimizedModule(model)

    @functools.wraps(model)
    def run(*args: Any, **kwargs: Any) -> Any:
        return model(*args, **kwargs)

    return run
