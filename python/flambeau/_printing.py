"""Text of tensors: `repr`, `format` and the options that govern them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from flambeau import _C


class PrintOptions:
    """What `set_printoptions` sets; the profiles are whole sets of these values."""

    __slots__ = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")

    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

_options = PrintOptions()


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None
):
    """Choose how tensors are written by `repr`, `str` and `print`.

    Args:
        precision: digits after the decimal point, ≥ 0.
        threshold: number of elements above which the middle of each dimension is left out.
        edgeitems: elements kept at either end of a shortened dimension, ≥ 0.
        linewidth: characters per line.
        profile: "default", "short" or "full"; the arguments above override it.
        sci_mode: True always, False never writes exponents; None lets the values decide.

    >>> import flambeau as torch
    >>> with torch.printoptions(precision=2):
    ...     print(torch.tensor([0.123]))
    tensor([0.12])
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in PROFILES.get(profile, {}).items():
        setattr(_options, name, value)
    for name, value in given.items():
        if value is not None:
            setattr(_options, name, value)
    # Unlike the others, sci_mode returns to None when it is not given: PyTorch's rule.
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The current options, as keyword arguments for `set_printoptions`.

    >>> import flambeau as torch
    >>> torch.get_printoptions()["precision"]
    4
    """
    return {name: getattr(_options, name) for name in PrintOptions.__slots__}


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Set print options inside a `with` block; takes the arguments of `set_printoptions`."""
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


# --- numbers ---------------------------------------------------------------------------------------------


def _float_writer(values: list[float]) -> tuple[Callable[[float], str], int]:
    """The function that writes one number of `values`, and the width it pads to.

    Zeros, infinities and NaN count neither for the notation nor for the width: PyTorch's rule.
    """
    inf = math.inf
    counted = [v for v in values if v and -inf < v < inf]
    if not counted:
        return _integral, 1
    largest = max(counted)
    smallest_size = min(map(abs, counted))
    largest_size = max(largest, -min(counted))
    scientific = _options.sci_mode
    if scientific is None:
        scientific = largest_size / smallest_size > 1000.0 or largest_size > 1.0e8 or smallest_size < 1.0e-4
    if scientific:
        pattern = f"%.{_options.precision}e"
    elif all(map(float.is_integer, counted)):
        return _padded(_integral, max(map(len, map(_integral, counted))))
    else:
        pattern = f"%.{_options.precision}f"
    width = max([len(pattern % v) for v in counted])
    return f"%{width}{pattern[1:]}".__mod__, width


def _integral(value: float) -> str:
    """A float without digits after its point; infinities and NaN take no point."""
    text = f"{value:.0f}"
    return text + "." if math.isfinite(value) else text


def _padded(write: Callable[[Any], str], width: int) -> tuple[Callable[[Any], str], int]:
    return lambda value: write(value).rjust(width), width


def _writer(values: list[Any], floating: bool) -> tuple[Callable[[Any], str], int]:
    if floating:
        return _float_writer(values)
    return _padded(str, max([1, *map(len, map(str, values))]))


def _complex_writer(values: list[complex]) -> tuple[Callable[[complex], str], int]:
    write_real, real_width = _float_writer([v.real for v in values])
    write_imag, imag_width = _float_writer([v.imag for v in values])

    def write(value: complex) -> str:
        imag = write_imag(value.imag).lstrip() + "j"
        sign = "" if imag[0] == "-" else "+"
        return write_real(value.real) + sign + imag

    return write, real_width + imag_width + 1


# --- brackets --------------------------------------------------------------------------------------------


def _read(tensor: Any, shorten: bool) -> Any:
    """The elements to show as nested lists, read at once: one strided view of all corners, no copies."""
    if not shorten:
        return tensor.tolist()
    edge = _options.edgeitems
    sizes, strides = [], []
    shortened = []
    for size, stride in zip(tensor.shape, tensor.stride()):
        cut = size > 2 * edge
        shortened.append(cut)
        if cut:
            sizes += [2, edge]
            strides += [(size - edge) * stride, stride]
        else:
            sizes.append(size)
            strides.append(stride)
    corners = tensor.as_strided(sizes, strides, tensor.storage_offset()).tolist()
    return _join_ends(corners, shortened)


def _join_ends(nested: Any, shortened: list[bool]) -> Any:
    if not shortened:
        return nested
    cut, *rest = shortened
    if cut:
        nested = nested[0] + nested[1]
    return [_join_ends(item, rest) for item in nested] if any(rest) else nested


