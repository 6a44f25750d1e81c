"""Where elements are: coordinates of counted elements, dims in an order of their own."""
from __future__ import annotations

from . import _C

__all__ = ["unravel_index", "empty_permuted"]


def unravel_index(indices, shape):
    """The coordinates of elements that are counted row by row through a tensor of `shape`.

    Args: indices, integers; those out of range wrap around. shape, an int or ints.
    Shapes: indices (*) → one tensor (*) for each dim.   Errors: TypeError for other dtypes, ValueError for sizes < 0.

    >>> fb.unravel_index(fb.tensor([5]), (2, 3))
    (tensor([1]), tensor([2]))
    """
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == _C.bool:
        raise TypeError(f"unravel_index: indices must be integers, they are {indices.dtype}")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(size < 0 for size in shape):
        raise ValueError(f"unravel_index: a size in shape is negative, {shape}")
    found = []
    for size in reversed(shape):
        found.append(indices % size)
        indices = indices // size
    return tuple(reversed(found))


def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False,
                   pin_memory=False):
    """An uninitialised tensor of `size` whose dims lie in memory in the order `physical_layout`, outermost first.

    >>> fb.empty_permuted((2, 3, 4), (1, 2, 0)).stride()
    (1, 8, 2)
    """
    if sorted(physical_layout) != list(range(len(size))):
        raise RuntimeError(f"Expected physical_layout {tuple(physical_layout)} to be a permutation of the dims of size "
                           f"{tuple(size)}")
    outer = _C.empty([size[d] for d in physical_layout], dtype=dtype, device=device)
    result = outer.permute([list(physical_layout).index(d) for d in range(len(size))])
    return result.requires_grad_() if requires_grad else result
