"""Randomized factorizations of low rank, and eigenpairs of large matrices by LOBPCG."""
from __future__ import annotations

from . import _C

__all__ = ["svd_lowrank", "pca_lowrank", "lobpcg"]


def _adjoint(A):
    return A.mH


def get_approximate_basis(A, q, niter=2, M=None):
    """Orthonormal columns Q, q of them, such that Q Qᴴ (A - M) is near A - M.

    Source: Halko, Martinsson & Tropp, SIAM Review 53 (2011), algorithm 4.4.
    Shapes: A (*, m, n), M broadcasting to it → (*, m, q).   Dtypes: floating, complex.
    """
    dtype = A.dtype if A.is_floating_point() or A.is_complex() else _C.float32

    def times(a, x):
        return a.to(dtype) @ x

    if M is not None:
        A = A - M
    Q = times(A, _C.randn(A.shape[-1], q, dtype=dtype))
    Q = _C.linalg_qr(Q)[0]
    for _ in range(niter):
        Q = _C.linalg_qr(times(_adjoint(A), Q))[0]
        Q = _C.linalg_qr(times(A, Q))[0]
    return Q


def svd_lowrank(A, q=6, niter=2, M=None):
    """Singular values and vectors of a matrix that is nearly of rank q, from random samples of its range.

    Args:
        A: the matrices. q: how many values, somewhat more than the rank. niter: power iterations.
        M: subtracted from A first.
    Shapes: A (*, m, n), M broadcasting to it → U (*, m, q), S (*, q), V (*, n, q).   Dtypes: floating, complex; S real.
    Source: Halko, Martinsson & Tropp, SIAM Review 53 (2011), algorithm 5.1.

    >>> fb.svd_lowrank(fb.eye(3), q=2)[1].round()
    tensor([1., 1.])
    """
    m, n = A.shape[-2:]
    if M is not None:
        A = A - M.expand(A.shape)
    if m < n:
        A = _adjoint(A)
    Q = get_approximate_basis(A, q, niter=niter)
    U, S, Vh = _C.linalg_svd(_adjoint(Q) @ A, full_matrices=False)
    U, V = Q @ U, _adjoint(Vh)
    return (V, S, U) if m < n else (U, S, V)


