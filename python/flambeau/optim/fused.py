"""The step that most optimizers share, and the checks of their options."""

from __future__ import annotations

from .. import _C
from ..autograd import enable_grad
from .optimizer import Optimizer, with_step_hooks

__all__ = ["FusedOptimizer"]

Tensor = _C.Tensor


class FusedOptimizer(Optimizer):
    """An optimizer whose step is one call of a fused operator for each group.

    Subclasses define `_init_state(param, state, group)`, which fills an empty state dictionary, and
    `_update(group, params, grads, states)`. The fused operators write in place and record no gradients.
    """

    _takes_sparse = False
    _dense_advice = ""

    @with_step_hooks
    def step(self, closure=None):
        """Update the parameters from their gradients.

        Args:
            closure: recomputes the loss (zero_grad, forward, backward) and returns it.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        state = self.state
        for group in self.param_groups:
            params = group["params"]
            grads = [grad for p in params if (grad := p.grad) is not None]
            if not grads:
                continue
            if len(grads) != len(params):
                params = [p for p in params if p.grad is not None]
            if group.get("differentiable"):
                raise RuntimeError(
                    f"{type(self).__name__} cannot differentiate through its step: use differentiable=False"
                )
            states = [state[p] for p in params] if self._keeps_state(group) else []
            if not all(states):
                self._init_states(group, params, grads, states)
            self._update(group, params, grads, states)
        return loss

    def _init_states(self, group, params, grads, states):
        """Fill the states that are empty. Later sparse gradients are refused by the fused operators."""
        for param, grad, entry in zip(params, grads, states):
            if entry:
                continue
            if grad.is_sparse and not self._takes_sparse:
                raise RuntimeError(
                    f"{type(self).__name__} does not support sparse gradients{self._dense_advice}"
                )
            self._init_state(param, entry, group)

    def _keeps_state(self, group):
        """Whether parameters of this group have a state."""
        return True

    def _init_state(self, param, state, group):
        raise NotImplementedError

    def _update(self, group, params, grads, states):
        raise NotImplementedError


def number(value):
    """An option as a Python number; it may be given as a tensor of one element."""
    return value.item() if isinstance(value, Tensor) else value


def zero_step():
    """The step count of a new state: 0-d, float64 if that is the default dtype, else float32."""
    dtype = _C.float64 if _C.get_default_dtype() == _C.float64 else _C.float32
    return _C.tensor(0.0, dtype=dtype)


def zeros_like(param):
    """Zeros in the shape and memory order of `param`."""
    return _C.zeros_like(param, memory_format=_C.preserve_format)


def check_one_element(lr):
    """ValueError for a learning rate that is a tensor of several elements."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"lr as a tensor must have one element, it has {lr.numel()}")


def check_lr(lr, foreach=False, capturable=False):
    """ValueError for a negative learning rate or a tensor of more than one element."""
    if isinstance(lr, Tensor) and foreach and not capturable:
        raise ValueError("lr as a tensor needs capturable=True, or foreach=False")
    check_one_element(lr)
    if not 0.0 <= lr:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_not_negative(**options):
    """ValueError for the first option below 0, by its name."""
    for name, value in options.items():
        if not 0.0 <= value:
            raise ValueError(f"Invalid {name} value: {value}")


def check_betas(betas):
    """ValueError for a beta outside [0, 1)."""
    for place, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"betas[{place}] must lie in [0, 1), it is {beta}")


def check_fused(fused, foreach, differentiable):
    """RuntimeError for options that exclude each other."""
    if fused and differentiable:
        raise RuntimeError("fused=True has no gradient of its own; drop it or differentiable=True")
    if fused and foreach:
        raise RuntimeError("fused and foreach are two ways to run a step; choose one")


def add_missing_options(groups, **defaults):
    """Options that a pickled or loaded optimizer of an older version lacks."""
    for group in groups:
        for name, value in defaults.items():
            group.setdefault(name, value)
