"""Products with Jacobians and Hessians of functions of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau import _C
from flambeau.autograd.grad_mode import enable_grad

__all__ = ["vjp", "jvp", "jacobian", "hessian", "hvp", "vhp"]

Tensors = tuple[Any, ...]


# --- arguments and results -------------------------------------------------------------------------------


def _as_tuple(value: Any, what: str, function: str) -> tuple[bool, Tensors]:
    """Whether `value` is a tuple, and its tensors."""
    if isinstance(value, _C.Tensor):
        return False, (value,)
    if not isinstance(value, tuple):
        raise TypeError(
            f"{function}: the {what} must be a tensor or several in a tuple, not {type(value).__name__}"
        )
    for index, item in enumerate(value):
        if not isinstance(item, _C.Tensor):
            raise TypeError(f"{function}: the {what} must be tensors, item {index} is {type(item).__name__}")
    return True, value


def _inputs(inputs: Any, function: str, create_graph: bool) -> tuple[bool, Tensors]:
    """Fresh aliases to differentiate by; with `create_graph` they stay linked to the caller's tensors."""
    is_tuple, tensors = _as_tuple(inputs, "inputs given to", function)
    if create_graph:
        return is_tuple, tuple(
            t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in tensors
        )
    return is_tuple, tuple(t.detach().requires_grad_() for t in tensors)


def _outputs(func: Callable, inputs: Tensors, function: str) -> tuple[bool, Tensors]:
    return _as_tuple(func(*inputs), "outputs of func", function)


