"""The negative binomial distribution."""
from __future__ import annotations

import flambeau as fb
import flambeau.nn.functional as F
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.gamma import Gamma
from flambeau.distributions.utils import ProbsOrLogits, broadcast_all, lazy_property

__all__ = ["NegativeBinomial"]


class NegativeBinomial(ProbsOrLogits, Distribution):
    """The number of successes of probability `probs` before `total_count` failures.

    Args: total_count, not negative, not necessarily whole; probs in [0, 1), or logits = log(probs / (1 - probs)).

    >>> fb.distributions.NegativeBinomial(3., fb.tensor([0.5])).mean
    tensor([3.])
    """

    arg_constraints = {"total_count": constraints.greater_than_eq(0),
                       "probs": constraints.half_open_interval(0.0, 1.0), "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, total_count, probs=None, logits=None, validate_args=None):
        self._check_one(probs, logits)
        self.total_count, param = broadcast_all(total_count, probs if logits is None else logits)
        self.total_count = self.total_count.type_as(param)
        self._keep(param if logits is None else None, param if probs is None else None)
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._reparametrized(
            self._expanded(NegativeBinomial, batch_shape, _instance, "total_count", "probs", "logits"))

    @property
    def mean(self):
        return self.total_count * fb.exp(self.logits)

    @property
    def mode(self):
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self):
        return self.mean / fb.sigmoid(-self.logits)

    @lazy_property
    def _gamma(self):
        # the count is Poisson with a gamma-distributed rate
        return Gamma(concentration=self.total_count, rate=fb.exp(-self.logits), validate_args=False)

    def sample(self, sample_shape=fb.Size()):
        with fb.no_grad():
            return fb.poisson(self._gamma.sample(sample_shape=sample_shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        power = n * F.logsigmoid(-self.logits) + value * F.logsigmoid(self.logits)
        log_inverse_binomial = fb.lgamma(1.0 + value) + fb.lgamma(n) - fb.lgamma(n + value)
        return power - log_inverse_binomial.masked_fill(n + value == 0.0, 0.0)
