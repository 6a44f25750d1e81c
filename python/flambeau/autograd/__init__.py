"""Reverse-mode differentiation: `backward`, `grad`, `Function`, and the modes of the recorder."""
from __future__ import annotations

from collections.abc import Iterable

from .. import _C
from . import _node_hooks  # noqa: F401
from .anomaly_mode import detect_anomaly, set_detect_anomaly  # noqa: F401
from .function import Function, NestedIOFunction  # noqa: F401
from .gradcheck import gradcheck, gradgradcheck  # noqa: F401
from .grad_mode import (enable_grad, enforce_grad_layout_policy, inference_mode,  # noqa: F401
                        no_grad, set_grad_enabled, set_multithreading_enabled)
from .variable import Variable  # noqa: F401

is_grad_enabled = _C.is_grad_enabled
is_inference_mode_enabled = _C.is_inference_mode_enabled

__all__ = ["Variable", "Function", "backward", "grad", "no_grad", "enable_grad", "set_grad_enabled", "inference_mode",
           "detect_anomaly", "set_detect_anomaly", "gradcheck", "gradgradcheck"]


def _as_tuple(value):
    return (value,) if isinstance(value, _C.Tensor) or not isinstance(value, Iterable) else tuple(value)


def _seeds(outputs, given, is_grads_batched=False):
    if given is None:
        return (None,) * len(outputs)
    seeds = _as_tuple(given)
    if len(seeds) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(seeds)} gradients")
    for i, (output, seed) in enumerate(zip(outputs, seeds)):
        if seed is None:
            continue
        if not isinstance(seed, _C.Tensor):
            raise TypeError(f"backward: gradient {i} must be a tensor or None, not {type(seed).__name__}")
        if seed.shape != output.shape and not is_grads_batched:
            raise RuntimeError(f"backward: output[{i}] has shape {output.shape} and its gradient "
                               f"grad_output[{i}] {seed.shape}; they must be equal")
        if seed.dtype.is_complex != output.dtype.is_complex:
            raise RuntimeError(f"backward: output[{i}] is {output.dtype} and its gradient grad_output[{i}] "
                               f"is {seed.dtype}; both must be complex or both real")
    return seeds


def _need_tensors(outputs):
    for i, output in enumerate(outputs):
        if not isinstance(output, _C.Tensor) and not hasattr(output, "node"):
            raise AssertionError(f"grad: output {i} must be a tensor, not {type(output).__name__}")


def _check_implicit(outputs, seeds):
    for output, seed in zip(outputs, seeds):
        if seed is None and output.requires_grad:
            if output.numel() != 1:
                raise RuntimeError(f"backward: an output of shape {tuple(output.shape)} is no scalar and needs a "
                                   "gradient; call backward(gradient)")
            if output.dtype.is_complex:
                raise RuntimeError(f"backward: a complex output, here of {output.dtype}, needs a gradient; "
                                   "call backward(gradient)")


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Add the gradients of `tensors` into the `.grad` of the leaves they depend on.

    Args:
        tensors: one tensor or several, the roots.
        grad_tensors: the gradient with respect to each root; None for a root of one element.
        retain_graph: keep saved values, so that the graph can be used again; default: `create_graph`.
        create_graph: record the computation of the gradients, for higher derivatives.
        inputs: accumulate into these only.
    Errors: RuntimeError if a root does not require grad, or a graph was already used and freed.

    >>> x = fb.tensor(3., requires_grad=True)
    >>> fb.autograd.backward(x * x)
    >>> x.grad
    tensor(6.)
    """
    if grad_variables is not None:
        grad_tensors = grad_variables if grad_tensors is None else grad_tensors
    if inputs is not None:
        inputs = _as_tuple(inputs)
        if not inputs:
            raise RuntimeError("backward: `inputs` is empty; leave it away to reach all leaves")
    tensors = _as_tuple(tensors)
    _need_tensors(tensors)
    seeds = _seeds(tensors, grad_tensors)
    _check_implicit(tensors, seeds)
    retain = create_graph if retain_graph is None else retain_graph
    _C._backward(tensors, seeds, inputs or (), bool(retain), bool(create_graph), True)


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True,
         allow_unused=None, is_grads_batched=False, materialize_grads=False):
    """The gradients of `outputs` by `inputs`, returned and not accumulated.

    Args:
        outputs, inputs: one tensor or several.
        grad_outputs: the gradient with respect to each output; None for one of one element.
        allow_unused: give None for inputs that the outputs do not depend on, instead of raising.
        materialize_grads: give zeros there instead.
    Errors: RuntimeError if an input does not require grad or is unused.

    >>> x = fb.tensor(3., requires_grad=True)
    >>> fb.autograd.grad(x ** 2, x)
    (tensor(6.),)
    """
    outputs, inputs = _as_tuple(outputs), _as_tuple(inputs)
    _need_tensors(outputs)
    if not inputs:
        raise RuntimeError("grad: `inputs` is empty")
    for each in inputs:
        if not isinstance(each, _C.Tensor) and not hasattr(each, "node"):
            raise RuntimeError("grad: each of `inputs` must be a tensor or a GradientEdge, not "
                               f"{type(each).__name__}")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads=True stands for missing gradients, allow_unused=False "
                         "forbids them; drop one")
    if allow_unused is None:
        allow_unused = materialize_grads
    if is_grads_batched:
        return _batched_grad(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    seeds = _seeds(outputs, grad_outputs)
    _check_implicit(outputs, seeds)
    retain = create_graph if retain_graph is None else retain_graph
    grads = _C._backward(outputs, seeds, inputs, bool(retain), bool(create_graph), False)
    for i, g in enumerate(grads):
        if g is None and materialize_grads:
            grads[i] = _C.zeros_like(inputs[i], requires_grad=create_graph)
        elif g is None and not allow_unused:
            raise RuntimeError(f"grad: no output depends on input {i}, of shape {list(inputs[i].shape)}; "
                               "with allow_unused=True its gradient is None")
    return tuple(grads)


def _batched_grad(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads):
    seeds = () if grad_outputs is None else _as_tuple(grad_outputs)
    if not any(s is not None and s.dim() for s in seeds):
        raise ValueError("is_grads_batched: grad_outputs need a first dim, along which the batch lies (in_dim=0), but "
                         "have dimensionality 0")
    count = next(s.shape[0] for s in seeds if s is not None)
    rows = []
    for k in range(count):
        last = k == count - 1
        row = tuple(None if s is None else s[k] for s in seeds)
        retain = True if not last else (create_graph if retain_graph is None else retain_graph)
        rows.append(grad(outputs, inputs, row, retain, create_graph, True, allow_unused, False, materialize_grads))
    return tuple(None if column[0] is None else _C.stack(column) for column in zip(*rows))


def __getattr__(name):
    if name in ("functional", "forward_ad", "graph", "profiler"):
        import importlib
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
