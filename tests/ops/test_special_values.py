"""Special and elementary functions against mpmath at 50 digits."""

import flambeau as torch
import pytest

mp = pytest.importorskip("mpmath")

# function, its reference, points; errors are counted in units of the last place of the true value
REAL = {
    "exp": (mp.exp, [-700.5, -20.0, -0.3, 0.0, 1e-10, 1.5, 80.0]),
    "exp2": (lambda x: mp.mpf(2) ** x, [-20.25, -0.3, 0.5, 30.5]),
    "expm1": (mp.expm1, [-40.0, -0.3, 1e-10, 0.4, 50.0]),
    "log": (mp.log, [1e-30, 0.5, 0.999, 1.001, 7.0, 1e30]),
    "log2": (lambda x: mp.log(x, 2), [1e-30, 0.5, 0.999, 3.0, 1e30]),
    "log10": (mp.log10, [1e-30, 0.5, 0.999, 3.0, 1e30]),
    "log1p": (mp.log1p, [-0.9, -1e-10, 1e-10, 0.5, 1e10]),
    "sqrt": (mp.sqrt, [1e-30, 2.0, 3e20]),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), [-80.0, -1.0, 0.3, 30.0]),
    "sin": (mp.sin, [-3.0, 0.1, 1.0, 22.0, 1e6, 1e8, 3e15, 1e22]),
    "cos": (mp.cos, [-3.0, 0.1, 1.5, 22.0, 1e6, 1e8, 3e15, 1e22]),
    "tan": (mp.tan, [-3.0, 0.1, 1.5, 22.0, 1e6, 1e8, 3e15, 1e22]),
    "asin": (mp.asin, [-1.0, -0.7, 0.01, 0.5, 0.99]),
    "acos": (mp.acos, [-1.0, -0.7, 0.01, 0.5, 0.99]),
    "atan": (mp.atan, [-1e10, -0.7, 0.01, 1.0, 3.0]),
    "sinh": (mp.sinh, [-20.0, -0.5, 1e-8, 1.0, 80.0]),
    "cosh": (mp.cosh, [-20.0, 0.5, 80.0]),
    "tanh": (mp.tanh, [-20.0, -0.5, 1e-8, 1.0]),
    "asinh": (mp.asinh, [-1e20, -0.5, 1e-8, 2.0]),
    "acosh": (mp.acosh, [1.0001, 1.5, 1e20]),
    "atanh": (mp.atanh, [-0.999, -0.1, 1e-8, 0.7]),
    "sinc": (lambda x: mp.sinpi(x) / (mp.pi * x), [-0.5, 0.01, 2.25, 1000.5]),
    "erf": (mp.erf, [-3.0, -0.4, 1e-8, 0.9, 1.1, 5.0]),
    "erfc": (mp.erfc, [-3.0, -0.4, 0.3, 1.1, 5.0, 9.0]),
    "erfinv": (mp.erfinv, [-0.9, -0.01, 0.5, 0.999]),
    "lgamma": (lambda x: mp.log(abs(mp.gamma(x))), [0.1, 0.5, 4.5, 100.0, -2.5]),
    "digamma": (mp.digamma, [0.1, 1.0, 1.5, 4.0, 100.0]),
    "i0": (lambda x: mp.besseli(0, x), [-5.0, 0.0, 1.0, 9.0, 50.0]),
    "special.i0e": (lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), [-5.0, 0.5, 9.0, 50.0]),
    "special.i1": (lambda x: mp.besseli(1, x), [-5.0, 0.5, 9.0, 50.0]),
    "special.i1e": (lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), [-5.0, 0.5, 9.0, 50.0]),
    "special.bessel_j0": (lambda x: mp.besselj(0, x), [0.5, 3.0, 30.0]),
    "special.bessel_j1": (lambda x: mp.besselj(1, x), [0.5, 3.0, 30.0]),
    "special.bessel_y0": (lambda x: mp.bessely(0, x), [0.5, 3.0, 30.0]),
    "special.bessel_y1": (lambda x: mp.bessely(1, x), [0.5, 3.0, 30.0]),
    "special.modified_bessel_i0": (lambda x: mp.besseli(0, x), [0.5, 3.0, 30.0]),
    "special.modified_bessel_i1": (lambda x: mp.besseli(1, x), [0.5, 3.0, 30.0]),
    "special.modified_bessel_k0": (lambda x: mp.besselk(0, x), [0.5, 3.0, 30.0]),
    "special.modified_bessel_k1": (lambda x: mp.besselk(1, x), [0.5, 3.0, 30.0]),
    "special.scaled_modified_bessel_k0": (lambda x: mp.exp(x) * mp.besselk(0, x), [0.5, 3.0, 30.0]),
    "special.scaled_modified_bessel_k1": (lambda x: mp.exp(x) * mp.besselk(1, x), [0.5, 3.0, 30.0]),
    "special.spherical_bessel_j0": (lambda x: mp.sin(x) / x, [0.01, 1.0, 20.0, 1e10]),
    "special.airy_ai": (mp.airyai, [-8.5, -3.0, -0.5, 0.5, 3.0, 20.0]),
    "special.entr": (lambda x: -x * mp.log(x), [1e-5, 0.3, 2.0]),
    "special.erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), [-20.0, -3.0, -0.4, 0.3, 5.0, 30.0]),
    "special.ndtr": (mp.ncdf, [-9.0, -1.0, 0.3, 2.0]),
    "special.log_ndtr": (lambda x: mp.log(mp.ncdf(x)), [-30.0, -1.0, 0.3, 2.0]),
    "special.ndtri": (lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), [0.01, 0.3, 0.975]),
}
# two arguments
PAIRS = {
    "atan2": (mp.atan2, [(1.0, 2.0), (-1.0, 1e-3), (0.5, -3.0), (-0.5, -3.0)]),
    "igamma": (lambda a, x: mp.gammainc(a, 0, x, regularized=True), [(0.5, 0.1), (2.0, 3.0), (30.0, 25.0)]),
    "igammac": (lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True),
                [(0.5, 0.1), (2.0, 9.0), (30.0, 60.0)]),
    "special.zeta": (mp.zeta, [(1.5, 1.0), (2.0, 0.25), (10.0, 3.0)]),
    "special.xlog1py": (lambda x, y: x * mp.log1p(y), [(2.0, 1e-8), (3.0, 5.0)]),
    "special.chebyshev_polynomial_t": (lambda x, n: mp.chebyt(int(n), x), [(0.3, 4.0), (1.5, 7.0)]),
    "special.chebyshev_polynomial_u": (lambda x, n: mp.chebyu(int(n), x), [(0.3, 4.0), (1.5, 7.0)]),
    "special.shifted_chebyshev_polynomial_t": (lambda x, n: mp.chebyt(int(n), 2 * x - 1),
                                               [(0.3, 4.0), (1.5, 3.0)]),
    "special.hermite_polynomial_h": (lambda x, n: mp.hermite(int(n), x), [(0.3, 4.0), (1.5, 7.0)]),
    "special.hermite_polynomial_he": (lambda x, n: 2 ** (-n / 2) * mp.hermite(int(n), x / mp.sqrt(2)),
                                      [(0.3, 4.0), (1.5, 7.0)]),
    "special.laguerre_polynomial_l": (lambda x, n: mp.laguerre(int(n), 0, x), [(0.3, 4.0), (1.5, 7.0)]),
    "special.legendre_polynomial_p": (lambda x, n: mp.legendre(int(n), x), [(0.3, 4.0), (1.5, 7.0)]),
}
# Functions whose error grows with the size of their terms, not of their value.
ULPS = {"lgamma": 8, "igamma": 32, "igammac": 32, "special.zeta": 8, "special.legendre_polynomial_p": 16,
        "special.laguerre_polynomial_l": 32, "special.hermite_polynomial_h": 16,
        "special.hermite_polynomial_he": 16, "special.bessel_j0": 16, "special.bessel_j1": 16,
        "special.bessel_y0": 16, "special.bessel_y1": 16}
