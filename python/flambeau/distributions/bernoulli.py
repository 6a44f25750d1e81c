"""The Bernoulli distribution."""
from __future__ import annotations

import math

import flambeau as fb
import flambeau.nn.functional as F
from flambeau.distributions import constraints
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.utils import ProbsOrLogits, broadcast_all, broadcast_parameters

__all__ = ["Bernoulli"]


class Bernoulli(ProbsOrLogits, ExponentialFamily):
    """1 with probability `probs`, else 0.

    Args: probs in [0, 1], or logits = log(probs / (1 - probs)): a tensor or a number.

    >>> fb.distributions.Bernoulli(0.25).variance
    tensor(0.1875)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._check_one(probs, logits)
        param, batch_shape = broadcast_parameters(probs if logits is None else logits)
        self._keep(param if logits is None else None, param if probs is None else None)
        super().__init__(batch_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._reparametrized(self._expanded(Bernoulli, batch_shape, _instance, "probs", "logits"))

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return fb.where(self.probs == 0.5, math.nan, (self.probs >= 0.5).to(self.probs))

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=fb.Size()):
        with fb.no_grad():
            return fb.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        return self._enumerated(fb.arange(2, dtype=self._param.dtype), expand)

    @property
    def _natural_params(self):
        return (fb.logit(self.probs),)

    def _log_normalizer(self, x):
        return F.softplus(x)
