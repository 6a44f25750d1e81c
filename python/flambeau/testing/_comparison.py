"""`assert_close`: equality up to tolerances, of tensors and of nested containers of them."""

from __future__ import annotations

import cmath
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from flambeau import _C
from flambeau._functions import as_tensor

# dtype: (rtol, atol); everything else, integers and bools, compares exactly.
_TOLERANCES = {
    _C.float16: (1e-3, 1e-5),
    _C.bfloat16: (1.6e-2, 1e-5),
    _C.float32: (1.3e-6, 1e-5),
    _C.float64: (1e-7, 1e-7),
    _C.complex64: (1.3e-6, 1e-5),
    _C.complex128: (1e-7, 1e-7),
}
_LEGACY_TOLERANCES = {**_TOLERANCES, _C.float32: (1e-4, 1e-5), _C.float64: (1e-5, 1e-8)}
_NUMBER_DTYPES = {int: _C.int64, float: _C.float64, complex: _C.complex128}
_SPARSE_NAMES = {
    "torch.sparse_coo": ("Sparse COO", ("_indices", "_values")),
    "torch.sparse_csr": ("Sparse CSR", ("crow_indices", "col_indices", "values")),
    "torch.sparse_csc": ("Sparse CSC", ("ccol_indices", "row_indices", "values")),
    "torch.sparse_bsr": ("Sparse BSR", ("crow_indices", "col_indices", "values")),
    "torch.sparse_bsc": ("Sparse BSC", ("ccol_indices", "row_indices", "values")),
}


class _Options:
    """The arguments of one `assert_close` call."""

    def __init__(self, rtol: float | None, atol: float | None, msg: Any, **checks: bool) -> None:
        if (rtol is None) != (atol is None):
            missing = "rtol" if rtol is None else "atol"
            raise ValueError(f"assert_close: rtol and atol go together, {missing} is missing")
        for name, value in (("rtol", rtol), ("atol", atol)):
            if value is not None and not value >= 0:
                raise RuntimeError(f"assert_close: {name} must not be negative or NaN, but got {value}")
        self.rtol, self.atol, self.msg = rtol, atol, msg
        self.__dict__.update(checks)

    def tolerances(self, *dtypes: Any) -> tuple[float, float]:
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        pairs = [_TOLERANCES.get(dtype, (0.0, 0.0)) for dtype in dtypes]
        return max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)

    def fail(self, text: str, path: tuple) -> NoReturn:
        text += _where(path)
        if callable(self.msg):
            text = self.msg(text)
        elif isinstance(self.msg, str):
            text = self.msg
        raise AssertionError(text)


def _where(path: tuple) -> str:
    return "\n\nAt item " + "".join(f"[{key!r}]" for key in path) if path else ""


def _not_close(what: str, rtol: float, atol: float) -> str:
    return f"{what} are not {'equal' if rtol == 0 and atol == 0 else 'close'}!\n\n"


def _allowed(tolerance: float, exact: bool) -> str:
    return "" if exact else f", allowed are {tolerance}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex)) or _is_numpy(value, "number")


def _is_numpy(value: Any, kind: str) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, kind))


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or _is_numpy(value, "bool_")


def _compare(actual: Any, expected: Any, options: Any, path: tuple) -> None:
    if actual is None or expected is None:
        if actual is not expected:
            options.fail(f"None mismatch: {actual} is not {expected}", path)
    elif _is_bool(actual) and _is_bool(expected):
        if bool(actual) is not bool(expected):
            options.fail(f"Booleans mismatch: {bool(actual)} is not {bool(expected)}", path)
    elif _is_number(actual) and _is_number(expected):
        _compare_numbers(actual, expected, options, path)
    elif _are_tensor_like(actual, expected, options):
        tensors = (v if isinstance(v, _C.Tensor) else as_tensor(v) for v in (actual, expected))
        _compare_tensors(*tensors, options, path)
    elif all(isinstance(v, Sequence) and not isinstance(v, str) for v in (actual, expected)):
        if len(actual) != len(expected):
            options.fail(f"sequences of different length: {len(actual)} != {len(expected)}", path)
        for index, pair in enumerate(zip(actual, expected)):
            _compare(*pair, options, (*path, index))
    elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
        _compare_mappings(actual, expected, options, path)
    else:
        raise TypeError(f"assert_close: {type(actual)} and {type(expected)} cannot be compared{_where(path)}")


