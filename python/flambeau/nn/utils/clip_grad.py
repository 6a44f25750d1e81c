"""Limiting the size of gradients."""

from __future__ import annotations

import functools
import warnings

from ... import _C
from ...autograd import no_grad

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensor = _C.Tensor


def _without_grad(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        with no_grad():
            return function(*args, **kwargs)

    return wrapper


def _gradients(parameters):
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    else:
        parameters = list(parameters)
        if not parameters:
            warnings.warn(
                "clip_grad_norm_: parameters is an exhausted generator, nothing is clipped; pass a "
                "list", stacklevel=4
            )
    return [p.grad for p in parameters if p.grad is not None]


@_without_grad
def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all tensors as one vector.

    Args:
        tensors: one tensor or several.
        norm_type: p of the norm, may be inf.
        error_if_nonfinite: RuntimeError if the norm is infinite or NaN.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return _C.tensor(0.0)
    norms = [_C.linalg_vector_norm(t, norm_type) for t in tensors]
    total = _C.linalg_vector_norm(_C.stack(norms), norm_type)
    if error_if_nonfinite and not bool(_C.isfinite(total)):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of order {norm_type} of the gradients of `parameters` is inf "
            "or nan, non-finite; error_if_nonfinite=False scales by it nevertheless"
        )
    return total


@_without_grad
def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scale the gradients in place by min(1, max_norm / (total_norm + 1e-6))."""
    grads = _gradients(parameters)
    if not grads:
        return
    # Always a product, never a branch on the value: nothing waits for the norm.
    factor = _C.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
    for grad in grads:
        grad.mul_(factor)


@_without_grad
def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scale the gradients in place so that their common norm is at most `max_norm`; give the norm before.

    Args:
        parameters: one tensor or several; those without gradient are left out.
        norm_type: p of the norm, may be inf.
        error_if_nonfinite: RuntimeError if the norm is infinite or NaN.
    """
    max_norm = float(max_norm)
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    else:
        is_generator = not isinstance(parameters, (list, tuple))
        parameters = list(parameters)
        if is_generator and not parameters:
            warnings.warn(
                "clip_grad_value_: parameters is an exhausted generator, nothing is clipped; pass a "
                "list", stacklevel=3
            )
    grads = [p.grad for p in parameters if p.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    if grads:
        clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Old name of clip_grad_norm_."""
    warnings.warn(
        "nn.utils.clip_grad_norm is the old name of clip_grad_norm_",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@_without_grad
def clip_grad_value_(parameters, clip_value, foreach=None):
    """Clamp every entry of the gradients in place to [−clip_value, clip_value]."""
    bound = float(clip_value)
    for grad in _gradients(parameters):
        grad.clamp_(min=-bound, max=bound)


_clip_grads_with_norm_ = clip_grads_with_norm_
_get_total_norm = get_total_norm
