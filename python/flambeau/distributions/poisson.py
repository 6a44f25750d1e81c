"""The Poisson distribution."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.utils import broadcast_parameters

__all__ = ["Poisson"]


class Poisson(ExponentialFamily):
    """Probability rate^k exp(-rate) / k! of a count k.

    Args: rate, not negative: a tensor or a number.

    >>> fb.distributions.Poisson(fb.tensor([0.5, 4.])).mean
    tensor([0.5000, 4.0000])
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate, validate_args=None):
        self.rate, batch_shape = broadcast_parameters(rate)
        super().__init__(batch_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Poisson, batch_shape, _instance, "rate")

    @property
    def mean(self):
        return self.rate

    @property
    def mode(self):
        return self.rate.floor()

    @property
    def variance(self):
        return self.rate

    def sample(self, sample_shape=fb.Size()):
        with fb.no_grad():
            return fb.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value = value.to(self.rate.dtype) if not value.is_floating_point() else value
        return value.xlogy(self.rate) - self.rate - (value + 1).lgamma()

    @property
    def _natural_params(self):
        return (fb.log(self.rate),)

    def _log_normalizer(self, x):
        return fb.exp(x)
