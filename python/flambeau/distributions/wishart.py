"""The Wishart distribution."""
from __future__ import annotations

import math
import warnings
from numbers import Number

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.chi2 import Chi2
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.multivariate_normal import _half_log_det, _Matrix

__all__ = ["Wishart"]


def _mvdigamma(x, p):
    """The derivative of log Γ_p."""
    steps = fb.arange(p, dtype=x.dtype) / 2
    return fb.digamma(x.unsqueeze(-1) - steps).sum(-1)


class Wishart(_Matrix, ExponentialFamily):
    """Σ xᵢ xᵢᵀ over df normal vectors xᵢ with mean 0 and covariance V.

    Args:
        df: degrees of freedom, more than p - 1, not necessarily whole.
        covariance_matrix V, precision_matrix V⁻¹ or scale_tril L with V = L Lᵀ: one of them, shape (*batch, p, p).
    Shapes: draws (*sample, *batch, p, p).
    Errors: ValueError unless exactly one matrix is given, and for df ≤ p - 1.
    Source of the sampler: Bartlett's decomposition; Smith and Hocking, Applied Statistics 21 (1972).

    >>> fb.distributions.Wishart(3., scale_tril=fb.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, df, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        matrices = covariance_matrix, precision_matrix, scale_tril
        matrix = self._given(*matrices)
        event_shape = matrix.shape[-2:]
        if isinstance(df, Number):
            batch_shape = fb.Size(matrix.shape[:-2])
            self.df = fb.tensor(df, dtype=matrix.dtype)
        else:
            batch_shape = fb.broadcast_shapes(matrix.shape[:-2], df.shape)
            self.df = df.expand(batch_shape)
        if (self.df <= event_shape[-1] - 1).any():
            raise ValueError(f"Wishart: df must exceed {event_shape[-1] - 1}, the size of the matrix less "
                             f"one; got {df}")
        self._batch_dims = [-(i + 1) for i in range(len(batch_shape))]
        self._keep_matrix(batch_shape, *matrices)
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        self._factor(*matrices)
        self._dist_chi2 = Chi2(df=self._chi2_df(self.df, event_shape[-1]))
        if (self.df.lt(event_shape[-1])).any():
            warnings.warn("Wishart: df is below the size of the matrix, where samples come close to singular "
                          "ones", stacklevel=2)

    @property
    def arg_constraints(self):
        return {"covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
                "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(self.event_shape[-1] - 1)}

    @staticmethod
    def _chi2_df(df, p):
        return df.unsqueeze(-1) - fb.arange(p, dtype=df.dtype)          # (*batch, p)

    def expand(self, batch_shape, _instance=None):
        new = self._expanded(Wishart, batch_shape, _instance, "df", "covariance_matrix", "precision_matrix",
                             "scale_tril")
        new._batch_dims = [-(i + 1) for i in range(len(new._batch_shape))]
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        new._dist_chi2 = Chi2(df=self._chi2_df(new.df, self.event_shape[-1]))
        return new

    @property
    def _df(self):
        return self.df.reshape(self._batch_shape + (1, 1))

    @property
    def mean(self):
        return self._df * self.covariance_matrix

    @property
    def mode(self):
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = fb.where(factor <= 0, math.nan, factor)
        return factor.reshape(self._batch_shape + (1, 1)) * self.covariance_matrix

    @property
    def variance(self):
        diagonal = self.covariance_matrix.diagonal(dim1=-2, dim2=-1)
        return self._df * (self.covariance_matrix.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett_sampling(self, sample_shape=fb.Size()):
        p = self._event_shape[-1]
        noise = self._dist_chi2.rsample(sample_shape).sqrt().diag_embed(dim1=-2, dim2=-1)
        i, j = fb.tril_indices(p, p, offset=-1)
        below = fb.randn(fb.Size(sample_shape) + self._batch_shape + (p * (p - 1) // 2,), dtype=noise.dtype)
        noise[..., i, j] = below
        root = self._unbroadcasted_scale_tril @ noise
        return root @ root.mT

    def _definite(self, sample):
        """For each sample, whether all its matrices are positive definite."""
        definite = self.support.check(sample)
        return definite.flatten(-len(self._batch_shape)).all(-1) if self._batch_shape else definite

    def rsample(self, sample_shape=fb.Size(), max_try_correction=None):
        """Draws; those that rounding made singular are drawn again, at most `max_try_correction` times."""
        if max_try_correction is None:
            max_try_correction = 3 if self._batch_dims else 10
        sample_shape = fb.Size(sample_shape)
        sample = self._bartlett_sampling(sample_shape)
        for attempt in range(max_try_correction):
            # PyTorch draws every definite sample a second time; a seed gives its numbers only if this does too.
            again = ~self._definite(sample) if attempt else fb.ones(sample_shape, dtype=fb.bool)
            count = int(again.sum())
            if count == 0:
                break
            if attempt:
                warnings.warn("Singular sample detected.", stacklevel=2)
            sample = sample.clone()
            sample[again] = self._bartlett_sampling(fb.Size((count,)))
        return sample

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        nu, p = self.df, self._event_shape[-1]
        tril = self._unbroadcasted_scale_tril
        log_det = fb.linalg.slogdet(value).logabsdet
        solved = fb.linalg.solve_triangular(tril, value, upper=False)   # tr(V⁻¹ x) = tr(L⁻¹ x L⁻ᵀ)
        trace = fb.linalg.solve_triangular(tril, solved.mT, upper=False).diagonal(dim1=-2, dim2=-1).sum(-1)
        return -nu * (p * math.log(2) / 2 + _half_log_det(tril)) - fb.mvlgamma(nu / 2, p) \
            + (nu - p - 1) / 2 * log_det - trace / 2

    def entropy(self):
        nu, p = self.df, self._event_shape[-1]
        return (p + 1) * (p * math.log(2) / 2 + _half_log_det(self._unbroadcasted_scale_tril)) \
            + fb.mvlgamma(nu / 2, p) - (nu - p - 1) / 2 * _mvdigamma(nu / 2, p) + nu * p / 2

    @property
    def _natural_params(self):
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x, y):
        p = self._event_shape[-1]
        half_df = y + (p + 1) / 2
        return half_df * (-fb.linalg.slogdet(-2 * x).logabsdet + math.log(2) * p) + fb.mvlgamma(half_df, p)
