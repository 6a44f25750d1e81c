"""NAdam."""

from __future__ import annotations

from .. import _C
from .adam import step_as_tensor
from .fused import (
    FusedOptimizer,
    Tensor,
    add_missing_options,
    check_betas,
    check_lr,
    check_not_negative,
    number,
    zero_step,
    zeros_like,
)

__all__ = ["NAdam"]


class NAdam(FusedOptimizer):
    """Adam with Nesterov momentum, whose momentum grows along a schedule.

    Args:
        params: parameters or groups of them.
        lr: learning rate, at least 0.
        betas: decay of the running means, each in [0, 1).
        eps: added to the denominator, at least 0.
        weight_decay: factor of the L2 penalty, at least 0.
        momentum_decay: ψ of the schedule β1·(1 − 0.96^(t·ψ)/2), at least 0.
        decoupled_weight_decay: shrink the parameters themselves.
    Source: Dozat 2016.
    """

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        momentum_decay=4e-3,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        super().__init__(
            params,
            dict(
                lr=lr,
                betas=betas,
                eps=eps,
                weight_decay=weight_decay,
                momentum_decay=momentum_decay,
                decoupled_weight_decay=decoupled_weight_decay,
                maximize=maximize,
                foreach=foreach,
                capturable=capturable,
                differentiable=differentiable,
            ),
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(
            self.param_groups,
            maximize=False,
            foreach=None,
            capturable=False,
            differentiable=False,
            decoupled_weight_decay=False,
        )
        step_as_tensor(self.state)
        for entry in self.state.values():
            product = entry.get("mu_product")
            if product is not None and not isinstance(product, Tensor):
                entry["mu_product"] = _C.tensor(product, dtype=zero_step().dtype)

    def _init_state(self, param, state, group):
        state["step"] = zero_step()
        state["mu_product"] = zero_step() + 1.0
        state["exp_avg"] = zeros_like(param)
        state["exp_avg_sq"] = zeros_like(param)

    def _update(self, group, params, grads, states):
        beta1, beta2 = group["betas"]
        _C.fused_nadam_(
            params,
            grads,
            [s["exp_avg"] for s in states],
            [s["exp_avg_sq"] for s in states],
            [s["mu_product"] for s in states],
            [s["step"] for s in states],
            lr=number(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            momentum_decay=group["momentum_decay"],
            eps=group["eps"],
            decoupled_weight_decay=group["decoupled_weight_decay"],
            maximize=group["maximize"],
        )
