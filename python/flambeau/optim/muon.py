"""Muon: momentum orthogonalised by a Newton–Schulz iteration."""

from __future__ import annotations

import math

from .. import _C
from ..autograd import no_grad
from .fused import FusedOptimizer, check_one_element, number

__all__ = ["Muon"]


def orthogonalize(matrix, coefficients, steps, eps):
    """The nearly orthogonal factor of `matrix`, in bfloat16, by a quintic Newton–Schulz iteration."""
    if steps >= 100:
        raise ValueError(f"Muon: ns_steps={steps} is too many, stay below 100")
    if matrix.dim() != 2:
        raise ValueError(f"Muon: a gradient must be a matrix, one has {matrix.dim()} dims")
    if len(coefficients) != 3:
        raise ValueError(f"Muon: ns_coefficients must hold 3 numbers, got {len(coefficients)}")
    a, b, c = coefficients
    x = matrix.bfloat16()
    tall = matrix.size(0) > matrix.size(1)
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=eps)  # singular values at most 1, where the iteration converges
    for _ in range(steps):
        gram = x @ x.T
        x = _C.addmm(x, _C.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(FusedOptimizer):
    """Steps along the orthogonalised momentum; for matrices only.

    Args:
        params: 2-d parameters or groups of them.
        lr: learning rate, at least 0.
        weight_decay: decoupled decay, at least 0.
        momentum: decay of the running mean of gradients, at least 0.
        nesterov: look ahead along the momentum.
        ns_coefficients, ns_steps, eps: of the Newton–Schulz iteration.
        adjust_lr_fn: "original" (default) scales by √max(1, rows/columns),
            "match_rms_adamw" by 0.2·√max(rows, columns).
    Source: Jordan et al. 2024; the second scaling from Moonshot AI 2025.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        check_one_element(lr)
        if not 0.0 <= lr:
            raise ValueError(f"Muon: lr must not be negative, got {lr}")
        if not 0.0 <= momentum:
            raise ValueError(f"Muon: momentum must not be negative, got {momentum}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"Muon: weight_decay must not be negative, got {weight_decay}")
        if adjust_lr_fn is not None and adjust_lr_fn not in ("original", "match_rms_adamw"):
            raise ValueError(f"Muon: unknown adjust_lr_fn={adjust_lr_fn!r}, choose 'original' or "
                             "'match_rms_adamw'")
        super().__init__(
            params,
            dict(
                lr=lr,
                weight_decay=weight_decay,
                momentum=momentum,
                nesterov=nesterov,
                ns_coefficients=ns_coefficients,
                eps=eps,
                ns_steps=ns_steps,
                adjust_lr_fn=adjust_lr_fn,
            ),
        )
        for group in self.param_groups:
            for param in group["params"]:
                if param.dim() != 2:
                    raise ValueError(
                        f"Muon: parameters must be matrices, one has shape {param.size()}; give the others "
                        "to another optimizer"
                    )

    def _init_state(self, param, state, group):
        state["momentum_buffer"] = _C.zeros_like(param.grad, memory_format=_C.preserve_format)

    def _update(self, group, params, grads, states):
        lr, momentum = number(group["lr"]), group["momentum"]
        with no_grad():
            for param, grad, state in zip(params, grads, states):
                buffer = state["momentum_buffer"].lerp_(grad, 1 - momentum)
                update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
                update = orthogonalize(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
                param.mul_(1 - lr * group["weight_decay"])
                param.add_(update, alpha=-lr * self._scale(group["adjust_lr_fn"], *param.shape))

    @staticmethod
    def _scale(adjust, rows, columns):
        if adjust == "match_rms_adamw":
            return 0.2 * math.sqrt(max(rows, columns))
        return math.sqrt(max(1, rows / columns))
