"""Functions of device families that this build does not have: each row of a table is one public function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

Answer = Callable[[], Any]


def fails(error: type[BaseException], text: str) -> Answer:
    """An answer that raises `error(text)`."""

    def answer() -> NoReturn:
        raise error(text)

    return answer


def not_built_text(kind: str) -> str:
    return f"{kind} is not there: flambeau computes on the CPU."


def gives(value: Any) -> Answer:
    """An answer that returns the immutable `value`."""
    return lambda: value


def define(namespace: dict[str, Any], answer: Answer, signatures: str) -> list[str]:
    """Put functions into a module: one `name(parameters)` per line, all with the same answer.

    The functions have the stated parameters, so that wrong calls fail as they do on a machine with the
    device.
    Returns their names.
    """
    names = []
    for line in filter(None, map(str.strip, signatures.splitlines())):
        name, _, parameters = line.rstrip(")").partition("(")
        # The parameters are this package's own text; compiling them gives argument checks at full speed.
        function = eval(f"lambda {parameters}: _answer()", {"_answer": answer})
        function.__name__ = function.__qualname__ = name
        function.__module__ = namespace["__name__"]
        namespace[name] = function
        names.append(name)
    return names


def absent_class(module: str, name: str, answer: Answer, bases: tuple[type, ...] = (object,)) -> type:
    """A class that can be named and asked with `isinstance`, but not instantiated."""

    def __new__(cls: type, *args: Any, **kwargs: Any) -> NoReturn:
        answer()
        raise AssertionError(f"{name} exists in no build of this package")

    return type(name, bases, {"__new__": __new__, "__module__": module, "__slots__": ()})


class AbsentDeviceGuard:
    """`with device(index):` without such a device: only negative indices, for "none", can be entered."""

    _enter_error: Answer

    def __init__(self, device: Any) -> None:
        self.idx = self._index(device)
        self.prev_idx = -1

    @staticmethod
    def _index(device: Any) -> int:
        return -1 if device is None else int(device)

    def __enter__(self) -> None:
        if self.idx >= 0:
            self._enter_error()

    def __exit__(self, *error: Any) -> bool:
        return False


def device_index(device: Any, family: str) -> int:
    """The index that `device` names: an int, `None`, "cuda", "cuda:1" or a device object of that family.

    Errors: ValueError if it is a device of another family.
    """
    if device is None:
        return -1
    if isinstance(device, int):
        return device
    kind, _, index = str(device).partition(":")
    if kind != family:
        raise ValueError(f"Expected a {family} device, but got: {device}")
    return int(index or 0)
