"""Checks gradients against finite differences; the work is done in `_gradcheck`, imported on first use."""
from __future__ import annotations

__all__ = ["gradcheck", "gradgradcheck"]


def gradcheck(func, inputs, **options):
    """Whether backward of `func` at `inputs` agrees with finite differences.

    Args:
        func: takes the tensors of `inputs`, returns one tensor or several.
        inputs: tensors, those that require grad in float64 or complex128.
        options: eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes,
            check_batched_grad, check_forward_ad, check_backward_ad, fast_mode, masked … as in PyTorch.
    Errors: GradcheckError where they disagree, unless `raise_exception` is False.

    >>> x = fb.ones(2, dtype=fb.float64, requires_grad=True)
    >>> fb.autograd.gradcheck(fb.exp, (x,))
    True
    """
    from ._gradcheck import gradcheck as run
    return run(func, inputs, **options)


def gradgradcheck(func, inputs, grad_outputs=None, **options):
    """Whether second derivatives of `func` agree with finite differences of first ones.

    Args:
        func, inputs, options: as of `gradcheck`.
        grad_outputs: gradients of the outputs to differentiate with; random ones by default.
    """
    from ._gradcheck import gradgradcheck as run
    return run(func, inputs, grad_outputs, **options)


def __getattr__(name):
    if name == "GradcheckError":
        from ._gradient_checks import GradcheckError
        return GradcheckError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
