"""The half-Cauchy distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions._half import Half
from flambeau.distributions.cauchy import Cauchy

__all__ = ["HalfCauchy"]


class HalfCauchy(Half):
    """|x| for x of the Cauchy distribution around 0; its mean is infinite.

    Args: scale, positive: a tensor or a number.

    >>> fb.distributions.HalfCauchy(1.).cdf(fb.tensor(1.))
    tensor(0.5000)
    """

    _whole = Cauchy

    def expand(self, batch_shape, _instance=None):
        return super().expand(batch_shape, _instance=self._get_checked_instance(HalfCauchy, _instance))

    @property
    def mean(self):
        return fb.full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def variance(self):
        return self.base_dist.variance

    def _log_density(self, value):
        return super()._log_density(fb.as_tensor(value, dtype=self.scale.dtype))
