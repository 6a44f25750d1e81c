"""Numbers to tuples of one number a dimension."""
from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat


def _ntuple(n):
    def parse(value):
        return tuple(value) if isinstance(value, Iterable) else tuple(repeat(value, n))
    return parse


_single, _pair, _triple, _quadruple = _ntuple(1), _ntuple(2), _ntuple(3), _ntuple(4)


def _reverse_repeat_tuple(values, n):
    """(a, b) → (b, b, a, a) for n = 2: sizes in the order that `pad` takes them."""
    return tuple(value for value in reversed(values) for _ in range(n))
