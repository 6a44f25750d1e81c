"""Special functions, under the names of torch.special."""
from __future__ import annotations

from . import _C

_operators = {
    # name here → operator
    "airy_ai": "special_airy_ai",
    "bessel_j0": "special_bessel_j0",
    "bessel_j1": "special_bessel_j1",
    "bessel_y0": "special_bessel_y0",
    "bessel_y1": "special_bessel_y1",
    "chebyshev_polynomial_t": "special_chebyshev_polynomial_t",
    "chebyshev_polynomial_u": "special_chebyshev_polynomial_u",
    "chebyshev_polynomial_v": "special_chebyshev_polynomial_v",
    "chebyshev_polynomial_w": "special_chebyshev_polynomial_w",
    "digamma": "digamma",
    "entr": "special_entr",
    "erf": "erf",
    "erfc": "erfc",
    "erfcx": "special_erfcx",
    "erfinv": "erfinv",
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "hermite_polynomial_h": "special_hermite_polynomial_h",
    "hermite_polynomial_he": "special_hermite_polynomial_he",
    "i0": "i0",
    "i0e": "special_i0e",
    "i1": "special_i1",
    "i1e": "special_i1e",
    "laguerre_polynomial_l": "special_laguerre_polynomial_l",
    "legendre_polynomial_p": "special_legendre_polynomial_p",
    "log1p": "log1p",
    "log_ndtr": "special_log_ndtr",
    "log_softmax": "log_softmax",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "modified_bessel_i0": "special_modified_bessel_i0",
    "modified_bessel_i1": "special_modified_bessel_i1",
    "modified_bessel_k0": "special_modified_bessel_k0",
    "modified_bessel_k1": "special_modified_bessel_k1",
    "multigammaln": "mvlgamma",
    "ndtr": "special_ndtr",
    "ndtri": "special_ndtri",
    "polygamma": "polygamma",
    "psi": "digamma",
    "round": "round",
    "scaled_modified_bessel_k0": "special_scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1": "special_scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t": "special_shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u": "special_shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v": "special_shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w": "special_shifted_chebyshev_polynomial_w",
    "sinc": "sinc",
    "softmax": "softmax",
    "spherical_bessel_j0": "special_spherical_bessel_j0",
    "xlog1py": "special_xlog1py",
    "xlogy": "xlogy",
    "zeta": "special_zeta",
}
__all__ = sorted(_operators)


def __getattr__(name):
    if name not in _operators:
        raise AttributeError(f"module 'flambeau.special' has no attribute '{name}'")
    operator = globals()[name] = getattr(_C, _operators[name])
    return operator


def __dir__():
    return sorted(set(globals()) | set(__all__))
