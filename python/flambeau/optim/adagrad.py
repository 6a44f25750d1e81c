"""Adagrad."""

from __future__ import annotations

from .. import _C
from ..autograd import no_grad
from .adam import step_as_tensor
from .fused import (
    FusedOptimizer,
    add_missing_options,
    check_fused,
    check_lr,
    check_not_negative,
    number,
    zero_step,
)

__all__ = ["Adagrad"]


class Adagrad(FusedOptimizer):
    """p ← p − lr/(1 + (t−1)·lr_decay) · g/(√s + eps), with s the sum of squared gradients.

    Args:
        params: parameters or groups of them; their gradients may be sparse.
        lr: learning rate, at least 0.
        lr_decay: how fast the learning rate falls, at least 0.
        weight_decay: factor of the L2 penalty, at least 0.
        initial_accumulator_value: where s starts, at least 0.
        eps: added to the denominator, at least 0.
    Source: Duchi, Hazan & Singer 2011.
    """

    _takes_sparse = True

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_lr(lr)
        check_not_negative(
            lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value
        )
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        super().__init__(
            params,
            dict(
                lr=lr,
                lr_decay=lr_decay,
                eps=eps,
                weight_decay=weight_decay,
                initial_accumulator_value=initial_accumulator_value,
                foreach=foreach,
                maximize=maximize,
                differentiable=differentiable,
                fused=fused,
            ),
        )
        check_fused(fused, foreach, differentiable)
        for group in self.param_groups:
            for param in group["params"]:
                self._init_state(param, self.state[param], group)

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(self.param_groups, foreach=None, maximize=False, differentiable=False, fused=None)
        step_as_tensor(self.state)

    def share_memory(self):
        """Move the sums to memory that other processes can map."""
        for entry in self.state.values():
            entry["sum"].share_memory_()

    def _init_state(self, param, state, group):
        start = group["initial_accumulator_value"]
        state["step"] = zero_step()
        state["sum"] = _C.full_like(
            param, complex(start, start) if param.is_complex() else start, memory_format=_C.preserve_format
        )

    def _update(self, group, params, grads, states):
        sparse = [g.is_sparse for g in grads]
        if True in sparse:
            if group["weight_decay"] != 0:
                raise RuntimeError("Adagrad: weight_decay has no meaning for sparse gradients")
            for param, grad, state, is_sparse in zip(params, grads, states, sparse):
                if is_sparse:
                    self._step_sparse(group, param, grad.coalesce(), state)
            params, grads, states = (
                [x for x, s in zip(items, sparse) if not s] for items in (params, grads, states)
            )
            if not params:
                return
        _C.fused_adagrad_(
            params,
            grads,
            [s["sum"] for s in states],
            [s["step"] for s in states],
            lr=number(group["lr"]),
            lr_decay=group["lr_decay"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )

    def _step_sparse(self, group, param, grad, state):
        """Step on the rows that the gradient has."""
        with no_grad():
            state["step"] += 1
            lr = number(group["lr"]) / (1 + (state["step"].item() - 1) * group["lr_decay"])
            rows, values = tuple(grad.indices()), grad.values()
            if group["maximize"]:
                values = -values
            total = state["sum"][rows] + values * values
            state["sum"][rows] = total
            param.index_put_(rows, values / total.sqrt().add_(group["eps"]) * -lr, accumulate=True)
