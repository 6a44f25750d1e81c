"""Invertible maps of random numbers."""
from __future__ import annotations

import math
from numbers import Number

import flambeau as fb
import flambeau.nn.functional as F
from flambeau.distributions import constraints
from flambeau.distributions._transform import (CatTransform, ComposeTransform, IndependentTransform, StackTransform,
                                               Transform, _InverseTransform, identity_transform)
from flambeau.distributions.utils import broadcast_all, lazy_property, tril_matrix_to_vec, vec_to_tril_matrix

__all__ = ["AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform",
           "CumulativeDistributionTransform", "ExpTransform", "IndependentTransform", "LowerCholeskyTransform",
           "PositiveDefiniteTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform", "SoftplusTransform",
           "TanhTransform", "SoftmaxTransform", "StackTransform", "StickBreakingTransform", "Transform",
           "identity_transform"]
_InverseTransform = _InverseTransform


class _Plain(Transform):
    """A transform without parameters: equal to every other of its class."""

    def __eq__(self, other):
        return type(other) is type(self)

    __hash__ = None


class ReshapeTransform(Transform):
    """Gives the last dims another shape of as many elements. Errors: ValueError if the numbers of elements differ."""

    bijective = True

    def __init__(self, in_shape, out_shape, cache_size=0):
        self.in_shape, self.out_shape = fb.Size(in_shape), fb.Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError(f"ReshapeTransform: in_shape {self.in_shape} and out_shape {self.out_shape} "
                             "hold different counts of elements")
        super().__init__(cache_size=cache_size)

    @constraints.dependent_property
    def domain(self):
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self):
        return constraints.independent(constraints.real, len(self.out_shape))

    def with_cache(self, cache_size=1):
        return self._with_cache(cache_size, self.in_shape, self.out_shape)

    def _call(self, x):
        return x.reshape(x.shape[:x.dim() - len(self.in_shape)] + self.out_shape)

    def _inverse(self, y):
        return y.reshape(y.shape[:y.dim() - len(self.out_shape)] + self.in_shape)

    def log_abs_det_jacobian(self, x, y):
        return fb.zeros(x.shape[:x.dim() - len(self.in_shape)], dtype=x.dtype)

    @staticmethod
    def _swapped(shape, old, new):
        if len(shape) < len(old):
            raise ValueError(f"ReshapeTransform: the value's shape {shape} is shorter than {old}")
        cut = len(shape) - len(old)
        if fb.Size(shape[cut:]) != old:
            raise ValueError(f"Shape mismatch: expected {shape[cut:]} but got {old}")
        return shape[:cut] + new

    def forward_shape(self, shape):
        return self._swapped(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape):
        return self._swapped(shape, self.out_shape, self.in_shape)


class ExpTransform(_Plain):
    """y = exp(x)."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = 1

    def _call(self, x):
        return x.exp()

    def _inverse(self, y):
        return y.log()

    def log_abs_det_jacobian(self, x, y):
        return x


class PowerTransform(Transform):
    """y = x^exponent for positive x."""

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True

    def __init__(self, exponent, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.exponent, = broadcast_all(exponent)

    def with_cache(self, cache_size=1):
        return self._with_cache(cache_size, self.exponent)

    @lazy_property
    def sign(self):
        return self.exponent.sign()

    def __eq__(self, other):
        return isinstance(other, PowerTransform) and fb._C._all_true(self.exponent.eq(other.exponent))

    __hash__ = None

    def _call(self, x):
        return x.pow(self.exponent)

    def _inverse(self, y):
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x, y):
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape):
        return fb.broadcast_shapes(shape, self.exponent.shape)

    inverse_shape = forward_shape


def _clipped_sigmoid(x):
    """The logistic function, kept inside the open interval (0, 1)."""
    info = fb.finfo(x.dtype)
    return fb.clamp(fb.sigmoid(x), min=info.tiny, max=1.0 - info.eps)


class SigmoidTransform(_Plain):
    """y = 1 / (1 + exp(-x))."""

    domain = constraints.real
    codomain = constraints.unit_interval
    bijective = True
    sign = 1

    def _call(self, x):
        return _clipped_sigmoid(x)

    def _inverse(self, y):
        info = fb.finfo(y.dtype)
        y = y.clamp(min=info.tiny, max=1.0 - info.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x, y):
        return -F.softplus(-x) - F.softplus(x)


class SoftplusTransform(_Plain):
    """y = log(1 + exp(x)); the identity for large x."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = 1

    def _call(self, x):
        return F.softplus(x)

    def _inverse(self, y):
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x, y):
        return -F.softplus(-x)


class TanhTransform(_Plain):
    """y = tanh(x). The inverse of ±1 is infinite; keep a cache where values come near."""

    domain = constraints.real
    codomain = constraints.interval(-1.0, 1.0)
    bijective = True
    sign = 1

    def _call(self, x):
        return x.tanh()

    def _inverse(self, y):
        return fb.atanh(y)

    def log_abs_det_jacobian(self, x, y):
        # log(1 − tanh² x) without cancellation
        return 2.0 * (math.log(2.0) - x - F.softplus(-2.0 * x))


class AbsTransform(_Plain):
    """y = |x|; of the two inverses the positive one is given."""

    domain = constraints.real
    codomain = constraints.positive

    def _call(self, x):
        return x.abs()

    def _inverse(self, y):
        return y


