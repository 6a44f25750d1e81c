"""KL divergences against averages over draws, and the rules of dispatch."""
import math

import pytest

import flambeau as fb
from instances import CONTINUOUS, DISCRETE, d, f
from flambeau.distributions.kl import _KL_REGISTRY, register_kl

INSTANCES = {
    **{name: case[0] for name, case in {**CONTINUOUS, **DISCRETE}.items()},
    "Dirichlet": lambda: d.Dirichlet(fb.stack([f(1.5, 2.0, 3.0), f(1.0, 1.0, 4.0)])),
    "OneHotCategorical": lambda: d.OneHotCategorical(fb.stack([f(0.2, 0.3, 0.5), f(0.1, 0.1, 0.8)])),
    "Pareto": lambda: d.Pareto(f(0.4, 0.8), f(6.0, 7.0)),
    "Independent": lambda: d.Independent(d.Normal(fb.zeros(2, 3).double(), fb.ones(2, 3).double()), 1),
    "TransformedDistribution": lambda: d.TransformedDistribution(d.Normal(f(0.0, 1.0), f(1.0, 0.5)), d.ExpTransform()),
}
OTHERS = {
    "Bernoulli": lambda: d.Bernoulli(f(0.4, 0.4)), "Beta": lambda: d.Beta(f(2.0, 1.2), f(1.1, 2.5)),
    "Binomial": lambda: d.Binomial(6, f(0.4, 0.4)), "Categorical": lambda: d.Categorical(fb.ones(2, 3).double()),
    "Cauchy": lambda: d.Cauchy(f(0.5, 0.0), f(2.0, 1.5)),
    "ContinuousBernoulli": lambda: d.ContinuousBernoulli(f(0.7, 0.3)),
    "Dirichlet": lambda: d.Dirichlet(fb.ones(2, 3).double()), "Exponential": lambda: d.Exponential(f(1.2, 1.0)),
    "Gamma": lambda: d.Gamma(f(3.0, 2.5), f(1.5, 1.0)), "Geometric": lambda: d.Geometric(f(0.4, 0.4)),
    "Gumbel": lambda: d.Gumbel(f(0.5, 0.4), f(2.0, 1.5)), "HalfNormal": lambda: d.HalfNormal(f(2.0, 1.5)),
    "Independent": lambda: d.Independent(d.Normal(fb.ones(2, 3).double(), 2 * fb.ones(2, 3).double()), 1),
    "Laplace": lambda: d.Laplace(f(0.5, 0.5), f(2.0, 1.0)), "Normal": lambda: d.Normal(f(0.5, 0.5), f(2.0, 1.0)),
    "OneHotCategorical": lambda: d.OneHotCategorical(fb.ones(2, 3).double()),
    "Pareto": lambda: d.Pareto(f(0.3, 0.5), f(4.0, 5.0)), "Poisson": lambda: d.Poisson(f(1.0, 3.0)),
    "TransformedDistribution": lambda: d.TransformedDistribution(d.Normal(f(0.5, 0.5), f(2.0, 1.0)), d.ExpTransform()),
    "Uniform": lambda: d.Uniform(f(-2.0, -1.0), f(3.0, 2.5)),
}
PAIRS = sorted({(a.__name__, b.__name__) for a, b in _KL_REGISTRY
                if a.__name__ in INSTANCES and b.__name__ in OTHERS})


@pytest.mark.parametrize("first,second", PAIRS)
def test_kl_is_the_mean_of_the_log_ratio(first, second):
    p, q = INSTANCES[first](), OTHERS[second]()
    if (first, second) == ("Poisson", "Binomial"):
        p = d.Poisson(f(4.0, 5.0))
    if (first, second) == ("Pareto", "Uniform"):
        p = d.Pareto(f(2.0, 2.0), f(2.0, 2.0))
    if (first, second) == ("Uniform", "Pareto"):
        p = d.Uniform(f(1.0, 2.0), f(2.0, 3.0))
    if first == "Uniform" and second in ("Beta", "ContinuousBernoulli"):
        p = d.Uniform(f(0.1, 0.2), f(0.9, 0.8))
    if first == "Uniform" and second in ("Exponential", "Gamma"):
        p = d.Uniform(f(0.1, 1.0), f(2.0, 3.0))
    kl = d.kl_divergence(p, q)
    assert kl.shape == (2,) and (kl >= 0).all()
    fb.manual_seed(5)
    drawn = p.sample((20000,))
    possible = q.support.check(drawn).reshape(drawn.shape[0], 2, -1).all(-1)
    infinite = ~possible.all(0)
    assert kl.isinf().tolist() == infinite.tolist()
    if infinite.any():
        return
    ratio = p.log_prob(drawn) - q.log_prob(drawn)
    error = 6 * ratio.std(0) / math.sqrt(len(ratio)) + 1e-9
    assert ((ratio.mean(0) - kl).abs() <= error).all()


def test_every_pair_of_a_family_is_zero_with_itself():
    for name in OTHERS:
        p = OTHERS[name]()
        fb.testing.assert_close(d.kl_divergence(p, OTHERS[name]()), fb.zeros(2, dtype=fb.float64), rtol=0, atol=1e-9)


def test_probabilities_of_zero():
    p, q = d.Categorical(f(0.0, 1.0)), d.Categorical(f(0.5, 0.5))
    fb.testing.assert_close(d.kl_divergence(p, q).item(), math.log(2))
    assert d.kl_divergence(q, p).item() == math.inf
    assert d.kl_divergence(d.Bernoulli(f(0.0)), d.Bernoulli(f(1.0))).item() == math.inf


def test_dispatch_takes_the_nearest_class():
    class Base(d.Normal):
        pass

    class Nearer(Base):
        pass

    @register_kl(Base, d.Normal)
    def of_base(p, q):
        return "base"
    try:
        assert d.kl_divergence(Nearer(0.0, 1.0), d.Normal(0.0, 1.0)) == "base"

        @register_kl(d.Normal, Base)
        def to_base(p, q):
            return "other"
        with pytest.warns(RuntimeWarning, match="Ambiguous"):
            d.kl_divergence(Base(0.0, 1.0), Base(0.0, 1.0))
    finally:
        for key in [k for k in _KL_REGISTRY if Base in k]:
            del _KL_REGISTRY[key]


def test_unknown_pairs():
    with pytest.raises(NotImplementedError, match="Cauchy"):
        d.kl_divergence(d.Cauchy(0.0, 1.0), d.Normal(0.0, 1.0))
    with pytest.raises(TypeError):
        register_kl(int, d.Normal)
    with pytest.raises(NotImplementedError):
        d.kl_divergence(d.Binomial(2, f(0.5)), d.Binomial(3, f(0.5)))
