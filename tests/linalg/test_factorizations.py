"""Decompositions put back together, their gradients on the inputs they are meant for, and what goes wrong."""

import flambeau as torch
import numpy as np
import pytest
from flambeau import linalg

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
SHAPES = [(3, 3), (2, 5, 4), (2, 3, 4, 5), (0, 3), (3, 0), (0, 0), (2, 0, 3), (0, 3, 3), (40, 30)]
SQUARES = [(3, 3), (1, 1), (2, 5, 5), (0, 0), (2, 0, 0), (0, 3, 3), (40, 40)]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def matrices(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def positive(*shape, dtype=torch.float64, seed=0):
    a = matrices(*shape, dtype=dtype, seed=seed)
    return a @ a.mH + shape[-1] * torch.eye(shape[-1], dtype=dtype)


def near(a, b, scale=1.0):
    assert a.shape == b.shape and a.dtype == b.dtype
    eps = 2e-5 if a.dtype in (torch.float32, torch.complex64) else 1e-12
    assert a.numel() == 0 or float((a - b).abs().max()) <= eps * scale * max(1.0, float(b.abs().max()))


def identity_like(a):
    return torch.eye(a.shape[-1], dtype=a.dtype).expand(a.shape)


@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_qr(shape, dtype):
    a = matrices(*shape, dtype=dtype)
    for mode in ("reduced", "complete"):
        q, r = linalg.qr(a, mode=mode)
        near(q @ r, a, 10)
        near(q.mH @ q, identity_like(q.mH @ q), 10)
        assert torch.equal(r, r.triu())
    assert linalg.qr(a, mode="r").Q.numel() == 0
    near(linalg.qr(a, mode="r").R, linalg.qr(a).R)
    if shape[-2] >= shape[-1]:
        reflectors, tau = torch.geqrf(a)
        near(linalg.householder_product(reflectors, tau), linalg.qr(a).Q)
        c = matrices(*shape[:-2], shape[-2], 2, dtype=dtype)
        near(torch.ormqr(reflectors, tau, c), linalg.qr(a, "complete").Q @ c, 10)
        near(torch.ormqr(reflectors, tau, c.mH, False, True), c.mH @ linalg.qr(a, "complete").Q.mH, 10)


@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_svd(shape, dtype):
    a = matrices(*shape, dtype=dtype)
    u, s, vh = linalg.svd(a, full_matrices=False)
    near((u * s.unsqueeze(-2)) @ vh, a, 20)
    near(linalg.svdvals(a), s, 10)
    assert bool((s >= 0).all()) and bool((s.diff(dim=-1) <= 0).all())
    full = linalg.svd(a)
    near(full.U.mH @ full.U, identity_like(full.U), 20)
    near(full.Vh @ full.Vh.mH, identity_like(full.Vh), 20)
    p = linalg.pinv(a)
    near(a @ p @ a, a, 50)


@every_dtype
@pytest.mark.parametrize("large", [False, True])
def test_numbers_whose_squares_leave_the_range(large, dtype):
    single = dtype in (torch.float32, torch.complex64)
    scale = (2.0**100 if single else 2.0**900) ** (1 if large else -1)
    a, h = matrices(12, 8, dtype=dtype), positive(8, 8, dtype=dtype)
    near(linalg.svdvals(a * scale) / scale, linalg.svdvals(a), 10)
    near(linalg.eigvalsh(h * scale) / scale, linalg.eigvalsh(h), 10)
    near(linalg.eigh(h * scale).eigenvectors.abs(), linalg.eigh(h).eigenvectors.abs(), 100)
    near(linalg.qr(a * scale).R / scale, linalg.qr(a).R, 10)
    near(linalg.qr(a * scale).Q, linalg.qr(a).Q, 10)


@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_lu(shape, dtype):
    a = matrices(*shape, dtype=dtype)
    p, low, up = linalg.lu(a)
    near(p @ low @ up, a, 10)
    assert torch.equal(low, low.tril()) and torch.equal(up, up.triu())


@every_dtype
@pytest.mark.parametrize("shape", SQUARES, ids=str)
def test_square_systems(shape, dtype):
    a = matrices(*shape, dtype=dtype) + 4 * torch.eye(shape[-1], dtype=dtype)
    b = matrices(*shape[:-1], 2, dtype=dtype, seed=1)
    near(a @ linalg.solve(a, b), b, 50)
    near(linalg.solve(a, b.mH, left=False) @ a, b.mH, 50)
    near(a @ linalg.inv(a), identity_like(a), 50)
    lu, pivots = linalg.lu_factor(a)
    for left in (True, False):
        for adjoint in (True, False):
            rhs, m = (b if left else b.mH), (a.mH if adjoint else a)
            x = linalg.lu_solve(lu, pivots, rhs, left=left, adjoint=adjoint)
            near(m @ x if left else x @ m, rhs, 50)
    sign, log = linalg.slogdet(a)
    near(sign * log.exp(), linalg.det(a), 100)


@every_dtype
@pytest.mark.parametrize("shape", SQUARES, ids=str)
def test_hermitian(shape, dtype):
    a = positive(*shape, dtype=dtype)
    low = linalg.cholesky(a)
    near(low @ low.mH, a, 10)
    up = linalg.cholesky(a, upper=True)
    near(up.mH @ up, a, 10)
    values, v = linalg.eigh(a)
    near((v * values.unsqueeze(-2)) @ v.mH, a, 20)
    near(linalg.eigvalsh(a, UPLO="U"), values, 10)
    b = matrices(*shape[:-1], 2, dtype=dtype, seed=1)
    near(a @ torch.cholesky_solve(b, low), b, 50)
    near(torch.cholesky_inverse(up, upper=True) @ a, identity_like(a), 50)


def test_both_triangles_of_ldl_and_eig():
    a = matrices(2, 5, 5)
    a = a + a.mT
    factors, pivots = linalg.ldl_factor(a)
    b = matrices(2, 5, 2, seed=1)
    near(a @ linalg.ldl_solve(factors, pivots, b), b, 100)
    for dtype in DTYPES:
        m = matrices(2, 6, 6, dtype=dtype)
        values, v = linalg.eig(m)
        near(m.to(v.dtype) @ v, v * values.unsqueeze(-2), 50)
        near((v.abs() ** 2).sum(-2), torch.ones(2, 6, dtype=v.real.dtype), 10)


def test_least_squares():
    a, b = matrices(6, 3), matrices(6, 2, seed=1)
    wanted = np.linalg.lstsq(a.numpy(), b.numpy(), rcond=None)
    for driver in ("gels", "gelsy", "gelsd", "gelss"):
        found = linalg.lstsq(a, b, driver=driver)
        near(found.solution, torch.from_numpy(wanted[0]), 10)
    near(linalg.lstsq(a, b, driver="gelsd").residuals, torch.from_numpy(wanted[1]), 10)
    near(linalg.lstsq(a, b[:, 0], driver="gels").residuals, torch.from_numpy(wanted[1][:1]), 10)
    near(linalg.lstsq(a, b, driver="gelss").singular_values, torch.from_numpy(wanted[3]), 10)
    assert int(linalg.lstsq(a, b).rank) == 3
    thin = torch.cat([a[:, :2], a[:, :1]], 1)          # rank two: the shortest of the solutions
    near(linalg.lstsq(thin, b).solution, linalg.pinv(thin) @ b, 10)


def test_exponential():
    a = matrices(3, 5, 5)
    values, v = linalg.eig(a)
    near(torch.matrix_exp(a), ((v * values.exp().unsqueeze(-2)) @ linalg.inv(v)).real, 100)
    small, large = torch.zeros(2, 2), torch.tensor([[0.0, 50.0], [-50.0, 0.0]])
    both = torch.matrix_exp(torch.stack([small, large]))
    near(both[0], torch.eye(2))
    near(both[1], torch.tensor([[np.cos(50), np.sin(50)], [-np.sin(50), np.cos(50)]], dtype=torch.float32), 10)


@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, float("inf"), -float("inf"), "fro", "nuc"], ids=str)
def test_norms_and_condition(p):
    a = matrices(4, 4)
    near(linalg.norm(a, p), torch.tensor(np.linalg.norm(a.numpy(), p), dtype=a.dtype), 10)
    near(linalg.cond(a, p), torch.tensor(np.linalg.cond(a.numpy(), p), dtype=a.dtype), 100)


