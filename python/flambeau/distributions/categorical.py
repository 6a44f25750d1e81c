"""The categorical distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import ProbsOrLogits

__all__ = ["Categorical"]


class Categorical(ProbsOrLogits, Distribution):
    """The index i with a probability in proportion to probs[i].

    Args: probs, not negative, with a positive sum; or logits, their logarithms up to a constant. Shape (*batch, n).
    Shapes: draws (*sample, *batch), int64 from 0 to n - 1.

    >>> fb.distributions.Categorical(fb.tensor([1., 3.])).probs
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True
    _is_binary = False

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._check_one(probs, logits)
        param = probs if logits is None else logits
        if param.dim() < 1:
            raise ValueError(f"Categorical: {'logits' if probs is None else 'probs'} needs a dim of "
                             "categories")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
            self._param = self.probs
        else:
            self.logits = logits - logits.logsumexp(dim=-1, keepdim=True)
            self._param = self.logits
        self._num_events = param.shape[-1]
        super().__init__(param.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._reparametrized(self._expanded(Categorical, batch_shape, _instance, "probs", "logits"))
        new._num_events = self._num_events
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self):
        return fb.full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    @property
    def mode(self):
        return self.probs.argmax(dim=-1)

    @property
    def variance(self):
        return fb.full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    def sample(self, sample_shape=fb.Size()):
        sample_shape = fb.Size(sample_shape)
        rows = self.probs.detach().reshape(-1, self._num_events)        # (batch, n)
        drawn = fb.multinomial(rows, sample_shape.numel(), True).T      # (sample, batch)
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        index, logits = fb.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self):
        logits = self.logits.clamp(min=fb.finfo(self.logits.dtype).min)     # 0 · log 0 = 0
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        return self._enumerated(fb.arange(self._num_events, dtype=fb.long), expand)
