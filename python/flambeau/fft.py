"""Discrete Fourier transforms, under the names of torch.fft."""
from __future__ import annotations

from . import _C

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn", "ifftshift",
           "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'flambeau.fft' has no attribute '{name}'")
    operator = globals()[name] = getattr(_C, f"fft_{name}")
    return operator


def __dir__():
    return sorted(set(globals()) | set(__all__))