def symmetric(f):
    return lambda a: f((a + a.mH) / 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_gradients_where_one_triangle_is_read(dtype):
    a = positive(3, 3, dtype=dtype).requires_grad_()
    b = matrices(3, 2, dtype=dtype, seed=1).requires_grad_()
    for f in (linalg.cholesky, lambda x: linalg.cholesky(x, upper=True), linalg.eigvalsh,
              lambda x: linalg.eigh(x).eigenvectors.abs(),
              lambda x: torch.cholesky_inverse(linalg.cholesky(x)), lambda x: linalg.pinv(x, hermitian=True)):
        assert torch.autograd.gradcheck(symmetric(f), (a,))
        assert torch.autograd.gradgradcheck(symmetric(f), (a,))
    for upper in (False, True):
        def solve(x, y, upper=upper):
            return torch.cholesky_solve(y, linalg.cholesky((x + x.mH) / 2, upper=upper), upper)
        assert torch.autograd.gradcheck(solve, (a, b))
        assert torch.autograd.gradgradcheck(solve, (a, b))


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 3)], ids=str)
def test_gradients_of_complex_factors(shape):
    a = matrices(*shape, dtype=torch.complex128).requires_grad_()

    def phases_removed(x):                             # singular vectors are known up to a phase
        u, s, vh = linalg.svd(x, full_matrices=False)
        return u @ vh, s, u.abs(), vh.abs()
    checks = [phases_removed, linalg.svdvals, linalg.pinv, linalg.lu, lambda x: linalg.qr(x)]
    if shape[-1] == shape[-2]:
        checks += [linalg.inv, linalg.det, torch.matrix_exp, linalg.slogdet, linalg.eigvals,
                   lambda x: linalg.eig(x).eigenvectors.abs()]
    for f in checks:
        assert torch.autograd.gradcheck(f, (a,))
        assert torch.autograd.gradgradcheck(f, (a,))