class AffineTransform(Transform):
    """y = loc + scale · x.

    Args: loc, scale: tensors or numbers; event_dim, how many last dims form one event.
    """

    bijective = True

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self):
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return constraints.independent(constraints.real, self.event_dim) if self.event_dim else constraints.real

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return constraints.independent(constraints.real, self.event_dim) if self.event_dim else constraints.real

    def with_cache(self, cache_size=1):
        return self._with_cache(cache_size, self.loc, self.scale, self.event_dim)

    @staticmethod
    def _same(a, b):
        if isinstance(a, Number) and isinstance(b, Number):
            return a == b
        return fb._C._all_true(fb.as_tensor(a == b))

    def __eq__(self, other):
        return isinstance(other, AffineTransform) and self._same(self.loc, other.loc) and self._same(self.scale,
                                                                                                  other.scale)

    __hash__ = None

    @property
    def sign(self):
        if isinstance(self.scale, Number):
            return (self.scale > 0) - (self.scale < 0)
        return self.scale.sign()

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        if isinstance(self.scale, Number):
            result = fb.full_like(x, math.log(abs(self.scale)))
        else:
            result = fb.abs(self.scale).log()
        batch = x.shape[:x.dim() - self.event_dim]
        if self.event_dim:
            result = result.expand(fb.broadcast_shapes(result.shape, x.shape)).flatten(-self.event_dim).sum(-1)
        return result.expand(batch)

    def forward_shape(self, shape):
        return fb.broadcast_shapes(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    inverse_shape = forward_shape


class CorrCholeskyTransform(Transform):
    """n(n-1)/2 real numbers ↔ the Cholesky factor of a correlation matrix of size n.

    Each number goes through tanh to a partial correlation; a row is a stick of squared length one, broken in turn.
    Source: Lewandowski, Kurowicka and Joe, J. Multivariate Analysis 100 (2009).
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        eps = fb.finfo(x.dtype).eps
        partial = vec_to_tril_matrix(fb.tanh(x).clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - partial ** 2).sqrt().cumprod(-1)                     # what the row has left after each element
        rows = partial + fb.eye(partial.shape[-1], dtype=x.dtype)
        return rows * F.pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y):
        left = F.pad((1 - fb.cumsum(y * y, dim=-1))[..., :-1], [1, 0], value=1)
        partial = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(left, diag=-1).sqrt()
        return (partial.log1p() - (-partial).log1p()) / 2                # atanh

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        left = tril_matrix_to_vec(1 - (y * y).cumsum(dim=-1), diag=-2)
        of_tanh = -2 * (x + F.softplus(-2 * x) - math.log(2.0)).sum(-1)
        return 0.5 * left.log().sum(-1) + of_tanh

    def forward_shape(self, shape):
        if len(shape) < 1:
            raise ValueError(f"{type(self).__name__}: the shape {tuple(shape)} has too few dims")
        k = shape[-1]
        n = round((0.25 + 2 * k) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != k:
            raise ValueError(f"CorrCholeskyTransform: {k} numbers do not fill the part of a square matrix "
                             "below its diagonal")
        return shape[:-1] + (n, n)

    def inverse_shape(self, shape):
        if len(shape) < 2:
            raise ValueError(f"{type(self).__name__}: the shape {tuple(shape)} has too few dims")
        n = shape[-1]
        if shape[-2] != n:
            raise ValueError(f"{type(self).__name__}: a square matrix is needed, the shape is {shape}")
        return shape[:-2] + (n * (n - 1) // 2,)


class SoftmaxTransform(_Plain):
    """Softmax of the last dim; the inverse is the logarithm. Not bijective: a constant may be added to x."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x):
        shifted = (x - x.max(-1, True)[0]).exp()
        return shifted / shifted.sum(-1, True)

    def _inverse(self, y):
        return y.log()

    def forward_shape(self, shape):
        if len(shape) < 1:
            raise ValueError(f"{type(self).__name__}: the shape {tuple(shape)} has too few dims")
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(_Plain):
    """n - 1 real numbers ↔ n probabilities: each number breaks its share off what is left of a stick of length one.

    The numbers are shifted so that zeros give equal probabilities. Source: the Stan reference manual, unit simplex.
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    @staticmethod
    def _pieces_left(like, count):
        return count - fb.ones_like(like).cumsum(-1)

    def _call(self, x):
        share = _clipped_sigmoid(x - self._pieces_left(x, x.shape[-1] + 1).log())
        left = (1 - share).cumprod(-1)
        return F.pad(share, [0, 1], value=1) * F.pad(left, [1, 0], value=1)

    def _inverse(self, y):
        broken = y[..., :-1]
        left = fb.clamp(1 - broken.cumsum(-1), min=fb.finfo(y.dtype).tiny)
        return broken.log() - left.log() + self._pieces_left(broken, y.shape[-1]).log()

    def log_abs_det_jacobian(self, x, y):
        x = x - self._pieces_left(x, x.shape[-1] + 1).log()
        return (-x + F.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape):
        if len(shape) < 1:
            raise ValueError(f"{type(self).__name__}: the shape {tuple(shape)} has too few dims")
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape):
        if len(shape) < 1:
            raise ValueError(f"{type(self).__name__}: the shape {tuple(shape)} has too few dims")
        return shape[:-1] + (shape[-1] - 1,)


class LowerCholeskyTransform(_Plain):
    """A square matrix → its lower triangle with the exponential of the diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x):
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_Plain):
    """A square matrix → L Lᵀ, where L is the image under `LowerCholeskyTransform`."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x):
        x = LowerCholeskyTransform()(x)
        return x @ x.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(fb.linalg.cholesky(y))


class CumulativeDistributionTransform(Transform):
    """y = F(x), the cumulative distribution function of `distribution`; uniform if x is drawn from it."""

    bijective = True
    codomain = constraints.unit_interval
    sign = 1

    def __init__(self, distribution, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self):
        return self.distribution.support

    def _call(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x, y):
        return self.distribution.log_prob(x)

    def with_cache(self, cache_size=1):
        return self._with_cache(cache_size, self.distribution)
