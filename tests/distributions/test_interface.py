"""Shapes, expansion, checks of arguments and values, printing; and that importing flambeau leaves all this alone."""
import subprocess
import sys

import pytest

import flambeau as fb
from instances import CONTINUOUS, DISCRETE, VECTORS, d, f
from flambeau.distributions import constraints, utils

MAKE = {name: case[0] for name, case in {**CONTINUOUS, **DISCRETE}.items()} | VECTORS


@pytest.mark.parametrize("name", sorted(MAKE))
def test_expand(name):
    dist = MAKE[name]()
    fb.manual_seed(0)
    value = dist.sample()
    wide = dist.expand((4, *dist.batch_shape))
    assert type(wide) is type(dist) and wide.batch_shape == (4, *dist.batch_shape)
    assert wide.event_shape == dist.event_shape and wide.support.event_dim == len(dist.event_shape)
    fb.testing.assert_close(wide.log_prob(value), dist.log_prob(value).expand(wide.batch_shape))
    assert wide.sample((2,)).shape == (2, 4, *dist.batch_shape, *dist.event_shape)
    try:
        mean = dist.mean
    except NotImplementedError:
        return
    fb.testing.assert_close(wide.mean, mean.expand(wide.mean.shape), equal_nan=True)


def test_numbers_give_an_empty_batch():
    assert d.Normal(0, 1).batch_shape == () and d.Normal(0, 1).sample((3,)).shape == (3,)
    assert d.Normal(fb.zeros(2, 1), fb.ones(3)).batch_shape == (2, 3)


@pytest.mark.parametrize("make", [
    lambda: d.Normal(fb.zeros(2), -fb.ones(2)), lambda: d.Normal(float("nan"), 1.0), lambda: d.Bernoulli(1.5),
    lambda: d.Categorical(fb.tensor([-1.0, 2.0])), lambda: d.Uniform(1.0, 0.0), lambda: d.Geometric(0.0),
    lambda: d.Gamma(0.0, 1.0), lambda: d.Dirichlet(fb.tensor([1.0, 0.0])), lambda: d.Bernoulli(),
    lambda: d.Bernoulli(probs=0.5, logits=0.0), lambda: d.Categorical(fb.tensor(1.0)), lambda: d.Normal("0", 1.0),
    lambda: d.Independent(d.Normal(0.0, 1.0), 1), lambda: d.LKJCholesky(1), lambda: d.Poisson(-1.0),
    lambda: d.MixtureSameFamily(d.Categorical(fb.ones(2)), d.Normal(fb.zeros(3), 1.0)),
    lambda: d.MixtureSameFamily(d.Normal(0.0, 1.0), d.Normal(fb.zeros(3), 1.0))])
def test_bad_parameters_are_refused(make):
    with pytest.raises(ValueError):
        make()


def test_checks_can_be_switched_off():
    d.Normal(0.0, -1.0, validate_args=False).log_prob(fb.tensor(0.0))
    try:
        d.Distribution.set_default_validate_args(False)
        d.Normal(0.0, -1.0)
    finally:
        d.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError):
        d.Distribution.set_default_validate_args(3)


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match="support"):
        d.Bernoulli(fb.tensor(0.5)).log_prob(fb.tensor(3.0))
    with pytest.raises(ValueError, match="a tensor, not float"):
        d.Normal(0.0, 1.0).log_prob(0.0)
    with pytest.raises(ValueError, match="event_shape"):
        d.Dirichlet(fb.ones(3)).log_prob(fb.ones(2) / 2)
    with pytest.raises(ValueError, match="broadcast"):
        d.Normal(fb.zeros(3), 1.0).log_prob(fb.zeros(2))


def test_repr():
    assert repr(d.Normal(0.0, fb.ones(3))) == "Normal(loc: torch.Size([3]), scale: torch.Size([3]))"
    assert repr(d.Normal(0.5, 2.0)) == "Normal(loc: 0.5, scale: 2.0)"
    assert repr(d.Independent(d.Bernoulli(fb.ones(2)), 1)) == "Independent(Bernoulli(probs: torch.Size([2])), 1)"
    assert repr(constraints.interval(0, 1)) == "Interval(lower_bound=0, upper_bound=1)"
    assert repr(d.ComposeTransform([d.ExpTransform()])) == "ComposeTransform(\n    ExpTransform()\n)"


