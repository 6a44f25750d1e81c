"""Transforms: inverses, log determinants against autograd, shapes, caches; the registry of constraints."""
import pytest

import flambeau as fb
from instances import d, f
from flambeau.distributions import biject_to, constraints, transform_to, transforms

TRANSFORMS = {
    "affine": (lambda: d.AffineTransform(f(1.0, 2.0), f(-2.0, 0.5)), f(0.3, -1.0)),
    "affine event": (lambda: d.AffineTransform(1.0, 3.0, event_dim=1), f(0.3, -1.0)),
    "compose": (lambda: d.ComposeTransform([d.ExpTransform(), d.AffineTransform(0.0, 2.0)]), f(0.5, -1.5)),
    "corr cholesky": (d.CorrCholeskyTransform, f(0.5, -0.3, 0.2)),
    "cdf": (lambda: d.CumulativeDistributionTransform(d.Normal(f(0.0), f(1.0))), f(0.5, -1.5)),
    "exp": (d.ExpTransform, f(0.5, -1.5)),
    "independent": (lambda: d.IndependentTransform(d.ExpTransform(), 1), f(0.5, -1.5)),
    "power": (lambda: d.PowerTransform(f(-1.5)), f(0.5, 1.5)),
    "reshape": (lambda: d.ReshapeTransform((4,), (2, 2)), f(1.0, 2.0, 3.0, 4.0)),
    "sigmoid": (d.SigmoidTransform, f(0.5, -1.5)),
    "softplus": (d.SoftplusTransform, f(0.5, -1.5)),
    "stick breaking": (d.StickBreakingTransform, f(0.5, -1.5, 0.2)),
    "tanh": (d.TanhTransform, f(0.5, -1.5)),
    "cat": (lambda: d.CatTransform([d.ExpTransform(), d.TanhTransform()], lengths=[2, 1]), f(0.5, -1.5, 0.2)),
    "stack": (lambda: d.StackTransform([d.ExpTransform(), d.TanhTransform()]), f(0.5, -1.5)),
}


def free_part(name, y):
    """As many numbers of the image as of the input, so that the Jacobian is square."""
    if name == "corr cholesky":
        return transforms.tril_matrix_to_vec(y, diag=-1)
    return y[:-1] if name == "stick breaking" else y.reshape(-1)


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_inverse_and_log_determinant(name):
    make, x = TRANSFORMS[name]
    t = make()
    y = t(x)
    assert t.bijective
    fb.testing.assert_close(t.inv(y), x)
    assert t.codomain.check(y).all() and t.inv.inv is t
    assert t.forward_shape(x.shape) == y.shape and t.inverse_shape(y.shape) == x.shape
    found = t.log_abs_det_jacobian(x, y)
    assert found.shape == x.shape[:x.dim() - t.domain.event_dim]
    columns = [fb.autograd.grad(free_part(name, t(z))[i], z)[0] for z in [x.detach().requires_grad_()]
               for i in range(len(x))]
    expected = abs(determinant(fb.stack(columns).tolist()))
    fb.testing.assert_close(found.sum().exp().item(), expected, rtol=1e-6, atol=1e-9)
    fb.testing.assert_close(t.inv.log_abs_det_jacobian(y, x), -found)


def determinant(m):
    if not m:
        return 1.0
    return sum((-1) ** j * m[0][j] * determinant([row[:j] + row[j + 1:] for row in m[1:]]) for j in range(len(m)))


def test_transforms_without_determinant():
    x = f(0.5, -1.5)
    fb.testing.assert_close(d.AbsTransform()(x), x.abs())
    fb.testing.assert_close(d.SoftmaxTransform()(x), fb.softmax(x, 0))
    with pytest.raises(NotImplementedError):
        d.SoftmaxTransform().log_abs_det_jacobian(x, x)
    lower = d.LowerCholeskyTransform()
    square = fb.tensor([[0.5, 9.0], [-1.5, 0.3]], dtype=fb.float64)
    assert constraints.lower_cholesky.check(lower(square))
    fb.testing.assert_close(lower.inv(lower(square)), square.tril())


def test_cache_gives_back_the_same_tensor():
    t = d.TanhTransform(cache_size=1)
    x = fb.tensor([30.0])
    y = t(x)
    assert t.inv(y) is x and t(x) is y and t.with_cache(1) is t
    assert d.TanhTransform().inv(y).isinf().all()
    with pytest.raises(ValueError):
        d.TanhTransform(cache_size=2)
    composed = d.ComposeTransform([d.ExpTransform(), d.TanhTransform()], cache_size=1)
    assert composed.inv(composed(x)) is x


def test_equality_and_errors():
    assert d.ExpTransform() == d.ExpTransform() and d.ExpTransform() != d.TanhTransform()
    assert d.AffineTransform(1.0, 2.0) == d.AffineTransform(1.0, f(2.0))
    assert d.PowerTransform(2.0) != d.PowerTransform(3.0)
    assert d.AffineTransform(0.0, -2.0).sign == -1
    with pytest.raises(ValueError):
        d.ReshapeTransform((2,), (3,))
    with pytest.raises(ValueError):
        d.ReshapeTransform((4,), (2, 2)).forward_shape((3, 5))
    with pytest.raises(ValueError):
        d.CorrCholeskyTransform().forward_shape((4,))
    with pytest.raises(ValueError):
        d.StickBreakingTransform().event_dim and d.ReshapeTransform((4,), (2, 2)).event_dim
    with pytest.raises(ValueError):
        d.TransformedDistribution(d.Normal(0.0, 1.0), [3])


REGIONS = [constraints.real, constraints.positive, constraints.nonnegative, constraints.greater_than(-2.0),
           constraints.less_than(3.0), constraints.unit_interval, constraints.interval(-2.0, 5.0),
           constraints.half_open_interval(0.0, 2.0), constraints.simplex, constraints.real_vector,
           constraints.cat([constraints.positive, constraints.real], -1, [2, 1]),
           constraints.stack([constraints.positive, constraints.unit_interval, constraints.real], -1)]


@pytest.mark.parametrize("region", REGIONS, ids=repr)
def test_registry_leads_into_the_region(region):
    fb.manual_seed(0)
    x = fb.randn(5, 3, dtype=fb.float64)
    for registry in (biject_to, transform_to):
        t = registry(region)
        assert region.check(t(x)).all()
        assert t.bijective or registry is transform_to
    fb.testing.assert_close(biject_to(region).inv(biject_to(region)(x)), x)


def test_registry_of_triangles_and_errors():
    x = fb.randn(4, 3, dtype=fb.float64)
    assert constraints.corr_cholesky.check(transform_to(constraints.corr_cholesky)(x)).all()
    assert constraints.lower_cholesky.check(transform_to(constraints.lower_cholesky)(fb.randn(4, 3, 3))).all()
    with pytest.raises(NotImplementedError):
        biject_to(constraints.boolean)
    with pytest.raises(TypeError):
        biject_to.register(int, None)(lambda c: None)
