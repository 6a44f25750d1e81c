"""Closed forms of KL(p ‖ q) for two distributions of one family."""
from __future__ import annotations

import math

import flambeau as fb
import flambeau.nn.functional as F
from flambeau.distributions.bernoulli import Bernoulli
from flambeau.distributions.beta import Beta
from flambeau.distributions.binomial import Binomial
from flambeau.distributions.categorical import Categorical
from flambeau.distributions.cauchy import Cauchy
from flambeau.distributions.continuous_bernoulli import ContinuousBernoulli
from flambeau.distributions.dirichlet import Dirichlet
from flambeau.distributions.exp_family import ExponentialFamily
from flambeau.distributions.exponential import Exponential
from flambeau.distributions.gamma import Gamma
from flambeau.distributions.geometric import Geometric
from flambeau.distributions.gumbel import Gumbel
from flambeau.distributions.half_normal import HalfNormal
from flambeau.distributions.independent import Independent
from flambeau.distributions.kl import kl_divergence, register_kl
from flambeau.distributions.laplace import Laplace
from flambeau.distributions.lowrank_multivariate_normal import (LowRankMultivariateNormal, _batch_lowrank_logdet,
                                                                _batch_lowrank_mahalanobis)
from flambeau.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis, _half_log_det
from flambeau.distributions.normal import Normal
from flambeau.distributions.one_hot_categorical import OneHotCategorical
from flambeau.distributions.pareto import Pareto
from flambeau.distributions.poisson import Poisson
from flambeau.distributions.transformed_distribution import TransformedDistribution
from flambeau.distributions.uniform import Uniform
from flambeau.distributions.utils import _sum_rightmost, euler_constant


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p, q):
    ones = p.probs * (F.softplus(-q.logits) - F.softplus(-p.logits))
    ones = fb.where(p.probs == 0, 0.0, fb.where(q.probs == 0, math.inf, ones))
    zeros = (1 - p.probs) * (F.softplus(q.logits) - F.softplus(p.logits))
    zeros = fb.where(p.probs == 1, 0.0, fb.where(q.probs == 1, math.inf, zeros))
    return ones + zeros


@register_kl(Beta, Beta)
def _beta(p, q):
    total_p, total_q = p.concentration1 + p.concentration0, q.concentration1 + q.concentration0
    normalizers = q.concentration1.lgamma() + q.concentration0.lgamma() + total_p.lgamma() \
        - p.concentration1.lgamma() - p.concentration0.lgamma() - total_q.lgamma()
    return normalizers + (p.concentration1 - q.concentration1) * p.concentration1.digamma() \
        + (p.concentration0 - q.concentration0) * p.concentration0.digamma() \
        + (total_q - total_p) * total_p.digamma()


@register_kl(Binomial, Binomial)
def _binomial(p, q):
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("kl_divergence: p has fewer trials than q, there is no closed form for "
                                  "such Binomials")
    kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return fb.where(p.total_count > q.total_count, math.inf, kl)


@register_kl(Categorical, Categorical)
def _categorical(p, q):
    terms = p.probs * (p.logits - q.logits)
    return fb.where(p.probs == 0, 0.0, fb.where(q.probs == 0, math.inf, terms)).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p, q):
    return _categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p, q):
    return p.mean * (p.logits - q.logits) + p._cont_bern_log_norm() + (-p.probs).log1p() \
        - q._cont_bern_log_norm() - (-q.probs).log1p()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p, q):
    total_p, total_q = p.concentration.sum(-1), q.concentration.sum(-1)
    normalizers = total_p.lgamma() - total_q.lgamma() + (q.concentration.lgamma() - p.concentration.lgamma()).sum(-1)
    expected_log = p.concentration.digamma() - total_p.digamma().unsqueeze(-1)
    return normalizers + ((p.concentration - q.concentration) * expected_log).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p, q):
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p, q):
    """The Bregman divergence of the log normalizers. Source: Nielsen and Nock, ICIP 2010."""
    if type(p) is not type(q):
        raise NotImplementedError("kl_divergence: p and q belong to different exponential families, which "
                                  "have no Bregman divergence")
    natural_p, log_normalizer, gradients = p._with_gradients()
    natural_q = q._natural_params
    result = q._log_normalizer(*natural_q) - log_normalizer
    for theta_p, theta_q, gradient in zip(natural_p, natural_q, gradients):
        term = (theta_q - theta_p) * gradient
        result = result - _sum_rightmost(term, term.dim() - result.dim())
    return result


