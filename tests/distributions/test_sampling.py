"""Draws: shapes, support, moments, and gradients that flow through them."""
import math

import pytest

import flambeau as fb
from instances import CONTINUOUS, DISCRETE, VECTORS, d, f

MAKE = {name: case[0] for name, case in {**CONTINUOUS, **DISCRETE}.items()} | VECTORS


@pytest.mark.parametrize("name", sorted(MAKE))
def test_shape_support_and_seed(name):
    dist = MAKE[name]()
    fb.manual_seed(7)
    drawn = dist.sample((4, 3))
    assert drawn.shape == (4, 3) + dist.batch_shape + dist.event_shape
    assert dist.support.check(drawn).all() and not drawn.requires_grad
    fb.manual_seed(7)
    assert fb.equal(drawn, dist.sample((4, 3)))
    assert not fb.equal(drawn, dist.sample((4, 3)))
    assert dist.log_prob(drawn).shape == (4, 3) + dist.batch_shape


@pytest.mark.parametrize("name", sorted(MAKE))
def test_moments_of_draws(name):
    dist = MAKE[name]()
    try:
        mean, stddev = dist.mean, dist.stddev
    except NotImplementedError:
        pytest.skip("no mean in closed form")
    if name in ("Cauchy", "VonMises", "Categorical"):
        pytest.skip("no mean of the numbers themselves")
    n = 20000
    fb.manual_seed(3)
    drawn = dist.sample((n,)).double()
    assert ((drawn.mean(0) - mean).abs() < 5 * stddev / math.sqrt(n)).all()
    assert ((drawn.var(0) / dist.variance - 1).abs() < 0.12).all()


@pytest.mark.parametrize("name", [n for n in sorted(CONTINUOUS) if MAKE[n]().has_rsample])
def test_gradients_flow_through_draws(name):
    """d/dθ of a draw is that of its quantile at a fixed level: -(∂F/∂θ) / density, where there is a cdf."""
    base = MAKE[name]()
    if name == "GeneralizedPareto":                                     # at 0 the formula is another one
        base.concentration = f(0.2, -0.1)
    if name in ("ContinuousBernoulli", "RelaxedBernoulli"):
        pytest.skip("parametrised by probabilities")
    names = [n for n in base.arg_constraints if n not in ("probs", "logits")]
    parameters = {n: getattr(base, n).detach().clone().requires_grad_() for n in names}
    dist = type(base)(**parameters)
    fb.manual_seed(11)
    drawn = dist.rsample()
    try:
        dist.cdf(drawn.detach())
    except NotImplementedError:
        drawn.sum().backward()
        assert all(p.grad.isfinite().all() for p in parameters.values())
        return
    grads = fb.autograd.grad(drawn.sum(), list(parameters.values()), allow_unused=True)
    density = dist.log_prob(drawn.detach()).exp().detach()
    for (n, p), grad in zip(parameters.items(), grads):
        step = 1e-5
        with fb.no_grad():
            up = type(base)(**{**parameters, n: p + step}).cdf(drawn.detach())
            down = type(base)(**{**parameters, n: p - step}).cdf(drawn.detach())
        expected = -(up - down) / (2 * step) / density
        fb.testing.assert_close(grad, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("alpha", [1e-3, 0.3, 1.0, 4.0, 60.0, 3e3, 2e5])
def test_gradient_of_gamma_draws(alpha):
    a = fb.full((200,), alpha, dtype=fb.float64, requires_grad=True)
    fb.manual_seed(0)
    drawn = fb._C._standard_gamma(a)
    grad, = fb.autograd.grad(drawn.sum(), a)
    z, step = drawn.detach(), alpha * 1e-5
    kept = (z > 1e-200) & (z < 1e4 * (1 + alpha))
    derivative = (fb.igamma(a.detach() + step, z) - fb.igamma(a.detach() - step, z)) / (2 * step)
    expected = -derivative / (a.detach() * z.log() - z - z.log() - a.detach().lgamma()).exp()
    usable = kept & (fb.igamma(a.detach(), z) < 0.999) & (fb.igamma(a.detach(), z) > 1e-3)
    assert usable.sum() > 20
    fb.testing.assert_close(grad[usable], expected[usable], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("alpha", [(0.4, 0.7), (1.0, 2.0), (5.0, 30.0), (800.0, 300.0)])
def test_gradient_of_beta_draws(alpha):
    """Against the derivative of the distribution function, integrated numerically."""
    a, b = (fb.full((40,), v, dtype=fb.float64, requires_grad=True) for v in alpha)
    fb.manual_seed(0)
    drawn = d.Beta(a, b).rsample()
    grad_a, grad_b = fb.autograd.grad(drawn.sum(), (a, b))
    x = drawn.detach()
    # F = ∫₀ˣ p, with t = x s^4 so that a pole at 0 does no harm
    s = (fb.arange(20000, dtype=fb.float64)[:, None] + 0.5) / 20000
    power = 4 / min(1.0, *alpha)
    t = x * s ** power

    def cdf(a, b):
        density = d.Beta(a, b, validate_args=False).log_prob(t).exp()
        return (density * x * power * s ** (power - 1)).mean(0)
    p = d.Beta(a, b).log_prob(x).exp().detach()
    for grad, value, shifted in ((grad_a, a, lambda h: cdf(a + h, b)), (grad_b, b, lambda h: cdf(a, b + h))):
        h = 1e-4 * value.detach()[0]
        with fb.no_grad():
            expected = -(shifted(h) - shifted(-h)) / (2 * h) / p
        usable = (x > 1e-4) & (x < 1 - 1e-4)
        fb.testing.assert_close(grad[usable], expected[usable], rtol=2e-3, atol=1e-5)


def test_gradients_of_huge_parameters():
    big = f(1e11, 1e200, 1e300)
    a = big.clone().requires_grad_()
    grad, = fb.autograd.grad(fb._C._standard_gamma(a).sum(), a)
    fb.testing.assert_close(grad, fb.ones(3, dtype=fb.float64), rtol=1e-4, atol=0)
    fb.testing.assert_close(fb._C._standard_gamma_grad(f(1e300), f(1e300) * (1 - 2 ** -50)), f(1.0))
    slope = fb._C._dirichlet_grad(f(0.25), f(1e11), f(4e11))
    fb.testing.assert_close(slope, f(0.75 / 4e11 / 0.75), rtol=1e-6, atol=0)
    for bad in (f(float("nan")), f(-1.0), f(float("inf"))):
        assert fb._C._standard_gamma_grad(bad, f(1.0)).isnan().all()
        assert fb._C._dirichlet_grad(f(0.5), bad, f(float("inf"))).isnan().all()


def test_dirichlet_gradient_keeps_the_sum():
    c = f(0.5, 2.0, 7.0).requires_grad_()
    drawn = d.Dirichlet(c).rsample((5,))
    grad, = fb.autograd.grad(drawn.sum(), c)
    fb.testing.assert_close(grad, fb.zeros(3, dtype=fb.float64), rtol=0, atol=1e-10)


def test_straight_through_gradient_is_that_of_the_probabilities():
    probs = f(0.2, 0.3, 0.5).requires_grad_()
    drawn = d.OneHotCategoricalStraightThrough(probs).rsample()
    assert sorted(drawn.tolist()) == [0.0, 0.0, 1.0]
    weights = f(1.0, 2.0, 4.0)
    (drawn * weights).sum().backward()
    again = f(0.2, 0.3, 0.5).requires_grad_()
    (again / again.sum() * weights).sum().backward()
    fb.testing.assert_close(probs.grad, again.grad)