def pca_lowrank(A, q=None, center=True, niter=2):
    """The first q principal components of the rows of A, from random samples.

    Args:
        A: the matrices, a sample a row. q: how many, by default min(6, m, n). center: subtract the mean of each column.
        niter: power iterations.
    Shapes: A (*, m, n) → U (*, m, q), S (*, q), V (*, n, q).   Dtypes: floating, complex; S real.
    Errors: ValueError for q outside 0 … min(m, n), or a negative niter.

    >>> fb.pca_lowrank(fb.eye(3), q=1)[1].shape
    torch.Size([1])
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q={q} must lie from 0 to {min(m, n)}, the smaller size of the matrix")
    if not niter >= 0:
        raise ValueError(f"niter={niter} must not be negative")
    if center:
        A = A - A.mean(dim=-2, keepdim=True)
    return svd_lowrank(A, q, niter=niter)


def _b_product(B, X):
    return X if B is None else B @ X


def _ritz(A, B, S, k, largest):
    """The k best eigenpairs of A X = B X diag(E) in the span of the columns of S."""
    from .linalg import LinAlgError
    gram = _adjoint(S) @ _b_product(B, S)
    scale = gram.diagonal(dim1=-2, dim2=-1).real.clamp(min=1e-300).rsqrt()
    S = S * scale.unsqueeze(-2)
    gram = gram * scale.unsqueeze(-2) * scale.unsqueeze(-1)
    L, info = _C.linalg_cholesky_ex(gram)
    if bool((info != 0).any()):
        raise LinAlgError("lobpcg: the directions of the search have become dependent")
    inner = _adjoint(S) @ (A @ S)
    left = _C.linalg_solve_triangular(L, inner, upper=False)
    small = _C.linalg_solve_triangular(_adjoint(L), left, upper=True, left=False)
    E, Z = _C.linalg_eigh((small + _adjoint(small)) / 2)
    if largest:
        E, Z = E.flip(-1), Z.flip(-1)
    C = _C.linalg_solve_triangular(_adjoint(L), Z[..., :k], upper=True)
    return E[..., :k], S @ C, C * scale.unsqueeze(-1)


def lobpcg(A, k=None, B=None, X=None, n=None, iK=None, niter=None, tol=None, largest=None, method=None,
           tracker=None, ortho_iparams=None, ortho_fparams=None, ortho_bparams=None):
    """The k extreme eigenvalues, largest or smallest, of a symmetric A, or of A x = λ B x; and their eigenvectors.

    The method is the locally optimal preconditioned conjugate gradient.

    Args:
        A: symmetric matrices. k: how many pairs, by default the columns of X, or 1. B: symmetric positive definite.
        X: the first guess, (*, m, n). n: the number of its columns where it is drawn. iK: a preconditioner.
        niter: most iterations; -1: as many as needed. tol: of the residual relative to the norms of A and B.
        largest: which end, by default the large one. method: "ortho" (default) or "basic"; both are computed alike.
    Shapes: A (*, m, m) → (*, k), (*, m, k).   Dtypes: floating.
    Errors: ValueError if m < 3 n.
    Source: Knyazev, SIAM J. Sci. Comput. 23 (2001).

    >>> fb.lobpcg(fb.diag(fb.arange(1., 10.)), k=1)[0].round()
    tensor([9.])
    """
    m = A.shape[-1]
    k = (1 if X is None else X.shape[-1]) if k is None else k
    n = (k if X is None else X.shape[-1]) if n is None else n
    if m < 3 * n:
        raise ValueError(f"lobpcg: A has {m} rows, {n} eigenpairs need 3 times as many at least, {3 * n}")
    if method not in (None, "ortho", "basic"):
        raise ValueError(f"lobpcg: method must be 'ortho' or 'basic', got {method!r}")
    if A.requires_grad or (B is not None and B.requires_grad):
        E, Z = _pairs_with_gradient(A, B, k, largest is None or bool(largest))
        return E, Z
    dtype = A.dtype if A.is_floating_point() else _C.float32
    largest = True if largest is None else bool(largest)
    tol = {_C.float32: 1.2e-7, _C.float64: 2.2e-16}[dtype] ** 0.5 if tol is None else tol
    X = _C.randn(*A.shape[:-2], m, n, dtype=dtype) if X is None else X
    norm_a = _C.linalg_matrix_norm(A).max()
    norm_b = 1.0 if B is None else _C.linalg_matrix_norm(B).max()
    limit = 1000 if niter is None or niter < 0 else niter
    E, X, _ = _ritz(A, B, X, n, largest)
    P = None
    for step in range(limit):
        R = A @ X - _b_product(B, X) * E.unsqueeze(-2)
        error = R.norm(dim=-2) / (X.norm(dim=-2) * (norm_a + norm_b * E.abs()))
        if tracker is not None:
            tracker(step, E, X, error)
        if bool((error[..., :k] < tol).all()):
            break
        W = R if iK is None else iK @ R
        W = W - X @ (_adjoint(X) @ _b_product(B, W))
        S = _C.cat([X, W] if P is None else [X, W, P], -1)
        S = _C.linalg_qr(S)[0]
        try:
            E, new, _ = _ritz(A, B, S, n, largest)
        except RuntimeError:
            P = None
            continue
        P = new - X @ (_adjoint(X) @ _b_product(B, new))
        X = new
    return E[..., :k], X[..., :k]


def _pairs_with_gradient(A, B, k, largest):
    """The pairs from a full decomposition, which has derivatives."""
    if B is None:
        E, Z = _C.linalg_eigh((A + A.mH) / 2)
    else:
        L = _C.linalg_cholesky(B)
        left = _C.linalg_solve_triangular(L, A, upper=False)
        small = _C.linalg_solve_triangular(L.mH, left, upper=True, left=False)
        E, Z = _C.linalg_eigh((small + small.mH) / 2)
        Z = _C.linalg_solve_triangular(L.mH, Z, upper=True)
    if largest:
        E, Z = E.flip(-1), Z.flip(-1)
    return E[..., :k], Z[..., :k]
