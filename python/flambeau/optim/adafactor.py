"""Adafactor."""

from __future__ import annotations

import math

from .. import _C
from .._dtype_info import finfo
from ..autograd import no_grad
from .fused import FusedOptimizer, add_missing_options, check_lr, check_not_negative, number, zero_step

__all__ = ["Adafactor"]


class Adafactor(FusedOptimizer):
    """Adam's scaling with the second moments of matrices kept as one row and one column.

    Args:
        params: parameters or groups of them; real only.
        lr: upper bound of the relative step size, at least 0.
        beta2_decay: power of the decay of the second moments, at most 0.
        eps: (bound of squared gradients, or None for the dtype's epsilon; bound of the parameter's size).
        d: clipping threshold of the update's root mean square, at least 1.
        weight_decay: decoupled decay, at least 0.
    Source: Shazeer & Stern 2018.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        beta2_decay=-0.8,
        eps=(None, 1e-3),
        d=1.0,
        weight_decay=0.0,
        *,
        foreach=None,
        maximize=False,
    ):
        check_lr(lr)
        if not 0.0 >= beta2_decay:
            raise ValueError(f"Adafactor: beta2_decay must not be positive, got {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"Adafactor: eps[0] must not be negative, got {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"Adafactor: eps[1] must not be negative, got {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Adafactor: d must be at least 1, got {d}")
        check_not_negative(weight_decay=weight_decay)
        super().__init__(
            params,
            dict(
                lr=lr,
                beta2_decay=beta2_decay,
                eps=eps,
                d=d,
                weight_decay=weight_decay,
                foreach=foreach,
                maximize=maximize,
            ),
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(self.param_groups, foreach=None)

    def _init_state(self, param, state, group):
        if param.is_complex():
            raise RuntimeError("Adafactor: parameters must be real, one is complex")
        state["step"] = zero_step()
        if param.dim() > 1:
            state["row_var"] = param.detach().new_zeros((*param.shape[:-1], 1))
            state["col_var"] = param.detach().new_zeros((*param.shape[:-2], 1, param.shape[-1]))
        else:
            state["variance"] = _C.zeros_like(param, memory_format=_C.preserve_format)

    def _update(self, group, params, grads, states):
        lr, (eps1, eps2) = number(group["lr"]), group["eps"]
        with no_grad():
            for param, grad, state in zip(params, grads, states):
                smallest = finfo(param.dtype).eps if eps1 is None else eps1
                if group["maximize"]:
                    grad = -grad
                state["step"] += 1
                step = state["step"].item()
                scale = math.sqrt(param.numel())
                size = max(eps2, param.norm(2).item() / scale) * min(lr, 1 / math.sqrt(step))
                if group["weight_decay"] != 0:
                    param.mul_(1 - lr * group["weight_decay"])
                variance = self._second_moment(grad, state, step ** group["beta2_decay"], smallest)
                update = variance.clamp_(min=smallest * smallest).rsqrt_().mul_(grad)
                clip = max(1.0, update.norm(2).item() / (scale * group["d"]))
                param.add_(update, alpha=-size / clip)

    @staticmethod
    def _second_moment(grad, state, weight, smallest):
        """The running mean of the squared gradient, from its row and column means for matrices."""
        if grad.dim() <= 1:
            state["variance"].lerp_(grad.square(), weight)
            return state["variance"].clone()
        for name, dim in (("row_var", -1), ("col_var", -2)):
            mean = grad.norm(dim=dim, keepdim=True).square_().div_(grad.size(dim))
            state[name].lerp_(mean, weight)
        product = state["row_var"] @ state["col_var"]
        return product.div_(state["row_var"].mean(dim=-2, keepdim=True).clamp_(min=smallest))
