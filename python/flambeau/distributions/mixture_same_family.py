"""Mixtures of distributions of one family."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.categorical import Categorical
from flambeau.distributions.distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A draw from component k, where k is drawn from a categorical distribution.

    Args:
        mixture_distribution: `Categorical` over n components, batch shape (*batch).
        component_distribution: the components, batch shape (*batch, n).
    Errors: ValueError for other classes or shapes that do not fit.

    >>> d = fb.distributions
    >>> d.MixtureSameFamily(d.Categorical(fb.ones(2)), d.Normal(fb.tensor([-1., 3.]), 1.)).mean
    tensor(1.)
    """

    arg_constraints: dict[str, constraints.Constraint] = {}
    has_rsample = False

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError("MixtureSameFamily: mixture_distribution must be a Categorical, not "
                             f"{type(mixture_distribution).__name__}")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("MixtureSameFamily: component_distribution must be a Distribution, not "
                             f"{type(component_distribution).__name__}")
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        mixture_batch, batch = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        for a, b in zip(reversed(mixture_batch), reversed(batch)):
            if 1 not in (a, b) and a != b:
                raise ValueError(f"MixtureSameFamily: the batches differ, {mixture_batch} of "
                                 f"mixture_distribution and {component_distribution.batch_shape} of "
                                 "component_distribution")
        have, want = mixture_distribution.logits.shape[-1], component_distribution.batch_shape[-1]
        if have != want:
            raise ValueError(f"MixtureSameFamily: mixture_distribution weighs {have} components, "
                             f"component_distribution has {want}")
        self._num_component = want
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(batch, event_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        batch_shape = fb.Size(batch_shape)
        new._component_distribution = self._component_distribution.expand(batch_shape + (self._num_component,))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component, new._event_ndims = self._num_component, self._event_ndims
        return self._finished(new, batch_shape)

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self):
        return self._mixture_distribution

    @property
    def component_distribution(self):
        return self._component_distribution

    @property
    def _component_dim(self):
        return -1 - self._event_ndims

    @property
    def mean(self):
        probs = self._pad_mixture_dimensions(self.mixture_distribution.probs)
        return (probs * self.component_distribution.mean).sum(dim=self._component_dim)

    @property
    def variance(self):
        # Var(Y) = E[Var(Y | X)] + Var(E[Y | X])
        probs, components = self._pad_mixture_dimensions(self.mixture_distribution.probs), self.component_distribution
        within = (probs * components.variance).sum(dim=self._component_dim)
        between = (probs * (components.mean - self._pad(self.mean)).pow(2.0)).sum(dim=self._component_dim)
        return within + between

    def cdf(self, x):
        return (self.component_distribution.cdf(self._pad(x)) * self.mixture_distribution.probs).sum(dim=-1)

    def log_prob(self, x):
        if self._validate_args:
            self._validate_sample(x)
        log_prob = self.component_distribution.log_prob(self._pad(x))
        weights = fb.log_softmax(self.mixture_distribution.logits, dim=-1)
        return fb.logsumexp(log_prob + weights, dim=-1)

    def sample(self, sample_shape=fb.Size()):
        with fb.no_grad():
            chosen = self.mixture_distribution.sample(sample_shape)     # (*sample, *batch)
            drawn = self.component_distribution.sample(sample_shape)    # (*sample, *batch, n, *event)
            dim = self._component_dim
            index = chosen.reshape(chosen.shape + (1,) * (self._event_ndims + 1))
            index = index.expand(chosen.shape + (1,) + self._event_shape)
            return fb.gather(drawn, drawn.dim() + dim, index).squeeze(dim)

    def _pad(self, x):
        return x.unsqueeze(self._component_dim)

    def _pad_mixture_dimensions(self, x):
        """Gives probabilities (*batch, n) a dim of one for each dim of the event."""
        missing = len(self.batch_shape) - len(self.mixture_distribution.batch_shape)
        shape = x.shape
        return x.reshape(shape[:-1] + (1,) * missing + shape[-1:] + (1,) * self._event_ndims)

    def __repr__(self):
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
