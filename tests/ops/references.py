"""Where the values of elementwise ops come from: mpmath and NumPy functions by op name."""

import math


def from_mpmath():
    """Op name → function of mpmath numbers, evaluated with 40 digits."""
    import mpmath as mp

    mp.mp.dps = 40
    half = mp.mpf(1) / 2
    return {
        "exp": mp.exp, "exp2": lambda x: mp.power(2, x), "expm1": mp.expm1, "log": mp.log, "log1p": mp.log1p,
        "log2": lambda x: mp.log(x) / mp.log(2), "log10": mp.log10, "sqrt": mp.sqrt,
        "rsqrt": lambda x: 1 / mp.sqrt(x), "reciprocal": lambda x: 1 / x, "square": lambda x: x * x,
        "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan,
        "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
        "atan2": mp.atan2, "hypot": mp.hypot, "pow": mp.power, "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "erf": mp.erf, "erfc": mp.erfc, "erfinv": mp.erfinv, "lgamma": mp.loggamma, "digamma": mp.digamma,
        "special_ndtr": mp.ncdf, "special_i1": lambda x: mp.besseli(1, x), "i0": lambda x: mp.besseli(0, x),
        "special_i0e": lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
        "special_i1e": lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
        "special_bessel_j0": lambda x: mp.besselj(0, x), "special_bessel_j1": lambda x: mp.besselj(1, x),
        "special_bessel_y0": lambda x: mp.bessely(0, x), "special_bessel_y1": lambda x: mp.bessely(1, x),
        "special_erfcx": lambda x: mp.exp(x * x) * mp.erfc(x), "special_entr": lambda x: -x * mp.log(x),
        "special_airy_ai": mp.airyai, "special_log_ndtr": lambda x: mp.log(mp.ncdf(x)),
        "special_ndtri": lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), "special_zeta": lambda s, a: mp.zeta(s, a),
        "special_xlog1py": lambda x, y: x * mp.log1p(y), "xlogy": lambda x, y: x * mp.log(y),
        "logit": lambda x: mp.log(x / (1 - x)), "sinc": mp.sincpi, "softplus": lambda x: mp.log1p(mp.exp(x)),
        "igamma": lambda a, x: mp.gammainc(a, 0, x, regularized=True),
        "igammac": lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True),
        "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) * half, "silu": lambda x: x / (1 + mp.exp(-x)),
        "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)), "deg2rad": mp.radians, "rad2deg": mp.degrees,
        "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y, "div": lambda x, y: x / y,
    }


# Op name → a function of Python floats for ops that are exact.
EXACT = {
    "neg": lambda x: -x, "abs": abs, "ceil": math.ceil, "floor": math.floor, "trunc": math.trunc, "round": round,
    "sign": lambda x: (x > 0) - (x < 0), "relu": lambda x: max(x, 0.0), "isnan": math.isnan, "isinf": math.isinf,
    "isfinite": math.isfinite, "maximum": max, "minimum": min, "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y, "lt": lambda x, y: x < y, "le": lambda x, y: x <= y, "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y, "copysign": math.copysign, "fmod": math.fmod,
    "signbit": lambda x: math.copysign(1, x) < 0,
    "remainder": lambda x, y: x - y * math.floor(x / y), "logical_not": lambda x: not x,
}

# Where each op is evaluated; [-3, 3] unless it says otherwise. Zero is avoided.
DOMAINS = dict.fromkeys(["log", "log2", "log10", "sqrt", "rsqrt", "xlogy", "special_entr", "digamma", "lgamma",
                         "special_bessel_y0", "special_bessel_y1", "igamma", "igammac", "pow"], (0.05, 9.0))
DOMAINS |= dict.fromkeys(["asin", "acos", "atanh", "erfinv"], (-0.95, 0.95))
DOMAINS |= dict.fromkeys(["logit", "special_ndtri"], (0.02, 0.98))
DOMAINS |= {"acosh": (1.02, 40.0), "log1p": (-0.9, 9.0), "special_zeta": (1.5, 6.0), "special_xlog1py": (0.05, 4.0),
            "digamma": (0.05, 1.2), "lgamma": (2.2, 30.0)}

# Units in the last place beyond the usual 4: functions with zeros, or iterated in double precision.
ULPS = dict.fromkeys(["special_bessel_j0", "special_bessel_j1", "special_bessel_y0", "special_bessel_y1", "digamma",
                      "igamma", "igammac", "special_zeta", "special_airy_ai", "special_ndtri", "logit", "pow",
                      "logaddexp", "_bce_logit_terms", "special_log_ndtr", "gelu", "erfinv", "sinc"], 64)
