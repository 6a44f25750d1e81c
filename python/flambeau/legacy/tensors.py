"""Methods and attributes of tensors that PyTorch keeps for old programs and warns about."""
from __future__ import annotations

import warnings

__all__ = ["resize", "resize_as", "volatile", "warn_of_volatile"]


def warn_of_volatile() -> None:
    """Say that `volatile` does nothing any more."""
    warnings.warn("volatile has no effect: since PyTorch 0.4 a block under `torch.no_grad()` computes without "
                  "recording.", UserWarning, stacklevel=3)


@property
def volatile(self):
    """Always False."""
    warn_of_volatile()
    return False


def resize(self, *sizes):
    """This tensor's elements in another shape of as many elements; the old word for `reshape`.

    Args: sizes, the shape, as numbers or one tuple.
    Errors: RuntimeError if the number of elements differs.

    >>> fb.arange(4).resize(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    warnings.warn("non-inplace resize is deprecated: write reshape", UserWarning, stacklevel=2)
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    count = 1
    for size in shape:
        count *= size
    if count != self.numel():
        raise RuntimeError(f"resize: {'x'.join(map(str, shape))} takes {count} elements, the tensor of "
                           f"{'x'.join(map(str, self.shape))} has {self.numel()}; resize_ can change their "
                           "number")
    return self.contiguous().view(shape)


def resize_as(self, tensor):
    """`self.resize(tensor.size())`.

    >>> fb.arange(2).resize_as(fb.ones(2, 1)).shape
    torch.Size([2, 1])
    """
    return resize(self, tensor.size())
