"""The comparisons behind `gradcheck`, each for one way of computing derivatives.

A complex number counts as two real ones: the Jacobian with respect to a complex input is d/d(real) + i ·
d/d(imag), which
is what backward computes for a real output, and a complex output is checked as its real and its imaginary
part.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flambeau
from flambeau import _C
from flambeau.autograd.grad_mode import enable_grad, no_grad

Tensors = tuple[Any, ...]


class GradcheckError(RuntimeError):
    """A gradient that disagrees with finite differences, or breaks another rule of `gradcheck`."""

    __module__ = f"{__package__}.gradcheck"


class Tolerances(NamedTuple):
    eps: float
    atol: float
    rtol: float
    nondet: float


def as_tuple(value: Any) -> Tensors:
    if isinstance(value, _C.Tensor):
        return (value,)
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def is_differentiable(value: Any) -> bool:
    return (
        isinstance(value, _C.Tensor)
        and value.requires_grad
        and (value.dtype.is_floating_point or value.dtype.is_complex)
    )


# --- the function under test, in real terms --------------------------------------------------------------


class Problem:
    """A function and its inputs; `outputs()` are real, one per checked output part."""

    def __init__(self, func: Callable, inputs: Tensors) -> None:
        self.func = func
        self.inputs = inputs
        self.wanted = [t for t in inputs if is_differentiable(t)]
        with enable_grad():
            raw = as_tuple(func(*inputs))
        for output in raw:
            if not isinstance(output, _C.Tensor):
                raise AttributeError(
                    f"gradcheck: the function must return tensors, but returned {type(output)}"
                )
        self.checked = [i for i, output in enumerate(raw) if is_differentiable(output)]
        self.floating = [i for i, o in enumerate(raw) if o.dtype.is_floating_point or o.dtype.is_complex]

    def outputs(self, which: Sequence[int] | None = None) -> list[tuple[int, Any]]:
        """(number, real tensor) for every checked output, complex ones in two parts."""
        raw = as_tuple(self.func(*self.inputs))
        parts = []
        for index in self.checked if which is None else which:
            output = raw[index]
            if output.dtype.is_complex:
                parts += [(index, _C.real(output)), (index, _C.imag(output))]
            else:
                parts.append((index, output))
        return parts

    def values(self, which: Sequence[int] | None = None) -> list[Any]:
        with no_grad():
            return [part.detach().clone() for _, part in self.outputs(which)]


def check_inputs(inputs: Tensors) -> None:
    any_wanted = False
    for index, value in enumerate(inputs):
        if not is_differentiable(value):
            continue
        any_wanted = True
        if str(value.layout) != "torch.strided":
            raise ValueError(
                f"gradcheck: input {index} is sparse; pass a dense tensor and convert inside the function"
            )
        if value.dtype not in (_C.float64, _C.complex128):
            warnings.warn(
                f"gradcheck: input {index} is {value.dtype}; differences are too coarse below double "
                "precision and the check is likely to fail",
                stacklevel=4,
            )
        if any(step == 0 and size > 1 for size, step in zip(value.shape, value.stride())):
            raise RuntimeError(
                f"gradcheck: input {index} has stride 0 in a dim, so that elements share memory and cannot "
                "be varied one by one; call .contiguous() on it first"
            )
        value.retain_grad()
    if not any_wanted:
        raise ValueError("gradcheck: no input requires grad, so there is nothing to check")


# --- numerical derivatives -------------------------------------------------------------------------------


def _directional(
    problem: Problem, tensor: Any, step: Any, eps: float, which: Sequence[int] | None
) -> list[Any]:
    """Central differences of all outputs when `tensor` moves along `step`."""
    data = tensor.detach()
    saved = data.clone()
    try:
        with no_grad():
            data.copy_(saved + eps * step)
        above = problem.values(which)
        with no_grad():
            data.copy_(saved - eps * step)
        below = problem.values(which)
    finally:
        with no_grad():
            data.copy_(saved)
    return [(a - b) / (2 * eps) for a, b in zip(above, below)]


def _numerical_jacobians(
    problem: Problem, tensor: Any, eps: float, which: Sequence[int] | None = None
) -> list[Any]:
    """Per output the matrix (input elements, output elements)."""
    units = _units(tensor)
    rows: list[list[Any]] = []
    step = _C.zeros_like(tensor.detach(), memory_format=_C.contiguous_format)
    flat = step.view(-1)
    for element in range(tensor.numel()):
        total: list[Any] | None = None
        for unit in units:
            flat[element] = unit
            slopes = [unit * slope.reshape(-1) for slope in _directional(problem, tensor, step, eps, which)]
            total = slopes if total is None else [a + b for a, b in zip(total, slopes)]
        flat[element] = 0
        rows.append(total or [])
    count = len(problem.values(which)) if not rows else len(rows[0])
    return [
        _C.stack([row[i] for row in rows]) if rows else _C.zeros(0, 0, dtype=_C.float64) for i in range(count)
    ]


# --- analytical derivatives ------------------------------------------------------------------------------


def _gradients(output: Any, wanted: list[Any], weight: Any, **options: Any) -> list[Any]:
    grads = flambeau.autograd.grad(output, wanted, weight, retain_graph=True, allow_unused=True, **options)
    for grad, tensor in zip(grads, wanted):
        if grad is not None and not options and grad.shape != tensor.shape:
            raise GradcheckError("a gradient from backward has another shape than its input")
    return [_C.zeros_like(t) if g is None else g for g, t in zip(grads, wanted)]


def _analytical_jacobians(output: Any, wanted: list[Any], check_dtypes: bool) -> list[Any]:
    """Per input the matrix (input elements, output elements)."""
    columns: list[list[Any]] = [[] for _ in wanted]
    weight = _C.zeros(tuple(output.shape), dtype=output.dtype)
    flat = weight.view(-1)
    for element in range(output.numel()):
        flat[element] = 1
        for column, grad, tensor in zip(columns, _gradients(output, wanted, weight.clone()), wanted):
            if check_dtypes and grad.dtype != tensor.dtype:
                raise GradcheckError("a gradient has another dtype than its input")
            column.append(grad.reshape(-1))
        flat[element] = 0
    return [
        _C.stack(column, 1) if column else _C.zeros(t.numel(), 0, dtype=t.dtype)
        for column, t in zip(columns, wanted)
    ]


# --- comparisons -----------------------------------------------------------------------------------------


def _mismatch(out: int, inp: int, numerical: Any, analytical: Any, note: str = "") -> GradcheckError:
    return GradcheckError(
        f"{note}Jacobian mismatch of output {out} and input "
        f"{inp}\nnumerical:{numerical}\nanalytical:{analytical}\n"
    )


def _close(a: Any, b: Any, rtol: float, atol: float) -> bool:
    dtype = _C.promote_types(a.dtype, b.dtype)
    return _C._all_true(_C.isclose(a.to(dtype), b.to(dtype), rtol, atol))


def check_no_history(problem: Problem, tolerances: Tolerances) -> None:
    """A function whose outputs have no history must not change with its inputs."""
    for tensor in problem.wanted:
        for slope in _numerical_jacobians(problem, tensor, tolerances.eps, problem.floating):
            if not _close(slope, _C.zeros_like(slope), 0.0, tolerances.atol):
                raise GradcheckError("the output has no graph, but it changes with an input")


def check_backward(problem: Problem, tolerances: Tolerances, check_dtypes: bool) -> None:
    numerical = [_numerical_jacobians(problem, tensor, tolerances.eps) for tensor in problem.wanted]
    with enable_grad():
        parts = problem.outputs()
        for number, (index, output) in enumerate(parts):
            first = _analytical_jacobians(output, problem.wanted, check_dtypes)
            again = _analytical_jacobians(output, problem.wanted, check_dtypes)
            for inp, (jacobian, repeated) in enumerate(zip(first, again)):
                expected = numerical[inp][number].reshape(jacobian.shape)
                if not _close(jacobian, expected, tolerances.rtol, tolerances.atol):
                    raise _mismatch(index, inp, expected, jacobian)
                _check_reentrant(jacobian, repeated, tolerances)


def _random_like(tensor: Any, generator: Any) -> Any:
    drawn = _C.rand(tensor.shape, dtype=_C.float64, generator=generator) - 0.5
    return drawn.to(tensor.dtype)


def check_backward_fast(problem: Problem, tolerances: Tolerances, check_dtypes: bool) -> None:
    """Compare v·J·u for random v, u instead of every element of J.

    The tolerance is the sum of what the elements' own tolerances allow: atol · Σ|u| · Σ|v|.
    """
    generator = _C.Generator()
    generator.manual_seed(2147483647)
    weights = [_random_like(value, generator) for value in problem.values()]
    probes = [_Probe(problem, inp, tensor, unit, generator, tolerances.eps)
              for inp, tensor in enumerate(problem.wanted) for unit in _units(tensor)]  # fmt: skip
    # The graph is recorded after the last perturbation: those write to the inputs.
    with enable_grad():
        parts = problem.outputs()
    for probe in probes:
        for (index, output), weight, slope in zip(parts, weights, probe.slopes):
            with enable_grad():
                first = _gradients(output, [probe.tensor], weight)[0]
                again = _gradients(output, [probe.tensor], weight)[0]
            if check_dtypes and first.dtype != probe.tensor.dtype:
                raise GradcheckError("a gradient has another dtype than its input")
            expected, found = (slope * weight).sum(), (probe.part(first) * probe.direction).sum()
            room = tolerances.atol * max(1.0, float(probe.direction.abs().sum()) * float(weight.abs().sum()))
            if not _close(found, expected, tolerances.rtol, room):
                raise _mismatch(index, probe.inp, expected.item(), found.item(), "(fast mode) ")
            _check_reentrant(first, again, tolerances)


def _units(tensor: Any) -> list[Any]:
    """The real directions of one element."""
    return [1.0, 1j] if tensor.dtype.is_complex else [1.0]


def _real_shape(tensor: Any) -> Any:
    return _C.real(tensor.detach()) if tensor.dtype.is_complex else tensor.detach()


class _Probe:
    """A random direction of one input, along its real or imaginary parts, and the outputs' slopes."""

    def __init__(
        self, problem: Problem, inp: int, tensor: Any, unit: Any, generator: Any, eps: float
    ) -> None:
        self.inp, self.tensor, self.unit = inp, tensor, unit
        self.direction = _random_like(_real_shape(tensor), generator)
        self.slopes = _directional(problem, tensor, unit * self.direction, eps, None)

    def part(self, gradient: Any) -> Any:
        """The component of a gradient that belongs to this probe."""
        if not gradient.dtype.is_complex:
            return gradient
        return _C.real(gradient) if self.unit == 1.0 else _C.imag(gradient)


