"""`make_tensor`: random tensors of any dtype for tests."""

from __future__ import annotations

import math
import warnings
from typing import Any

from flambeau import _C
from flambeau._dtype_info import finfo, iinfo

_EIGHT_BIT_FLOATS = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")


def _bounds(low: Any, high: Any, defaults: tuple, lowest: Any, highest: Any) -> tuple:
    """The requested interval, cut to what the dtype holds."""
    low = defaults[0] if low is None else low
    high = defaults[1] if high is None else high
    if any(isinstance(v, float) and math.isnan(v) for v in (low, high)):
        raise ValueError(f"make_tensor: low and high must not be NaN, got {low} and {high}")
    return max(low, lowest), min(high, highest), low, high


def _check_order(ordered: bool, low: Any, high: Any) -> None:
    if not ordered:
        raise ValueError(f"make_tensor: low={low} must lie below high={high}")


def _integers(shape: tuple, dtype: Any, device: Any, low: Any, high: Any) -> Any:
    if dtype == _C.bool:
        defaults, lowest, beyond = (0, 2), 0, 2
    else:
        info = iinfo(dtype)
        # The exclusive bound of 64-bit integers must itself be one.
        lowest, beyond = info.min, info.max + (info.bits < 64)
        defaults = (0 if info.min == 0 else -9, 10)
    cut_low, cut_high, low, high = _bounds(low, high, defaults, lowest, beyond)
    first, last = math.ceil(cut_low), math.ceil(cut_high)
    _check_order(low < high and first < last, low, high)
    return _C.randint(first, last, shape, device=device, dtype=dtype)


def _reals(shape: tuple, dtype: Any, device: Any, low: Any, high: Any) -> Any:
    info = finfo(dtype)
    cut_low, cut_high, low, high = _bounds(low, high, (-9, 9), info.min, info.max)
    _check_order(low <= high and cut_low <= cut_high, low, high)
    if low == high:
        warnings.warn(
            "make_tensor: low == high is deprecated for floating and complex dtypes, use torch.full()",
            FutureWarning,
            stacklevel=4,
        )
        return _C.full(shape, low, device=device, dtype=dtype)
    if dtype.is_complex:
        parts = _C.view_as_real(_C.empty(shape, device=device, dtype=dtype))
        return _C.view_as_complex(_uniform(parts, cut_low, cut_high, info))
    if str(dtype).rpartition(".")[2] in _EIGHT_BIT_FLOATS:
        return _uniform(_C.empty(shape, device=device, dtype=_C.float32), cut_low, cut_high, info).to(dtype)
    return _uniform(_C.empty(shape, device=device, dtype=dtype), cut_low, cut_high, info)


def _uniform(tensor: Any, low: float, high: float, info: Any) -> Any:
    if high - low > info.max:
        # The width of the interval overflows: draw from its half and double.
        return tensor.uniform_(low / 2, high / 2).mul_(2)
    return tensor.uniform_(low, high)


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """A tensor of uniformly distributed random elements.

    Args:
        shape: sizes, or one sequence of sizes.
        dtype: any dtype.
        device: where to make it.
        low: smallest value; by default -9, for unsigned integers and bools 0; cut to the dtype's range.
        high: upper end, exclusive; by default 9 for floats, 10 for integers, 2 for bools.
        requires_grad: make it a leaf that requires gradients; floating and complex dtypes only.
        noncontiguous: leave gaps between the elements; needs at least two elements.
        exclude_zero: replace zeros by one, or by the smallest normal number.
        memory_format: layout in memory; not together with `noncontiguous`.
    Errors: ValueError for contradictory arguments, TypeError for dtypes without values to draw.

    >>> import flambeau as torch
    >>> torch.testing.make_tensor(2, 3, dtype=torch.float32, device="cpu").shape
    torch.Size([2, 3])
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    exact = not (dtype.is_floating_point or dtype.is_complex)
    if requires_grad and exact:
        raise ValueError(f"make_tensor: requires_grad=True needs a floating or complex dtype, not {dtype}")
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"make_tensor: noncontiguous={noncontiguous} and memory_format={memory_format} contradict each "
            "other"
        )
    with_gaps = noncontiguous and math.prod(sizes) > 1
    drawn = (*sizes[:-1], 2 * sizes[-1]) if with_gaps else sizes
    result = (_integers if exact else _reals)(drawn, dtype, device, low, high)
    if with_gaps:
        result = result[..., 1::2]
    if memory_format is not None:
        result = result.clone(memory_format=memory_format)
    if exclude_zero:
        result[result == 0] = 1 if exact else finfo(dtype).tiny
    return result.requires_grad_() if requires_grad else result
