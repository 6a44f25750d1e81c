"""Memory formats and layouts: named constants that print as PyTorch's."""
from __future__ import annotations

from . import _C


class memory_format:
    """An order of a tensor's dims in memory."""

    def __init__(self, name):
        self._format_name = name

    def __repr__(self):
        return f"torch.{self._format_name}"

    def __reduce__(self):
        return _find, (self._format_name,)


class layout:
    """How a tensor's elements are kept."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"torch.{self._name}"

    def __reduce__(self):
        return _find, (self._name,)


def _find(name):
    return globals()[name]


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
strided = layout("strided")
sparse_coo = layout("sparse_coo")
sparse_csr = layout("sparse_csr")
sparse_csc = layout("sparse_csc")
sparse_bsr = layout("sparse_bsr")
sparse_bsc = layout("sparse_bsc")

for _constant in ("memory_format", "layout", "contiguous_format", "preserve_format", "channels_last",
                  "channels_last_3d",
                  "strided", "sparse_coo", "sparse_csr"):
    setattr(_C, _constant, globals()[_constant])
_C.legacy_contiguous_format = contiguous_format
