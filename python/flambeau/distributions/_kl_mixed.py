"""Closed forms of KL(p ‖ q) for distributions of two families: -H(p) - E_p[log q(x)].

For each family of q the cross term needs few expectations under p: the mean and variance for the normal, the mean for
the exponential, E[log x] for the gamma, E[exp(-x / s)] for the Gumbel distribution.
"""
from __future__ import annotations

import math

import flambeau as fb
from flambeau.distributions.bernoulli import Bernoulli
from flambeau.distributions.beta import Beta
from flambeau.distributions.binomial import Binomial
from flambeau.distributions.continuous_bernoulli import ContinuousBernoulli
from flambeau.distributions.exponential import Exponential
from flambeau.distributions.gamma import Gamma
from flambeau.distributions.gumbel import Gumbel
from flambeau.distributions.kl import register_kl
from flambeau.distributions.laplace import Laplace
from flambeau.distributions.normal import Normal
from flambeau.distributions.pareto import Pareto
from flambeau.distributions.poisson import Poisson
from flambeau.distributions.uniform import Uniform
from flambeau.distributions.utils import euler_constant


def _register(pairs, function):
    for type_p, type_q in pairs:
        register_kl(type_p, type_q)(function)


def _infinite(p, q):
    """p has draws that are impossible under q."""
    shape = fb.broadcast_shapes(p.batch_shape, q.batch_shape)
    parameter = next(v for v in p.__dict__.values() if isinstance(v, fb.Tensor)) if not isinstance(p, Beta) \
        else p.concentration1
    return fb.full(shape, math.inf, dtype=parameter.dtype)


_bounded = (Beta, ContinuousBernoulli, Uniform)
_register([(Beta, Pareto), (ContinuousBernoulli, Pareto)], _infinite)
_register([(p, q) for p in (Exponential, Gamma) for q in (*_bounded, Pareto)], _infinite)
_register([(p, q) for p in (Gumbel, Laplace, Normal) for q in (*_bounded, Exponential, Gamma, Pareto)], _infinite)
_register([(Pareto, q) for q in _bounded], _infinite)
_register([(Poisson, Bernoulli), (Poisson, Binomial)], _infinite)


@register_kl(Bernoulli, Poisson)
def _bernoulli_to_poisson(p, q):
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


def _to_normal(p, q):
    variance = q.scale.pow(2)
    kl = -p.entropy() + 0.5 * (2 * math.pi * variance).log() \
        + 0.5 * (p.variance + (p.mean - q.loc).pow(2)) / variance
    # an infinite variance may come with an infinite mean
    return fb.where(p.alpha <= 2, math.inf, kl) if isinstance(p, Pareto) else kl


_register([(p, Normal) for p in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform)],
          _to_normal)


def _to_exponential(p, q):
    kl = -p.entropy() - q.rate.log() + q.rate * p.mean
    return fb.where(p.low < 0, math.inf, kl) if isinstance(p, Uniform) else kl


_register([(p, Exponential) for p in (Beta, ContinuousBernoulli, Gamma, Pareto, Uniform)], _to_exponential)


def _to_uniform(p, q):
    """p lies in [0, 1]."""
    return fb.where((q.low > 0) | (q.high < 1), math.inf, -p.entropy() + (q.high - q.low).log())


_register([(Beta, Uniform), (ContinuousBernoulli, Uniform)], _to_uniform)


def _x_log_x(x):
    return fb.xlogy(x, x)


def _mean_log(p):
    """E_p[log x]."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Exponential):
        return -p.rate.log() - euler_constant
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1


def _to_gamma(p, q):
    kl = -p.entropy() + q.concentration.lgamma() - q.concentration * q.rate.log() \
        - (q.concentration - 1) * _mean_log(p) + q.rate * p.mean
    return fb.where(p.low < 0, math.inf, kl) if isinstance(p, Uniform) else kl


_register([(p, Gamma) for p in (Beta, Exponential, Pareto, Uniform)], _to_gamma)


def _mean_exp(p, scale):
    """E_p[exp(-x / scale)]."""
    if isinstance(p, Exponential):
        return p.rate / (p.rate + scale.reciprocal())
    if isinstance(p, Gamma):
        return (1 + (p.rate * scale).reciprocal()).pow(-p.concentration)
    if isinstance(p, Normal):
        return fb.exp(-p.loc / scale + 0.5 * (p.scale / scale).pow(2))
    return scale * (fb.exp(-p.low / scale) - fb.exp(-p.high / scale)) / (p.high - p.low)


def _to_gumbel(p, q):
    return -p.entropy() + q.scale.log() + (p.mean - q.loc) / q.scale + fb.exp(q.loc / q.scale) * _mean_exp(p, q.scale)


_register([(p, Gumbel) for p in (Exponential, Gamma, Normal, Uniform)], _to_gumbel)


def _to_continuous_bernoulli(p, q):
    kl = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()
    return fb.where((p.low < 0) | (p.high > 1), math.inf, kl) if isinstance(p, Uniform) else kl


_register([(Beta, ContinuousBernoulli), (Uniform, ContinuousBernoulli)], _to_continuous_bernoulli)


@register_kl(Normal, Laplace)
def _normal_to_laplace(p, q):
    """E|x - loc| of a normal number: the mean of a folded normal distribution."""
    shift = p.loc - q.loc
    z = shift / p.scale
    distance = math.sqrt(2 / math.pi) * p.scale * fb.exp(-0.5 * z.pow(2)) + shift * fb.erf(math.sqrt(0.5) * z)
    return -p.entropy() + (2 * q.scale).log() + distance / q.scale


@register_kl(Uniform, Beta)
def _uniform_to_beta(p, q):
    width = p.high - p.low
    mean_log_rest = (_x_log_x(1 - p.low) - _x_log_x(1 - p.high)) / width - 1         # E[log(1 - x)]
    log_beta = q.concentration1.lgamma() + q.concentration0.lgamma() - (q.concentration1 + q.concentration0).lgamma()
    kl = -width.log() + log_beta - (q.concentration1 - 1) * _mean_log(p) - (q.concentration0 - 1) * mean_log_rest
    return fb.where((p.high > 1) | (p.low < 0), math.inf, kl)


@register_kl(Uniform, Pareto)
def _uniform_to_pareto(p, q):
    kl = -p.entropy() - q.alpha.log() - q.alpha * q.scale.log() + (q.alpha + 1) * _mean_log(p)
    return fb.where(p.low < q.scale, math.inf, kl)
