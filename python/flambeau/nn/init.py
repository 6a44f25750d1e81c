"""Initialisers: each fills a tensor in place, without recording gradients, and returns it."""

from __future__ import annotations

import math
import warnings

from .. import _C
from ..autograd import no_grad

__all__ = [
    "calculate_gain",
    "uniform_",
    "normal_",
    "trunc_normal_",
    "constant_",
    "ones_",
    "zeros_",
    "eye_",
    "dirac_",
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "orthogonal_",
    "sparse_",
    "uniform",
    "normal",
    "constant",
    "eye",
    "dirac",
    "xavier_uniform",
    "xavier_normal",
    "kaiming_uniform",
    "kaiming_normal",
    "orthogonal",
    "sparse",
]

_LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


def calculate_gain(nonlinearity, param=None):
    """The factor by which weights before `nonlinearity` are widened so that the variance stays.

    Args:
        nonlinearity: name of the function that follows.
        param: the negative slope for 'leaky_relu' (default 0.01).
    Source: He et al. 2015 for the rectifiers; 5/3 for tanh by LeCun's choice; 3/4 for SELU.
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"calculate_gain: the slope {param!r} is no number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Draw from U(a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Draw from N(mean, std²)."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Draw from N(mean, std²) conditioned on [a, b], by rejection.

    Proposals are normal where [a, b] holds more than 0.3 of the distribution, else uniform.
    """
    if tensor.is_meta:
        return tensor
    if (mean < a - 2 * std) or (mean > b + 2 * std):
        warnings.warn(
            f"trunc_normal_: mean={mean} lies more than 2 std outside of [{a}, {b}], where values will be "
            "too rare",
            stacklevel=2,
        )
    share = (
        math.erf((b - mean) / (std * math.sqrt(2.0))) - math.erf((a - mean) / (std * math.sqrt(2.0)))
    ) / 2.0
    with no_grad():
        if share > 0.3:
            return _reject_from_normal(tensor, mean, std, a, b, generator)
        return _reject_from_uniform(tensor, mean, std, a, b, generator)


def _reject_from_normal(tensor, mean, std, a, b, generator):
    """Draw normal numbers anew, for the whole tensor, until each place has had one in [a, b]."""
    low, high = (tensor.new_tensor(bound).item() for bound in (a, b))  # bounds the dtype can represent
    tensor.normal_(mean, std, generator=generator)
    outside = (tensor < low) | (tensor > high)
    while outside.any():
        fresh = _C.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(_C.where(outside, fresh, tensor))
        outside = (tensor < low) | (tensor > high)
    return tensor


def _reject_from_uniform(tensor, mean, std, a, b, generator):
    """Draw uniform numbers and accept each with its density's share of the largest density in [a, b]."""
    mode = max(a, min(mean, b))
    largest = -0.5 * ((mode - mean) / std) ** 2

    def refused(values):
        log_share = values.clone().sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(largest)
        return _C.empty_like(values).uniform_(generator=generator).log_().gt(log_share)

    tensor.uniform_(a, b, generator=generator)
    open_places = refused(tensor)
    while open_places.any():
        fresh = _C.empty_like(tensor).uniform_(a, b, generator=generator)
        tensor.copy_(_C.where(open_places, fresh, tensor))
        open_places = open_places & refused(fresh)
    return tensor


def constant_(tensor, val):
    """Fill with `val`."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor):
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor):
    """Fill with 0."""
    with no_grad():
        return tensor.zero_()


def eye_(tensor):
    """Make a matrix the identity."""
    if tensor.ndimension() != 2:
        raise ValueError(f"eye_: the tensor must be a matrix, its shape is {tuple(tensor.shape)}")
    with no_grad():
        tensor.copy_(_C.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))
    return tensor


def dirac_(tensor, groups=1):
    """Make a convolution weight (3, 4 or 5 dimensions) pass its channels through unchanged."""
    dims = tensor.ndimension()
    if dims not in (3, 4, 5):
        raise ValueError("dirac_: the tensor must be the weight of a convolution, with 3 to 5 dims; it has "
                         f"{dims}")
    sizes = tensor.size()
    if sizes[0] % groups != 0:
        raise ValueError(f"dirac_: {sizes[0]} output channels cannot be shared out evenly among {groups} "
                         "groups")
    out_per_group = sizes[0] // groups
    centre = tuple(size // 2 for size in sizes[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(out_per_group, sizes[1])):
                tensor[(group * out_per_group + channel, channel, *centre)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor):
    if tensor.dim() < 2:
        raise ValueError("fan in and fan out need 2 dims, for input and output; the tensor has shape "
                         f"{tuple(tensor.shape)}")
    field = math.prod(tensor.shape[2:])
    return tensor.size(1) * field, tensor.size(0) * field


def _calculate_correct_fan(tensor, mode):
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"unknown mode={mode!r}, choose 'fan_in' or 'fan_out'")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """U(−a, a) with a = gain·√(6/(fan_in + fan_out)) (Glorot & Bengio 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """N(0, std²) with std = gain·√(2/(fan_in + fan_out)) (Glorot & Bengio 2010)."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


def _is_empty(tensor):
    if 0 in tensor.shape:
        warnings.warn("there is nothing to initialize in an empty tensor", stacklevel=3)
        return True
    return False


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """U(−b, b) with b = gain·√(3/fan) (He et al. 2015); `a` is the negative slope of leaky_relu."""
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """N(0, gain²/fan) (He et al. 2015)."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor, gain=1, generator=None):
    """A (semi-)orthogonal matrix, with the dimensions after the first flattened (Saxe et al. 2014)."""
    if tensor.ndimension() < 2:
        raise ValueError("orthogonal_: the tensor needs two dims at least, its shape is "
                         f"{tuple(tensor.shape)}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.size(0), tensor.numel() // tensor.size(0)
    flat = _C.empty((rows, columns), dtype=tensor.dtype, device=tensor.device).normal_(
        0, 1, generator=generator
    )
    with no_grad():
        q, r = _C.linalg_qr(flat.t() if rows < columns else flat)
        q = q * _C.diag(r, 0).sign()  # makes the decomposition unique, hence the distribution uniform
        tensor.copy_((q.t() if rows < columns else q).reshape(tensor.shape))
        return tensor.mul_(gain)


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """N(0, std²) with a share `sparsity` of each column set to 0 (Martens 2010)."""
    if tensor.ndimension() != 2:
        raise ValueError(f"sparse_: the tensor must be a matrix, its shape is {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    zeros = int(math.ceil(sparsity * rows))
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[_C.randperm(rows)[:zeros], column] = 0
    return tensor


def _deprecated(function):
    """The name without underscore, which warns."""
    new = function.__name__
    old = new[:-1]

    def wrapper(*args, **kwargs):
        warnings.warn(
            f"nn.init.{old} is the old name of nn.init.{new}", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    wrapper.__name__ = wrapper.__qualname__ = old
    wrapper.__doc__ = f"Old name of `{new}`."
    return wrapper


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
