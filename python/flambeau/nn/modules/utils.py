"""Arguments in the form that layers and containers keep them."""

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


def key_value_pairs(source, owner):
    """(key, value) pairs of a mapping or an iterable of pairs, checked."""
    if not isinstance(source, Iterable):
        raise TypeError(f"{owner}.update takes a mapping or (key, value) pairs, not {type(source).__name__}")
    if hasattr(source, "items"):
        return list(source.items())
    pairs = list(source)
    for place, pair in enumerate(pairs):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{owner}.update: item {place} is {type(pair).__name__}, a (key, value) pair is needed"
            )
        if len(pair) != 2:
            raise ValueError(
                f"{owner}.update: item {place} has {len(pair)} entries, a (key, value) pair has 2"
            )
    return pairs
