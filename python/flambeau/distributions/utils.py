"""What the distributions share: broadcasting of parameters, probabilities and logits, packed triangles."""
from __future__ import annotations

import functools
import math
from numbers import Number

import flambeau as fb

__all__ = ["broadcast_all", "logits_to_probs", "clamp_probs", "probs_to_logits", "lazy_property", "tril_matrix_to_vec",
           "vec_to_tril_matrix"]

euler_constant = 0.57721566490153286060


def broadcast_all(*values):
    """Tensors of one shape from tensors and numbers; numbers take the dtype of the first tensor, else the default one.

    Errors: ValueError for anything that is neither a tensor nor a number.

    >>> from flambeau.distributions.utils import broadcast_all
    >>> broadcast_all(fb.zeros(2), 1.0)
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    if not all(fb.overrides.is_tensor_like(v) or isinstance(v, Number) for v in values):
        raise ValueError("broadcast_all: values must be numbers or tensors, not "
                         f"{', '.join(sorted({type(v).__name__ for v in values}))}")
    tensors = [v for v in values if isinstance(v, fb.Tensor)]
    dtype = tensors[0].dtype if tensors else fb.get_default_dtype()
    return tuple(fb.broadcast_tensors(*(fb.tensor(v, dtype=dtype) if isinstance(v, Number) else v for v in values)))


def broadcast_parameters(*values):
    """`broadcast_all`, and the batch shape: that of the tensors, () if all are numbers."""
    tensors = broadcast_all(*values)
    only_numbers = all(isinstance(v, Number) for v in values)
    return (*tensors, fb.Size() if only_numbers else tensors[0].shape)


def _standard_normal(shape, dtype, device):
    return fb.normal(fb.zeros(shape, dtype=dtype), fb.ones(shape, dtype=dtype))


def _sum_rightmost(value, dim):
    """The sum over the last `dim` dims."""
    return value if dim == 0 else value.reshape(value.shape[:-dim] + (-1,)).sum(-1)


def logits_to_probs(logits, is_binary=False):
    """Probabilities from log-odds (`is_binary`) or from unnormalized log-probabilities along the last dim."""
    return fb.sigmoid(logits) if is_binary else fb.softmax(logits, -1)


def clamp_probs(probs):
    """Probabilities at least one rounding error away from 0 and 1, so that their logarithms are finite."""
    eps = fb.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs, is_binary=False):
    """The inverse of `logits_to_probs`, for probabilities moved away from 0 and 1."""
    inside = clamp_probs(probs)
    return fb.log(inside) - fb.log1p(-inside) if is_binary else fb.log(inside)


class lazy_property:
    """An attribute computed when first read, with gradients on, and kept on the instance from then on."""

    def __init__(self, wrapped):
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)

    def __get__(self, instance, obj_type=None):
        if instance is None:
            return _lazy_property_and_property(self.wrapped)
        with fb.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _lazy_property_and_property(lazy_property, property):
    """What a lazy property is when read from its class: documentation tools see a property."""

    def __init__(self, wrapped):
        property.__init__(self, wrapped)


class ProbsOrLogits:
    """Parameters given as `probs` or as `logits`: one is kept, the other computed when first read."""

    _is_binary = True

    def _keep(self, probs, logits):
        """Remember the one given, as `_param` too. Errors: ValueError if both or none are."""
        self._check_one(probs, logits)
        if probs is not None:
            self.probs = self._param = probs
        else:
            self.logits = self._param = logits

    @staticmethod
    def _check_one(probs, logits):
        if (probs is None) == (logits is None):
            raise ValueError("pass either probs or logits")

    @lazy_property
    def logits(self):
        return probs_to_logits(self.probs, is_binary=self._is_binary)

    @lazy_property
    def probs(self):
        return logits_to_probs(self.logits, is_binary=self._is_binary)

    @property
    def param_shape(self):
        return self._param.size()

    def _new(self, *args, **kwargs):
        return self._param.new(*args, **kwargs)

    def _reparametrized(self, new):
        """After an expansion: `_param` of `new` is whichever parameter self was made from."""
        new._param = new.probs if self._param is self.__dict__.get("probs") else new.logits
        return new


def _triangle(size, diag):
    index = fb.arange(size)
    return index < index.view(-1, 1) + (diag + 1)


def tril_matrix_to_vec(mat, diag=0):
    """The lower triangle of matrices as vectors, row after row, up to the diagonal `diag`.

    Shapes: mat (*, n, n) → (*, k).   Errors: ValueError if the matrix has no such diagonal.

    >>> from flambeau.distributions.utils import tril_matrix_to_vec
    >>> tril_matrix_to_vec(fb.tensor([[1, 0], [2, 3]]))
    tensor([1, 2, 3])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    return mat[..., _triangle(n, diag)]


def vec_to_tril_matrix(vec, diag=0):
    """The inverse of `tril_matrix_to_vec`: a matrix with zeros above the diagonal `diag`.

    Shapes: vec (*, k) → (*, n, n).   Errors: ValueError if no n has a triangle of k elements.
    """
    k = vec.shape[-1]
    # k = n(n+1)/2 + n·diag − (what sticks out at the corner), solved for n
    n = (-(1 + 2 * diag) + math.sqrt((1 + 2 * diag) ** 2 + 8 * k + 4 * abs(diag) * (diag + 1))) / 2
    if round(n) - n > fb.finfo(vec.dtype).eps or abs(n - round(n)) > 1e-6:
        raise ValueError(f"vec_to_tril_matrix: {k} numbers do not fill the lower triangle of a square matrix")
    n = round(n)
    mat = fb.zeros(vec.shape[:-1] + (n, n), dtype=vec.dtype)
    mat[..., _triangle(n, diag)] = vec
    return mat
