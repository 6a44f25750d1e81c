"""Adamax."""

from __future__ import annotations

from .. import _C
from .adam import step_as_tensor
from .fused import (
    FusedOptimizer,
    add_missing_options,
    check_betas,
    check_lr,
    check_not_negative,
    number,
    zero_step,
    zeros_like,
)

__all__ = ["Adamax"]


class Adamax(FusedOptimizer):
    """Adam with the decayed maximum of |gradient| in place of the second moment.

    Args: as of Adam.
    Source: Kingma & Ba 2015, §7.1.
    """

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        super().__init__(
            params,
            dict(
                lr=lr,
                betas=betas,
                eps=eps,
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

    def _init_state(self, param, state, group):
        state["step"] = zero_step()
        state["exp_avg"] = zeros_like(param)
        state["exp_inf"] = zeros_like(param)

    def _update(self, group, params, grads, states):
        beta1, beta2 = group["betas"]
        _C.fused_adamax_(
            params,
            grads,
            [s["exp_avg"] for s in states],
            [s["exp_inf"] for s in states],
            [s["step"] for s in states],
            lr=number(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            maximize=group["maximize"],
        )
