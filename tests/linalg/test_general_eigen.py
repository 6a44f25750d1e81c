"""Eigenvalues and eigenvectors of matrices that are not symmetric, easy ones and those that iterations find hard."""

import flambeau as torch
import numpy as np
import pytest
from flambeau import linalg

DTYPES = ["float32", "float64", "complex64", "complex128"]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
SIZES = [1, 2, 3, 4, 7, 20, 60]


def numbers(rng, dtype, *shape):
    x = rng.standard_normal(shape)
    return x + 1j * rng.standard_normal(shape) if "complex" in dtype else x


def jordan(rng, n, dtype):
    return np.eye(n) * numbers(rng, dtype, 1)[0] + np.eye(n, k=1)


def turned_jordan(rng, n, dtype):
    q = np.linalg.qr(numbers(rng, dtype, n, n))[0]
    return q @ jordan(rng, n, dtype) @ q.conj().T


def shuffled(a, rng):
    order = rng.permutation(len(a))
    return a[order][:, order]


def companion(rng, n, dtype):
    a = np.eye(n, k=-1).astype(dtype)
    a[:, -1] = numbers(rng, dtype, n)
    return a


def cycle(rng, n, dtype):
    """Roots of one: without shifts of another kind the iteration would go round with them."""
    return np.roll(np.eye(n), 1, axis=0)


def badly_scaled(rng, n, dtype):
    d = 10.0 ** rng.uniform(-6, 6, n)
    return d[:, None] * numbers(rng, dtype, n, n) / d


def skew(rng, n, dtype):
    a = numbers(rng, dtype, n, n)
    return a - a.conj().T


MATRICES = {
    "random": lambda rng, n, dtype: numbers(rng, dtype, n, n), "zero": lambda rng, n, dtype: np.zeros((n, n)),
    "triangle": lambda rng, n, dtype: np.triu(numbers(rng, dtype, n, n)),
    "lower triangle": lambda rng, n, dtype: np.tril(numbers(rng, dtype, n, n)),
    "shuffled triangle": lambda rng, n, dtype: shuffled(np.triu(numbers(rng, dtype, n, n)), rng),
    "nilpotent": lambda rng, n, dtype: shuffled(np.triu(numbers(rng, dtype, n, n), 1), rng),
    "defective": jordan, "turned defective": turned_jordan,
    "nearly defective": lambda rng, n, dtype: jordan(rng, n, dtype) + 1e-8 * numbers(rng, dtype, n, n),
    "companion": companion, "cycle": cycle, "badly scaled": badly_scaled, "skew": skew,
    "ones": lambda rng, n, dtype: np.ones((n, n)), "huge": lambda rng, n, dtype: 1e30 * numbers(rng, dtype, n, n),
    "tiny": lambda rng, n, dtype: 1e-30 * numbers(rng, dtype, n, n),
    "rotations": lambda rng, n, dtype: np.kron(np.eye((n + 1) // 2), [[0, 1], [-1, 0]])[:n, :n],
}


@every_dtype
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", MATRICES)
def test_residuals(name, n, dtype):
    a = MATRICES[name](np.random.default_rng(n), n, dtype).astype(dtype)
    values, vectors = linalg.eig(torch.from_numpy(a.copy()))
    assert values.dtype == vectors.dtype == (torch.complex64 if dtype in ("float32", "complex64") else torch.complex128)
    alone = linalg.eigvals(torch.from_numpy(a.copy())).numpy().astype(complex)
    w, v, a = values.numpy().astype(complex), vectors.numpy().astype(complex), a.astype(complex)
    eps, size = float(np.finfo(dtype).eps) * max(n, 4), float(np.abs(a).max() or 1) * n
    assert np.abs(np.linalg.norm(v, axis=0) - 1).max() < 8 * eps
    assert np.abs(a / size @ v - v * (w / size)).max() < 20 * eps
    for each in (w, alone):                            # eigenvalues of a matrix that is as near as rounding
        away = [np.linalg.svd((a - value * np.eye(n)) / size, compute_uv=False)[-1] for value in each]
        assert max(away) < 10 * eps
        assert abs(each.sum() - a.trace()) < 10 * eps * size
    if "float" in dtype:                               # conjugate pairs are exact
        first = np.flatnonzero(w.imag > 0)
        assert len(first) == (w.imag < 0).sum()
        assert (w[first + 1] == w[first].conj()).all() and (v[:, first + 1] == v[:, first].conj()).all()
        if name != "tiny":                             # where an imaginary part may vanish
            assert (v[:, w.imag == 0].imag == 0).all()
    for column in v.T:                                 # the largest element is real
        size = np.abs(column)
        assert np.abs(column[size == size.max()].imag).min() == 0 or name != "random"


@every_dtype
@pytest.mark.parametrize("name", ["triangle", "lower triangle", "shuffled triangle", "nilpotent", "zero"])
def test_permuted_triangles_are_exact(name, dtype):
    a = MATRICES[name](np.random.default_rng(0), 30, dtype).astype(dtype)
    found, wanted = linalg.eigvals(torch.from_numpy(a)).numpy(), np.diag(a).astype("complex128")
    assert sorted(found.tolist(), key=repr) == sorted(wanted.tolist(), key=repr)


@every_dtype
def test_batches_and_empty_matrices(dtype):
    a = torch.from_numpy(numbers(np.random.default_rng(0), dtype, 4, 5, 5).astype(dtype))
    values, vectors = linalg.eig(a.reshape(2, 2, 5, 5))
    for i in range(4):
        one = linalg.eig(a[i])
        assert torch.equal(values[i // 2, i % 2], one.eigenvalues)
        assert torch.equal(vectors[i // 2, i % 2], one.eigenvectors)
    for shape in ((0, 0), (2, 0, 0), (0, 3, 3)):
        values, vectors = linalg.eig(torch.empty(shape, dtype=a.dtype))
        assert values.shape == shape[:-1] and vectors.shape == shape


@every_dtype
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")], ids=str)
def test_what_is_not_finite_is_refused(bad, dtype):
    a = torch.ones(6, 6, dtype=getattr(torch, dtype))
    a[2, 4] = bad
    for f in (linalg.eig, linalg.eigvals):
        with pytest.raises(RuntimeError, match="inf or nan"):
            f(a)


def test_the_sensitive_matrices_of_frank():
    n = 10
    i, j = np.indices((n, n))
    a = np.where(j >= i - 1, n - np.maximum(i, j), 0).astype("float64")
    found = np.sort(linalg.eigvals(torch.from_numpy(a)).numpy().real)
    assert np.allclose(found * found[::-1], 1, atol=1e-6)          # they are reciprocal in pairs
    assert np.isclose(np.prod(found), 1, atol=1e-6)
