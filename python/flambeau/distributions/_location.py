"""What distributions around a location share."""
from __future__ import annotations

from flambeau.distributions import constraints
from flambeau.distributions.utils import broadcast_parameters


class Centred:
    """Mean and mode are the parameter `loc`."""

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc


class LocationScale:
    """Parameters `loc` and `scale` that broadcast; draws are real numbers through which gradients flow."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale, batch_shape = broadcast_parameters(loc, scale)
        super().__init__(batch_shape, validate_args=validate_args)
