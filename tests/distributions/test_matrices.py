"""Distributions that factor matrices."""
import math

import pytest

import flambeau as fb
from instances import COVARIANCE, MATRICES, d, f
from flambeau.distributions import constraints

pytest.importorskip("flambeau.linalg")
sigma = fb.tensor(COVARIANCE, dtype=fb.float64)


@pytest.mark.parametrize("name", sorted(MATRICES))
def test_interface(name):
    dist = MATRICES[name]()
    fb.manual_seed(1)
    drawn = dist.sample((5,))
    assert drawn.shape == (5, *dist.batch_shape, *dist.event_shape) and dist.support.check(drawn).all()
    wide = dist.expand((4, *dist.batch_shape))
    fb.testing.assert_close(wide.log_prob(drawn[0]), dist.log_prob(drawn[0]).expand(wide.batch_shape))
    assert wide.sample((2,)).shape == (2, 4, *dist.batch_shape, *dist.event_shape)


@pytest.mark.parametrize("name", ["MultivariateNormal", "LowRankMultivariateNormal"])
def test_normal_moments_and_entropy(name):
    dist = MATRICES[name]()
    fb.manual_seed(2)
    drawn = dist.sample((40000,))
    centred = drawn - dist.mean
    fb.testing.assert_close(centred.mT @ centred / len(drawn), dist.covariance_matrix, rtol=0.05, atol=0.05)
    fb.testing.assert_close(dist.variance, dist.covariance_matrix.diagonal())
    log_p = dist.log_prob(drawn)
    assert abs(-log_p.mean() - dist.entropy()) < 6 * log_p.std() / 200
    eye = fb.eye(3, dtype=fb.float64)
    fb.testing.assert_close(dist.precision_matrix @ dist.covariance_matrix, eye, rtol=0, atol=1e-9)
    fb.testing.assert_close(dist.scale_tril @ dist.scale_tril.mT, dist.covariance_matrix)


def test_normal_in_its_four_forms():
    mean, x = f(0.0, 1.0, 2.0), fb.tensor([[0.1, 0.2, 0.3], [1.0, -1.0, 0.0]], dtype=fb.float64)
    full = d.MultivariateNormal(mean, sigma)
    factor, diagonal = f(1.0, 0.5, -0.3)[:, None], f(0.5, 1.0, 2.0)
    low = d.LowRankMultivariateNormal(mean, factor, diagonal)
    dense = d.MultivariateNormal(mean, factor @ factor.mT + diagonal.diag())
    for a, b in ((full, d.MultivariateNormal(mean, precision_matrix=full.precision_matrix)),
                 (full, d.MultivariateNormal(mean, scale_tril=full.scale_tril)), (low, dense)):
        fb.testing.assert_close(a.log_prob(x), b.log_prob(x))
        fb.testing.assert_close(a.entropy(), b.entropy())
    single = d.MultivariateNormal(mean, (diagonal ** 2).diag())
    fb.testing.assert_close(single.log_prob(x), d.Normal(mean, diagonal).log_prob(x).sum(-1))
    batch = d.MultivariateNormal(fb.zeros(2, 1, 3).double(), sigma.expand(4, 3, 3))
    assert batch.batch_shape == (2, 4) and batch.log_prob(x[0]).shape == (2, 4)
    fb.testing.assert_close(batch.log_prob(x[0])[1, 2], d.MultivariateNormal(0 * mean, sigma).log_prob(x[0]))


def test_divergences_of_normals():
    p, low = MATRICES["MultivariateNormal"](), MATRICES["LowRankMultivariateNormal"]()
    q = d.MultivariateNormal(f(0.5, 0.5, 1.0), 2 * sigma)
    dense = d.MultivariateNormal(low.loc, low.covariance_matrix)
    fb.manual_seed(3)
    x = p.sample((20000,))
    ratio = p.log_prob(x) - q.log_prob(x)
    assert abs(ratio.mean() - d.kl_divergence(p, q)) < 6 * ratio.std() / math.sqrt(len(x))
    for a, b, expected in ((low, q, (dense, q)), (p, low, (p, dense)), (low, low.expand((2,)), None)):
        kl = d.kl_divergence(a, b)
        fb.testing.assert_close(kl, fb.zeros_like(kl) if expected is None else d.kl_divergence(*expected),
                                rtol=1e-7, atol=1e-9)


