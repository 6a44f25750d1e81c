"""The multivariate normal distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions._location import Centred
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import _standard_normal, lazy_property

__all__ = ["MultivariateNormal"]


def _batch_mv(matrix, vector):
    """Matrix times vector. Shapes: (*, n, m), (*, m) → (*, n)."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(scale_tril, x):
    """xᵀ (L Lᵀ)⁻¹ x. Shapes: L (*, n, n), x (*sample, *, n) → (*sample, *)."""
    if scale_tril.dim() == 2:                                           # one solve for all samples
        columns = x.reshape(-1, x.shape[-1]).mT
        solved = fb.linalg.solve_triangular(scale_tril, columns, upper=False)
        return solved.pow(2).sum(0).reshape(x.shape[:-1])
    solved = fb.linalg.solve_triangular(scale_tril, x.unsqueeze(-1), upper=False)
    return solved.squeeze(-1).pow(2).sum(-1)


def _half_log_det(scale_tril):
    """½ log det(L Lᵀ)."""
    return scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _inverse_tril(scale_tril):
    eye = fb.eye(scale_tril.shape[-1], dtype=scale_tril.dtype)
    return fb.linalg.solve_triangular(scale_tril, eye, upper=False)


def _precision(scale_tril):
    """(L Lᵀ)⁻¹."""
    inverse = _inverse_tril(scale_tril)
    return inverse.mT @ inverse


def _precision_to_scale_tril(precision):
    """The Cholesky factor of P⁻¹: that of P with rows and columns reversed, reversed, transposed and inverted."""
    reversed_tril = fb.linalg.cholesky(fb.flip(precision, (-2, -1)))
    return _inverse_tril(fb.flip(reversed_tril, (-2, -1)).mT)


class _Matrix:
    """A scale given as covariance_matrix, precision_matrix or scale_tril; the others are computed when first read."""

    def _keep_matrix(self, batch_shape, covariance_matrix, precision_matrix, scale_tril):
        """Keeps the matrix that is given, expanded to the batch."""
        if covariance_matrix is not None:
            self.covariance_matrix = covariance_matrix.expand(batch_shape + (-1, -1))
        elif precision_matrix is not None:
            self.precision_matrix = precision_matrix.expand(batch_shape + (-1, -1))
        else:
            self.scale_tril = scale_tril.expand(batch_shape + (-1, -1))

    def _factor(self, covariance_matrix, precision_matrix, scale_tril):
        """Keeps the Cholesky factor of the covariance, not expanded."""
        if covariance_matrix is not None:
            self._unbroadcasted_scale_tril = fb.linalg.cholesky(covariance_matrix)
        elif precision_matrix is not None:
            self._unbroadcasted_scale_tril = _precision_to_scale_tril(precision_matrix)
        else:
            self._unbroadcasted_scale_tril = scale_tril

    @staticmethod
    def _given(covariance_matrix, precision_matrix, scale_tril):
        given = [m for m in (covariance_matrix, precision_matrix, scale_tril) if m is not None]
        if len(given) != 1:
            raise ValueError("MultivariateNormal: pass one of covariance_matrix, precision_matrix and "
                             "scale_tril")
        if given[0].dim() < 2:
            raise ValueError("MultivariateNormal: the matrix needs two dims, or more with a batch; it has "
                             f"{given[0].dim()}")
        return given[0]

    def _over_batch(self, matrix):
        return matrix.expand(self._batch_shape + matrix.shape[-2:])

    @lazy_property
    def scale_tril(self):
        return self._over_batch(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        return self._over_batch(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self):
        return self._over_batch(_precision(self._unbroadcasted_scale_tril))


class MultivariateNormal(_Matrix, Centred, Distribution):
    """Density exp(-½ (x - loc)ᵀ Σ⁻¹ (x - loc)) / √((2π)ⁿ det Σ).

    Args:
        loc: mean, shape (*batch, n).
        covariance_matrix Σ, precision_matrix Σ⁻¹ or scale_tril L with Σ = L Lᵀ: one of them, shape (*batch, n, n).
    Shapes: draws (*sample, *batch, n).
    Errors: ValueError unless exactly one matrix is given.

    >>> fb.distributions.MultivariateNormal(fb.zeros(2), scale_tril=fb.eye(2)).entropy()
    tensor(2.8379)
    """

    arg_constraints = {"loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
                       "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("MultivariateNormal: loc needs a dim of variables")
        matrices = covariance_matrix, precision_matrix, scale_tril
        matrix = self._given(*matrices)
        batch_shape = fb.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(batch_shape + (-1,))
        self._keep_matrix(batch_shape, *matrices)
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._factor(*matrices)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(MultivariateNormal, batch_shape, _instance, "loc", "covariance_matrix",
                             "precision_matrix", "scale_tril")
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    @property
    def variance(self):
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=fb.Size()):
        noise = _standard_normal(self._extended_shape(sample_shape), self.loc.dtype, self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, noise)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        distance = _batch_mahalanobis(self._unbroadcasted_scale_tril, value - self.loc)
        half_log_det = _half_log_det(self._unbroadcasted_scale_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - half_log_det

    def entropy(self):
        half_log_det = _half_log_det(self._unbroadcasted_scale_tril)
        entropy = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half_log_det
        return entropy.expand(self._batch_shape)
