"""Student's t distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.chi2 import Chi2
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import _standard_normal, broadcast_all

__all__ = ["StudentT"]


class StudentT(Distribution):
    """loc + scale · z / √(c / df) with z standard normal and c chi-squared of df degrees of freedom.

    Args: df, positive; loc; scale, positive: tensors or numbers that broadcast.

    >>> fb.distributions.StudentT(4.).variance
    tensor(2.)
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, df, loc=0.0, scale=1.0, validate_args=None):
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.size(), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(StudentT, batch_shape, _instance, "df", "loc", "scale")
        new._chi2 = self._chi2.expand(batch_shape)
        return new

    @property
    def mean(self):
        return fb.where(self.df <= 1, math.nan, self.loc)

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        finite = self.scale.pow(2) * self.df / (self.df - 2)
        return fb.where(self.df > 2, finite, fb.where(self.df > 1, math.inf, math.nan).to(finite.dtype))

    def rsample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        normal = _standard_normal(shape, self.df.dtype, self.df.device)
        return self.loc + self.scale * (normal * fb.rsqrt(self._chi2.rsample(sample_shape) / self.df))

    def _log_beta(self):
        """log B(df/2, 1/2)."""
        return fb.lgamma(0.5 * self.df) + 0.5 * math.log(math.pi) - fb.lgamma(0.5 * (self.df + 1.0))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        normalizer = self.scale.log() + 0.5 * self.df.log() + self._log_beta()
        return -0.5 * (self.df + 1.0) * fb.log1p(y ** 2.0 / self.df) - normalizer

    def entropy(self):
        half = 0.5 * (self.df + 1)
        return self.scale.log() + half * (fb.digamma(half) - fb.digamma(0.5 * self.df)) + 0.5 * self.df.log() \
            + self._log_beta()
