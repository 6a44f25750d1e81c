"""The binomial distribution."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import ProbsOrLogits, broadcast_all

__all__ = ["Binomial"]


class Binomial(ProbsOrLogits, Distribution):
    """The number of successes in `total_count` trials of probability `probs`.

    Args: total_count, not negative; probs in [0, 1], or logits = log(probs / (1 - probs)): they broadcast.

    >>> fb.distributions.Binomial(4, fb.tensor([0.25, 0.5])).mean
    tensor([1., 2.])
    """

    arg_constraints = {"total_count": constraints.nonnegative_integer, "probs": constraints.unit_interval,
                       "logits": constraints.real}
    has_enumerate_support = True

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        self._check_one(probs, logits)
        self.total_count, param = broadcast_all(total_count, probs if logits is None else logits)
        self.total_count = self.total_count.type_as(param)
        self._keep(param if logits is None else None, param if probs is None else None)
        super().__init__(self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._reparametrized(
            self._expanded(Binomial, batch_shape, _instance, "total_count", "probs", "logits"))

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        return self.total_count * self.probs

    @property
    def mode(self):
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        with fb.no_grad():
            return fb.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        # n · log(1 + exp(logits)), stable for logits of either sign
        log_sum = n * self.logits.clamp(min=0) + n * fb.log1p(fb.exp(-self.logits.abs()))
        return value * self.logits - fb.lgamma(value + 1) - fb.lgamma(n - value + 1) - (log_sum - fb.lgamma(n + 1))

    def entropy(self):
        self._check_homogeneous("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(fb.exp(log_prob) * log_prob).sum(0)

    def _check_homogeneous(self, what):
        if not fb._C._all_true(self.total_count == self.total_count.max()):
            raise NotImplementedError(f"{what}: the total counts differ, which is not possible here; use one "
                                      "count")

    def enumerate_support(self, expand=True):
        self._check_homogeneous("enumerate_support")
        return self._enumerated(fb.arange(1 + int(self.total_count.max()), dtype=self._param.dtype), expand)
