"""The generalized Pareto distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import broadcast_parameters

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Survival function (1 + c z)^(-1/c) of z = (x - loc) / scale, c = concentration; exp(-z) for c = 0.

    Args: loc; scale, positive; concentration: tensors or numbers that broadcast.
    Source: Hosking and Wallis, Technometrics 29 (1987), with c = -k.

    >>> fb.distributions.GeneralizedPareto(0., 1., 0.5).mean
    tensor(2.)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc, scale, concentration, validate_args=None):
        self.loc, self.scale, self.concentration, batch_shape = broadcast_parameters(loc, scale, concentration)
        super().__init__(batch_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(GeneralizedPareto, batch_shape, _instance, "loc", "scale", "concentration")

    def rsample(self, sample_shape=fb.Size()):
        return self.icdf(fb.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def _zero(self):
        """Where the concentration counts as 0, and the concentration with 1 there."""
        zero = fb.isclose(self.concentration, fb.zeros_like(self.concentration))
        return zero, fb.where(zero, 1.0, self.concentration)

    def _z(self, x):
        return (x - self.loc) / self.scale

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._zero()
        z, c, zero = fb.broadcast_tensors(z, c, zero)
        # outside the support the logarithm is of a negative number: nan
        power = -(1 / c + 1) * fb.log1p(fb.where(zero, 0.0, c * z))
        return fb.where(zero, -z, power) - fb.log(self.scale)

    def log_survival_function(self, value):
        """log P(x > value)."""
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._zero()
        z, c, zero = fb.broadcast_tensors(z, c, zero)
        return fb.where(zero, -z, -fb.log1p(fb.where(zero, 0.0, c * z)) / c)

    def log_cdf(self, value):
        return fb.log1p(-fb.exp(self.log_survival_function(value)))

    def cdf(self, value):
        return fb.exp(self.log_cdf(value))

    def icdf(self, value):
        zero, c = self._zero()
        log_survival = fb.log1p(-value)
        return self.loc + self.scale * fb.where(zero, -log_survival, fb.expm1(-c * log_survival) / c)

    @property
    def mean(self):
        c = self.concentration
        return fb.where(c < 1, self.loc + self.scale / (1 - c), math.inf)

    @property
    def variance(self):
        c = self.concentration
        return fb.where(c < 0.5, self.scale ** 2 / ((1 - c) ** 2 * (1 - 2 * c)), math.inf)

    def entropy(self):
        return fb.log(self.scale) + self.concentration + 1

    @property
    def mode(self):
        return self.loc

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        upper = fb.where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf)
        return constraints.interval(self.loc, upper)
