"""Instances of the distributions, in double precision, with an interval that holds nearly all of the probability."""
import math

import flambeau as fb

d = fb.distributions


def f(*values):
    return fb.tensor(values, dtype=fb.float64)


# name: (distribution with one batch dim of 2, low, high) of continuous distributions of one number
CONTINUOUS = {
    "Beta": (lambda: d.Beta(f(1.5, 3.0), f(2.0, 2.5)), 0.0, 1.0),
    "Cauchy": (lambda: d.Cauchy(f(0.0, 1.0), f(1.0, 0.5)), None, None),
    "Chi2": (lambda: d.Chi2(f(3.0, 6.0)), 0.0, 80.0),
    "ContinuousBernoulli": (lambda: d.ContinuousBernoulli(f(0.2, 0.5001)), 0.0, 1.0),
    "Exponential": (lambda: d.Exponential(f(0.7, 2.0)), 0.0, 60.0),
    "FisherSnedecor": (lambda: d.FisherSnedecor(f(4.0, 6.0), f(30.0, 40.0)), 0.0, 60.0),
    "Gamma": (lambda: d.Gamma(f(2.0, 4.5), f(1.0, 2.0)), 0.0, 60.0),
    "GeneralizedPareto": (lambda: d.GeneralizedPareto(f(0.0, 0.0), f(1.0, 2.0), f(0.0, -0.1)), 0.0, 20.0),
    "Gumbel": (lambda: d.Gumbel(f(0.0, 1.0), f(1.0, 0.5)), -8.0, 30.0),
    "HalfNormal": (lambda: d.HalfNormal(f(1.0, 2.0)), 0.0, 25.0),
    "InverseGamma": (lambda: d.InverseGamma(f(9.0, 12.0), f(1.0, 2.0)), 1e-3, 9.0),
    "Kumaraswamy": (lambda: d.Kumaraswamy(f(1.7, 2.0), f(1.5, 3.0)), 0.0, 1.0),
    "Laplace": (lambda: d.Laplace(f(0.0, 1.0), f(1.0, 0.5)), -40.0, 40.0),
    "LogNormal": (lambda: d.LogNormal(f(0.0, 0.3), f(0.3, 0.4)), 1e-3, 40.0),
    "MixtureSameFamily": (lambda: d.MixtureSameFamily(
        d.Categorical(fb.stack([f(0.3, 0.7), f(0.5, 0.5)])),
        d.Normal(fb.stack([f(-1.0, 2.0), f(0.0, 1.0)]), fb.stack([f(1.0, 0.5), f(1.0, 2.0)]))), -20.0, 20.0),
    "Normal": (lambda: d.Normal(f(0.0, 1.0), f(1.0, 0.5)), -12.0, 12.0),
    "RelaxedBernoulli": (lambda: d.RelaxedBernoulli(f(1.5), f(0.3, 0.6)), 0.0, 1.0),
    "StudentT": (lambda: d.StudentT(f(9.0, 15.0), f(0.0, 1.0), f(1.0, 0.5)), -60.0, 60.0),
    "Uniform": (lambda: d.Uniform(f(-1.0, 0.0), f(2.0, 2.0)), -1.0, 2.0),
    "VonMises": (lambda: d.VonMises(f(0.0, 0.0), f(1.0, 4.0)), -math.pi, math.pi),
    "Weibull": (lambda: d.Weibull(f(1.0, 2.0), f(1.5, 2.0)), 0.0, 30.0),
}
# name: (distribution, largest value looked at) of distributions of counts
DISCRETE = {
    "Bernoulli": (lambda: d.Bernoulli(f(0.2, 0.7)), 1),
    "Binomial": (lambda: d.Binomial(6, f(0.2, 0.7)), 6),
    "Categorical": (lambda: d.Categorical(fb.stack([f(0.2, 0.3, 0.5), f(1.0, 1.0, 2.0)])), 2),
    "Geometric": (lambda: d.Geometric(f(0.3, 0.6)), 150),
    "NegativeBinomial": (lambda: d.NegativeBinomial(f(2.0, 3.5), f(0.3, 0.5)), 200),
    "Poisson": (lambda: d.Poisson(f(0.6, 4.0)), 60),
}
COVARIANCE = [[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.0]]
VECTORS = {
    "Dirichlet": lambda: d.Dirichlet(f(1.5, 2.0, 3.0)),
    "LogisticNormal": lambda: d.LogisticNormal(f(0.0, 0.3), f(1.0, 0.5)),
    "Multinomial": lambda: d.Multinomial(5, f(0.2, 0.3, 0.5)),
    "OneHotCategorical": lambda: d.OneHotCategorical(f(0.2, 0.3, 0.5)),
    "RelaxedOneHotCategorical": lambda: d.RelaxedOneHotCategorical(f(0.7), f(0.2, 0.3, 0.5)),
}
MATRICES = {
    "LKJCholesky": lambda: d.LKJCholesky(3, f(1.5)),
    "LowRankMultivariateNormal": lambda: d.LowRankMultivariateNormal(f(0.0, 1.0, 2.0), f(1.0, 0.5, -0.3)[:, None],
                                                                     f(0.5, 1.0, 2.0)),
    "MultivariateNormal": lambda: d.MultivariateNormal(f(0.0, 1.0, 2.0), fb.tensor(COVARIANCE, dtype=fb.float64)),
    "Wishart": lambda: d.Wishart(f(5.0)[0], fb.tensor(COVARIANCE, dtype=fb.float64)),
}
