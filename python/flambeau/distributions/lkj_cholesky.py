"""The LKJ distribution of correlation matrices."""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.beta import Beta
from flambeau.distributions.distribution import Distribution
from flambeau.distributions.utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors L of correlation matrices with density in proportion to det(L Lᵀ)^(concentration - 1).

    Args: dim n ≥ 2 of the matrices; concentration, positive, 1 for the uniform distribution.
    Shapes: draws (*sample, *batch, n, n).
    Source: Lewandowski, Kurowicka and Joe, J. Multivariate Analysis 100 (2009): the onion method. From the third row on
    PyTorch's sampler draws Beta(i - 1/2, …) where the method has Beta(i/2, …); a seed gives PyTorch's numbers, so draws
    for n > 2 are spread wider than `log_prob` says.

    >>> fb.distributions.LKJCholesky(3, 1.).event_shape
    torch.Size([3, 3])
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ValueError(f"LKJCholesky: dim must be at least 2, got {dim}")
        self.dim = dim
        self.concentration, = broadcast_all(concentration)
        # row i > 0 has the squared length off the diagonal of Beta(i - 1/2, concentration + (n - 1 - i)/2)
        row = fb.arange(dim - 1, dtype=self.concentration.dtype)
        row = fb.cat([fb.zeros(1, dtype=row.dtype), row])
        marginal = (self.concentration + 0.5 * (dim - 2)).unsqueeze(-1)
        self._beta = Beta(row + 0.5, marginal - 0.5 * row)
        super().__init__(self.concentration.size(), fb.Size((dim, dim)), validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(LKJCholesky, _instance)
        batch_shape = fb.Size(batch_shape)
        new.dim = self.dim
        new.concentration = self.concentration.expand(batch_shape)
        new._beta = self._beta.expand(batch_shape + (self.dim,))
        return self._finished(new, batch_shape)

    def sample(self, sample_shape=fb.Size()):
        with fb.no_grad():
            square = self._beta.sample(sample_shape).unsqueeze(-1)      # (*sample, *batch, n, 1)
            direction = fb.randn(self._extended_shape(sample_shape), dtype=square.dtype).tril(-1)
            direction = direction / direction.norm(dim=-1, keepdim=True)
            direction[..., 0, :].fill_(0.0)
            w = fb.sqrt(square) * direction
            rest = (1 - (w ** 2).sum(dim=-1)).clamp(min=fb.finfo(w.dtype).tiny)
            return w + fb.diag_embed(rest.sqrt())

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        n, eta = self.dim, self.concentration
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = fb.arange(2, n + 1, dtype=eta.dtype)
        power = 2 * (eta - 1).unsqueeze(-1) + n - order
        alpha = eta + 0.5 * (n - 1)
        log_normalizer = 0.5 * (n - 1) * math.log(math.pi) + fb.mvlgamma(alpha - 0.5, n - 1) \
            - fb.lgamma(alpha) * (n - 1)
        return (power * diagonal.log()).sum(dim=-1) - log_normalizer
