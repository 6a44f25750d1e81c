"""Modules whose attributes are settings: checked when set, and frozen by `disable_global_flags`."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

PRECISIONS = ("none", "ieee", "tf32", "bf16")
_freeze = {"frozen": False, "inside_flags": 0}


def freeze() -> None:
    """From now on settings change through their `flags()` blocks only."""
    _freeze["frozen"] = True


def is_frozen() -> bool:
    return _freeze["frozen"]


@contextlib.contextmanager
def unfrozen() -> Iterator[None]:
    """Settings can be changed inside the block even after `freeze`."""
    _freeze["inside_flags"] += 1
    try:
        yield
    finally:
        _freeze["inside_flags"] -= 1


def check_frozen(owner: str) -> None:
    if _freeze["frozen"] and not _freeze["inside_flags"]:
        raise RuntimeError(
            f"{owner}: its flags were frozen by disable_global_flags; use the block flags(…) instead"
        )


def check_precision(value: Any) -> None:
    if value not in PRECISIONS:
        raise RuntimeError(f"Unknown precision: {value}; choose from {', '.join(PRECISIONS)}")


class Precision:
    """`fp32_precision` of a family of ops; "none" stands for what the owner says."""

    def __init__(self, owner: Any, value: str = "none") -> None:
        self._owner = owner
        self._value = value

    @property
    def fp32_precision(self) -> str:
        return self._owner() if self._value == "none" else self._value

    @fp32_precision.setter
    def fp32_precision(self, value: str) -> None:
        check_frozen("torch.backends")
        check_precision(value)
        self._value = value


def _setting(
    owner: str, name: str, check: Callable[[Any], None], changed: Callable[[Any], None] | None
) -> property:
    slot = f"_{name}"

    def read(module: Any) -> Any:
        return module.__dict__[slot]

    def write(module: Any, value: Any) -> None:
        check_frozen(owner)
        check(value)
        if changed is not None:
            changed(value)
        module.__dict__[slot] = value

    return property(read, write)


def expect(kind: type, name: str) -> Callable[[Any], None]:
    """A check that a value is of type `kind`."""

    def check(value: Any) -> None:
        if type(value) is not kind:
            raise RuntimeError(f"{name} expects a {kind.__name__}, but got {type(value).__name__}")

    return check


def make_settings(
    module_name: str, rows: dict[str, tuple], changed: dict[str, Callable] | None = None
) -> None:
    """Turn the names in `rows` (name: (default, check)) into checked attributes of a module."""
    module = sys.modules[module_name]
    owner = module_name.replace("flambeau", "torch", 1)
    properties = {
        name: _setting(owner, name, check, (changed or {}).get(name)) for name, (_, check) in rows.items()
    }
    for name, (default, _) in rows.items():
        module.__dict__[f"_{name}"] = default
    module.__class__ = type("SettingsModule", (types.ModuleType,), properties)


def set_many(module_name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Set every setting whose value is not None; returns all of them as they were."""
    module = sys.modules[module_name]
    before = {name: getattr(module, name) for name in values}
    for name, value in values.items():
        if value is not None:
            setattr(module, name, value)
    return before


@contextlib.contextmanager
def flags_block(module_name: str, values: dict[str, Any]) -> Iterator[None]:
    """The settings in force inside a `with` block."""
    with unfrozen():
        before = set_many(module_name, values)
    try:
        yield
    finally:
        with unfrozen():
            set_many(module_name, before)
