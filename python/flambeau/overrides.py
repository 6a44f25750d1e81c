"""`__torch_function__`: how tensor subclasses and look-alikes take over the functions they are passed to."""
from __future__ import annotations

from . import _C

__all__ = ["handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
           "is_tensor_like", "get_default_nowrap_functions"]


def _candidates(args, kwargs):
    for value in (*args, *kwargs.values()):
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _overloaded(values):
    """Arguments that override, each type once, subclasses before their bases."""
    found = []
    for value in values:
        kind = type(value)
        if kind is _C.Tensor or getattr(kind, "__torch_function__", _disabled) is _disabled:
            continue
        if any(type(f) is kind for f in found):
            continue
        place = next((i for i, f in enumerate(found) if issubclass(kind, type(f))), len(found))
        found.insert(place, value)
    return found


def _disabled(func, types, args=(), kwargs=None):
    before = _C._set_overrides_off(True)
    try:
        return func(*args, **(kwargs or {}))
    finally:
        _C._set_overrides_off(before)


_C._disabled_torch_function_impl = _disabled


def _call(func, args, kwargs):
    """Ask each overriding argument in turn; the first answer that is not NotImplemented counts."""
    overloaded = _overloaded(_candidates(args, kwargs))
    types = tuple(type(f) for f in overloaded)
    for value in overloaded:
        result = type(value).__torch_function__(func, types, args, kwargs)
        if result is not NotImplemented:
            return result
    if not overloaded:
        return _disabled(func, (), args, kwargs)
    names = [t.__name__ for t in types]
    raise TypeError(f"{getattr(func, '__name__', func)}: the __torch_function__ of {names} all returned "
                    "NotImplemented")


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """Dispatch a Python function to the `__torch_function__` of its arguments."""
    return _call(public_api, args, kwargs)


def has_torch_function(relevant_args):
    """Whether an argument has a `__torch_function__` of its own."""
    return bool(_overloaded(relevant_args))


def has_torch_function_unary(argument):
    return has_torch_function((argument,))


def has_torch_function_variadic(*arguments):
    return has_torch_function(arguments)


def is_tensor_like(value):
    """Whether `value` is a tensor or overrides functions as one."""
    return isinstance(value, _C.Tensor) or hasattr(type(value), "__torch_function__")


def get_default_nowrap_functions():
    """Functions whose results keep their plain type."""
    return {_C.Tensor.grad.fget}


def _install():
    _C._set_torch_function_handler(_call)
