"""The Kullback-Leibler divergence KL(p ‖ q) = E_p[log p(x) - log q(x)], and the registry of its closed forms."""
from __future__ import annotations

import warnings

from flambeau.distributions.distribution import Distribution

__all__ = ["register_kl", "kl_divergence"]

_KL_REGISTRY: dict = {}                                                 # (class of p, class of q) → function
_KL_MEMOIZE: dict = {}


def register_kl(type_p, type_q):
    """A decorator that registers KL(p ‖ q) for two classes of distributions and their subclasses.

    Errors: TypeError for what is not a class of distributions.
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected type_p and type_q to be subclasses of Distribution but got {kind}")

    def register(function):
        _KL_REGISTRY[type_p, type_q] = function
        _KL_MEMOIZE.clear()
        return function
    return register


def _distance(kind, base):
    """How far up `base` stands among the bases of `kind`."""
    return kind.__mro__.index(base)


def _dispatch_kl(type_p, type_q):
    """The function of the nearest registered classes. Warns if p and q disagree on which are nearest."""
    matches = [pair for pair in _KL_REGISTRY if issubclass(type_p, pair[0]) and issubclass(type_q, pair[1])]
    if not matches:
        return NotImplemented
    left = min(matches, key=lambda pair: (_distance(type_p, pair[0]), _distance(type_q, pair[1])))
    right = min(matches, key=lambda pair: (_distance(type_q, pair[1]), _distance(type_p, pair[0])))
    if _KL_REGISTRY[left] is not _KL_REGISTRY[right]:
        warnings.warn(f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
                      f"register_kl({left[0].__name__}, {right[1].__name__})", RuntimeWarning, stacklevel=3)
    return _KL_REGISTRY[left]


def kl_divergence(p, q):
    """KL(p ‖ q) for each pair of a batch.

    Shapes: batch shapes of p and q, which broadcast.
    Errors: NotImplementedError if no closed form is registered for the two classes.

    >>> d = fb.distributions
    >>> d.kl_divergence(d.Exponential(1.), d.Exponential(2.))
    tensor(0.3069)
    """
    pair = type(p), type(q)
    function = _KL_MEMOIZE.get(pair)
    if function is None:
        function = _KL_MEMOIZE[pair] = _dispatch_kl(*pair)
    if function is NotImplemented:
        raise NotImplementedError(f"kl_divergence: there is no closed form for {type(p).__name__} and "
                                  f"{type(q).__name__}; register_kl can add one")
    return function(p, q)


def _add_kl_info():
    """Appends the list of registered pairs to the docstring of `kl_divergence`."""
    pairs = sorted((a.__name__, b.__name__) for a, b in _KL_REGISTRY)
    kl_divergence.__doc__ += "\n    Pairs: " + ", ".join(f"{a} ‖ {b}" for a, b in pairs) + ".\n    "


from flambeau.distributions import _kl_mixed, _kl_same  # noqa: E402, F401