def test_probabilities_and_logits_follow_from_each_other():
    fb.testing.assert_close(d.Bernoulli(logits=fb.tensor(0.0)).probs, fb.tensor(0.5))
    fb.testing.assert_close(d.Categorical(logits=fb.tensor([0.0, 0.0])).probs, fb.tensor([0.5, 0.5]))
    dist = d.Bernoulli(fb.tensor(0.3, requires_grad=True))
    with fb.no_grad():
        assert dist.logits.requires_grad                                # kept for later, so it carries the graph
    assert dist.logits is dist.logits


def test_subclass_must_say_how_it_expands():
    class Standard(d.Normal):
        def __init__(self):
            super().__init__(0.0, 1.0)
    with pytest.raises(NotImplementedError, match="Standard"):
        Standard().expand((2,))


CHECKS = [
    (constraints.boolean, [0.0, 1.0, 0.5], [True, True, False]),
    (constraints.integer_interval(1, 3), [1.0, 1.5, 4.0], [True, False, False]),
    (constraints.nonnegative_integer, [0.0, -1.0, 0.5], [True, False, False]),
    (constraints.greater_than(0.5), [0.5, 0.6], [False, True]),
    (constraints.greater_than_eq(0.5), [0.5, 0.4], [True, False]),
    (constraints.less_than(0.5), [0.5, 0.4], [False, True]),
    (constraints.half_open_interval(0, 1), [0.0, 1.0], [True, False]),
    (constraints.real, [float("nan"), float("inf")], [False, True]),
    (constraints.simplex, [[0.5, 0.5], [0.5, 0.6], [1.5, -0.5]], [True, False, False]),
    (constraints.one_hot, [[0.0, 1.0], [1.0, 1.0]], [True, False]),
    (constraints.multinomial(3), [[1.0, 2.0], [2.0, 2.0], [-1.0, 2.0]], [True, False, False]),
    (constraints.lower_triangular, [[[1.0, 0.0], [2.0, -3.0]], [[1.0, 1.0], [0.0, 1.0]]], [True, False]),
    (constraints.lower_cholesky, [[[1.0, 0.0], [2.0, -3.0]], [[1.0, 0.0], [0.0, 1.0]]], [False, True]),
    (constraints.corr_cholesky, [[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.7]]], [True, False]),
    (constraints.symmetric, [[[1.0, 2.0], [2.0, -3.0]], [[1.0, 1.0], [0.0, 1.0]]], [True, False]),
]


@pytest.mark.parametrize("constraint,values,expected", CHECKS, ids=lambda v: repr(v)[:40])
def test_constraints(constraint, values, expected):
    assert constraint.check(fb.tensor(values, dtype=fb.float64)).tolist() == expected


def test_dependent_constraints():
    assert constraints.is_dependent(d.Uniform.support) and not constraints.is_dependent(d.Uniform(0.0, 1.0).support)
    assert d.Binomial.support.is_discrete and d.Binomial.support.event_dim == 0
    with pytest.raises(NotImplementedError):
        constraints.dependent.event_dim  # noqa: B018
    with pytest.raises(ValueError):
        constraints.dependent.check(fb.zeros(1))


def test_packed_triangles():
    for diag in (0, -1, 1):
        mat = fb.arange(9.0).reshape(3, 3).tril(diag)
        fb.testing.assert_close(utils.vec_to_tril_matrix(utils.tril_matrix_to_vec(mat, diag), diag), mat)
    with pytest.raises(ValueError):
        utils.vec_to_tril_matrix(fb.ones(4))
    with pytest.raises(ValueError):
        utils.tril_matrix_to_vec(fb.ones(3, 3), 3)


def test_import_is_lazy():
    code = "import sys, flambeau; print([m for m in sys.modules if 'distributions' in m or '.amp' in m])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_what_is_made_like_an_expanded_tensor_is_packed():
    p = fb.ones(3).expand(6, 3)
    assert (p + 1).view(-1).shape == (18,) and fb.empty_like(p).stride() == (3, 1)
    assert f(1.0, 2.0).expand(4, 3, 2).exp().stride() == (6, 2, 1)
