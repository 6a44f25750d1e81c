"""Window functions: M weights, symmetric, or with `sym=False` one period of a periodic window, for spectra.

Each takes M, its own parameters by keyword, and `sym`, `dtype` (float32 or float64), `layout`, `device` and
`requires_grad`; gives a tensor of shape (M,); and raises ValueError for a negative M or another dtype.
"""
from __future__ import annotations

import math
from collections.abc import Iterable

from .. import _C

__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming",
           "hann", "kaiser", "nuttall"]


def _window(name, M, sym, dtype, layout, device, requires_grad, formula):
    """`formula(count, options)`, count being what the spacing of the places counts; 0 and 1 places need none."""
    if M < 0:
        raise ValueError(f"{name}: M must not be negative, got {M}")
    if layout not in (None, _C.strided):
        raise ValueError(f"{name}: the layout must be strided, not {layout}")
    dtype = _C.get_default_dtype() if dtype is None else dtype
    if dtype not in (_C.float32, _C.float64):
        raise ValueError(f"{name}: dtype must be float32 or float64, not {dtype}")
    if device is not None:
        _C._check_device(device)
    options = {"dtype": dtype, "requires_grad": requires_grad}
    if M == 0:
        return _C.empty((0,), **options)
    if M == 1:
        return _C.ones((1,), **options)
    return formula(M - 1 if sym else M, options)


def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """exp(−|n − center| / tau), the centre in the middle unless given, which takes `sym=False`.

    >>> fb.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ValueError(f"exponential: tau must be positive, got {tau}")
    if sym and center is not None:
        raise ValueError("exponential: a symmetric window has its center in the middle; leave center None")

    def formula(count, options):
        middle = count / 2.0 if center is None else center
        scale = 1 / tau
        places = _C.linspace(-middle * scale, (-middle + (M - 1)) * scale, M, **options)
        return _C.exp(-_C.abs(places))

    return _window("exponential", M, sym, dtype, layout, device, requires_grad, formula)


def cosine(M, *, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """sin(π (n + 1/2) / M): half a wave.

    >>> fb.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    def formula(count, options):
        scale = math.pi / (count + 1)
        return _C.sin(_C.linspace(0.5 * scale, (0.5 + (M - 1)) * scale, M, **options))

    return _window("cosine", M, sym, dtype, layout, device, requires_grad, formula)


def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """exp(−(n − middle)² / (2 std²)).

    >>> fb.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"gaussian: std must be positive, got {std}")

    def formula(count, options):
        start, scale = -count / 2.0, 1 / (std * math.sqrt(2))
        places = _C.linspace(start * scale, (start + (M - 1)) * scale, M, **options)
        return _C.exp(-places ** 2)

    return _window("gaussian", M, sym, dtype, layout, device, requires_grad, formula)


def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """i0(beta · √(1 − (2n / N − 1)²)) / i0(beta).

    >>> fb.signal.windows.kaiser(3, beta=0.)
    tensor([1., 1., 1.])
    """
    if beta < 0:
        raise ValueError(f"kaiser: beta must not be negative, got {beta}")

    def formula(count, options):
        scale = 2.0 * beta / count
        places = _C.linspace(-beta, min(beta, -beta + (M - 1) * scale), M, **options)
        top = _C.tensor(beta, dtype=options["dtype"])
        inside = _C.clamp(beta * beta - _C.pow(places, 2), min=0)  # which rounding may take below zero at the ends
        return _C.i0(_C.sqrt(inside)) / _C.i0(top)

    return _window("kaiser", M, sym, dtype, layout, device, requires_grad, formula)


def bartlett(M, *, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """1 − |2n / N − 1|: a triangle.

    >>> fb.signal.windows.bartlett(3)
    tensor([0., 1., 0.])
    """
    def formula(count, options):
        scale = 2 / count
        return 1 - _C.abs(_C.linspace(-1, -1 + (M - 1) * scale, M, **options))

    return _window("bartlett", M, sym, dtype, layout, device, requires_grad, formula)


def general_cosine(M, *, a, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """Σ (−1)^k a[k] cos(2π k n / N), for coefficients a.

    >>> fb.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    def formula(count, options):
        if not isinstance(a, Iterable):
            raise TypeError(f"general_cosine: a must be a list of numbers, not {type(a).__name__}")
        if not a:
            raise ValueError("general_cosine: a is empty")
        places = _C.linspace(0, 2 * math.pi * (M - 1) / count, M, **options)
        signed = _C.tensor([(-1) ** k * factor for k, factor in enumerate(a)], dtype=options["dtype"])
        orders = _C.arange(len(signed), dtype=options["dtype"])
        return (signed.unsqueeze(-1) * _C.cos(orders.unsqueeze(-1) * places)).sum(0)

    return _window("general_cosine", M, sym, dtype, layout, device, requires_grad, formula)


def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """alpha − (1 − alpha) cos(2πn / N)."""
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)


def hamming(M, *, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """0.54 − 0.46 cos(2πn / N)."""
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(M, *, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """(1 − cos(2πn / N)) / 2."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)


def blackman(M, *, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """0.42 − cos(2πn / N) / 2 + 0.08 cos(4πn / N)."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, layout=layout, device=device,
                          requires_grad=requires_grad)


def nuttall(M, *, sym=True, dtype=None, layout=_C.strided, device=None, requires_grad=False):
    """Four cosine terms that fall off to −93 dB (Nuttall 1981)."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype, layout=layout,
                          device=device, requires_grad=requires_grad)