def _flatten(nested: Any, dim: int) -> list[Any]:
    for _ in range(dim - 1):
        nested = [item for row in nested for item in row]
    return nested if dim else [nested]


def _bracket_row(row: list[Any], indent: int, cut: bool, write: Callable[[Any], str], width: int) -> str:
    words = [write(value) for value in row]
    if cut:
        words.insert(_options.edgeitems, " ..." if _options.edgeitems else "...")
    per_line = max(1, math.floor((_options.linewidth - indent) / (width + 2)))
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _bracket(nested: Any, indent: int, cuts: list[bool], write: Callable[[Any], str], width: int) -> str:
    cut, *inner = cuts
    if not inner:
        return _bracket_row(nested, indent, cut, write, width)
    blocks = [_bracket(item, indent + 1, inner, write, width) for item in nested]
    if cut:
        blocks.insert(_options.edgeitems, "...")
    return "[" + ("," + "\n" * len(inner) + " " * (indent + 1)).join(blocks) + "]"


def _contents(tensor: Any, indent: int) -> str:
    """The bracketed elements of a strided tensor; continuation lines start at column `indent`."""
    if tensor.numel() == 0:
        return "[]"
    shorten = tensor.numel() > _options.threshold
    edge = _options.edgeitems
    cuts = [shorten and size > 2 * edge for size in tensor.shape]
    if cuts and shorten and not edge:
        return "[...]"
    tensor = tensor.detach()
    if tensor.is_conj():
        tensor = tensor.resolve_conj()
    if tensor.is_neg():
        tensor = tensor.resolve_neg()
    nested = _read(tensor, any(cuts))
    values = _flatten(nested, len(cuts))
    dtype = tensor.dtype
    write, width = _complex_writer(values) if dtype.is_complex else _writer(values, dtype.is_floating_point)
    if not cuts:
        return write(nested)
    return _bracket(nested, indent, cuts, write, width)


# --- the whole repr --------------------------------------------------------------------------------------

_COMPRESSED_NAMES = {
    "torch.sparse_csr": ("crow_indices", "col_indices"),
    "torch.sparse_bsr": ("crow_indices", "col_indices"),
    "torch.sparse_csc": ("ccol_indices", "row_indices"),
    "torch.sparse_bsc": ("ccol_indices", "row_indices"),
}


def _dtype_is_implied(tensor: Any) -> bool:
    """Whether literals of the elements would give the tensor's dtype back."""
    default = _C.get_default_dtype()
    default_complex = _C.complex128 if default == _C.float64 else _C.complex64
    return tensor.dtype in (default, default_complex, _C.int64, _C.bool)


def _size(tensor: Any) -> str:
    return f"size={tuple(tensor.shape)}"


def _sparse_parts(tensor: Any, names: tuple[str, ...], indent: int) -> str:
    """`indices=tensor(…), values=tensor(…)`, one part per line."""
    is_meta = tensor.device.type == "meta"
    parts = []
    for name in names:
        part = getattr(tensor, name)().detach()
        prefix = f"{name.lstrip('_')}=tensor("
        text = "..." if is_meta else _contents(part, indent + len(prefix))
        if is_meta or part.numel() == 0:
            text += f", {_size(part)}"
        parts.append(f"{prefix}{text})")
    return (",\n" + " " * indent).join(parts)


def _sparse_body(tensor: Any, layout: str, indent: int, contents: str | None) -> tuple[str, list[str]]:
    suffixes = [_size(tensor)]
    if tensor.device.type != "meta":
        suffixes.append(f"nnz={tensor._nnz()}")
    if not _dtype_is_implied(tensor):
        suffixes.append(f"dtype={tensor.dtype}")
    if contents is None:
        # The underscored accessors also answer for tensors that are not coalesced.
        names = (
            ("_indices", "_values")
            if layout == "torch.sparse_coo"
            else (*_COMPRESSED_NAMES[layout], "values")
        )
        contents = _sparse_parts(tensor, names, indent)
    return contents, suffixes


