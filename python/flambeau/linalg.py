"""Linear algebra, under the names of torch.linalg."""
from __future__ import annotations

from . import _C
from .errors import LinAlgError

_operators = {  # name here → operator
    name: f"linalg_{name}" for name in (
        "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
        "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
        "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot",
        "norm", "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv",
        "tensorsolve", "vander", "vecdot", "vector_norm")
}
__all__ = ["LinAlgError", *sorted(_operators)]


def __getattr__(name):
    if name not in _operators:
        raise AttributeError(f"module 'flambeau.linalg' has no attribute '{name}'")
    operator = globals()[name] = getattr(_C, _operators[name])
    return operator


def __dir__():
    return sorted(set(globals()) | set(__all__))