@register_kl(Gamma, Gamma)
def _gamma(p, q):
    return q.concentration * (p.rate / q.rate).log() + q.concentration.lgamma() - p.concentration.lgamma() \
        + (p.concentration - q.concentration) * p.concentration.digamma() \
        + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Gumbel, Gumbel)
def _gumbel(p, q):
    ratio, shift = p.scale / q.scale, (q.loc - p.loc) / q.scale
    return -ratio.log() - shift + ratio * euler_constant + fb.exp(shift + (1 + ratio).lgamma()) - (1 + euler_constant)


@register_kl(Geometric, Geometric)
def _geometric(p, q):
    return -p.entropy() - fb.log1p(-q.probs) / p.probs - q.logits


@register_kl(Normal, Normal)
def _normal(p, q):
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p, q):
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * fb.exp(-distance / p.scale) - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p, q):
    """Source: Chyzak and Nielsen, arXiv 1905.10965."""
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(Pareto, Pareto)
def _pareto(p, q):
    ratio = q.alpha / p.alpha
    kl = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return fb.where(p.scale < q.scale, math.inf, kl)


@register_kl(Poisson, Poisson)
def _poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform(p, q):
    kl = ((q.high - q.low) / (p.high - p.low)).log()
    return fb.where((q.low > p.low) | (q.high < p.high), math.inf, kl)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL of two transformed distributions needs the same transforms and event shapes")
    kl = kl_divergence(p.base_dist, q.base_dist)
    return _sum_rightmost(kl, len(p.event_shape) - len(p.base_dist.event_shape))


@register_kl(Independent, Independent)
def _independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL of two Independent distributions needs the same reinterpreted_batch_ndims")
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


def _squares(x):
    """tr(X Xᵀ)."""
    return x.pow(2).flatten(-2).sum(-1)


def _check_event_shapes(p, q):
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: the event shapes of the two normals differ, {p.event_shape} and "
                         f"{q.event_shape}")


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p, q):
    _check_event_shapes(p, q)
    tril_p, tril_q = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    trace = _squares(fb.linalg.solve_triangular(tril_q, tril_p, upper=False))
    distance = _batch_mahalanobis(tril_q, q.loc - p.loc)
    return _half_log_det(tril_q) - _half_log_det(tril_p) + 0.5 * (trace + distance - p.event_shape[0])


def _whitened_factor(q):
    """A with (W Wᵀ + D)⁻¹ = D⁻¹ - Aᵀ A. Shapes: (*, k, n)."""
    scaled = q._unbroadcasted_cov_factor.mT / q._unbroadcasted_cov_diag.unsqueeze(-2)
    return fb.linalg.solve_triangular(q._capacitance_tril, scaled, upper=False)


def _to_lowrank(p, q, log_det_p, trace):
    """½ (log det q - log det p + tr(Σ_q⁻¹ Σ_p) + distance - n)."""
    factor, diagonal = q._parts()
    log_det_q = _batch_lowrank_logdet(factor, diagonal, q._capacitance_tril)
    distance = _batch_lowrank_mahalanobis(factor, diagonal, q.loc - p.loc, q._capacitance_tril)
    return 0.5 * (log_det_q - log_det_p + trace + distance - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _lowrank(p, q):
    _check_event_shapes(p, q)
    factor, diagonal = p._parts()
    whitened, diagonal_q = _whitened_factor(q), q._unbroadcasted_cov_diag
    trace = (diagonal / diagonal_q).sum(-1) + _squares(factor * diagonal_q.rsqrt().unsqueeze(-1)) \
        - _squares(whitened * diagonal.sqrt().unsqueeze(-2)) - _squares(whitened @ factor)
    return _to_lowrank(p, q, _batch_lowrank_logdet(factor, diagonal, p._capacitance_tril), trace)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normal_to_lowrank(p, q):
    _check_event_shapes(p, q)
    tril = p._unbroadcasted_scale_tril
    trace = _squares(tril * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1)) - _squares(_whitened_factor(q) @ tril)
    return _to_lowrank(p, q, 2 * _half_log_det(tril), trace)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _lowrank_to_multivariate_normal(p, q):
    _check_event_shapes(p, q)
    factor, diagonal = p._parts()
    tril = q._unbroadcasted_scale_tril
    solve = fb.linalg.solve_triangular
    trace = _squares(solve(tril, factor, upper=False)) \
        + _squares(solve(tril, diagonal.sqrt().diag_embed(), upper=False))
    distance = _batch_mahalanobis(tril, q.loc - p.loc)
    log_det_p = _batch_lowrank_logdet(factor, diagonal, p._capacitance_tril)
    return 0.5 * (2 * _half_log_det(tril) - log_det_p + trace + distance - p.event_shape[0])