def _strided_body(tensor: Any, indent: int, contents: str | None) -> tuple[str, list[str]]:
    suffixes = []
    if tensor.device.type == "meta":
        suffixes.append(_size(tensor))
        if tensor.dtype != _C.get_default_dtype():
            suffixes.append(f"dtype={tensor.dtype}")
        return contents if contents is not None else "...", suffixes
    if tensor.numel() == 0:
        # Without elements nothing implies int64 or bool, and only the shape (0,) is implied by "[]".
        if tensor.dim() != 1:
            suffixes.append(_size(tensor))
        if tensor.dtype != _C.get_default_dtype():
            suffixes.append(f"dtype={tensor.dtype}")
        return contents if contents is not None else "[]", suffixes
    if not _options.edgeitems:
        suffixes.append(_size(tensor))
    if not _dtype_is_implied(tensor):
        suffixes.append(f"dtype={tensor.dtype}")
    if contents is None:
        dense = tensor if str(tensor.layout) == "torch.strided" else tensor.to_dense()
        contents = _contents(dense, indent)
    return contents, suffixes


def _history(tensor: Any) -> str | None:
    """`grad_fn=<…>` or `requires_grad=True`."""
    try:
        grad_fn = tensor.grad_fn
    except RuntimeError:
        # A view made and then written to without gradients has a history that cannot be rebuilt.
        return "grad_fn=<Invalid>"
    if grad_fn is not None:
        return f"grad_fn=<{grad_fn.name().rsplit('::', 1)[-1]}>"
    return "requires_grad=True" if tensor.requires_grad else None


def _tangent(tensor: Any) -> Any:
    """The forward-mode derivative that a dual tensor carries, or None."""
    read = getattr(_C, "_forward_tangent", None)
    return None if read is None else read(tensor)


def _append(text: str, suffixes: list[str], indent: int, new_line: bool) -> str:
    # One more than the true length: the margin PyTorch's line breaks show.
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if new_line or column + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
            new_line = False
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def _wrapper_repr(tensor: Any) -> str | None:
    """What a tensor seen inside `vmap`, `jvp` or `grad` shows: its level, and the tensor it wraps."""
    info = getattr(_C, "_wrapper_info", None)
    wrapper = info(tensor) if info is not None else None
    if wrapper is None:
        return None
    name, facts, value = wrapper
    inside = "\n".join("    " + line for line in tensor_repr(value).split("\n"))
    described = "".join(f"{key}={fact}, " for key, fact in facts.items())
    return f"{name}({described}value=\n{inside}\n)"


def tensor_repr(tensor: Any, *, tensor_contents: str | None = None) -> str:
    """The text of a tensor, as PyTorch 2.13 writes it.

    Args:
        tensor: any tensor.
        tensor_contents: text to show in place of the elements.
    """
    wrapped = _wrapper_repr(tensor)
    if wrapped is not None:
        return wrapped
    from flambeau.nn import Parameter

    is_plain = type(tensor) is _C.Tensor or type(tensor) is Parameter
    prefix = "tensor(" if is_plain else f"{type(tensor).__name__}("
    indent = len(prefix)
    with_device = [] if tensor.device.type == "cpu" else [f"device='{tensor.device}'"]
    layout = str(tensor.layout)
    is_sparse = layout.startswith("torch.sparse")
    if is_sparse:
        contents, suffixes = _sparse_body(tensor, layout, indent, tensor_contents)
    else:
        contents, suffixes = _strided_body(tensor, indent, tensor_contents)
    if layout != "torch.strided":
        suffixes.append(f"layout={layout}")
    history = _history(tensor)
    if history is not None:
        suffixes.append(history)
    tangent = _tangent(tensor)
    if tangent is not None:
        suffixes.append(f"tangent={tangent}")
    text = _append(prefix + contents, with_device + suffixes, indent, layout == "torch.sparse_coo")
    return f"Parameter({text})" if isinstance(tensor, Parameter) and not is_plain else text


def parameter_repr(parameter: Any) -> str:
    """The text of a `Parameter`."""
    return "Parameter containing:\n" + tensor_repr(parameter)


def tensor_format(tensor: Any, spec: str) -> str:
    """`format(tensor, spec)`: a tensor without dimensions formats as its number, others only without `spec`.

    Errors: TypeError if `spec` is not empty and the tensor is not a plain 0-d tensor with a value.
    """
    if tensor.dim() == 0 and type(tensor) is _C.Tensor and tensor.device.type != "meta":
        return format(tensor.item(), spec)
    if spec:
        raise TypeError(
            f"unsupported format string passed to {type(tensor).__name__}.__format__: {spec!r} on a "
            "tensor of "
            f"shape {tuple(tensor.shape)}; only plain tensors without dimensions format as numbers, use "
            ".item()"
        )
    return str(tensor)
