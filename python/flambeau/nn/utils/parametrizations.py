"""Ready parametrizations: orthogonal matrices, weight and spectral normalisation."""

from __future__ import annotations

from ... import _C
from ..._dtype_info import finfo
from ...autograd import no_grad
from .. import functional as F
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module
from . import parametrize

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _is_orthogonal(matrix):
    """Whether the columns are orthonormal, to ten units in the last place a row."""
    gram = matrix.mH @ matrix
    error = gram - _C.eye(matrix.size(-1), dtype=matrix.dtype, device=matrix.device)
    return bool((error.abs() <= 10.0 * matrix.size(-2) * finfo(matrix.dtype).eps).all())


def _nearest_orthogonal(matrix):
    """An orthogonal matrix by Householder reflections of `matrix`."""
    reflectors, tau = _C.geqrf(matrix)
    q = _C.linalg_householder_product(reflectors, tau)
    # The signs of R's diagonal make the decomposition the one with a positive diagonal.
    return q * reflectors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """Maps a matrix to an orthogonal one: "matrix_exp" or "cayley" of its skew part, or "householder"."""

    def __init__(self, weight, orthogonal_map, *, use_trivialization=True):
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("orthogonal: orthogonal_map='householder' is for real weights only")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X):
        rows, columns = X.size(-2), X.size(-1)
        wide = rows < columns
        if wide:
            X, rows, columns = X.mT, columns, rows
        if self.orthogonal_map == "householder":
            diagonal = X.diagonal(dim1=-2, dim2=-1)
            Q = _C.linalg_householder_product(X.tril(diagonal=-1), 2.0 / (1.0 + X.tril(-1).square().sum(-2)))
            Q = Q * diagonal.int().unsqueeze(-2)
        else:
            Q = self._exponential(X.tril(), rows, columns)
        if hasattr(self, "base") and self.base is not None:
            Q = self.base @ Q
        return Q.mT if wide else Q

    def _exponential(self, X, rows, columns):
        """The first columns of exp(A) or of the Cayley map, for A the skew matrix below the diagonal of X."""
        if rows != columns:
            X = _C.cat([X, X.new_zeros(rows, rows - columns).expand(*X.shape[:-2], -1, -1)], dim=-1)
        A = X - X.mH
        if self.orthogonal_map == "matrix_exp":
            Q = _C.matrix_exp(A)
        else:
            identity = _C.eye(rows, dtype=A.dtype, device=A.device)
            Q = _C.linalg_solve(_C.add(identity, A, alpha=-0.5), _C.add(identity, A, alpha=0.5))
        return Q[..., :columns] if rows != columns else Q

    def right_inverse(self, Q):
        """The matrix that gives `Q`; with a base, Q becomes the base."""
        with no_grad():
            if Q.shape != self.shape:
                raise ValueError(f"orthogonal: the new value must have shape {self.shape}, it has {Q.shape}")
            wide = Q.size(-2) < Q.size(-1)
            if wide:
                Q = Q.mT
            rows, columns = Q.size(-2), Q.size(-1)
            if not hasattr(self, "base"):
                if self.orthogonal_map in ("cayley", "matrix_exp"):
                    raise NotImplementedError(
                        "orthogonal: with use_trivialization=False a value can be assigned to 'householder' "
                        "only, not to 'matrix_exp' or 'cayley'"
                    )
                reflectors, _ = _C.geqrf(Q)
                diagonal = reflectors.diagonal(dim1=-2, dim2=-1)
                diagonal.sign_()
                diagonal[diagonal == 0.0] = 1.0
                return reflectors.mT if wide else reflectors
            shape = Q.shape
            if rows != columns:
                # Completed to a square one with random columns.
                extra = _C.randn(*Q.shape[:-2], rows, rows - columns, dtype=Q.dtype, device=Q.device)
                Q = _nearest_orthogonal(_C.cat([Q, extra], dim=-1))
            else:
                Q = Q.clone() if _is_orthogonal(Q) else _nearest_orthogonal(Q)
            self.base = Q
            # −1 on the diagonal is the identity to the Householder map, and nothing to the others.
            start = Q.new_zeros(shape)
            start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
            return start.mT if wide else start


