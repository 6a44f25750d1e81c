"""Resilient backpropagation."""

from __future__ import annotations

from .. import _C
from .adam import step_as_tensor
from .fused import FusedOptimizer, add_missing_options, check_lr, number, zero_step, zeros_like

__all__ = ["Rprop"]


class Rprop(FusedOptimizer):
    """Steps whose size grows while the gradient keeps its sign and shrinks when it changes.

    Args:
        params: parameters or groups of them.
        lr: first step size, at least 0.
        etas: factors of shrinking and growing, 0 < etas[0] < 1 < etas[1].
        step_sizes: smallest and largest step.
    Source: Riedmiller & Braun 1993.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(
            params,
            dict(
                lr=lr,
                etas=etas,
                step_sizes=step_sizes,
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
        lr = number(group["lr"])
        state["step"] = zero_step()
        state["prev"] = zeros_like(param)
        state["step_size"] = _C.full_like(param, complex(lr, lr) if param.is_complex() else lr)

    def _update(self, group, params, grads, states):
        etaminus, etaplus = group["etas"]
        smallest, largest = group["step_sizes"]
        _C.fused_rprop_(
            params,
            grads,
            [s["prev"] for s in states],
            [s["step_size"] for s in states],
            [s["step"] for s in states],
            etaminus=etaminus,
            etaplus=etaplus,
            step_size_min=smallest,
            step_size_max=largest,
            maximize=group["maximize"],
        )