def test_gradient_of_a_singular_determinant():
    a = torch.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(linalg.det, (a,))
    zero = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    linalg.det(zero).backward()
    assert torch.equal(zero.grad, torch.zeros(3, 3, dtype=torch.float64))


def test_gradient_of_singular_values_that_repeat():
    a = torch.eye(3, dtype=torch.float64, requires_grad=True)
    linalg.svdvals(a).sum().backward()
    near(a.grad, torch.eye(3, dtype=torch.float64))


def test_a_loss_that_feels_the_phase_has_no_gradient():
    a = matrices(3, 3, dtype=torch.complex128).requires_grad_()
    with pytest.raises(RuntimeError, match="phase"):
        linalg.svd(a).U.real.sum().backward()


def test_names_of_results():
    a = positive(2, 2)
    assert type(linalg.qr(a)).__name__ == "linalg_qr" and isinstance(linalg.qr(a), tuple)
    for result, fields in ((linalg.svd(a), "U S Vh"), (torch.svd(a), "U S V"), (linalg.lu(a), "P L U"),
                           (torch.geqrf(a), "a tau"), (linalg.lstsq(a, a), "solution residuals rank singular_values")):
        assert all(getattr(result, field) is value for field, value in zip(fields.split(), result, strict=True))
    assert linalg.eigh(a).eigenvalues.shape == (2,)
    assert linalg.lu_factor_ex(a).info.dtype == torch.int32


def test_errors():
    singular = torch.ones(2, 2)
    with pytest.raises(linalg.LinAlgError, match="singular"):
        linalg.inv(singular)
    with pytest.raises(linalg.LinAlgError, match="Batch element 1.*singular"):
        linalg.solve(torch.stack([torch.eye(2), singular]), torch.ones(2, 2, 1))
    with pytest.raises(torch.linalg.LinAlgError, match="leading 2 x 2"):
        linalg.cholesky(torch.tensor([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(RuntimeError, match="2 x 3"):
        linalg.det(torch.ones(2, 3))
    with pytest.raises(RuntimeError, match="Half is too coarse"):
        linalg.qr(torch.ones(2, 2, dtype=torch.float16))
    with pytest.raises(RuntimeError, match="Long"):
        linalg.svd(torch.ones(2, 2, dtype=torch.int64))
    with pytest.raises(linalg.LinAlgError, match="inf or nan"):
        linalg.svd(torch.full((2, 2), float("nan")))
    with pytest.raises(RuntimeError, match="between 1 and 2"):
        linalg.lu_solve(torch.eye(2), torch.tensor([7, 1], dtype=torch.int32), torch.ones(2, 1))
    with pytest.raises(RuntimeError, match="has no gradient"):
        linalg.qr(torch.ones(3, 2).requires_grad_(), "complete").Q.sum().backward()


def test_low_rank():
    torch.manual_seed(0)
    a = matrices(20, 3) @ matrices(3, 10, seed=1)
    u, s, v = torch.svd_lowrank(a, q=3)
    near((u * s) @ v.mT, a, 50)
    u, s, v = torch.pca_lowrank(a, q=3)
    near((u * s) @ v.mT, a - a.mean(0, keepdim=True), 50)
    big = positive(30, 30)
    values, vectors = torch.lobpcg(big, k=2)
    near(values, linalg.eigvalsh(big).flip(0)[:2], 1e6)
    assert float((big @ vectors - vectors * values).abs().max()) < 1e-5
    low, _ = torch.lobpcg(big, k=2, largest=False)
    near(low, linalg.eigvalsh(big)[:2], 1e6)
