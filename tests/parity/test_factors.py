"""Factors that are unique against PyTorch's; runs where PyTorch is installed."""

import flambeau as fb
import numpy as np
import pytest

torch = pytest.importorskip("torch")
if torch is fb:
    pytest.skip("torch is flambeau here", allow_module_level=True)

DTYPES = ["float32", "float64", "complex64", "complex128"]


def matrix(n, dtype, seed):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((n, n))
    return (a + 1j * rng.standard_normal((n, n)) if "complex" in dtype else a).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("hollow", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 6, 25])
def test_ldl(n, hollow, hermitian, dtype):
    a = matrix(n, dtype, n)
    a = a + (a.conj().T if hermitian else a.T)
    if hollow:
        np.fill_diagonal(a, 0)
    found = fb.linalg.ldl_factor_ex(fb.from_numpy(a), hermitian=hermitian)
    wanted = torch.linalg.ldl_factor_ex(torch.from_numpy(a), hermitian=hermitian)
    assert found.pivots.tolist() == wanted.pivots.tolist() and int(found.info) == int(wanted.info)
    low, high = np.tril(found.LD.numpy()), np.tril(wanted.LD.numpy())
    assert np.allclose(low, high, rtol=0, atol=200 * n * np.finfo(dtype).eps * max(1, np.abs(high).max()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 3, 6, 25])
def test_eig(n, dtype):
    a = matrix(n, dtype, n)
    found, wanted = fb.linalg.eig(fb.from_numpy(a)), torch.linalg.eig(torch.from_numpy(a))
    w, v = found.eigenvalues.numpy(), found.eigenvectors.numpy()
    tolerance = 2000 * n * np.finfo(dtype).eps
    for value, vector in zip(wanted.eigenvalues.numpy(), wanted.eigenvectors.numpy().T, strict=True):
        near = np.abs(w - value).argmin()
        assert abs(w[near] - value) < tolerance
        ours = v[:, near] * (1 if "complex" in dtype else np.sign((v[:, near].conj() @ vector).real))
        assert np.abs(ours - vector).max() < tolerance  # a complex matrix's largest element is positive
