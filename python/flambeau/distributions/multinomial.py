"""The multinomial distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.binomial import Binomial
from flambeau.distributions.categorical import Categorical
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import broadcast_all

__all__ = ["Multinomial"]


class Multinomial(Distribution):
    """How often each of n categories comes up in `total_count` draws.

    Args: total_count, one int for the whole batch; probs or logits, shape (*batch, n), as for `Categorical`.
    Shapes: draws (*sample, *batch, n), which sum to total_count.
    Errors: NotImplementedError for a total_count that is not an int.

    >>> fb.distributions.Multinomial(4, fb.tensor([1., 3.])).mean
    tensor([1., 3.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotImplementedError("Multinomial: total_count must be one number")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(Multinomial, _instance)
        batch_shape = fb.Size(batch_shape)
        new.total_count = self.total_count
        new._categorical = self._categorical.expand(batch_shape)
        new._binomial = self._binomial.expand(batch_shape + self._event_shape)
        return self._finished(new, batch_shape)

    def _new(self, *args, **kwargs):
        return self._categorical._new(*args, **kwargs)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    @property
    def logits(self):
        return self._categorical.logits

    @property
    def probs(self):
        return self._categorical.probs

    @property
    def param_shape(self):
        return self._categorical.param_shape

    @property
    def mean(self):
        return self.probs * self.total_count

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=fb.Size()):
        drawn = self._categorical.sample(fb.Size((self.total_count,)) + fb.Size(sample_shape))
        drawn = drawn.movedim(0, -1)                                    # (*sample, *batch, total_count)
        counts = fb.zeros(self._extended_shape(sample_shape), dtype=self.probs.dtype)
        return counts.scatter_add_(-1, drawn, fb.ones_like(drawn, dtype=counts.dtype))

    def entropy(self):
        # n H − log n! + Σ_i E[log x_i!], where x_i is binomial
        n = fb.tensor(self.total_count, dtype=self.probs.dtype)
        support = self._binomial.enumerate_support(expand=False)[1:]
        expected = (fb.exp(self._binomial.log_prob(support)) * fb.lgamma(support + 1)).sum([0, -1])
        return n * self._categorical.entropy() - fb.lgamma(n + 1) + expected

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -math.inf), 0)    # 0 · log 0 = 0
        return fb.lgamma(value.sum(-1) + 1) - fb.lgamma(value + 1).sum(-1) + (logits * value).sum(-1)
