"""PyTorch's second names of operations: one table, name → operation."""
from __future__ import annotations

from . import _C

# Functions that are methods of Tensor too, each with its in-place form where the operation has one.
_names = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "clip": "clamp", "divide": "div", "true_divide": "div", "fix": "trunc",
    "ger": "outer", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "not_equal": "ne",
    "moveaxis": "movedim", "multiply": "mul", "negative": "neg", "subtract": "sub", "swapaxes": "transpose",
    "swapdims": "transpose", "matrix_power": "linalg_matrix_power",
}
# Functions only.
_function_names = {"concat": "cat", "concatenate": "cat", "row_stack": "vstack", "chain_matmul": "linalg_multi_dot",
                   "trapz": "trapezoid"}


def apply(namespace):
    """Add every alias whose operation exists to `namespace`, to the extension module and to Tensor."""
    known = vars(_C)
    for name, op in (_names | _function_names).items():
        for suffix in ("", "_"):
            alias, function = name + suffix, known.get(op + suffix)
            if function is None or alias in known:
                continue
            setattr(_C, alias, function)
            namespace[alias] = function
            if name in _names:
                setattr(_C.Tensor, alias, getattr(_C.Tensor, op + suffix, function))