def _check_reentrant(first: Any, again: Any, tolerances: Tolerances) -> None:
    if not _close(first, again, 0.0, tolerances.nondet):
        raise GradcheckError(
            "backward gave different values when run again with the same gradients "
            f"(nondet_tol={tolerances.nondet})"
        )


def check_undefined(problem: Problem) -> None:
    """Backward must take missing gradients for some or all outputs as zeros."""
    undefined = getattr(_C, "_undefined_grad", None)
    if undefined is None:
        return
    with enable_grad():
        raw = as_tuple(problem.func(*problem.inputs))
        outputs = [raw[i] for i in problem.checked]
        cases = [range(len(outputs)), *([i] for i in range(len(outputs)) if len(outputs) > 1)]
        for missing in cases:
            hidden = [undefined(o) if i in missing else o for i, o in enumerate(outputs)]
            weights = [_C.zeros_like(o) for o in outputs]
            try:
                grads = flambeau.autograd.grad(
                    hidden, problem.wanted, weights, retain_graph=True, allow_unused=True
                )
            except RuntimeError as error:
                raise GradcheckError(
                    f"Backward fails when the gradients of some outputs are undefined: {error}"
                ) from error
            if any(g is not None and bool((g != 0).any()) for g in grads):
                raise GradcheckError(
                    "Backward gives gradients that are not zero when those of the outputs are undefined "
                    "or zero"
                )