def orthogonal(module, name="weight", orthogonal_map=None, *, use_trivialization=True):
    """Keep `module.name` orthogonal (Lezcano-Casado & Martínez-Rubio 2019).

    Args:
        name: a tensor of at least 2 dimensions (*, rows, columns).
        orthogonal_map: "matrix_exp", "cayley" or "householder"; the first for square or complex matrices,
            else the last, by default.
        use_trivialization: work around the present value, which makes assignment possible.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, _C.Tensor):
        raise ValueError(f"orthogonal: {module} has no tensor {name!r}")
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: the weight must be a matrix or a batch of them, it has {weight.ndim} "
                         "dims")
    if orthogonal_map is None:
        orthogonal_map = (
            "matrix_exp" if weight.size(-2) == weight.size(-1) or weight.is_complex() else "householder"
        )
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f"orthogonal: unknown orthogonal_map={orthogonal_map!r}, choose 'matrix_exp', 'cayley' or "
            "'householder'"
        )
    parametrization = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, parametrization, unsafe=True)


class _WeightNorm(Module):
    """weight = g·v/‖v‖, with one norm for each entry of dimension `dim`."""

    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return _C._weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight):
        """(g, v) of a weight."""
        return _C.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module, name="weight", dim=0):
    """Split `module.name` into a length and a direction (Salimans & Kingma 2016).

    Args:
        dim: dimension of which each entry has its own length; None for one length of all.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def from_old_names(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        g, v = f"{prefix}{name}_g", f"{prefix}{name}_v"
        if g in state_dict and v in state_dict:
            state_dict[f"{prefix}parametrizations.{name}.original0"] = state_dict.pop(g)
            state_dict[f"{prefix}parametrizations.{name}.original1"] = state_dict.pop(v)

    module._register_load_state_dict_pre_hook(from_old_names)
    return module


class _SpectralNorm(Module):
    """weight / σ(weight), with the largest singular value σ followed by power iteration."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        dims = weight.ndim
        if dim >= dims or dim < -dims:
            raise IndexError(f"spectral_norm: dim={dim} is out of range in a weight of {dims} dims")
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
        self.dim = dim if dim >= 0 else dim + dims
        self.eps = eps
        if dims > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._as_matrix(weight)
            rows, columns = matrix.size()
            for name, size in (("_u", rows), ("_v", columns)):
                vector = matrix.new_empty(size).normal_(0, 1)
                self.register_buffer(name, F.normalize(vector, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _as_matrix(self, weight):
        if self.dim != 0:
            weight = weight.permute(self.dim, *(d for d in range(weight.dim()) if d != self.dim))
        return weight.flatten(1)

    def _power_method(self, matrix, iterations):
        with no_grad():
            for _ in range(iterations):
                self._u = F.normalize(_C.mv(matrix, self._v), dim=0, eps=self.eps, out=self._u)
                self._v = F.normalize(_C.mv(matrix.H, self._u), dim=0, eps=self.eps, out=self._v)

    def forward(self, weight):
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Copies, for the next iteration writes over the vectors that backward needs.
        u, v = self._u.clone(), self._v.clone()
        return weight / _C.vdot(u, _C.mv(matrix, v))

    def right_inverse(self, value):
        """The weight itself: it is normalised when used."""
        return value


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide `module.name` by its largest singular value (Miyato et al. 2018).

    Args:
        n_power_iterations: iterations a forward in training.
        dim: dimension that counts the rows; 1 for transposed convolutions, else 0 by default.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, _C.Tensor):
        raise ValueError(f"spectral_norm: {module} has no tensor {name!r}")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    parametrization = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return parametrize.register_parametrization(module, name, parametrization)
