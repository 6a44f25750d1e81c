"""The Laplace distribution."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions._location import Centred, LocationScale
from flambeau.distributions.distribution import Distribution

__all__ = ["Laplace"]


class Laplace(LocationScale, Centred, Distribution):
    """Density exp(-|x - loc| / scale) / (2 scale).

    Args: loc, the mean; scale, positive. Tensors or numbers that broadcast.

    >>> fb.distributions.Laplace(0., 1.).cdf(fb.tensor(0.))
    tensor(0.5000)
    """

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Laplace, batch_shape, _instance, "loc", "scale")

    @property
    def variance(self):
        return 2 * self.scale.pow(2)

    @property
    def stddev(self):
        return 2 ** 0.5 * self.scale

    def rsample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        u = fb.empty(shape, dtype=self.loc.dtype).uniform_(fb.finfo(self.loc.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * fb.log1p(-u.abs())

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        return -fb.log(2 * self.scale) - fb.abs(value - self.loc) / self.scale

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        centred = value - self.loc
        return 0.5 - 0.5 * centred.sign() * fb.expm1(-centred.abs() / self.scale)

    def icdf(self, value):
        centred = value - 0.5
        return self.loc - self.scale * centred.sign() * fb.log1p(-2 * centred.abs())

    def entropy(self):
        return 1 + fb.log(2 * self.scale)
