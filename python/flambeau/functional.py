"""Functions whose arguments Python arranges before the core computes: einsum, tensordot, chain_matmul."""
from __future__ import annotations

from . import _C

__all__ = ["einsum", "tensordot", "chain_matmul"]


def _letter(label):
    if not 0 <= label < 52:
        raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
    return chr(ord("A") + label) if label < 26 else chr(ord("a") + label - 26)


def _subscripts(labels):
    return "".join("..." if label is Ellipsis else _letter(label) for label in labels)


def einsum(*args):
    """Sum of products of the operands' elements in Einstein's notation.

    Args:
        args: an equation such as "ij,jk->ik" and its operands; or operands each followed by a list of its labels
            (ints in [0, 52) or ...), and at the end, if wanted, the labels of the result.
    Shapes: as the equation says; "..." stands for any further dims, which broadcast.
    Dtypes: all, equal.
    Errors: RuntimeError if the equation and the operands do not fit; ValueError for too few arguments.

    >>> fb.einsum("ij,j->i", fb.ones(2, 3), fb.ones(3))
    tensor([3., 3.])
    """
    if len(args) < 2:
        raise ValueError("einsum(): must specify the equation string and at least one operand, "
                         "or at least one operand and its subscripts list")
    if isinstance(args[0], str):
        equation, operands = args[0], args[1:]
    else:
        pairs = len(args) // 2
        operands = args[0:2 * pairs:2]
        equation = ",".join(_subscripts(labels) for labels in args[1:2 * pairs:2])
        if len(args) % 2 == 1:
            equation += "->" + _subscripts(args[-1])
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    return _C.einsum(equation, list(operands))


def tensordot(a, b, dims=2, out=None):
    """Sum of products of two tensors over several dims of each.

    Args:
        a, b: the tensors.
        dims: how many last dims of a meet as many first dims of b; or two lists, dims of a and of b; or a tensor
            of two such rows.
        out: where to write the result.
    Shapes: the remaining dims of a, then those of b.
    Dtypes: all but bool, equal.
    Errors: RuntimeError if sizes or the lengths of the lists differ.

    >>> fb.tensordot(fb.ones(2, 3), fb.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    if isinstance(dims, _C.Tensor):
        dims = int(dims.item()) if dims.numel() == 1 else dims.tolist()
    if isinstance(dims, (list, tuple)):
        dims_a, dims_b = dims
        dims_a = [dims_a] if isinstance(dims_a, int) else list(dims_a)
        dims_b = [dims_b] if isinstance(dims_b, int) else list(dims_b)
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims_a, dims_b = list(range(-dims, 0)), list(range(dims))
    return _C.tensordot(a, b, dims_a, dims_b, out=out)


def chain_matmul(*matrices, out=None):
    """Product of one or more matrices in the order that needs the least work.

    Args:
        matrices: 2-D tensors whose sizes meet.
        out: where to write the result.
    Shapes: (m, a), (a, b), …, (y, z) → (m, z).
    Dtypes: all but bool, equal.
    Errors: RuntimeError for other ranks or sizes that do not meet.

    >>> fb.chain_matmul(fb.ones(2, 3), fb.ones(3, 4), fb.ones(4, 1)).shape
    torch.Size([2, 1])
    """
    return _C.chain_matmul(list(matrices), out=out)
