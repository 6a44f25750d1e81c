"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from .. import _C
from ..autograd import no_grad
from .fused import FusedOptimizer, add_missing_options, check_fused, check_lr, number, zeros_like

__all__ = ["SGD"]


class SGD(FusedOptimizer):
    """p ← p − lr·v with v ← momentum·v + (1 − dampening)·(grad + weight_decay·p).

    Args:
        params: parameters or groups of them.
        lr: learning rate, at least 0.
        momentum: share of the last velocity that is kept, at least 0; 0 keeps no velocity.
        dampening: how much less of the gradient goes into the velocity.
        weight_decay: factor of the L2 penalty, at least 0.
        nesterov: look ahead along the velocity; needs momentum and no dampening.
        maximize: go up instead of down.
    Source: Sutskever et al. 2013 for the Nesterov form; the first velocity is the gradient itself.

    >>> w = fb.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> fb.optim.SGD([w], lr=0.1).step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    _takes_sparse = True

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        check_lr(lr)
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(f"SGD: nesterov=True needs momentum > 0 and dampening=0, got {momentum} and "
                             f"{dampening}")
        super().__init__(
            params,
            dict(
                lr=lr,
                momentum=momentum,
                dampening=dampening,
                weight_decay=weight_decay,
                nesterov=nesterov,
                maximize=maximize,
                foreach=foreach,
                differentiable=differentiable,
                fused=fused,
            ),
        )
        check_fused(fused, foreach, differentiable)

    def __setstate__(self, state):
        super().__setstate__(state)
        add_missing_options(
            self.param_groups, nesterov=False, maximize=False, foreach=None, differentiable=False, fused=False
        )

    def _init_state(self, param, state, group):
        """The first velocity is stored by `_update`."""

    def _keeps_state(self, group):
        return group["momentum"] != 0

    def _update(self, group, params, grads, states):
        if True in [g.is_sparse for g in grads]:
            params, grads = self._update_sparse(group, params, grads)
        if group["momentum"] == 0:
            self._run(group, params, grads, [], False)
            return
        fresh = [s.get("momentum_buffer") is None for s in states]
        if True not in fresh:
            self._run(group, params, grads, [s["momentum_buffer"] for s in states], False)
            return
        for first in (True, False):
            chosen = [i for i, new in enumerate(fresh) if new is first]
            for i in chosen:
                if first:
                    states[i]["momentum_buffer"] = zeros_like(params[i])
            if chosen:
                self._run(
                    group,
                    [params[i] for i in chosen],
                    [grads[i] for i in chosen],
                    [states[i]["momentum_buffer"] for i in chosen],
                    first,
                )

    def _run(self, group, params, grads, buffers, first):
        if params:
            _C.fused_sgd_(
                params,
                grads,
                buffers,
                lr=number(group["lr"]),
                momentum=group["momentum"],
                dampening=group["dampening"],
                weight_decay=number(group["weight_decay"]),
                nesterov=group["nesterov"],
                maximize=group["maximize"],
                first_step=first,
            )

    def _update_sparse(self, group, params, grads):
        """Step along the sparse gradients; return the lists of the other parameters."""
        if group["momentum"] != 0 or number(group["weight_decay"]) != 0:
            raise RuntimeError("SGD with sparse gradients takes neither momentum nor weight_decay")
        sign = 1.0 if group["maximize"] else -1.0
        dense = []
        with no_grad():
            for param, grad in zip(params, grads):
                if grad.is_sparse:
                    grad = grad.coalesce()
                    step = grad.values() * (sign * number(group["lr"]))
                    param.index_put_(tuple(grad.indices()), step, accumulate=True)
                else:
                    dense.append((param, grad))
        return [p for p, _ in dense], [g for _, g in dense]
