"""Factors of Bunch and Kaufman: put back together from their pivots, and systems solved with them."""

import flambeau as torch
import numpy as np
import pytest
from flambeau import linalg

DTYPES = ["float32", "float64", "complex64", "complex128"]


def symmetric(n, dtype, hermitian, kind, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((n, n))
    if "complex" in dtype:
        a = a + 1j * rng.standard_normal((n, n))
    a = a + (a.conj().T if hermitian else a.T)
    if kind == "hollow":                               # without blocks of two there would be no pivot
        np.fill_diagonal(a, 0)
    if kind == "definite":
        np.fill_diagonal(a, 4 * n)
    return a.astype(dtype)


def put_together(factors, pivots, hermitian):
    """P₁ L₁ P₂ L₂ … D … L₂ᴴ P₂ᵀ L₁ᴴ P₁ᵀ, one block after the other."""
    n = len(pivots)
    left, d = np.eye(n, dtype=factors.dtype), np.zeros_like(factors)
    k = 0
    while k < n:
        two = pivots[k] < 0
        end = k + 2 if two else k + 1
        assert not two or pivots[k] == pivots[k + 1]
        order = np.arange(n)
        order[[end - 1, abs(pivots[k]) - 1]] = order[[abs(pivots[k]) - 1, end - 1]]
        assert abs(pivots[k]) >= end
        step = np.eye(n, dtype=factors.dtype)
        step[end:, k:end] = factors[end:, k:end]
        left = left @ np.eye(n, dtype=factors.dtype)[:, order] @ step
        d[k, k] = factors[k, k]
        if two:
            d[k + 1, k + 1], d[k + 1, k] = factors[k + 1, k + 1], factors[k + 1, k]
            d[k, k + 1] = d[k + 1, k].conj() if hermitian else d[k + 1, k]
        k = end
    return left @ d @ (left.conj().T if hermitian else left.T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("kind", ["random", "hollow", "definite"])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 9, 30, 70])
def test_factors_and_solutions(n, kind, hermitian, dtype):
    if n == 1 and kind == "hollow":
        pytest.skip("the zero matrix")
    a = symmetric(n, dtype, hermitian, kind, seed=n)
    factors, pivots, info = linalg.ldl_factor_ex(torch.from_numpy(a), hermitian=hermitian)
    assert int(info) == 0
    eps = 100 * n * np.finfo(dtype).eps
    assert np.abs(put_together(factors.numpy(), pivots.numpy(), hermitian) - a).max() < eps * np.abs(a).max()
    assert (pivots.numpy() < 0).any() if kind == "hollow" else n < 30 or (pivots.numpy() > 0).any()
    b = torch.ones(n, 3, dtype=factors.dtype)
    x = linalg.ldl_solve(factors, pivots, b, hermitian=hermitian)
    residual = np.abs(a @ x.numpy() - 1).max()
    assert residual < eps * max(1, np.abs(a).max() * float(x.abs().max()))


def test_pivots_as_lapack_counts_them():
    swap = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    factors, pivots = linalg.ldl_factor(swap)
    assert pivots.tolist() == [-2, -2] and factors[1, 0] == 1
    late = torch.tensor([[0.0, 0.0, 2.0], [0.0, 1.0, 0.0], [2.0, 0.0, 0.0]])
    assert linalg.ldl_factor(late).pivots.tolist() == [-3, -3, 3]
    assert linalg.ldl_factor(torch.diag(torch.tensor([1.0, 5.0, 3.0]))).pivots.tolist() == [1, 2, 3]


@pytest.mark.parametrize("hermitian", [False, True])
def test_singular_matrices_and_batches(hermitian):
    a = torch.stack([torch.eye(3), torch.zeros(3, 3), torch.diag(torch.tensor([1.0, 0.0, 2.0]))])
    assert linalg.ldl_factor_ex(a, hermitian=hermitian).info.tolist() == [0, 1, 2]
    with pytest.raises(linalg.LinAlgError):
        linalg.ldl_factor(a, hermitian=hermitian)


def test_the_imaginary_part_of_a_hermitian_diagonal_is_not_read():
    a = symmetric(6, "complex128", True, "random")
    spoiled = a + 1j * np.diag(np.arange(6.0))
    clean, dirty = (linalg.ldl_factor(torch.from_numpy(m), hermitian=True) for m in (a, spoiled))
    assert torch.equal(clean.LD.tril(), dirty.LD.tril()) and torch.equal(clean.pivots, dirty.pivots)