def _are_tensor_like(actual: Any, expected: Any, options: Any) -> bool:
    if isinstance(actual, _C.Tensor) and isinstance(expected, _C.Tensor):
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        return related and (options.allow_subclasses or type(actual) is type(expected))
    return _is_numpy(actual, "ndarray") and _is_numpy(expected, "ndarray")


def _compare_mappings(actual: Mapping, expected: Mapping, options: Any, path: tuple) -> None:
    missing = [key for key in expected if key not in actual]
    additional = [key for key in actual if key not in expected]
    if missing or additional:
        lines = ["Mappings with different keys."]
        if missing:
            lines.append(f"Missing: {_in_order(missing)}")
        if additional:
            lines.append(f"Additional: {_in_order(additional)}")
        options.fail("\n".join(lines), path)
    for key in _in_order(actual):
        _compare(actual[key], expected[key], options, (*path, key))


def _in_order(keys: Any) -> list:
    try:
        return sorted(keys)
    except TypeError:
        return list(keys)


def _plain(value: Any) -> Any:
    return value.item() if _is_numpy(value, "number") else value


def _compare_numbers(actual: Any, expected: Any, options: Any, path: tuple) -> None:
    actual, expected = _plain(actual), _plain(expected)
    if options.check_dtype and type(actual) is not type(expected):
        options.fail(f"different types: {type(actual)} != {type(expected)}", path)
    rtol, atol = options.tolerances(*(_NUMBER_DTYPES.get(type(v), _C.int64) for v in (actual, expected)))
    if actual == expected or (options.equal_nan and cmath.isnan(actual) and cmath.isnan(expected)):
        return
    gap = abs(actual - expected)
    if cmath.isfinite(gap) and gap <= atol + rtol * abs(expected):
        return
    _fail_as_number(actual, expected, (rtol, atol), options, path)


def _compare_attributes(actual: Any, expected: Any, options: Any, path: tuple) -> None:
    rows = [
        ("shape", actual.shape, expected.shape, True),
        ("device", actual.device, expected.device, options.check_device),
        ("layout", actual.layout, expected.layout, options.check_layout),
        ("dtype", actual.dtype, expected.dtype, options.check_dtype),
    ]
    strided = str(actual.layout) == str(expected.layout) == "torch.strided"
    if options.check_stride and strided:
        rows.append(("stride()", actual.stride(), expected.stride(), True))
    for name, left, right, checked in rows:
        if checked and left != right:
            options.fail(f"different {name}: {left} != {right}", path)


def _compare_tensors(actual: Any, expected: Any, options: Any, path: tuple) -> None:
    actual, expected = actual.detach(), expected.detach()
    _compare_attributes(actual, expected, options, path)
    if actual.device != expected.device:
        actual, expected = actual.cpu(), expected.cpu()
    rtol, atol = options.tolerances(actual.dtype, expected.dtype)
    if actual.dtype != expected.dtype:
        dtype = _C.promote_types(actual.dtype, expected.dtype)
        actual, expected = actual.to(dtype), expected.to(dtype)
    layout = str(actual.layout)
    if layout != str(expected.layout):
        actual, expected = (
            t if str(t.layout) == "torch.strided" else t.to_dense() for t in (actual, expected)
        )
    elif layout in _SPARSE_NAMES:
        _compare_sparse(actual, expected, (rtol, atol), options, path)
        return
    _compare_values(actual, expected, "Tensor-likes", (rtol, atol), options, path)


def _compare_sparse(actual: Any, expected: Any, tolerances: tuple, options: Any, path: tuple) -> None:
    name, parts = _SPARSE_NAMES[str(actual.layout)]
    if "_indices" in parts:
        actual, expected = actual.coalesce(), expected.coalesce()
    if actual._nnz() != expected._nnz():
        options.fail(
            f"{name.lower().replace('coo', 'COO')} tensors with different numbers of stored elements: "
            f"{actual._nnz()} != {expected._nnz()}",
            path,
        )
    for part in parts:
        limits = tolerances if part.endswith("values") else (0.0, 0.0)
        left, right = getattr(actual, part)(), getattr(expected, part)()
        _compare_values(left, right, f"{name} {part.lstrip('_')}", limits, options, path)


