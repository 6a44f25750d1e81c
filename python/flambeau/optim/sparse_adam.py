"""Adam for sparse gradients."""

from __future__ import annotations

import math

from ..autograd import no_grad
from .fused import check_betas, check_one_element, number, zeros_like
from .optimizer import Optimizer

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that updates only the rows a sparse gradient has, moments included.

    Args:
        params: dense parameters whose gradients are sparse.
        lr: learning rate, above 0.
        betas: decay of the running means, each in [0, 1).
        eps: added to the denominator, above 0.
        maximize: go up instead of down.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        check_one_element(lr)
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, maximize=maximize))
        sparse = [
            (i, j)
            for i, group in enumerate(self.param_groups)
            for j, param in enumerate(group["params"])
            if param.is_sparse
        ]
        if sparse:
            raise ValueError(f"SparseAdam: parameters must be dense, those at {sparse} are sparse")

    def step(self, closure=None):
        """Update the parameters from their sparse gradients."""
        from ..autograd import enable_grad

        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                for param in group["params"]:
                    if param.grad is not None:
                        self._step_param(group, param)
        return loss

    def _step_param(self, group, param):
        if not param.grad.is_sparse:
            raise RuntimeError("SparseAdam: gradients must be sparse, one is dense; use Adam")
        state = self.state[param]
        if not state:
            state["step"] = 0
            state["exp_avg"] = zeros_like(param)
            state["exp_avg_sq"] = zeros_like(param)
        state["step"] += 1
        grad = param.grad.coalesce()
        rows, values = tuple(grad.indices()), grad.values()
        if values.numel() == 0:
            return
        if group["maximize"]:
            values = -values
        beta1, beta2 = group["betas"]
        mean, square = state["exp_avg"][rows], state["exp_avg_sq"][rows]
        mean = mean + (values - mean) * (1 - beta1)
        square = square + (values * values - square) * (1 - beta2)
        state["exp_avg"][rows] = mean
        state["exp_avg_sq"][rows] = square
        step = state["step"]
        size = number(group["lr"]) * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        param.index_put_(rows, -size * (mean / (square.sqrt() + group["eps"])), accumulate=True)
