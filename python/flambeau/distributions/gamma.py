"""The gamma distribution."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.utils import broadcast_parameters

__all__ = ["Gamma"]


class Gamma(ExponentialFamily):
    """Density rate^c · x^(c-1) · exp(-rate x) / Γ(c) with c = concentration, for x ≥ 0.

    Args: concentration, rate, positive: tensors or numbers that broadcast.

    >>> fb.distributions.Gamma(2., 4.).mean
    tensor(0.5000)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration, rate, validate_args=None):
        self.concentration, self.rate, batch_shape = broadcast_parameters(concentration, rate)
        super().__init__(batch_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Gamma, batch_shape, _instance, "concentration", "rate")

    @property
    def mean(self):
        return self.concentration / self.rate

    @property
    def mode(self):
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self):
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        value = fb._C._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        value.detach().clamp_(min=fb.finfo(value.dtype).tiny)           # gradients do not see the bound
        return value

    def log_prob(self, value):
        value = fb.as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        c, rate = self.concentration, self.rate
        return fb.xlogy(c, rate) + fb.xlogy(c - 1, value) - rate * value - fb.lgamma(c)

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return fb.special.gammainc(self.concentration, self.rate * value)

    def entropy(self):
        c = self.concentration
        return c - fb.log(self.rate) + fb.lgamma(c) + (1.0 - c) * fb.digamma(c)

    @property
    def _natural_params(self):
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x, y):
        return fb.lgamma(x + 1) + (x + 1) * fb.log(-y.reciprocal())
