"""Discrete Fourier transforms, under the names of torch.fft."""
from __future__ import annotations

from . import _C

_operators = {  # name here → operator
    name: f"fft_{name}" for name in (
        "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
        "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn")
}
__all__ = sorted(_operators)


def __getattr__(name):
    if name not in _operators:
        raise AttributeError(f"module 'flambeau.fft' has no attribute '{name}'")
    operator = globals()[name] = getattr(_C, _operators[name])
    return operator


def __dir__():
    return sorted(set(globals()) | set(__all__))
