"""The half-normal distribution."""
from __future__ import annotations

import math

from flambeau.distributions._half import Half
from flambeau.distributions.normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(Half):
    """|x| for x normal with mean 0 and standard deviation `scale`.

    Args: scale, positive: a tensor or a number.

    >>> fb.distributions.HalfNormal(1.).mean
    tensor(0.7979)
    """

    _whole = Normal

    def expand(self, batch_shape, _instance=None):
        return super().expand(batch_shape, _instance=self._get_checked_instance(HalfNormal, _instance))

    @property
    def mean(self):
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self):
        return self.scale.pow(2) * (1 - 2 / math.pi)
