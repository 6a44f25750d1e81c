"""Layers that merge and split dimensions."""

from __future__ import annotations

from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Merge the dimensions start_dim … end_dim into one.

    Shapes: (N, d1, …, dk) → (N, d1·…·dk) by default.
    """

    __constants__ = ["start_dim", "end_dim"]

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input):
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self):
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split dimension `dim` into `unflattened_size`.

    Args:
        dim: position, or name of a named dimension.
        unflattened_size: the new sizes; one may be −1. With a name: (name, size) pairs.
    Shapes: (*, S, *) → (*, u1, …, uk, *) with u1·…·uk = S.
    """

    __constants__ = ["dim", "unflattened_size"]

    def __init__(self, dim, unflattened_size):
        super().__init__()
        if isinstance(dim, int):
            self._require_ints(unflattened_size)
        elif isinstance(dim, str):
            self._require_pairs(unflattened_size)
        else:
            raise TypeError("invalid argument type for dim parameter")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def _require_pairs(self, sizes):
        if not isinstance(sizes, tuple):
            raise TypeError(
                "Unflatten: unflattened_size must hold (name, size) pairs in a tuple, it is "
                f"{type(sizes).__name__}"
            )
        for place, pair in enumerate(sizes):
            if not isinstance(pair, tuple):
                raise TypeError(
                    f"Unflatten: unflattened_size must hold (name, size) pairs, item {place} is "
                    f"{type(pair).__name__}"
                )

    def _require_ints(self, sizes):
        if not isinstance(sizes, (tuple, list)):
            raise TypeError(
                f"Unflatten: unflattened_size must hold ints in a tuple, it is {type(sizes).__name__}"
            )
        for place, size in enumerate(sizes):
            if not isinstance(size, int):
                raise TypeError(
                    f"Unflatten: unflattened_size must hold ints, item {place} is {type(size).__name__}"
                )

    def forward(self, input):
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self):
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
