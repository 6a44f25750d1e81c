"""The base of all distributions."""
from __future__ import annotations

import warnings

import flambeau as fb
from flambeau.distributions import constraints
from flambeau.distributions.utils import lazy_property

__all__ = ["Distribution"]


def _described(value):
    return f"{type(value).__name__} of shape {tuple(value.shape)}"


class Distribution:
    """A batch of probability distributions.

    Args:
        batch_shape: shape of the parameters, one distribution for each element.
        event_shape: shape of one draw from one of them.
        validate_args: check parameters and values; None takes the default, which is on unless Python runs with -O.
    Shapes: sample_shape → sample_shape + batch_shape + event_shape for draws, which `log_prob` reduces over the event.
    Errors: ValueError for a parameter outside its constraint.
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Whether distributions made from now on check their arguments. Errors: ValueError unless a bool."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args expects True or False, not {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape=fb.Size(), event_shape=fb.Size(), validate_args=None):
        self._batch_shape, self._event_shape = batch_shape, event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()
        super().__init__()

    def _validate_parameters(self):
        try:
            arg_constraints = self.arg_constraints
        except NotImplementedError:
            warnings.warn(f"{type(self).__name__} names no arg_constraints, so its arguments go unchecked; "
                          "set them, or pass validate_args=False",
                          stacklevel=4)
            return
        for name, constraint in arg_constraints.items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(getattr(type(self), name), lazy_property):
                continue                                # derived from a parameter that is checked
            value = getattr(self, name)
            if not fb._C._all_true(constraint.check(value)):
                raise ValueError(f"{self!r}: parameter {name} ({_described(value)}) breaks the constraint "
                                 f"{constraint!r}; its values are\n{value}")

    def expand(self, batch_shape, _instance=None):
        """The same distributions for a larger batch shape, as views of the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no expand()")

    def _expanded(self, cls, batch_shape, _instance, *names):
        """A copy for which the parameters `names` that are there are expanded to `batch_shape`."""
        new = self._get_checked_instance(cls, _instance)
        batch_shape = fb.Size(batch_shape)
        rank = len(self._batch_shape)
        for name in names:
            value = self.__dict__.get(name)
            if value is not None:
                setattr(new, name, value.expand(batch_shape + value.shape[rank:]))
        return self._finished(new, batch_shape)

    def _finished(self, new, batch_shape):
        Distribution.__init__(new, fb.Size(batch_shape), self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def batch_shape(self):
        return self._batch_shape

    @property
    def event_shape(self):
        return self._event_shape

    @property
    def arg_constraints(self):
        """{parameter: constraint}."""
        raise NotImplementedError(f"{type(self).__name__} has no arg_constraints")

    @property
    def support(self):
        """The constraint that draws satisfy."""
        raise NotImplementedError(f"{type(self).__name__} has no support")

    @property
    def mean(self):
        raise NotImplementedError(f"{type(self).__name__} has no mean")

    @property
    def mode(self):
        raise NotImplementedError(f"{type(self).__name__} has no mode")

    @property
    def variance(self):
        raise NotImplementedError(f"{type(self).__name__} has no variance")

    @property
    def stddev(self):
        return self.variance.sqrt()

    def sample(self, sample_shape=fb.Size()):
        """Draws without gradients. Shapes: → sample_shape + batch_shape + event_shape."""
        with fb.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=fb.Size()):
        """Draws through which gradients flow to the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no rsample()")

    def sample_n(self, n):
        """`sample((n,))`, which is the spelling to use."""
        warnings.warn("sample_n(n) is an old name; use sample((n,))", FutureWarning, stacklevel=2)
        return self.sample(fb.Size((n,)))

    def log_prob(self, value):
        """Logarithm of the density or probability at `value`."""
        raise NotImplementedError(f"{type(self).__name__} has no log_prob()")

    def cdf(self, value):
        """The probability of a draw of at most `value`."""
        raise NotImplementedError(f"{type(self).__name__} has no cdf()")

    def icdf(self, value):
        """The inverse of `cdf`."""
        raise NotImplementedError(f"{type(self).__name__} has no icdf()")

    def enumerate_support(self, expand=True):
        """All values that a discrete draw can have, along a new first dim; repeated over the batch if `expand`."""
        raise NotImplementedError(f"{type(self).__name__} has no enumerate_support()")

    def entropy(self):
        """The entropy in nats, for each distribution of the batch."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy()")

    def perplexity(self):
        """exp(entropy)."""
        return fb.exp(self.entropy())

    def _extended_shape(self, sample_shape=fb.Size()):
        return fb.Size(sample_shape) + self._batch_shape + self._event_shape

    def _enumerated(self, values, expand):
        """`values` along a new first dim, in front of the batch."""
        values = values.view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1,) + self._batch_shape) if expand else values

    def _validate_sample(self, value):
        if not isinstance(value, fb.Tensor):
            raise ValueError(f"log_prob: the value must be a tensor, not {type(value).__name__}")
        rank = len(self._event_shape)
        event = value.shape[len(value.shape) - rank:]
        if event != self._event_shape:
            raise ValueError(f"the last sizes of the value, of shape {value.shape}, must be the event_shape "
                             f"{self._event_shape}")
        expected = self._batch_shape + self._event_shape
        for have, want in zip(reversed(value.shape), reversed(expected)):
            if 1 not in (have, want) and have != want:
                raise ValueError(f"the value of shape {value.shape} cannot be broadcast to batch_shape + "
                                 f"event_shape, {expected}")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self).__name__} names no support, so values go unchecked; define it, or "
                          "pass validate_args=False", stacklevel=2)
            return
        if not fb._C._all_true(support.check(value)):
            raise ValueError(f"{self!r}: the value ({_described(value)}) lies outside the support "
                             f"{support!r}; it is\n{value}")

    def _get_checked_instance(self, cls, _instance=None):
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(f"{type(self).__name__} has an __init__ other than {cls.__name__}'s "
                                      "and so must define expand")
        return self.__new__(type(self)) if _instance is None else _instance

    def __repr__(self):
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"
