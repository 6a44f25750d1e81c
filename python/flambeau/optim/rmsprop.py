"""RMSprop."""

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

__all__ = ["RMSprop"]


class RMSprop(FusedOptimizer):
    """p ← p − lr·g/(√v + eps), with v the running mean of the squared gradient.

    Args:
        params: parameters or groups of them.
        lr: learning rate, at least 0.
        alpha: decay of the running mean, at least 0.
        eps: added to the denominator, at least 0.
        weight_decay: factor of the L2 penalty, at least 0.
        momentum: share of the last step that is kept, at least 0.
        centered: divide by the root of the running variance instead (Graves 2013).
    Source: Hinton's lecture notes, 2012.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_not_negative(momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        super().__init__(
            params,
            dict(
                lr=lr,
                momentum=momentum,
                alpha=alpha,
                eps=eps,
                centered=centered,
                weight_decay=weight_decay,
                capturable=capturable,
                foreach=foreach,
                maximize=maximize,
                differentiable=differentiable,
            ),
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(
            self.param_groups,
            momentum=0,
            centered=False,
            foreach=None,
            maximize=False,
            differentiable=False,
            capturable=False,
        )
        step_as_tensor(self.state)

    def _init_state(self, param, state, group):
        state["step"] = zero_step()
        state["square_avg"] = zeros_like(param)
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = zeros_like(param)

    def _update(self, group, params, grads, states):
        _C.fused_rmsprop_(
            params,
            grads,
            [s["square_avg"] for s in states],
            [s["momentum_buffer"] for s in states] if group["momentum"] > 0 else [],
            [s["grad_avg"] for s in states] if group["centered"] else [],
            [s["step"] for s in states],
            lr=number(group["lr"]),
            alpha=group["alpha"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            centered=group["centered"],
            maximize=group["maximize"],
        )
