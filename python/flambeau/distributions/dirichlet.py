"""The Dirichlet distribution."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.exp_family import ExponentialFamily

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """Density Γ(Σc) / ΠΓ(c_i) · Π x_i^(c_i - 1) over probabilities x.

    Args: concentration c, positive, shape (*batch, n).
    Shapes: draws (*sample, *batch, n), which sum to one along the last dim.

    >>> fb.distributions.Dirichlet(fb.tensor([1., 3.])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration, validate_args=None):
        if concentration.dim() < 1:
            raise ValueError("Dirichlet: concentration needs a dim of categories")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        return self._expanded(Dirichlet, batch_shape, _instance, "concentration")

    @property
    def mean(self):
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self):
        excess = (self.concentration - 1).clamp(min=0.0)
        mode = excess / excess.sum(-1, True)
        corner = fb.nn.functional.one_hot(self.concentration.argmax(-1), self.concentration.shape[-1]).to(mode)
        # where the density has its poles at the corners, the largest concentration names one
        return fb.where((self.concentration < 1).all(-1, True), corner, mode)

    @property
    def variance(self):
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape=fb.Size()):
        return fb._C._sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        c = self.concentration
        return fb.xlogy(c - 1.0, value).sum(-1) + fb.lgamma(c.sum(-1)) - fb.lgamma(c).sum(-1)

    def entropy(self):
        c, n = self.concentration, self.concentration.size(-1)
        total = c.sum(-1)
        return fb.lgamma(c).sum(-1) - fb.lgamma(total) - (n - total) * fb.digamma(total) \
            - ((c - 1.0) * fb.digamma(c)).sum(-1)

    @property
    def _natural_params(self):
        return (self.concentration,)

    def _log_normalizer(self, x):
        return x.lgamma().sum(-1) - fb.lgamma(x.sum(-1))