def check_batched(problem: Problem) -> None:
    """Backward under vmap must agree with a loop."""
    with enable_grad():
        for index, output in problem.outputs():
            weights = _C.stack([_C.randn_like(output.detach()) for _ in range(2)])
            looped = [_gradients(output, problem.wanted, weight) for weight in weights]
            try:
                batched = _gradients(output, problem.wanted, weights, is_grads_batched=True)
            except RuntimeError as error:
                raise GradcheckError(
                    f"While testing batched gradients of output {index}, vmap failed: {error}"
                ) from error
            for inp, (batch, *singles) in enumerate(zip(batched, *looped)):
                expected = _C.stack(singles)
                if batch.shape != expected.shape:
                    batch = batch.expand(expected.shape)
                if not _close(batch, expected, 1e-5, 1e-8):
                    raise _mismatch(index, inp, expected, batch, "Batched gradients: ")


def _place(problem: Problem, position: int) -> int:
    return [i for i, t in enumerate(problem.inputs) if any(t is w for w in problem.wanted)][position]


def _real_parts(values: Sequence[Any]) -> list[Any]:
    return [part for v in values for part in ([_C.real(v), _C.imag(v)] if v.dtype.is_complex else [v])]


def _forward_derivative(problem: Problem, position: int, tangent: Any) -> list[Any]:
    """Forward-mode derivatives of all checked output parts along a tangent of one input."""
    from flambeau.autograd import forward_ad

    inputs = list(problem.inputs)
    place = _place(problem, position)
    with forward_ad.dual_level():
        # Still requiring gradients: the function may itself run a backward pass.
        inputs[place] = forward_ad.make_dual(problem.inputs[place].detach().requires_grad_(), tangent)
        duals = [forward_ad.unpack_dual(output) for output in as_tuple(problem.func(*inputs))]
        tangents = [
            _C.zeros_like(duals[i][0]) if duals[i][1] is None else duals[i][1] for i in problem.checked
        ]
        return [part.detach().clone() for part in _real_parts(tangents)]


