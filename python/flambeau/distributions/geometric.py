"""The geometric distribution."""
from __future__ import annotations

import flambeau as fb
import flambeau.nn.functional as F
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import ProbsOrLogits, broadcast_all, broadcast_parameters

__all__ = ["Geometric"]


class Geometric(ProbsOrLogits, Distribution):
    """The number of failures before the first success: (1 - probs)^k · probs.

    Args: probs in (0, 1], or logits = log(probs / (1 - probs)): a tensor or a number.

    >>> fb.distributions.Geometric(0.25).mean
    tensor(3.)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._check_one(probs, logits)
        param, batch_shape = broadcast_parameters(probs if logits is None else logits)
        self._keep(param if logits is None else None, param if probs is None else None)
        super().__init__(batch_shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not fb._C._all_true(self.probs > 0):
            raise ValueError(f"{self!r}: probs ({type(self.probs).__name__} of shape "
                             f"{tuple(self.probs.shape)}) must be positive; its values are\n{self.probs}")

    def expand(self, batch_shape, _instance=None):
        return self._reparametrized(self._expanded(Geometric, batch_shape, _instance, "probs", "logits"))

    @property
    def mean(self):
        return 1.0 / self.probs - 1.0

    @property
    def mode(self):
        return fb.zeros_like(self.probs)

    @property
    def variance(self):
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        with fb.no_grad():
            u = fb.rand(shape, dtype=self.probs.dtype).clamp(min=fb.finfo(self.probs.dtype).tiny)
            return (u.log() / (-self.probs.expand(shape)).log1p()).floor()

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        return fb.special.xlog1py(value, -probs) + self.probs.log()

    def entropy(self):
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
