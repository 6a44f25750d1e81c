"""The Bernoulli distribution made continuous."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions._relaxed import Relaxed
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.transforms import SigmoidTransform
from flambeau.distributions.utils import ProbsOrLogits, broadcast_all, broadcast_parameters, clamp_probs

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(ProbsOrLogits, Distribution):
    """The log-odds of `RelaxedBernoulli`: (logits + logistic noise) / temperature.

    Args: temperature, positive; probs in [0, 1], or logits: a tensor or a number.
    Source: Maddison, Mnih and Teh, The concrete distribution, ICLR 2017.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        self._check_one(probs, logits)
        param, batch_shape = broadcast_parameters(probs if logits is None else logits)
        self._keep(param if logits is None else None, param if probs is None else None)
        super().__init__(batch_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._reparametrized(self._expanded(LogitRelaxedBernoulli, batch_shape, _instance, "probs", "logits"))
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(fb.rand(shape, dtype=probs.dtype))
        return (u.log() - (-u).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        difference = logits - value * self.temperature
        return self.temperature.log() + difference - 2 * difference.exp().log1p()


class RelaxedBernoulli(Relaxed):
    """Numbers in (0, 1) that near a Bernoulli draw as the temperature falls, and through which gradients flow.

    Args: temperature, positive; probs in [0, 1], or logits: a tensor or a number.
    Source: Maddison, Mnih and Teh, The concrete distribution, ICLR 2017; Jang, Gu and Poole, ICLR 2017.

    >>> fb.distributions.RelaxedBernoulli(fb.tensor(0.5), fb.tensor([0.25])).probs
    tensor([0.2500])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(),
                         validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return super().expand(batch_shape, _instance=self._get_checked_instance(RelaxedBernoulli, _instance))