def _batched_derivative(problem: Problem, position: int, tangents: Any) -> list[Any]:
    """The same for a batch of tangents, under vmap."""
    from flambeau.func import jvp, vmap

    place = _place(problem, position)

    def along(value: Any) -> Tensors:
        raw = as_tuple(problem.func(*problem.inputs[:place], value, *problem.inputs[place + 1 :]))
        return tuple(raw[index] for index in problem.checked)

    point = problem.inputs[place].detach()
    return _real_parts(vmap(lambda tangent: jvp(along, (point,), (tangent,))[1])(tangents))


def check_forward(problem: Problem, tolerances: Tolerances, batched: bool) -> None:
    numbers = [index for index, _ in problem.outputs()]
    for inp, tensor in enumerate(problem.wanted):
        for unit in _units(tensor):
            tangent = (unit * _C.randn_like(_real_shape(tensor))).to(tensor.dtype)
            expected = _directional(problem, tensor, tangent, tolerances.eps, None)
            found = _forward_derivative(problem, inp, tangent)
            room = tolerances.atol * max(1.0, float(tangent.abs().sum()))
            for index, numerical, analytical in zip(numbers, expected, found):
                if not _close(analytical, numerical, tolerances.rtol, room):
                    raise _mismatch(index, inp, numerical, analytical, "(forward mode) ")
            if batched:
                _check_batched_forward(problem, inp, tangent, numbers, found)


def _check_batched_forward(
    problem: Problem, inp: int, tangent: Any, numbers: list[int], found: list[Any]
) -> None:
    tangents = _C.stack([tangent, 2 * tangent])
    try:
        batched = _batched_derivative(problem, inp, tangents)
    except RuntimeError as error:
        raise GradcheckError(f"While testing batched forward gradients, vmap failed: {error}") from error
    for index, batch, single in zip(numbers, batched, found):
        if not _close(batch, _C.stack([single, 2 * single]), 1e-5, 1e-8):
            raise _mismatch(index, inp, single, batch, "Batched forward gradients: ")
