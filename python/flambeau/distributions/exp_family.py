"""Exponential families."""
from __future__ import annotations

import flambeau as fb
from flambeau.distributions.distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Densities exp(⟨t(x), θ⟩ − F(θ) + k(x)) with natural parameters θ, sufficient statistic t, log normalizer F.

    A subclass gives `_natural_params`, `_log_normalizer` and the mean of k, `_mean_carrier_measure`; the entropy
    follows. Source: Nielsen and Nock, Entropies and cross-entropies of exponential families, ICIP 2010.
    """

    @property
    def _natural_params(self):
        raise NotImplementedError(f"{type(self).__name__} has no natural parameters")

    def _log_normalizer(self, *natural_params):
        raise NotImplementedError(f"{type(self).__name__} has no log normalizer")

    @property
    def _mean_carrier_measure(self):
        raise NotImplementedError(f"{type(self).__name__} has no mean carrier measure")

    def entropy(self):
        natural, log_normalizer, gradients = self._with_gradients()
        result = -self._mean_carrier_measure + log_normalizer
        for theta, gradient in zip(natural, gradients):
            result = result - (theta * gradient).reshape(self._batch_shape + (-1,)).sum(-1)
        return result

    def _with_gradients(self):
        """θ, F(θ) and the gradient of F, which can be differentiated again."""
        with fb.enable_grad():
            natural = [p if p.requires_grad else p.detach().requires_grad_() for p in self._natural_params]
            log_normalizer = self._log_normalizer(*natural)
            gradients = fb.autograd.grad(log_normalizer.sum(), natural, create_graph=True)
        return natural, log_normalizer, gradients
