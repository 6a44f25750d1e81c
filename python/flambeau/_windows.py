"""Window functions of signal processing, computed step by step as PyTorch does, so that the bits agree."""
from __future__ import annotations

from . import _C

__all__ = ["hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"]

_PI = 3.141592653589793


def _window(name, length, periodic, formula, options):
    """`formula(places, last)` over 0 … last; a periodic window is computed with one place more and loses it."""
    dtype, requires_grad = options.pop("dtype", None), options.pop("requires_grad", False)
    layout, device = options.pop("layout", None), options.pop("device", None)
    options.pop("pin_memory", None)
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(options))}'")
    if device is not None:
        _C._check_device(device)
    if layout is not None and layout != _C.strided:
        raise RuntimeError(f"{name}: the layout must be strided, not {layout}")
    if isinstance(length, bool) or not hasattr(length, "__index__"):
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(length).__name__}")
    length = int(length)
    dtype = _C.get_default_dtype() if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name}: dtype must be floating, not {dtype}")
    if length < 0:
        raise RuntimeError(f"{name}: window_length must not be negative, got {length}")
    if length <= 1:
        window = _C.ones(length, dtype=dtype)
    else:
        count = length + 1 if periodic else length
        window = formula(_C.arange(count, dtype=dtype), count - 1)
        window = window.narrow(0, 0, length) if periodic else window
    return window.requires_grad_() if requires_grad else window


def _rounded(number, x):
    """The number as an element of a half type, which is how PyTorch multiplies those; others keep it whole."""
    return _C.tensor(number, dtype=x.dtype).item() if x.dtype.itemsize == 2 else number


def _raised_cosine(alpha, beta):
    return lambda x, last: (x.mul_(_rounded(2 * _PI / last, x)).cos_().mul_(_rounded(-beta, x))
                            .add_(_rounded(alpha, x)))


def hann_window(window_length, periodic=True, **options):
    """(1 − cos(2πn / N)) / 2.

    Args:
        window_length: number of places; 0 gives an empty tensor, 1 a one.
        periodic: N = window_length, for spectra; if False the window is symmetric, N = window_length − 1.
        dtype, layout, device, requires_grad: as in factories; floating dtypes.
    Shapes: → (window_length).

    >>> fb.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", window_length, periodic, _raised_cosine(0.5, 0.5), options)


def hamming_window(window_length, periodic=True, alpha=0.54, beta=0.46, **options):
    """alpha − beta · cos(2πn / N); the other arguments are those of `hann_window`.

    >>> fb.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _window("hamming_window", window_length, periodic, _raised_cosine(alpha, beta), options)


def blackman_window(window_length, periodic=True, **options):
    """0.42 − cos(2πn / N) / 2 + 0.08 cos(4πn / N); the arguments are those of `hann_window`.

    >>> fb.blackman_window(4)[2]
    tensor(1.)
    """
    def formula(x, last):
        x.mul_(_rounded(_PI / last, x))
        double = x.mul(4).cos_().mul_(_rounded(0.08, x))
        return double.sub_(x.mul(2).cos_().mul_(0.5)).add_(_rounded(0.42, x))

    return _window("blackman_window", window_length, periodic, formula, options)


def bartlett_window(window_length, periodic=True, **options):
    """A triangle, 1 − |2n / N − 1|; the arguments are those of `hann_window`.

    >>> fb.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    def formula(x, last):
        x.mul_(_rounded(2.0 / last, x))
        rising = (last >> 1) + 1
        x.narrow(0, rising, last + 1 - rising).mul_(-1).add_(2)
        return x

    return _window("bartlett_window", window_length, periodic, formula, options)


def kaiser_window(window_length, periodic=True, beta=12.0, **options):
    """i0(beta · √(1 − (2n / N − 1)²)) / i0(beta); the other arguments are those of `hann_window`.

    >>> fb.kaiser_window(4, beta=0.)
    tensor([1., 1., 1., 1.])
    """
    def formula(x, last):
        dtype = x.dtype
        wide = x.to(_C.float32) if dtype.itemsize == 2 else x
        places = (wide - last / 2).div_(last / 2)
        inside = (1 - places * places).clamp_(min=0).sqrt_().mul_(beta)
        return _C.i0(inside).div_(_C.i0(_C.tensor(beta, dtype=wide.dtype))).to(dtype)

    return _window("kaiser_window", window_length, periodic, formula, options)
