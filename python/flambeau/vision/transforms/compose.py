"""Transforms made of other transforms."""

import random
from collections.abc import Callable, Sequence

import flambeau as torch
from flambeau import nn

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]


class Compose:
    """Several transforms, one after the other.

    Args:
        transforms: called in order, each with the result of the one before.

    >>> Compose([Lambda(lambda x: x + 1), Lambda(lambda x: x * 10)])(2)
    30
    """

    def __init__(self, transforms: Sequence[Callable]) -> None:
        self.transforms = transforms

    def __call__(self, img):
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listing(self, self.transforms)


class Lambda:
    """A function as a transform.

    Errors: TypeError if it cannot be called.
    """

    def __init__(self, lambd: Callable) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}.")
        self.lambd = lambd

    def __call__(self, img):
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomApply(nn.Module):
    """All of the transforms with probability `p`, else none."""

    def __init__(self, transforms: Sequence[Callable], p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img):
        if self.p < torch.rand(1):
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listing(self, self.transforms, f"p={self.p}")


class _RandomTransforms:
    def __init__(self, transforms: Sequence[Callable]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence.")
        self.transforms = transforms

    def __repr__(self) -> str:
        return _listing(self, self.transforms)


class RandomChoice(_RandomTransforms):
    """One of the transforms, chosen by `random`, in proportion to the weights `p`."""

    def __init__(self, transforms: Sequence[Callable], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence.")
        self.p = p

    def __call__(self, *args):
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


class RandomOrder(_RandomTransforms):
    """All of the transforms in an order chosen by `random`."""

    def __call__(self, img):
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


def _listing(owner, transforms, *first: str) -> str:
    lines = [f"    {entry}" for entry in (*first, *transforms)]
    return "\n".join([f"{type(owner).__name__}(", *lines, ")"])
