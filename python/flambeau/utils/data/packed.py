"""A list in one piece of memory, which worker processes share without ever copying it."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from typing import Any

import flambeau as torch

__all__ = ["PackedList"]


class PackedList(Sequence):
    """A sequence whose items are kept as bytes in one tensor; each is made anew when it is asked for.

    A worker shares the memory of the main process until it writes there, and reading a Python object writes:
    to the object's reference count. A dataset that is a large list of Python objects so is copied, page by
    page, into every worker. Bytes are not. (PyTorch has no such class.)

    Args:
        items: anything that can be pickled.
    Errors: IndexError for an index outside the list; PicklingError or TypeError for items that cannot be
        pickled.

    >>> samples = PackedList([{"id": 3}, {"id": 4}])
    >>> samples[-1], len(samples)
    ({'id': 4}, 2)
    """

    def __init__(self, items: Iterable) -> None:
        data, ends = bytearray(), [0]
        for item in items:
            data += pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
            ends.append(len(data))
        self._bytes = torch.frombuffer(data, dtype=torch.uint8) if data else torch.empty(0, dtype=torch.uint8)
        self._ends = torch.tensor(ends)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"PackedList: index {index} is out of range for {len(self)} items")
        begin, end = self._ends[index % len(self) :][:2].tolist()
        return pickle.loads(self._bytes.untyped_storage()._to_bytes()[begin:end])
