"""Layers, losses and containers of neural networks."""

from . import functional, init, parameter, utils  # noqa: F401
from .modules import *  # noqa: F403
from .parallel import DataParallel  # noqa: F401
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter  # noqa: F401

_SUBMODULES = ("attention", "common_types", "grad")


def __getattr__(name):
    if name in _SUBMODULES:
        from importlib import import_module
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def factory_kwargs(kwargs):
    """The keywords `device`, `dtype` and `memory_format` of a module's constructor, for factory functions.

    Args: kwargs, the keywords given; those in `kwargs["factory_kwargs"]` count too. None gives none.
    Errors: TypeError for other keywords, or one that is given twice.

    >>> fb.nn.factory_kwargs({"dtype": fb.float64})
    {'dtype': torch.float64}
    """
    if kwargs is None:
        return {}
    known = {"device", "dtype", "memory_format"}
    unexpected = kwargs.keys() - known - {"factory_kwargs"}
    if unexpected:
        raise TypeError(f"unexpected kwargs {unexpected}")
    result = dict(kwargs.get("factory_kwargs", {}))
    for name in known & kwargs.keys():
        if name in result:
            raise TypeError(f"{name} is given twice, as an argument and in factory_kwargs")
        result[name] = kwargs[name]
    return result
