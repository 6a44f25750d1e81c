"""The Gumbel distribution."""
from __future__ import annotations

import math
from numbers import Number

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.transformed_distribution import TransformedDistribution
from flambeau.distributions.transforms import AffineTransform, ExpTransform
from flambeau.distributions.uniform import Uniform
from flambeau.distributions.utils import broadcast_all, euler_constant

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """Cumulative distribution exp(-exp(-(x - loc) / scale)), the limit law of maxima.

    Args: loc; scale, positive: tensors or numbers that broadcast.

    >>> fb.distributions.Gumbel(0., 1.).mean
    tensor(0.5772)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        info = fb.finfo(self.loc.dtype)
        low, high = info.tiny, 1 - info.eps                             # logarithms of both are finite
        if not (isinstance(loc, Number) and isinstance(scale, Number)):
            low, high = fb.full_like(self.loc, low), fb.full_like(self.loc, high)
        super().__init__(Uniform(low, high, validate_args=validate_args), self._transforms(),
                         validate_args=validate_args)

    def _transforms(self):
        """u → loc - scale · log(-log u)."""
        return [ExpTransform().inv, AffineTransform(loc=0, scale=-fb.ones_like(self.scale)), ExpTransform().inv,
                AffineTransform(loc=self.loc, scale=-self.scale)]

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(Gumbel, _instance)
        new.loc, new.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        return super().expand(batch_shape, _instance=new)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    @property
    def mean(self):
        return self.loc + self.scale * euler_constant

    @property
    def mode(self):
        return self.loc

    @property
    def stddev(self):
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self):
        return self.stddev.pow(2)

    def entropy(self):
        return self.scale.log() + (1 + euler_constant)
