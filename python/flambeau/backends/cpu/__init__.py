"""The processor."""

from flambeau import _C

__all__ = ["get_cpu_capability"]

_NAMES = {3: "AVX2", 4: "AVX512"}


def get_cpu_capability() -> str:
    """The widest vector instructions in use: "DEFAULT", "AVX2" or "AVX512".

    >>> import flambeau as torch
    >>> torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512")
    True
    """
    return _NAMES.get(_C._cpu_level(), "DEFAULT")
