"""Activation functions. Those with `inplace` write over their input when it is True."""

from __future__ import annotations

import warnings

from ... import _C

relu_ = _C.relu_
celu_ = _C.celu_
elu_ = _C.elu_
selu_ = _C.selu_
hardtanh_ = _C.hardtanh_
leaky_relu_ = _C.leaky_relu_
rrelu_ = _C.rrelu_
threshold_ = _C.threshold_
gelu = _C.gelu
prelu = _C.prelu
logsigmoid = _C.log_sigmoid
hardshrink = _C.hardshrink
softshrink = _C.softshrink
softplus = _C.softplus
tanh = _C.tanh
sigmoid = _C.sigmoid


def relu(input, inplace=False):
    """max(0, x), elementwise."""
    return _C.relu_(input) if inplace else _C.relu(input)


def threshold(input, threshold, value, inplace=False):
    """x where x > threshold, else `value`."""
    return (_C.threshold_ if inplace else _C.threshold)(input, threshold, value)


def relu6(input, inplace=False):
    """min(max(0, x), 6)."""
    return (_C.hardtanh_ if inplace else _C.hardtanh)(input, 0, 6)


def elu(input, alpha=1.0, inplace=False):
    """x where x > 0, else alpha·(exp(x) − 1)."""
    return (_C.elu_ if inplace else _C.elu)(input, alpha)


def celu(input, alpha=1.0, inplace=False):
    """max(0, x) + min(0, alpha·(exp(x/alpha) − 1))."""
    return (_C.celu_ if inplace else _C.celu)(input, alpha)


def selu(input, inplace=False):
    """ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return (_C.selu_ if inplace else _C.selu)(input)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where x > 0, else negative_slope·x."""
    return (_C.leaky_relu_ if inplace else _C.leaky_relu)(input, negative_slope)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """Leaky ReLU whose slope is drawn from U(lower, upper) in training, and their mean otherwise."""
    return (_C.rrelu_ if inplace else _C.rrelu)(input, lower, upper, training)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x clamped to [min_val, max_val]."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val={min_val} lies above max_val={max_val}")
    return (_C.hardtanh_ if inplace else _C.hardtanh)(input, min_val, max_val)


def hardsigmoid(input, inplace=False):
    """relu6(x + 3) / 6."""
    return (_C.hardsigmoid_ if inplace else _C.hardsigmoid)(input)


def hardswish(input, inplace=False):
    """x·relu6(x + 3) / 6."""
    return (_C.hardswish_ if inplace else _C.hardswish)(input)


def silu(input, inplace=False):
    """x·sigmoid(x)."""
    return (_C.silu_ if inplace else _C.silu)(input)


def mish(input, inplace=False):
    """x·tanh(softplus(x))."""
    return (_C.mish_ if inplace else _C.mish)(input)


def glu(input, dim=-1):
    """a·sigmoid(b) for the two halves a, b of the input along `dim`."""
    if input.dim() == 0:
        raise RuntimeError("glu: a 0-dimensional input has nothing to halve")
    return _C.glu(input, dim)


def tanhshrink(input):
    """x − tanh(x)."""
    return input - input.tanh()


def softsign(input):
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def implicit_dim(name, ndim, stacklevel):
    """The dim used when none is given: 0 for 0-, 1- and 3-d inputs, else 1; warns."""
    warnings.warn(
        f"{name}: without dim, it is guessed from the input; pass dim, along which the results sum to 1",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(x) / sum(exp(x)) along `dim`; `dtype` is the type to compute in and to return."""
    if dim is None:
        dim = implicit_dim("softmax", input.dim(), _stacklevel)
    return input.softmax(dim, dtype=dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax(−x) along `dim`."""
    if dim is None:
        dim = implicit_dim("softmin", input.dim(), _stacklevel)
    return _C.softmax(-input, dim, dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """log(softmax(x)) along `dim`, computed stably."""
    if dim is None:
        dim = implicit_dim("log_softmax", input.dim(), _stacklevel)
    return input.log_softmax(dim, dtype=dtype)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A sample of the Gumbel-softmax distribution (Jang et al. 2017).

    Args:
        logits: unnormalised log-probabilities, any shape.
        tau: temperature, above 0.
        hard: give one-hot samples whose gradient is that of the soft ones.
    """
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: eps has no effect any more; leave it away", stacklevel=2)
    gumbels = -_C.empty_like(logits, memory_format=_C.legacy_contiguous_format).exponential_().log()
    soft = _C.softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one_hot = _C.zeros_like(logits, memory_format=_C.legacy_contiguous_format).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft
