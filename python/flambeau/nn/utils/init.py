"""Making a module without drawing its initial values."""

from __future__ import annotations

import inspect

from ..modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """A module whose parameters have memory but no defined values.

    Args:
        module_cls: a Module class whose constructor takes `device`; the rest are its arguments.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"skip_init: {module_cls} is no Module")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(f"skip_init: {module_cls.__name__} must have a `device` argument")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, device="meta", **kwargs).to_empty(device=device)
