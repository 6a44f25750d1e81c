"""Averaged stochastic gradient descent."""

from __future__ import annotations

from .. import _C
from .adam import step_as_tensor
from .fused import (
    FusedOptimizer,
    Tensor,
    add_missing_options,
    check_lr,
    check_not_negative,
    number,
    zero_step,
    zeros_like,
)

__all__ = ["ASGD"]


class ASGD(FusedOptimizer):
    """SGD with a falling step size that also keeps the average of its iterates, in state["ax"].

    Args:
        params: parameters or groups of them.
        lr: first step size, at least 0.
        lambd: decay term.
        alpha: power of the step size's fall: lr/(1 + lambd·lr·t)^alpha.
        t0: step at which averaging starts.
        weight_decay: factor of the L2 penalty, at least 0.
    Source: Polyak & Juditsky 1992.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay=0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check_not_negative(weight_decay=weight_decay)
        super().__init__(
            params,
            dict(
                lr=lr,
                lambd=lambd,
                alpha=alpha,
                t0=t0,
                weight_decay=weight_decay,
                foreach=foreach,
                maximize=maximize,
                differentiable=differentiable,
                capturable=capturable,
            ),
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(
            self.param_groups, foreach=None, maximize=False, differentiable=False, capturable=False
        )
        step_as_tensor(self.state)
        for entry in self.state.values():
            for name in ("eta", "mu"):
                if name in entry and not isinstance(entry[name], Tensor):
                    entry[name] = _C.tensor(entry[name], dtype=zero_step().dtype)

    def _init_state(self, param, state, group):
        state["step"] = zero_step()
        state["eta"] = zero_step() + number(group["lr"])
        state["mu"] = zero_step() + 1.0
        state["ax"] = zeros_like(param)

    def _update(self, group, params, grads, states):
        _C.fused_asgd_(
            params,
            grads,
            [s["ax"] for s in states],
            [s["mu"] for s in states],
            [s["eta"] for s in states],
            [s["step"] for s in states],
            lr=number(group["lr"]),
            lambd=group["lambd"],
            alpha=group["alpha"],
            t0=group["t0"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
