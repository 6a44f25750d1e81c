"""The continuous Bernoulli distribution."""
from __future__ import annotations

import math

import flambeau as fb
import flambeau.nn.functional as F
from flambeau.distributions import constraints
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.utils import ProbsOrLogits, broadcast_all, broadcast_parameters, clamp_probs

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    """Density in proportion to probs^x (1 - probs)^(1 - x) for x in [0, 1].

    Args:
        probs in (0, 1), or logits = log(probs / (1 - probs)): a tensor or a number.
        lims: where probs is between these two, formulas that divide 0 by 0 at ½ give way to their Taylor series.
    Source: Loaiza-Ganem and Cunningham, The continuous Bernoulli, NeurIPS 2019.

    >>> fb.distributions.ContinuousBernoulli(0.5).mean
    tensor(0.5000)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    _mean_carrier_measure = 0
    has_rsample = True

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        self._check_one(probs, logits)
        param, batch_shape = broadcast_parameters(probs if logits is None else logits)
        self._keep(param if logits is None else None, param if probs is None else None)
        self._lims = lims
        if logits is None:
            if validate_args and not fb._C._all_true(self.arg_constraints["probs"].check(self.probs)):
                raise ValueError(f"ContinuousBernoulli: probs must lie from 0 to 1, found {self.probs}")
            self.probs = self._param = clamp_probs(self.probs)
        super().__init__(batch_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(ContinuousBernoulli, batch_shape, _instance, "probs", "logits")
        new._lims = self._lims
        return self._reparametrized(new)

    def _outside_unstable_region(self):
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut_probs(self):
        """probs, moved out of the region where the formulas are unstable."""
        return fb.where(self._outside_unstable_region(), self.probs, self._lims[0])

    def _choose(self, formula, taylor):
        return fb.where(self._outside_unstable_region(), formula, taylor)

    def _cont_bern_log_norm(self):
        """log C(probs), C = 2 artanh(1 - 2 probs) / (1 - 2 probs)."""
        p = self._cut_probs()
        numerator = fb.log(fb.abs(fb.log1p(-p) - fb.log(p)))
        below, above = fb.where(p <= 0.5, p, 0.0), fb.where(p >= 0.5, p, 1.0)
        denominator = fb.where(p <= 0.5, fb.log1p(-2.0 * below), fb.log(2.0 * above - 1.0))
        square = (self.probs - 0.5) ** 2
        return self._choose(numerator - denominator, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * square) * square)

    @property
    def mean(self):
        p, x = self._cut_probs(), self.probs - 0.5
        formula = p / (2.0 * p - 1.0) + 1.0 / (fb.log1p(-p) - fb.log(p))
        return self._choose(formula, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x ** 2) * x)

    @property
    def variance(self):
        p, square = self._cut_probs(), (self.probs - 0.5) ** 2
        formula = p * (p - 1.0) / (1.0 - 2.0 * p) ** 2 + 1.0 / (fb.log1p(-p) - fb.log(p)) ** 2
        return self._choose(formula, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * square) * square)

    @property
    def stddev(self):
        return fb.sqrt(self.variance)

    def rsample(self, sample_shape=fb.Size()):
        return self.icdf(fb.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none") + self._cont_bern_log_norm()

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        p = self._cut_probs()
        formula = (p ** value * (1.0 - p) ** (1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        return self._choose(formula, value).clamp(min=0.0, max=1.0)

    def icdf(self, value):
        p = self._cut_probs()
        formula = (fb.log1p(-p + value * (2.0 * p - 1.0)) - fb.log1p(-p)) / (fb.log(p) - fb.log1p(-p))
        return self._choose(formula, value)

    def entropy(self):
        log0, log1 = fb.log1p(-self.probs), fb.log(self.probs)
        return self.mean * (log0 - log1) - self._cont_bern_log_norm() - log0

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        """log ∫ exp(x t) dt = log((eˣ - 1) / x), with the series log(1 + x/2 + x²/6 …) near 0."""
        far = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        cut = fb.where(far, x, self._lims[0] - 0.5)
        formula = fb.log(fb.abs(fb.expm1(cut))) - fb.log(fb.abs(cut))
        return fb.where(far, formula, 0.5 * x + x ** 2 / 24.0 - x ** 4 / 2880.0)
