"""Sparse tensor types of CUDA devices: names to test against, which cannot be instantiated."""

from flambeau._absent_device import absent_class, fails
from flambeau.cuda._absent import NOT_BUILT

__all__ = [
    f"{name}Tensor"
    for name in ("BFloat16", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
]

for _name in __all__:
    _error = fails(TypeError, f"type torch.cuda.sparse.{_name} not available. {NOT_BUILT}")
    globals()[_name] = absent_class(__name__, _name, _error)
