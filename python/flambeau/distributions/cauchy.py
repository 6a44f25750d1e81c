"""The Cauchy distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions._location import LocationScale
from flambeau.distributions.distribution import Distribution

__all__ = ["Cauchy"]


class Cauchy(LocationScale, Distribution):
    """Density 1 / (π scale (1 + ((x - loc) / scale)²)); it has no mean and no variance.

    Args: loc, the median; scale, half the width at half the maximum, positive. Tensors or numbers that broadcast.

    >>> fb.distributions.Cauchy(0., 1.).cdf(fb.tensor(1.))
    tensor(0.7500)
    """

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Cauchy, batch_shape, _instance, "loc", "scale")

    @property
    def mean(self):
        return fb.full(self._extended_shape(), math.nan, dtype=self.loc.dtype)

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return fb.full(self._extended_shape(), math.inf, dtype=self.loc.dtype)

    def rsample(self, sample_shape=fb.Size()):
        standard = fb.empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).cauchy_()
        return self.loc + standard * self.scale

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return fb.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value):
        return fb.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self):
        return math.log(4 * math.pi) + self.scale.log()
