"""Adam and what its relatives share."""

from __future__ import annotations

from .. import _C
from .fused import (
    FusedOptimizer,
    Tensor,
    add_missing_options,
    check_betas,
    check_fused,
    check_lr,
    check_not_negative,
    number,
    zero_step,
    zeros_like,
)

__all__ = ["Adam"]


class Adam(FusedOptimizer):
    """p ← p − lr·m̂/(√v̂ + eps), with running means m of the gradient and v of its square.

    m̂ = m/(1 − β1^t) and v̂ = v/(1 − β2^t) make up for both starting at 0.

    Args:
        params: parameters or groups of them.
        lr: learning rate, at least 0.
        betas: decay of the running means, each in [0, 1).
        eps: added to the denominator, at least 0.
        weight_decay: factor of the L2 penalty, at least 0.
        amsgrad: divide by the largest v so far (Reddi et al. 2018).
        maximize: go up instead of down.
        decoupled_weight_decay: shrink the parameters themselves, as AdamW.
    Source: Kingma & Ba 2015.
    """

    _dense_advice = ", please consider SparseAdam instead"

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        check_lr(lr, foreach, capturable)
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        self._check_tensor_betas(betas, foreach, capturable)
        super().__init__(
            params,
            dict(
                lr=lr,
                betas=betas,
                eps=eps,
                weight_decay=weight_decay,
                amsgrad=amsgrad,
                maximize=maximize,
                foreach=foreach,
                capturable=capturable,
                differentiable=differentiable,
                fused=fused,
                decoupled_weight_decay=decoupled_weight_decay,
            ),
        )
        check_fused(fused, foreach, differentiable)

    @staticmethod
    def _check_tensor_betas(betas, foreach, capturable):
        kinds = [isinstance(beta, Tensor) for beta in betas]
        if any(kinds) and not all(kinds):
            raise ValueError("betas: one is a tensor and the other a float; pass two of a kind")
        for place, beta in enumerate(betas):
            if isinstance(beta, Tensor):
                if foreach and not capturable:
                    raise ValueError(f"betas[{place}] as a tensor needs capturable=True, or foreach=False")
                if beta.numel() != 1:
                    raise ValueError(f"Tensor betas[{place}] must be 1-element")

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(
            self.param_groups,
            amsgrad=False,
            maximize=False,
            foreach=None,
            capturable=False,
            differentiable=False,
            fused=None,
            decoupled_weight_decay=False,
        )
        step_as_tensor(self.state)

    def _init_state(self, param, state, group):
        state["step"] = zero_step()
        state["exp_avg"] = zeros_like(param)
        state["exp_avg_sq"] = zeros_like(param)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(param)

    def _update(self, group, params, grads, states):
        beta1, beta2 = group["betas"]
        amsgrad = group["amsgrad"]
        _C.fused_adam_(
            params,
            grads,
            [s["exp_avg"] for s in states],
            [s["exp_avg_sq"] for s in states],
            [s["max_exp_avg_sq"] for s in states] if amsgrad else [],
            [s["step"] for s in states],
            lr=number(group["lr"]),
            beta1=number(beta1),
            beta2=number(beta2),
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=amsgrad,
            maximize=group["maximize"],
            decoupled_weight_decay=group["decoupled_weight_decay"],
        )


def step_as_tensor(states):
    """Step counts saved as plain numbers by old versions become tensors."""
    for entry in states.values():
        step = entry.get("step") if isinstance(entry, dict) else None
        if step is not None and not isinstance(step, Tensor):
            entry["step"] = _C.tensor(float(step), dtype=zero_step().dtype)