def test_gradients_of_normal_parameters():
    mean, matrix = f(0.0, 1.0, 2.0).requires_grad_(), sigma.clone().requires_grad_()
    dist = d.MultivariateNormal(mean, matrix)
    x = f(0.1, 0.2, 0.3)
    grad_mean, grad_matrix = fb.autograd.grad(dist.log_prob(x), (mean, matrix))
    precision = dist.precision_matrix.detach()
    pull = precision @ (x - mean.detach())
    fb.testing.assert_close(grad_mean, pull)
    symmetric = (grad_matrix + grad_matrix.mT) / 2
    fb.testing.assert_close(symmetric, (pull[:, None] * pull - precision) / 2)


def test_wishart_of_one_dim_is_gamma():
    w = d.Wishart(f(3.5)[0], fb.tensor([[2.0]], dtype=fb.float64))
    g = d.Gamma(f(1.75)[0], f(0.25)[0])
    x = f(0.7)[0]
    fb.testing.assert_close(w.log_prob(x.reshape(1, 1)), g.log_prob(x))
    fb.testing.assert_close(w.entropy(), g.entropy())
    fb.testing.assert_close(w.mean.reshape(()), g.mean)
    fb.testing.assert_close(w.variance.reshape(()), g.variance)


def test_wishart_moments_entropy_and_divergence():
    p = MATRICES["Wishart"]()
    q = d.Wishart(f(6.0)[0], 1.5 * sigma)
    fb.manual_seed(4)
    x = p.sample((20000,))
    assert ((x.mean(0) - p.mean).abs() < 6 * p.variance.sqrt() / math.sqrt(len(x))).all()
    fb.testing.assert_close(x.var(0), p.variance, rtol=0.1, atol=0.1)
    log_p = p.log_prob(x)
    assert abs(-log_p.mean() - p.entropy()) < 6 * log_p.std() / math.sqrt(len(x))
    ratio = log_p - q.log_prob(x)
    assert abs(ratio.mean() - d.kl_divergence(p, q)) < 6 * ratio.std() / math.sqrt(len(x))
    fb.testing.assert_close(p.expand((2,)).mode, (p.df - 4) * sigma.expand(2, 3, 3), equal_nan=True)


def test_lkj():
    r = fb.linspace(-1, 1, 20001, dtype=fb.float64)[1:-1]
    zero = fb.zeros_like(r)
    factors = fb.stack([fb.stack([zero + 1, zero], -1), fb.stack([r, (1 - r ** 2).sqrt()], -1)], -2)
    density = d.LKJCholesky(2, f(2.5)[0]).log_prob(factors).exp()
    fb.testing.assert_close((density.sum() * (r[1] - r[0])).item(), 1.0, rtol=1e-4, atol=0)
    fb.manual_seed(5)
    correlation = d.LKJCholesky(2, f(1.5)[0]).sample((20000,))[:, 1, 0]
    # 2 Beta(a, a) - 1 with a = concentration
    assert abs(correlation.mean()) < 0.02 and abs(correlation.var() * (2 * 1.5 + 1) - 1) < 0.05


def test_positive_definite_region():
    x = fb.randn(4, 3, 3, dtype=fb.float64)
    t = d.transform_to(constraints.positive_definite)
    assert constraints.positive_definite.check(t(x)).all()
    fb.testing.assert_close(t.inv(t(x)), x.tril(), rtol=1e-6, atol=1e-6)
    both = fb.tensor([[[1.0, 0.0], [0.0, 0.0]], [[1.0, 2.0], [2.0, 1.0]]])
    assert constraints.positive_definite.check(both).tolist() == [False, False]
    assert constraints.positive_semidefinite.check(both).tolist() == [True, False]


@pytest.mark.parametrize("make", [
    lambda: d.MultivariateNormal(fb.zeros(2), -fb.eye(2)), lambda: d.MultivariateNormal(fb.zeros(2)),
    lambda: d.MultivariateNormal(fb.zeros(2), fb.eye(2), scale_tril=fb.eye(2)),
    lambda: d.MultivariateNormal(fb.tensor(0.0), fb.eye(2)), lambda: d.Wishart(fb.tensor(1.0), fb.eye(3)),
    lambda: d.LowRankMultivariateNormal(fb.zeros(3), fb.ones(2, 1), fb.ones(3)),
    lambda: d.LowRankMultivariateNormal(fb.zeros(3), fb.ones(3, 1), fb.ones(2))])
def test_bad_parameters_are_refused(make):
    with pytest.raises(ValueError):
        make()