def _vector(v: Any, like: Tensors, is_tuple: bool, what: str) -> Tensors:
    """The vector of a product: given, or one for a single element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"v can be left away only if {what} a single tensor of one element")
        return (_C.ones_like(like[0]),)
    _, tensors = _as_tuple(v, "v given to", "the product")
    tensors = tuple(t.detach() if not t.requires_grad else t.view_as(t) for t in tensors)
    if len(tensors) != len(like):
        if not is_tuple:
            raise RuntimeError("v must be one tensor, as there is one to multiply")
        raise RuntimeError(f"v must hold {len(like)} tensors, it holds {len(tensors)}")
    for index, (given, wanted) in enumerate(zip(tensors, like)):
        if given.shape != wanted.shape:
            entry = f"Entry {index} in v" if is_tuple else "v"
            raise RuntimeError(f"{entry} must have shape {wanted.shape}, it has {given.shape}")
    return tensors


def _finish(values: Tensors, is_tuple: bool, create_graph: bool) -> Any:
    if not create_graph:
        values = tuple(t.detach() for t in values)
    return values if is_tuple else values[0]


def _grad(outputs: Tensors, inputs: Tensors, vectors: Tensors, keep: bool = False) -> Tensors:
    """Gradients of the outputs that have a history; None for every input that none of them depends on."""
    pairs = [(o, v) for o, v in zip(outputs, vectors) if o is not None and o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return flambeau.autograd.grad(
        [o for o, _ in pairs],
        inputs,
        [v for _, v in pairs],
        create_graph=keep,
        retain_graph=True,
        allow_unused=True,
    )


def _zeros_for_none(grads: Tensors, like: Tensors) -> Tensors:
    return tuple(_C.zeros_like(t) if g is None else g for g, t in zip(grads, like))


# --- strict mode -----------------------------------------------------------------------------------------


def _check_outputs(outputs: Tensors, strict: bool) -> None:
    for index, output in enumerate(outputs):
        if strict and not output.requires_grad:
            raise RuntimeError(
                f"strict=True: output {index} of func has no graph; it must be computed from the inputs"
            )


def _check_grads(grads: Tensors, strict: bool, create_graph: bool, stage: str = "The output") -> None:
    if not strict:
        return
    for index, grad in enumerate(grads):
        if grad is None:
            raise RuntimeError(f"strict=True: {stage} of func does not depend on input {index}")
        if create_graph and not grad.requires_grad:
            raise RuntimeError(
                f"strict=True with create_graph=True: the Jacobian does not depend on input {index}"
            )


def _check_second(grads: Tensors, strict: bool) -> None:
    for index, grad in enumerate(grads):
        if strict and (grad is None or not grad.requires_grad):
            raise RuntimeError(
                f"strict=True: the gradient does not depend on input {index}, so there is no second "
                "derivative; func must not be linear in it"
            )


def _single_element(outputs: Tensors, is_tuple: bool, function: str) -> Any:
    if is_tuple or outputs[0].numel() != 1:
        raise RuntimeError(f"{function}: func must return a tensor of one element")
    return outputs[0]


# --- products --------------------------------------------------------------------------------------------


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value and the product of `v` with its Jacobian.

    Args:
        func: from tensors to a tensor or several in a tuple.
        inputs: a tensor or several in a tuple.
        v: of the shape of the outputs; may be left out for a single element.
        create_graph: let the results be differentiated again.
        strict: raise where an output does not depend on an input, instead of answering with zeros.
    Shapes: the product has the shapes of `inputs`.
    Errors: TypeError for what is no tensor, RuntimeError for wrong shapes or in strict mode.

    >>> import flambeau as torch
    >>> torch.autograd.functional.vjp(lambda x: x ** 2, torch.tensor([3.0]), torch.tensor([1.0]))[1]
    tensor([6.])
    """
    with enable_grad():
        is_tuple, x = _inputs(inputs, "vjp", create_graph)
        outputs_are_tuple, y = _outputs(func, x, "vjp")
        _check_outputs(y, strict)
        vectors = _vector(v, y, outputs_are_tuple, "func returns")
        grads = _grad(y, x, vectors, keep=create_graph)
        _check_grads(grads, strict, create_graph)
        grads = _zeros_for_none(grads, x)
    return _finish(y, outputs_are_tuple, create_graph), _finish(grads, is_tuple, create_graph)


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value and the product of its Jacobian with `v`.

    Computed by two reverse passes; `func.jvp` does it in one forward pass.

    Args:
        func: from tensors to a tensor or several in a tuple.
        inputs: a tensor or several in a tuple.
        v: of the shape of the inputs; may be left out for a single element.
        create_graph: let the results be differentiated again.
        strict: raise where an output does not depend on an input, instead of answering with zeros.
    Shapes: the product has the shapes of the outputs.
    Errors: TypeError for what is no tensor, RuntimeError for wrong shapes or in strict mode.
    Source: the vjp is linear in its vector, and the derivative of that linear map is the jvp (Townsend,
    2017).
    """
    with enable_grad():
        is_tuple, x = _inputs(inputs, "jvp", create_graph)
        vectors = _vector(v, x, is_tuple, "the input is")
        outputs_are_tuple, y = _outputs(func, x, "jvp")
        _check_outputs(y, strict)
        weights = tuple(_C.zeros_like(t, requires_grad=True) for t in y)
        grads = _grad(y, x, weights, keep=True)
        _check_grads(grads, strict, False)
        products = _zeros_for_none(_grad(grads, weights, vectors, keep=create_graph), y)
    return _finish(y, outputs_are_tuple, create_graph), _finish(products, outputs_are_tuple, create_graph)


def _before_hessian(func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool, name: str) -> Any:
    """Whether the inputs are a tuple, the inputs, the vectors, the outputs, and the gradient to differentiate again."""
    is_tuple, x = _inputs(inputs, name, create_graph)
    vectors = _vector(v, x, is_tuple, "the input is")
    outputs_are_tuple, y = _outputs(func, x, name)
    output = _single_element(y, outputs_are_tuple, name)
    _check_outputs(y, strict)
    first = _grad(y, x, (_C.ones_like(output),), keep=True)
    _check_grads(first, strict, False)
    _check_second(first, strict)
    return is_tuple, x, vectors, y, first


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a scalar function and the product of `v` with its Hessian.

    Args:
        func: from tensors to a tensor of one element.
        inputs: a tensor or several in a tuple.
        v: of the shape of the inputs; may be left out for a single element.
        create_graph: let the results be differentiated again.
        strict: raise where the gradient does not depend on an input, instead of answering with zeros.
    Shapes: the product has the shapes of `inputs`.
    Errors: TypeError for what is no tensor, RuntimeError for wrong shapes or in strict mode.
    """
    with enable_grad():
        is_tuple, x, vectors, y, first = _before_hessian(func, inputs, v, create_graph, strict, "vhp")
        second = _grad(first, x, vectors, keep=create_graph)
        _check_grads(second, strict, create_graph, "The jacobian")
        second = _zeros_for_none(second, x)
    return _finish(y, False, create_graph), _finish(second, is_tuple, create_graph)


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a scalar function and the product of its Hessian with `v`.

    Equal to `vhp` wherever the Hessian is symmetric, and slower: it takes a third reverse pass.

    Args:
        func: from tensors to a tensor of one element.
        inputs: a tensor or several in a tuple.
        v: of the shape of the inputs; may be left out for a single element.
        create_graph: let the results be differentiated again.
        strict: raise where the gradient does not depend on an input, instead of answering with zeros.
    Shapes: the product has the shapes of `inputs`.
    Errors: TypeError for what is no tensor, RuntimeError for wrong shapes or in strict mode.
    """
    with enable_grad():
        is_tuple, x, vectors, y, first = _before_hessian(func, inputs, v, create_graph, strict, "hvp")
        weights = tuple(_C.zeros_like(t, requires_grad=True) for t in x)
        second = _grad(first, x, weights, keep=True)
        _check_grads(second, strict, False, "The jacobian")
        products = _zeros_for_none(_grad(second, weights, vectors, keep=create_graph), x)
    return _finish(y, False, create_graph), _finish(products, is_tuple, create_graph)


# --- matrices --------------------------------------------------------------------------------------------


def _rows_by_loop(output: Any, index: int, x: Tensors, create_graph: bool, strict: bool) -> list[Any]:
    """Per input, the Jacobian of one output: one reverse pass for each of its elements."""
    rows: list[list[Any]] = [[] for _ in x]
    for element in output.reshape(-1):
        grads = _grad((element,), x, (_C.ones_like(element),), keep=create_graph)
        _check_grads(grads, strict, create_graph, f"Output {index}")
        for row, grad in zip(rows, _zeros_for_none(grads, x)):
            row.append(grad)
    return [
        _C.stack(row).reshape(output.shape + t.shape) if row else t.new_zeros(output.shape + t.shape)
        for row, t in zip(rows, x)
    ]


def _rows_at_once(output: Any, x: Tensors, create_graph: bool) -> list[Any]:
    """Per input, the Jacobian of one output: one batched reverse pass."""
    if not output.requires_grad or output.numel() == 0:
        return [t.new_zeros(output.shape + t.shape) for t in x]
    count = output.numel()
    units = _C.eye(count, dtype=output.dtype, device=output.device).reshape(count, *output.shape)
    grads = flambeau.autograd.grad(
        output,
        x,
        units,
        create_graph=create_graph,
        retain_graph=True,
        allow_unused=True,
        is_grads_batched=True,
    )
    return [
        t.new_zeros(output.shape + t.shape) if g is None else g.reshape(output.shape + t.shape)
        for g, t in zip(grads, x)
    ]


def _columns_at_once(func: Callable, inputs: Any) -> Any:
    """The Jacobian by forward mode: one batched pass over the unit vectors of each input."""
    from flambeau.func import jvp as forward_jvp
    from flambeau.func import vmap

    is_tuple, x = _as_tuple(inputs, "inputs given to", "jacobian")
    x = tuple(t.detach() for t in x)
    outputs_are_tuple, y = _outputs(func, x, "jacobian")
    columns: list[list[Any]] = [[] for _ in y]
    for position, t in enumerate(x):
        units = _C.eye(t.numel(), dtype=t.dtype, device=t.device).reshape(t.numel(), *t.shape)

        def push(unit: Any, position: int = position) -> Tensors:
            tangents = tuple(unit if i == position else _C.zeros_like(o) for i, o in enumerate(x))
            tangent = forward_jvp(lambda *a: _outputs(func, a, "jacobian")[1], x, tangents)[1]
            return tangent if isinstance(tangent, tuple) else (tangent,)

        for column, output, values in zip(columns, y, vmap(push)(units)):
            column.append(values.movedim(0, -1).reshape(output.shape + t.shape))
    return _nested(columns, outputs_are_tuple, is_tuple)


def _nested(rows: list[list[Any]], outputs_are_tuple: bool, is_tuple: bool) -> Any:
    per_output = tuple(tuple(row) if is_tuple else row[0] for row in rows)
    return per_output if outputs_are_tuple else per_output[0]


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of a function.

    Args:
        func: from tensors to a tensor or several in a tuple.
        inputs: a tensor or several in a tuple.
        create_graph: let the result be differentiated again.
        strict: raise where an output does not depend on an input, instead of answering with zeros.
        vectorize: one batched pass instead of one pass per element.
        strategy: "reverse-mode", or "forward-mode" (with `vectorize` only), which suits fewer inputs than
        outputs.
    Shapes: output.shape + input.shape; for tuples a tuple per output of a tuple per input.
    Errors: TypeError for what is no tensor, RuntimeError in strict mode or for strict with vectorize,
    NotImplementedError
        for forward mode without vectorize or with create_graph, AssertionError for another strategy.

    >>> import flambeau as torch
    >>> torch.autograd.functional.jacobian(lambda x: x ** 2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(f"unknown strategy={strategy!r}, choose 'reverse-mode' or 'forward-mode'")
    if strict and vectorize:
        raise RuntimeError("jacobian: `strict=True` and `vectorize=True` are not supported together")
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError("jacobian: `create_graph=True` needs the reverse-mode strategy")
        if not vectorize:
            raise NotImplementedError("jacobian: the forward-mode strategy needs `vectorize=True`")
        return _columns_at_once(func, inputs)
    with enable_grad():
        is_tuple, x = _inputs(inputs, "jacobian", create_graph)
        outputs_are_tuple, y = _outputs(func, x, "jacobian")
        _check_outputs(y, strict)
        if vectorize:
            rows = [_rows_at_once(output, x, create_graph) for output in y]
        else:
            rows = [_rows_by_loop(output, i, x, create_graph, strict) for i, output in enumerate(y)]
        if not create_graph:
            rows = [[block.detach() for block in row] for row in rows]
    return _nested(rows, outputs_are_tuple, is_tuple)


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a scalar function: the Jacobian of its gradient.

    Args:
        func: from tensors to a tensor of one element.
        inputs: a tensor or several in a tuple.
        create_graph, strict, vectorize: as for `jacobian`.
        outer_jacobian_strategy: how the gradient is differentiated, as `strategy` of `jacobian`.
    Shapes: input.shape + input.shape; for tuples a tuple per input of a tuple per input.
    Errors: as `jacobian`, and RuntimeError if the function returns more than one element.

    >>> import flambeau as torch
    >>> torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    is_tuple, _ = _as_tuple(inputs, "inputs given to", "hessian")

    def scalar(*x: Any) -> Any:
        outputs_are_tuple, y = _outputs(func, x, "hessian")
        return _single_element(y, outputs_are_tuple, "hessian").reshape(())

    def gradient(*x: Any) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            from flambeau.func import grad

            grads = grad(scalar, argnums=tuple(range(len(x))))(*x)
        else:
            grads = jacobian(scalar, x, create_graph=True)
            _check_second(grads, strict)
        return grads if is_tuple else grads[0]

    return jacobian(
        gradient,
        inputs,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
