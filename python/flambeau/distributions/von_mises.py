"""The von Mises distribution."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import broadcast_all, lazy_property

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Density exp(κ cos(x - loc)) / (2π I₀(κ)) of an angle in radians, with κ = concentration.

    Args: loc, an angle; concentration, positive: tensors or numbers that broadcast.
    Source of the sampler: Best and Fisher, Applied Statistics 28 (1979); it works in double precision.

    >>> fb.distributions.VonMises(fb.tensor(0.), fb.tensor(1.)).variance
    tensor(0.5536)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc, concentration, validate_args=None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(VonMises, batch_shape, _instance, "loc", "concentration")

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        kappa = self.concentration
        log_i0 = fb.special.i0e(kappa).log() + kappa
        return kappa * fb.cos(value - self.loc) - math.log(2 * math.pi) - log_i0

    @lazy_property
    def _loc(self):
        return self.loc.to(fb.double)

    @lazy_property
    def _concentration(self):
        return self.concentration.to(fb.double)

    @lazy_property
    def _proposal_r(self):
        """The parameter of the wrapped Cauchy distribution that candidates are drawn from."""
        kappa = self._concentration
        tau = 1 + (1 + 4 * kappa ** 2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        # for small κ the formula cancels; its series begins 1/κ + κ
        return fb.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho ** 2) / (2 * rho))

    def sample(self, sample_shape=fb.Size()):
        shape = self._extended_shape(sample_shape)
        with fb.no_grad():
            loc, kappa, r = (t.expand(shape) for t in (self._loc, self._concentration, self._proposal_r))
            angle = fb.zeros(shape, dtype=fb.double)
            done = fb.zeros(shape, dtype=fb.bool)
            while not fb._C._all_true(done):
                u1, u2, u3 = fb.rand((3,) + tuple(shape), dtype=fb.double).unbind()
                z = fb.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                angle = fb.where(accept, (u3 - 0.5).sign() * f.acos(), angle)
                done = done | accept
            return ((angle + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    @property
    def mean(self):
        """The mean direction."""
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        """The circular variance, 1 - I₁(κ) / I₀(κ)."""
        return 1 - fb.special.i1e(self.concentration) / fb.special.i0e(self.concentration)