def _compare_values(actual: Any, expected: Any, what: str, limits: tuple, options: Any, path: tuple) -> None:
    if actual.device.type == "meta":
        return
    rtol, atol = limits
    matches = _C.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=options.equal_nan)
    if matches.all():
        return
    if not (actual.dtype.is_floating_point or actual.dtype.is_complex):
        # Differences of bools do not exist and those of narrow integers wrap around.
        actual, expected = actual.to(_C.int64), expected.to(_C.int64)
    gaps = (actual - expected).abs()
    gaps[matches] = 0
    relative = gaps / expected.abs()
    relative[matches] = 0
    mismatched = matches.numel() - int(matches.sum())
    exact = rtol == 0 and atol == 0
    largest = [f"Mismatched elements: {mismatched} / {matches.numel()} ({mismatched / matches.numel():.1%})"]
    for word, values, limit in (("absolute", gaps, atol), ("relative", relative, rtol)):
        value, index = _largest(values)
        largest.append(f"Largest {word} difference: {value} at {index}{_allowed(limit, exact)}")
    if actual.dim() == 0 and what == "Tensor-likes":
        _fail_as_number(actual.item(), expected.item(), limits, options, path)
    options.fail(_not_close(what, rtol, atol) + "\n".join(largest), path)


def _fail_as_number(actual: Any, expected: Any, limits: tuple, options: Any, path: tuple) -> NoReturn:
    rtol, atol = limits
    exact = rtol == 0 and atol == 0
    gap = abs(actual - expected)
    relative = gap / abs(expected) if expected != 0 else float("inf")
    options.fail(
        _not_close("Scalars", rtol, atol)
        + f"Expected {expected} but got {actual}.\n"
        + f"Absolute difference: {gap}{_allowed(atol, exact)}\n"
        + f"Relative difference: {relative}{_allowed(rtol, exact)}",
        path,
    )


def _largest(values: Any) -> tuple[Any, tuple[int, ...]]:
    flat = values.reshape(-1)
    position = int(flat.argmax())
    value = flat[position].item()
    index = []
    for size in reversed(values.shape):
        position, inside = divmod(position, size)
        index.append(inside)
    return value, tuple(reversed(index))


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Assert that |actual - expected| ≤ atol + rtol · |expected| for every element.

    Args:
        actual: a tensor, NumPy array, number, bool, None, or a sequence or mapping of these.
        expected: of the same kind and structure.
        allow_subclasses: accept related types of tensors; if False the types must be equal.
        rtol: relative tolerance, ≥ 0; by default from the dtype (float32 1.3e-6), 0 for integers and bools.
        atol: absolute tolerance, ≥ 0; by default from the dtype (float32 1e-5). Give both or neither.
        equal_nan: let NaN equal NaN.
        check_device, check_dtype, check_layout, check_stride: what else must agree.
        msg: error text, or a function of the generated text.
    Errors: AssertionError if they differ, TypeError for kinds that cannot be compared, ValueError for one
    tolerance.

    >>> import flambeau as torch
    >>> torch.testing.assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    """
    options = _Options(
        rtol,
        atol,
        msg,
        allow_subclasses=allow_subclasses,
        equal_nan=equal_nan,
        check_device=check_device,
        check_dtype=check_dtype,
        check_layout=check_layout,
        check_stride=check_stride,
    )
    _compare(actual, expected, options, ())


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """The older, looser form of `assert_close`: converts its arguments and compares values only."""
    actual, expected = (v if isinstance(v, _C.Tensor) else _C.tensor(v) for v in (actual, expected))
    if rtol is None and atol is None:
        pairs = [_LEGACY_TOLERANCES.get(t.dtype, (0.0, 0.0)) for t in (actual, expected)]
        rtol, atol = max(p[0] for p in pairs), max(p[1] for p in pairs)
    assert_close(
        actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_device=True, check_dtype=False,
        check_stride=False, msg=msg or None,
    )  # fmt: skip
