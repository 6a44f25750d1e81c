"""Adadelta."""

from __future__ import annotations

from .. import _C
from .adam import step_as_tensor
from .fused import (
    FusedOptimizer,
    add_missing_options,
    check_lr,
    check_not_negative,
    number,
    zero_step,
    zeros_like,
)

__all__ = ["Adadelta"]


class Adadelta(FusedOptimizer):
    """Steps scaled by the ratio of the running sizes of past steps and of gradients.

    Args:
        params: parameters or groups of them.
        lr: factor of each step, at least 0.
        rho: decay of the running means of squares, in [0, 1].
        eps: added under both roots, at least 0.
        weight_decay: factor of the L2 penalty, at least 0.
    Source: Zeiler 2012.
    """

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay=0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_not_negative(weight_decay=weight_decay)
        super().__init__(
            params,
            dict(
                lr=lr,
                rho=rho,
                eps=eps,
                weight_decay=weight_decay,
                maximize=maximize,
                capturable=capturable,
                foreach=foreach,
                differentiable=differentiable,
            ),
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(
            self.param_groups, foreach=None, maximize=False, differentiable=False, capturable=False
        )
        step_as_tensor(self.state)

    def _init_state(self, param, state, group):
        state["step"] = zero_step()
        state["square_avg"] = zeros_like(param)
        state["acc_delta"] = zeros_like(param)

    def _update(self, group, params, grads, states):
        _C.fused_adadelta_(
            params,
            grads,
            [s["square_avg"] for s in states],
            [s["acc_delta"] for s in states],
            [s["step"] for s in states],
            lr=number(group["lr"]),
            rho=group["rho"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
