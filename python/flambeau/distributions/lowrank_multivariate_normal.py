"""The multivariate normal distribution with a covariance of low rank plus a diagonal."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions._location import Centred
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.multivariate_normal import _batch_mahalanobis, _batch_mv, _Matrix
from flambeau.distributions.utils import _standard_normal, lazy_property

__all__ = ["LowRankMultivariateNormal"]


def _batch_capacitance_tril(factor, diagonal):
    """The Cholesky factor of I + Wᵀ D⁻¹ W. Shapes: W (*, n, k), D (*, n) → (*, k, k)."""
    inner = (factor.mT / diagonal.unsqueeze(-2)) @ factor
    return fb.linalg.cholesky(inner + fb.eye(factor.shape[-1], dtype=factor.dtype))


def _batch_lowrank_logdet(factor, diagonal, capacitance_tril):
    """log det(W Wᵀ + D) by the matrix determinant lemma."""
    return 2 * capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1) + diagonal.log().sum(-1)


def _batch_lowrank_mahalanobis(factor, diagonal, x, capacitance_tril):
    """xᵀ (W Wᵀ + D)⁻¹ x by the Woodbury identity. Shapes: x (*sample, *, n) → (*sample, *)."""
    projected = _batch_mv(factor.mT / diagonal.unsqueeze(-2), x)
    return (x.pow(2) / diagonal).sum(-1) - _batch_mahalanobis(capacitance_tril, projected)


class LowRankMultivariateNormal(Centred, Distribution):
    """A multivariate normal with covariance W Wᵀ + diag(D), which costs k³ instead of n³.

    Args: loc, shape (*batch, n); cov_factor W, shape (*batch, n, k); cov_diag D, positive, shape (*batch, n).
    Shapes: draws (*sample, *batch, n).
    """

    arg_constraints = {"loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
                       "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("LowRankMultivariateNormal: loc needs a dim of variables")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("LowRankMultivariateNormal: cov_factor must be a matrix or a batch of them, it "
                             f"has {cov_factor.dim()} dims")
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(f"LowRankMultivariateNormal: cov_factor of shape {cov_factor.shape} needs "
                             f"{event_shape[0]} rows, as loc has variables")
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"LowRankMultivariateNormal: cov_diag of shape {cov_diag.shape} must end with "
                             f"{event_shape}, as loc does")
        try:
            batch_shape = fb.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as error:
            raise ValueError(f"LowRankMultivariateNormal: the batches of loc {loc.shape}, cov_factor "
                             f"{cov_factor.shape} and cov_diag {cov_diag.shape} do not fit "
                             "together") from error
        self.loc, self.cov_diag = loc.expand(batch_shape + (-1,)), cov_diag.expand(batch_shape + (-1,))
        self.cov_factor = cov_factor.expand(batch_shape + (-1, -1))
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = _batch_capacitance_tril(cov_factor, cov_diag)
        super().__init__(batch_shape, event_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(LowRankMultivariateNormal, batch_shape, _instance, "loc", "cov_factor", "cov_diag")
        new._unbroadcasted_cov_factor = self._unbroadcasted_cov_factor
        new._unbroadcasted_cov_diag = self._unbroadcasted_cov_diag
        new._capacitance_tril = self._capacitance_tril
        return new

    @lazy_property
    def variance(self):
        variance = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return variance.expand(self._batch_shape + self._event_shape)

    _over_batch = _Matrix._over_batch

    @lazy_property
    def scale_tril(self):
        # W Wᵀ + D = √D (I + V Vᵀ) √D with V = D^-½ W
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        inner = scaled @ scaled.mT + fb.eye(self._event_shape[0], dtype=scaled.dtype)
        return self._over_batch(root * fb.linalg.cholesky(inner))

    @lazy_property
    def covariance_matrix(self):
        factor = self._unbroadcasted_cov_factor
        return self._over_batch(factor @ factor.mT + fb.diag_embed(self._unbroadcasted_cov_diag))

    @lazy_property
    def precision_matrix(self):
        # Woodbury: D⁻¹ - D⁻¹ W (I + Wᵀ D⁻¹ W)⁻¹ Wᵀ D⁻¹
        scaled = self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)
        solved = fb.linalg.solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._over_batch(fb.diag_embed(self._unbroadcasted_cov_diag.reciprocal()) - solved.mT @ solved)

    def rsample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        dtype, device = self.loc.dtype, self.loc.device
        of_factor = _standard_normal(shape[:-1] + self.cov_factor.shape[-1:], dtype, device)
        of_diagonal = _standard_normal(shape, dtype, device)
        return self.loc + _batch_mv(self._unbroadcasted_cov_factor, of_factor) \
            + self._unbroadcasted_cov_diag.sqrt() * of_diagonal

    def _parts(self):
        return self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        distance = _batch_lowrank_mahalanobis(*self._parts(), value - self.loc, self._capacitance_tril)
        log_det = _batch_lowrank_logdet(*self._parts(), self._capacitance_tril)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + log_det + distance)

    def entropy(self):
        log_det = _batch_lowrank_logdet(*self._parts(), self._capacitance_tril)
        entropy = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + log_det)
        return entropy.expand(self._batch_shape)