EPSILON = {torch.float64: 2.0**-52, torch.float32: 2.0**-23}


def function_named(name):
    owner = torch
    for part in name.split("."):
        owner = getattr(owner, part)
    return owner


def check(name, arguments, reference, dtype):
    columns = [torch.tensor(column, dtype=dtype) for column in zip(*arguments)]
    results = function_named(name)(*columns).tolist()
    rounded = zip(*[column.tolist() for column in columns])
    with mp.workdps(50):
        for point, result in zip(rounded, results):
            true = reference(*map(mp.mpf, point))
            if abs(true) > torch.finfo(dtype).max or 0 < abs(true) < torch.finfo(dtype).tiny:
                continue
            error = abs(result - true) / max(abs(true) * EPSILON[dtype], mp.mpf(torch.finfo(dtype).tiny))
            text = f"{name}{point} = {result}, not {mp.nstr(true, 20)}: {mp.nstr(error, 4)} ulp"
            assert error <= ULPS.get(name, 6), text


@pytest.mark.parametrize("dtype", EPSILON, ids=str)
@pytest.mark.parametrize("name", REAL)
def test_one_argument(name, dtype):
    reference, points = REAL[name]
    check(name, [(x,) for x in points], reference, dtype)


@pytest.mark.parametrize("dtype", EPSILON, ids=str)
@pytest.mark.parametrize("name", PAIRS)
def test_two_arguments(name, dtype):
    reference, points = PAIRS[name]
    check(name, points, reference, dtype)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_polygamma(order):
    x = torch.tensor([0.25, 1.0, 7.5], dtype=torch.float64)
    with mp.workdps(50):
        expected = torch.tensor([float(mp.psi(order, v)) for v in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(torch.polygamma(order, x), expected, rtol=1e-14, atol=0)
    torch.testing.assert_close(x.polygamma(order), expected, rtol=1e-14, atol=0)


def test_mvlgamma():
    x = torch.tensor([2.5, 4.0], dtype=torch.float64)
    with mp.workdps(50):
        sums = [1.5 * mp.log(mp.pi) + mp.fsum(mp.loggamma(v - i / 2) for i in range(3)) for v in x.tolist()]
    expected = torch.tensor([float(s) for s in sums], dtype=torch.float64)
    torch.testing.assert_close(torch.mvlgamma(x, 3), expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_large_angles_beside_small_ones(name):
    """One element beyond the fast range leaves its neighbours as they are, in place too."""
    x = torch.linspace(-10, 10, 2000, dtype=torch.float64)
    expected = getattr(torch, name)(x)
    x[700] = 1e300
    mixed = getattr(torch, name)(x)
    assert mixed[:700].equal(expected[:700]) and mixed[701:].equal(expected[701:])
    with mp.workdps(400):
        true = getattr(mp, name)(mp.mpf(1e300))
    assert abs(mixed[700].item() - float(true)) < 1e-15 * (1 + abs(float(true)))
    assert getattr(x, name + "_")().equal(mixed)


def test_limits():
    inf, nan = float("inf"), float("nan")
    x = torch.tensor([-inf, -1000.0, inf, nan], dtype=torch.float64)
    assert torch.special.erfcx(x).tolist()[:3] == [inf, inf, 0.0]
    assert torch.i0(x).tolist()[:3] == [inf, inf, inf]
    assert torch.special.spherical_bessel_j0(x).tolist()[::2] == [0.0, 0.0]
    assert torch.special.log_ndtr(x).tolist()[::2] == [-inf, 0.0]
    for name in ["erfcx", "i1e", "ndtr", "spherical_bessel_j0", "airy_ai", "bessel_j0", "modified_bessel_k0"]:
        assert getattr(torch.special, name)(x)[3].isnan(), name
