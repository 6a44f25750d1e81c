"""Methods of `Tensor` that few programs call, and functions beside them; attached like those of _tensor.py."""
from __future__ import annotations

from . import _C

__all__ = ["unravel_index", "resize_as_", "empty_permuted", "nonzero_static"]

Tensor = _C.Tensor


def _one(tensor):
    if tensor.numel() != 1:
        raise ValueError(f"a Python number needs a tensor of one element, this one has {tensor.numel()}")
    return tensor.item()


def __complex__(self):
    return complex(_one(self))


def __long__(self):
    return int(_one(self))


def __nonzero__(self):
    return bool(self)


def __div__(self, other):
    return self / other


def __idiv__(self, other):
    self /= other
    return self


def to_dense(self, dtype=None, *, masked_grad=None):
    """This tensor, which is dense, converted to `dtype` if given."""
    return self if dtype is None else self.to(dtype)


def dense_dim(self):
    """The number of dense dims: all."""
    return self.dim()


def sparse_dim(self):
    """The number of sparse dims: none."""
    return 0


def dim_order(self, ambiguity_check=False):
    """The dims from the widest stride to the narrowest.

    >>> fb.ones(2, 3).t().dim_order()
    (1, 0)
    """
    return tuple(sorted(range(self.dim()), key=lambda d: -self.stride(d)))


def nonzero_static(input, *, size, fill_value=-1):
    """The coordinates of the first `size` elements that are not zero, filled up with `fill_value`.

    Shapes: → (size, input.dim()).   Dtypes: int64.

    >>> fb.nonzero_static(fb.tensor([0, 7]), size=2)
    tensor([[ 1],
            [-1]])
    """
    if size < 0:
        raise RuntimeError(f"nonzero_static: size must not be negative, got {size}")
    found = _C.nonzero(input)[:size]
    result = _C.full((size, input.dim()), fill_value, dtype=_C.int64)
    result[:found.shape[0]] = found
    return result


def unravel_index(indices, shape):
    """The coordinates of flat positions in a tensor of a shape: one tensor a dim.

    Args: indices, int64 tensor; negative ones count from the end; shape, ints.

    >>> fb.unravel_index(fb.tensor([4]), (2, 3))
    (tensor([1]), tensor([1]))
    """
    if indices.is_complex() or indices.is_floating_point() or indices.dtype == _C.bool:
        raise TypeError(f"unravel_index: indices must be integers, they are {indices.dtype}")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(size < 0 for size in shape):
        raise ValueError(f"unravel_index: a size in shape is negative, {shape}")
    coordinates, step = [], 1
    for size in reversed(shape):
        coordinates.insert(0, (indices // step) % size)
        step *= size
    return tuple(coordinates)


def resize_as_(input, the_template, memory_format=None):
    """Give `input` the shape of `the_template`, in place."""
    return input.resize_as_(the_template, memory_format=memory_format)


def empty_permuted(size, physical_layout, **options):
    """A tensor whose elements are not initialised, with its dims in memory in the given order, the widest first.

    >>> fb.empty_permuted((2, 3, 4), (0, 2, 1)).stride()
    (12, 1, 3)
    """
    if sorted(physical_layout) != list(range(len(size))):
        raise RuntimeError(f"empty_permuted: physical_layout must name each of the {len(size)} dims once, got "
                           f"{tuple(physical_layout)}")
    packed = _C.empty([size[d] for d in physical_layout], **options)
    back = sorted(range(len(size)), key=lambda k: physical_layout[k])
    return packed.permute(back)


for _function in (__complex__, __long__, __nonzero__, __div__, __idiv__, to_dense, dense_dim, sparse_dim, dim_order,
                  nonzero_static):
    setattr(Tensor, _function.__name__, _function)
