"""Operations that modules call and the core does not have yet: each raises an error that says so."""
from __future__ import annotations

from . import _C, errors

NAMES = ("sparse_compressed_tensor", "sparse_coo_tensor")


def _refusing(name):
    def call(*args, **kwargs):
        raise errors.UnsupportedError(f"flambeau has no {name.lstrip('_')} yet")

    call.__name__ = name
    return call


def apply():
    """Give the extension module a refusing function for each name it lacks."""
    for name in NAMES:
        if not hasattr(_C, name):
            setattr(_C, name, _refusing(name))
