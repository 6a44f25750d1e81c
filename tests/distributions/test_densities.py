"""Closed forms against sums and integrals of the density."""
import math

import pytest

import flambeau as fb
from instances import CONTINUOUS, DISCRETE, f

CONTINUOUS_NAMES, DISCRETE_NAMES = sorted(CONTINUOUS), sorted(DISCRETE)


def grid(name, points=40001):
    """Points and weights of an integral over the interval. Shapes: (points, 1)."""
    _, low, high = CONTINUOUS[name]
    if low is None:                                                     # heavy tails: x = tan t
        t = fb.linspace(-math.pi / 2 + 1e-9, math.pi / 2 - 1e-9, points, dtype=fb.float64)
        return t.tan()[:, None], ((t[1] - t[0]) / t.cos() ** 2)[:, None]
    edges = fb.linspace(low, high, points + 1, dtype=fb.float64)
    return ((edges[1:] + edges[:-1]) / 2)[:, None], edges[1] - edges[0]


def unless_absent(compute):
    try:
        return compute()
    except NotImplementedError:
        return None


@pytest.mark.parametrize("name", CONTINUOUS_NAMES)
def test_integrals_of_the_density(name):
    dist = CONTINUOUS[name][0]()
    x, weight = grid(name)
    x = x.expand(-1, 2)
    inside = dist.support.check(x)
    log_density = fb.where(inside, type(dist).log_prob(*_unchecked(dist, x)), -math.inf)
    mass = log_density.exp() * weight
    fb.testing.assert_close(mass.sum(0), fb.ones(2, dtype=fb.float64), rtol=0, atol=2e-4)
    if name not in ("Cauchy", "VonMises"):
        mean, variance = unless_absent(lambda: dist.mean), unless_absent(lambda: dist.variance)
        if mean is not None:
            fb.testing.assert_close((mass * x).sum(0), mean, rtol=2e-3, atol=2e-3)
            fb.testing.assert_close((mass * (x - mean) ** 2).sum(0), variance, rtol=5e-3, atol=2e-3)
            fb.testing.assert_close(dist.stddev, variance.sqrt())
    entropy = unless_absent(dist.entropy)
    if entropy is not None:
        terms = fb.where(mass > 0, mass * log_density, 0.0)
        fb.testing.assert_close(-terms.sum(0), entropy, rtol=2e-3, atol=2e-3)
        fb.testing.assert_close(dist.perplexity(), entropy.exp())


def _unchecked(dist, x):
    dist._validate_args = False
    return dist, x


@pytest.mark.parametrize("name", CONTINUOUS_NAMES)
def test_cdf_is_the_integral_and_icdf_its_inverse(name):
    dist = CONTINUOUS[name][0]()
    x, weight = grid(name)
    x = x.expand(-1, 2)
    if unless_absent(lambda: dist.cdf(dist.mean if name != "Cauchy" else dist.mode)) is None:
        pytest.skip("no cdf in closed form")
    dist._validate_args = False
    inside = dist.support.check(x)
    mass = fb.where(inside, dist.log_prob(x).exp(), 0.0) * weight
    summed = mass.cumsum(0) - mass / 2
    places = range(4000, 36001, 4000)
    for i in places:
        if inside[i].all() and ((summed[i] > 1e-12) & (summed[i] < 1 - 1e-9)).all():
            fb.testing.assert_close(dist.cdf(x[i]), summed[i], rtol=0, atol=1e-3)
    level = f(0.3, 0.8)
    quantile = unless_absent(lambda: dist.icdf(level))
    if quantile is not None:
        fb.testing.assert_close(dist.cdf(quantile), level, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", DISCRETE_NAMES)
def test_sums_of_probabilities(name):
    make, last = DISCRETE[name]
    dist = make()
    k = fb.arange(last + 1, dtype=fb.float64)[:, None].expand(-1, 2)
    log_p = dist.log_prob(k)
    p = log_p.exp()
    fb.testing.assert_close(p.sum(0), fb.ones(2, dtype=fb.float64))
    if name != "Categorical":
        fb.testing.assert_close((p * k).sum(0), dist.mean)
        fb.testing.assert_close((p * (k - dist.mean) ** 2).sum(0), dist.variance)
        assert ((log_p.argmax(0) == dist.mode) | ((dist.log_prob(dist.mode) - log_p.max(0)[0]).abs() < 1e-9)).all()
    entropy = unless_absent(dist.entropy)
    if entropy is not None:
        fb.testing.assert_close(-(p * log_p).nan_to_num(0.0).sum(0), entropy)
    if dist.has_enumerate_support:
        assert dist.enumerate_support().tolist() == k.tolist()
        assert dist.enumerate_support(expand=False).shape == (last + 1, 1)


def test_multinomial_and_one_hot_are_distributions():
    probs = f(0.2, 0.3, 0.5)
    multinomial = fb.distributions.Multinomial(3, probs)
    values = fb.tensor([[i, j, 3 - i - j] for i in range(4) for j in range(4 - i)], dtype=fb.float64)
    log_p = multinomial.log_prob(values)
    fb.testing.assert_close(log_p.exp().sum(), f(1.0)[0])
    fb.testing.assert_close(-(log_p.exp() * log_p).sum(), multinomial.entropy())
    one_hot = fb.distributions.OneHotCategorical(probs)
    fb.testing.assert_close(one_hot.log_prob(one_hot.enumerate_support()).exp(), probs)


def test_exponential_families_by_bregman_divergence():
    from flambeau.distributions.exp_family import ExponentialFamily
    for name in ("Exponential", "Gamma", "Normal", "ContinuousBernoulli"):
        dist = CONTINUOUS[name][0]()
        fb.testing.assert_close(ExponentialFamily.entropy(dist).detach(), dist.entropy(), rtol=1e-6, atol=1e-6)
