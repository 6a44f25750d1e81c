"""Switches of the autograd recorder, as context managers and as decorators."""

from __future__ import annotations

import functools
import warnings

from flambeau import _C

TYPE_CHECKING = False  # importing typing costs milliseconds; type checkers know this name
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "no_grad",
    "enable_grad",
    "set_grad_enabled",
    "inference_mode",
    "set_multithreading_enabled",
    "enforce_grad_layout_policy",
]


def _is_generator_function(func: Callable) -> bool:
    """As inspect tells it, whose import takes longer than all of autograd's."""
    while isinstance(func, functools.partial):
        func = func.func
    code = getattr(getattr(func, "__func__", func), "__code__", None)
    return bool(getattr(code, "co_flags", 0) & 0x20)  # CO_GENERATOR


def _decorate(func: Callable, switch: Callable[[bool], bool], mode: bool) -> Callable:
    """`func` with the switch in position `mode` while its body runs."""
    if isinstance(func, type):
        warnings.warn(
            "Decorating classes is deprecated: decorate the class's __init__, which is all that runs in "
            "this mode",
            FutureWarning,
            stacklevel=3,
        )
        return _decorate_call(lambda *args, **kwargs: func(*args, **kwargs), switch, mode)
    if _is_generator_function(func):
        return _decorate_generator(func, switch, mode)
    return functools.wraps(func)(_decorate_call(func, switch, mode))


def _decorate_call(func: Callable, switch: Callable[[bool], bool], mode: bool) -> Callable:
    def in_mode(*args: Any, **kwargs: Any) -> Any:
        before = switch(mode)
        try:
            return func(*args, **kwargs)
        finally:
            switch(before)

    return in_mode


def _decorate_generator(func: Callable, switch: Callable[[bool], bool], mode: bool) -> Callable:
    """The mode holds while the generator's own code runs, and never while its consumer's does."""

    @functools.wraps(func)
    def in_mode(*args: Any, **kwargs: Any) -> Any:
        run = _decorate_call(lambda step, *values: step(*values), switch, mode)
        generator = func(*args, **kwargs)
        try:
            value = run(next, generator)
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    run(generator.close)
                    raise
                except BaseException as error:
                    value = run(generator.throw, error)
                else:
                    value = run(generator.send, sent)
        except StopIteration as stop:
            return stop.value

    return in_mode


class _Switch:
    """Puts a switch of the core into `mode` on entry and back on exit; nested use of one object works."""

    mode = False
    _before: tuple | None = None

    def __call__(self, func: Callable) -> Callable:
        return _decorate(func, self._switch, self.mode)

    def __enter__(self) -> None:
        self._before = (self._switch(self.mode), self._before)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        before, self._before = self._before
        self._switch(before)

    def clone(self) -> _Switch:
        """A fresh object of the same kind and mode."""
        return type(self)()


class _BareDecorator(_Switch):
    """Also allows `@no_grad` without parentheses."""

    _switch = staticmethod(_C._set_grad_enabled)

    def __new__(cls, func: Callable | None = None) -> Any:
        return object.__new__(cls) if func is None else _decorate(func, cls._switch, cls.mode)


class no_grad(_BareDecorator):
    """Context and decorator in which results do not require gradients.

    >>> import flambeau as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.no_grad():
    ...     (x * 2).requires_grad
    False
    """


class enable_grad(_BareDecorator):
    """Context and decorator that records again inside `no_grad`.

    >>> import flambeau as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.no_grad(), torch.enable_grad():
    ...     (x * 2).requires_grad
    True
    """

    mode = True


class _SetAtOnce(_Switch):
    """A switch that is thrown when the object is made; a `with` block or a decorator throws it back."""

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(
                f"{type(self).__name__}(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self.mode = mode
        self.prev = self._switch(mode)

    def __call__(self, func: Callable) -> Callable:
        self._switch(self.prev)
        return super().__call__(func)

    def __enter__(self) -> None:
        self._switch(self.mode)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        self._switch(self.prev)

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__name__}(mode={self.mode})"

    def clone(self) -> _SetAtOnce:
        return type(self)(self.mode)


class set_grad_enabled(_SetAtOnce):
    """Turn recording on or off: at once as a function, for a block in a `with`, for calls as a decorator.

    Args:
        mode: True records, False does not.
    Errors: TypeError if `mode` is not a bool.

    >>> import flambeau as torch
    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    _switch = staticmethod(_C._set_grad_enabled)


class set_multithreading_enabled(_SetAtOnce):
    """Allow or forbid the backward pass to run on several threads; used like `set_grad_enabled`.

    Args:
        mode: True allows several threads.
    Errors: TypeError if `mode` is not a bool.
    """

    _switch = staticmethod(lambda mode: _C._set_multithreading_enabled(mode))


class enforce_grad_layout_policy(_SetAtOnce):
    """Whether a gradient stored on a leaf must have the leaf's strides; used like `set_grad_enabled`.

    Args:
        enable: False lets a leaf take over a gradient with other strides.
    Errors: TypeError if `enable` is not a bool.
    """

    _switch = staticmethod(lambda mode: _C._set_grad_layout_policy(mode))

    def __init__(self, enable: bool = True) -> None:
        super().__init__(enable)


class inference_mode(_Switch):
    """Context and decorator without recording, version counting or view tracking.

    Tensors made inside can never take part in recorded work; that makes it cheaper than `no_grad`.

    Args:
        mode: True enters inference mode, False leaves it for the block; a function is decorated.

    >>> import flambeau as torch
    >>> with torch.inference_mode():
    ...     torch.ones(1).is_inference()
    True
    """

    _switch = staticmethod(_C._set_inference_mode)

    def __new__(cls, mode: Any = True) -> Any:
        if isinstance(mode, bool) or not callable(mode):
            return object.__new__(cls)
        return _decorate(mode, cls._switch, True)

    def __init__(self, mode: Any = True) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"inference_mode(): argument 'mode' must be bool, not {type(mode).__name__}")
        self.mode = mode

    def clone(self) -> inference_mode:
        return type(self)(self.mode)


class _unsafe_preserve_version_counter(_Switch):
    """Writes inside the block leave the version counters of `tensors` as they were.

    Gradients computed from values overwritten this way are wrong without any error.

    Args:
        tensors: a tensor or several in a tuple.
    """

    def __init__(self, tensors: Any) -> None:
        self.tensors = (tensors,) if isinstance(tensors, _C.Tensor) else tensors
        self.prev_versions = tuple(tensor._version for tensor in self.tensors)

    def __enter__(self) -> None:
        pass

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        _C._set_versions(self.tensors, self.prev_versions)
