"""Checks gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau import _C
from flambeau.autograd._gradient_checks import (
    GradcheckError,
    Problem,
    Tensors,
    Tolerances,
    as_tuple,
    check_backward,
    check_backward_fast,
    check_batched,
    check_forward,
    check_inputs,
    check_no_history,
    check_undefined,
    is_differentiable,
)
from flambeau.autograd.grad_mode import enable_grad

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare gradients with central finite differences, at every element.

    Args:
        func: from the inputs to a tensor or several.
        inputs: a tensor or several; those that require gradients should be float64 or complex128.
        eps: step of the finite differences.
        atol, rtol: tolerances of the comparison.
        raise_exception: False answers False instead of raising.
        nondet_tol: how much two backward passes may differ.
        check_undefined_grad: also leave out the gradients of some outputs.
        check_grad_dtypes: gradients must have the dtypes of the inputs.
        check_batched_grad: also compare backward under vmap with a loop.
        check_batched_forward_grad: the same for forward mode; needs `check_forward_ad`.
        check_forward_ad: also check forward mode.
        check_backward_ad: check backward.
        fast_mode: compare one random combination of elements instead of each.
        masked: treatment of sparse inputs, which are refused; dense ones ignore nothing.
    Errors: GradcheckError for wrong gradients, ValueError if nothing requires gradients, AssertionError for
        options that contradict each other.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.exp, (x,))
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("gradcheck: switch on check_forward_ad, check_backward_ad or both")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("gradcheck: check_batched_grad needs check_backward_ad")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("gradcheck: check_batched_forward_grad needs check_forward_ad")
    for name, value in (("atol", atol), ("rtol", rtol)):
        if value < 0:
            raise RuntimeError(f"gradcheck: {name} must not be negative, got {value}")
    tensors = as_tuple(inputs)
    tolerances = Tolerances(eps, atol, rtol, nondet_tol)

    def run() -> None:
        check_inputs(tensors)
        problem = Problem(func, tensors)
        if not problem.checked:
            check_no_history(problem, tolerances)
            return
        if check_backward_ad:
            (check_backward_fast if fast_mode else check_backward)(problem, tolerances, check_grad_dtypes)
            if check_batched_grad:
                check_batched(problem)
            if check_undefined_grad:
                check_undefined(problem)
        if check_forward_ad:
            check_forward(problem, tolerances, check_batched_forward_grad)

    if raise_exception:
        run()
        return True
    try:
        run()
    except (GradcheckError, ValueError, RuntimeError):
        return False
    return True


def _random_grad_outputs(outputs: list[Any], noncontiguous: bool) -> Tensors:
    def draw(output: Any) -> Any:
        dtype = output.dtype if output.dtype in (_C.float64, _C.complex128) else _C.float64
        shape = (*output.shape[:-1], 2 * output.shape[-1]) if noncontiguous and output.dim() else output.shape
        drawn = _C.randn(shape, dtype=dtype, device=output.device)
        drawn = drawn[..., ::2] if noncontiguous and output.dim() else drawn
        return drawn.detach().requires_grad_()

    return tuple(map(draw, outputs))


def gradgradcheck(
    func: Callable,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check second derivatives: `gradcheck` of the function that computes the gradients.

    Args:
        func, inputs, eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes,
            check_batched_grad, fast_mode, masked: as for `gradcheck`.
        grad_outputs: gradients of the outputs; by default random.
        gen_non_contig_grad_outputs: make the random ones strided.
        check_fwd_over_rev: check forward mode over backward.
        check_rev_over_rev: check backward over backward.
    Errors: as `gradcheck`.
    """
    tensors = as_tuple(inputs)
    with enable_grad():
        outputs = [o for o in as_tuple(func(*tensors)) if is_differentiable(o)]
    weights = (
        _random_grad_outputs(outputs, gen_non_contig_grad_outputs)
        if grad_outputs is None
        else as_tuple(grad_outputs)
    )
    count = len(tensors)
    wanted = [i for i, t in enumerate(tensors) if is_differentiable(t)]

    def gradients(*arguments: Any) -> Tensors:
        with enable_grad():
            values = tuple(
                v.requires_grad_() if i in wanted and not v.requires_grad else v
                for i, v in enumerate(arguments[:count])
            )
            results = [o for o in as_tuple(func(*values)) if is_differentiable(o)]
            grads = flambeau.autograd.grad(
                results,
                [values[i] for i in wanted],
                list(arguments[count:]),
                create_graph=True,
                allow_unused=True,
            )
        return tuple(g for g in grads if g is not None)

    return gradcheck(
        gradients,
        tensors + weights,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )
