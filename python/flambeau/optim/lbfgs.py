"""L-BFGS with an optional strong-Wolfe line search."""

from __future__ import annotations

import math
from collections import namedtuple

from .. import _C
from ..autograd import enable_grad, no_grad
from .fused import check_one_element, number
from .optimizer import Optimizer, Tensor

__all__ = ["LBFGS"]

# A point on the search line: step, loss, gradient, slope along the direction.
_Point = namedtuple("_Point", "step loss grad slope")


def _cubic_minimum(one, two, bounds=None):
    """Where the cubic through both points, with their slopes, is smallest within `bounds`.

    Source: Nocedal & Wright, Numerical Optimization (2006), eq. 3.59.
    """
    low, high = bounds or sorted((one.step, two.step))
    d1 = one.slope + two.slope - 3 * (one.loss - two.loss) / (one.step - two.step)
    square = d1**2 - one.slope * two.slope
    if square < 0:
        return (low + high) / 2.0
    d2 = math.sqrt(square) if not isinstance(square, Tensor) else square.sqrt()
    a, b = (one, two) if one.step <= two.step else (two, one)
    best = b.step - (b.step - a.step) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(best, low), high)


def _strong_wolfe(evaluate, start, step, longest, tolerance_change, c1=1e-4, c2=0.9, max_steps=25):
    """A step that fulfils the strong Wolfe conditions: (point, number of evaluations).

    Args:
        evaluate: gives the point at a step.
        start: the point at step 0; step: the first step tried.
        longest: largest absolute entry of the direction.
    Source: Nocedal & Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6.
    """

    def too_high(point):
        return point.loss > start.loss + c1 * point.step * start.slope

    def flat(point):
        return abs(point.slope) <= -c2 * start.slope

    previous, new, count, tries = start, evaluate(step), 1, 0
    bracket = None
    while tries < max_steps:
        if too_high(new) or (tries > 1 and new.loss >= previous.loss):
            bracket = [previous, new]
            break
        if flat(new):
            return new, count
        if new.slope >= 0:
            bracket = [previous, new]
            break
        bounds = (new.step + 0.01 * (new.step - previous.step), new.step * 10)
        step = _cubic_minimum(previous, new, bounds)
        previous, new = new, evaluate(step)
        count, tries = count + 1, tries + 1
    if bracket is None:
        bracket = [start, new]

    crowded = False
    while tries < max_steps:
        bracket.sort(key=lambda point: point.loss)
        best, worst = bracket
        if abs(worst.step - best.step) * longest < tolerance_change:
            break
        low, high = sorted((best.step, worst.step))
        step = _cubic_minimum(*bracket)
        margin = 0.1 * (high - low)
        if min(high - step, step - low) < margin:  # too near an end: allowed once, then moved inwards
            if crowded or step >= high or step <= low:
                step = high - margin if abs(step - high) < abs(step - low) else low + margin
                crowded = False
            else:
                crowded = True
        else:
            crowded = False
        new = evaluate(step)
        count, tries = count + 1, tries + 1
        if too_high(new) or new.loss >= best.loss:
            bracket = [best, new]
        elif flat(new):
            return new, count
        else:
            bracket = [new, best if new.slope * (worst.step - best.step) >= 0 else worst]
    return min(bracket, key=lambda point: point.loss), count


