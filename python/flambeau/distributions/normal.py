"""The normal distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions._location import Centred, LocationScale
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.utils import _standard_normal

__all__ = ["Normal"]


class Normal(LocationScale, Centred, ExponentialFamily):
    """Density exp(-(x - loc)² / (2 scale²)) / (scale √(2π)).

    Args: loc, the mean; scale, the standard deviation, positive. Tensors or numbers that broadcast.

    >>> fb.distributions.Normal(0., 1.).log_prob(fb.tensor(0.))
    tensor(-0.9189)
    """

    _mean_carrier_measure = 0

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Normal, batch_shape, _instance, "loc", "scale")

    @property
    def stddev(self):
        return self.scale

    @property
    def variance(self):
        return self.stddev.pow(2)

    def sample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        with fb.no_grad():
            return fb.normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        return self.loc + _standard_normal(shape, self.loc.dtype, self.loc.device) * self.scale

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return -((value - self.loc) ** 2) / (2 * self.scale ** 2) - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + fb.erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value):
        return self.loc + self.scale * fb.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self):
        return 0.5 + 0.5 * math.log(2 * math.pi) + fb.log(self.scale)

    @property
    def _natural_params(self):
        return self.loc / self.scale.pow(2), -0.5 * self.scale.pow(2).reciprocal()

    def _log_normalizer(self, x, y):
        return -0.25 * x.pow(2) / y + 0.5 * fb.log(-math.pi / y)
