"""Functions whose arguments Python arranges before the core computes: einsum, tensordot, chain_matmul."""
from __future__ import annotations

from . import _C

__all__ = ["einsum", "tensordot", "chain_matmul", "unique", "unique_consecutive", "histogramdd", "lu"]


def _letter(label):
    if not 0 <= label < 52:
        raise ValueError(f"einsum: a subscript in a list must be a number from 0 to 51, got {label}")
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
        raise ValueError("einsum: pass an equation and its operands, or operands with lists of subscripts")
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
            raise RuntimeError(f"tensordot: dims must not be negative, got {dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot: dims={dims} exceeds the dims of a tensor, {a.dim()} and "
                               f"{b.dim()}")
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


def _asked(results, *wanted):
    """The first result, with those of the others that were asked for."""
    kept = [results[0]] + [r for r, want in zip(results[1:], wanted) if want]
    return tuple(kept) if len(kept) > 1 else kept[0]


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The different elements in ascending order, or the different slices along `dim` in lexicographic order.

    Args:
        input: any shape and real dtype.
        sorted: accepted; the result is always sorted.
        return_inverse: also give, for each element or slice, its place in the result, int64.
        return_counts: also give how often each occurs, int64.
    Shapes: input (*) → (n,), or input with n slices along `dim`.

    >>> fb.unique(fb.tensor([3, 1, 3]))
    tensor([1, 3])
    """
    if dim is None:
        return _asked(_C._unique2(input, sorted, return_inverse, return_counts), return_inverse, return_counts)
    return _asked(_C.unique_dim(input, dim, sorted, return_inverse, return_counts), return_inverse, return_counts)


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The first of each run of equal elements, or of equal slices along `dim`.

    Args and results as of `unique`.

    >>> fb.unique_consecutive(fb.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    return _asked(_C._unique_consecutive(input, return_inverse, return_counts, dim), return_inverse, return_counts)


class histogramdd_result(tuple):
    """A pair `(hist, bin_edges)`."""

    hist = property(lambda self: self[0])
    bin_edges = property(lambda self: self[1])

    def __repr__(self):
        return f"torch.return_types.histogramdd(\nhist={self[0]!r},\nbin_edges={self[1]!r})"


def histogramdd(input, bins, *, range=None, weight=None, density=False):
    """Counts of points in boxes of a grid, weighted or as a density, and the edges of the boxes.

    Args:
        input: points (…, D), floating.
        bins: boxes along each coordinate: one int, D ints, or D ascending tensors of edges.
        range: lowest and highest edge of each coordinate, 2·D floats; by default those of the points.
    Shapes: input (…, D) → hist of D dims, and D tensors of edges.
    """
    if isinstance(bins, int):
        bins = [bins] * input.shape[-1]
    if isinstance(bins, (list, tuple)) and bins and isinstance(bins[0], _C.Tensor):
        edges = tuple(bins)
    else:
        edges = _C._histogramdd_bin_edges(input, list(bins), range=range)
    hist = _C._histogramdd_from_bin_tensors(input, list(edges), weight=weight, density=density)
    return histogramdd_result((hist, edges))


def lu(A, pivot=True, get_infos=False, out=None):
    """LU factors in one tensor and the swaps of rows: linalg.lu_factor, which lu_solve and lu_unpack take.

    Args: A; pivot, which a CPU needs; get_infos, to get the places of zero pivots too instead of an error.
    Shapes: A (*, m, n) → (*, m, n), (*, min(m, n)), (*).   Dtypes: floating, complex; pivots and infos int32.
    Errors: LinAlgError for a zero pivot unless get_infos.

    >>> fb.lu(fb.tensor([[1., 2.], [2., 6.]]))[1]
    tensor([2, 2], dtype=torch.int32)
    """
    result = _C._lu_with_info(A, pivot=pivot, check_errors=not get_infos)
    result = result if get_infos else (result[0], result[1])
    if out is None:
        return result
    if len(out) != len(result):
        raise TypeError(f"lu: out must hold {len(result)} tensors, it holds {len(out)}")
    for target, value in zip(out, result, strict=True):
        target.resize_as_(value).copy_(value)
    return out


def _attach():
    def unique_of(self, sorted=True, return_inverse=False, return_counts=False, dim=None):
        return unique(self, sorted, return_inverse, return_counts, dim)

    def unique_consecutive_of(self, return_inverse=False, return_counts=False, dim=None):
        return unique_consecutive(self, return_inverse, return_counts, dim)

    def lu_of(self, pivot=True, get_infos=False):
        return lu(self, pivot, get_infos)

    for function, name in ((unique_of, "unique"), (unique_consecutive_of, "unique_consecutive"), (lu_of, "lu")):
        function.__name__, function.__doc__ = name, globals()[name].__doc__
        setattr(_C.Tensor, name, function)


_attach()