class LBFGS(Optimizer):
    """Quasi-Newton steps from the last differences of parameters and gradients.

    Args:
        params: parameters; a single group only.
        lr: factor of each step, or the first step of the line search.
        max_iter: iterations a call of `step`.
        max_eval: evaluations a call of `step`; 1.25·max_iter if None.
        tolerance_grad: stop once every gradient entry is at most this.
        tolerance_change: stop once the parameters or the loss change less than this.
        history_size: number of differences kept.
        line_search_fn: None or "strong_wolfe".
    Source: Nocedal 1980.
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_one_element(lr)
        if not 0.0 <= lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(
            params,
            dict(
                lr=lr,
                max_iter=max_iter,
                max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
                tolerance_grad=tolerance_grad,
                tolerance_change=tolerance_change,
                history_size=history_size,
                line_search_fn=line_search_fn,
            ),
        )
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS: all parameters must be in one group")
        self._params = self.param_groups[0]["params"]

    def __setstate__(self, state):
        super().__setstate__(state)
        self._params = self.param_groups[0]["params"]

    @staticmethod
    def _flat(tensors):
        return _C.cat([(_C.view_as_real(t) if t.is_complex() else t).reshape(-1) for t in tensors], 0)

    def _gather_grad(self):
        grads = []
        for param in self._params:
            grad = param.grad
            if grad is None:
                grad = _C.zeros_like(param)
            elif grad.is_sparse:
                grad = grad.to_dense()
            grads.append(grad)
        return self._flat(grads)

    def _move(self, step, direction):
        """Add step·direction to the parameters."""
        offset = 0
        for param in self._params:
            real = _C.view_as_real(param) if param.is_complex() else param
            part = direction[offset : offset + real.numel()].view_as(real)
            real.add_(part, alpha=number(step))
            offset += real.numel()

    def step(self, closure):
        """Iterate until a tolerance or a limit is met.

        Args:
            closure: recomputes the loss (zero_grad, forward, backward) and returns it.
        """

        def evaluate_loss():
            with enable_grad():
                return closure()

        with no_grad():
            return self._iterate(evaluate_loss)

    def _iterate(self, closure):
        group = self.param_groups[0]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        loss, evaluations = float(first_loss), 1
        state["func_evals"] += 1
        grad = self._gather_grad()
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss
        direction, step, last_grad = state.get("d"), state.get("t"), state.get("prev_flat_grad")
        lr, n_iter = group["lr"], 0
        while n_iter < group["max_iter"]:
            n_iter += 1
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction = grad.neg()
                state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            else:
                self._remember(state, grad.sub(last_grad), direction.mul(step), group["history_size"])
                direction = self._direction(state, grad, group["history_size"])
            last_grad, last_loss = grad.clone(memory_format=_C.contiguous_format), loss
            step = min(1.0, 1.0 / grad.abs().sum()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(direction)
            if slope > -group["tolerance_change"]:
                break
            calls, done = 0, False
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("LBFGS: unknown line_search_fn, choose 'strong_wolfe' or None")
                point, calls = self._search(closure, step, direction, _Point(0, loss, grad, slope), group)
                step, loss, grad = point.step, point.loss, point.grad
                self._move(step, direction)
                done = grad.abs().max() <= group["tolerance_grad"]
            else:
                self._move(step, direction)
                if n_iter != group["max_iter"]:  # after the last step nobody needs the loss
                    loss, calls = float(closure()), 1
                    grad = self._gather_grad()
                    done = grad.abs().max() <= group["tolerance_grad"]
            evaluations += calls
            state["func_evals"] += calls
            if (
                n_iter == group["max_iter"]
                or evaluations >= group["max_eval"]
                or done
                or direction.mul(step).abs().max() <= group["tolerance_change"]
                or abs(loss - last_loss) < group["tolerance_change"]
            ):
                break
        # The order of the keys is part of the saved format.
        history = {name: state.pop(name) for name in ("old_dirs", "old_stps", "ro", "H_diag")}
        for name in ("d", "t", "prev_flat_grad", "prev_loss"):
            state.pop(name, None)
        state.update(d=direction, t=step, **history, prev_flat_grad=last_grad, prev_loss=last_loss)
        return first_loss

    def _search(self, closure, step, direction, start, group):
        saved = [p.clone(memory_format=_C.contiguous_format) for p in self._params]

        def evaluate(at):
            self._move(at, direction)
            loss = float(closure())
            grad = self._gather_grad()
            for param, value in zip(self._params, saved):
                param.copy_(value)
            return _Point(at, loss, grad, grad.dot(direction))

        return _strong_wolfe(evaluate, start, step, direction.abs().max(), group["tolerance_change"])

    @staticmethod
    def _remember(state, grad_change, move, history_size):
        curvature = grad_change.dot(move)
        if curvature <= 1e-10:  # such a pair would make the approximation indefinite
            return
        if len(state["old_dirs"]) == history_size:
            for name in ("old_dirs", "old_stps", "ro"):
                state[name].pop(0)
        state["old_dirs"].append(grad_change)
        state["old_stps"].append(move)
        state["ro"].append(1.0 / curvature)
        state["H_diag"] = curvature / grad_change.dot(grad_change)

    @staticmethod
    def _direction(state, grad, history_size):
        """−H·grad by the two-loop recursion (Nocedal & Wright, algorithm 7.4)."""
        changes, moves, inverse = state["old_dirs"], state["old_stps"], state["ro"]
        factors = state.setdefault("al", [None] * history_size)
        q = grad.neg()
        for i in range(len(changes) - 1, -1, -1):
            factors[i] = moves[i].dot(q) * inverse[i]
            q.add_(changes[i], alpha=-factors[i].item())
        q = q.mul(state["H_diag"])
        for i in range(len(changes)):
            q.add_(moves[i], alpha=(factors[i] - changes[i].dot(q) * inverse[i]).item())
        return q
