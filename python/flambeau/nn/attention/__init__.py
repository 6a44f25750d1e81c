"""Which kernels scaled dot-product attention may use. On the CPU there is one; every choice gives its numbers."""
from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.IntEnum):
    """Kernels of scaled dot-product attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[None]:
    """A block, or a decorator, that allows some kernels only.

    Args: backends, one or a list; one of MATH and FLASH_ATTENTION must be there, the others need a GPU.
    Errors: AssertionError for what is not a backend, RuntimeError if none of them works on the CPU.

    >>> from flambeau.nn.attention import SDPBackend, sdpa_kernel
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     y = fb.nn.functional.scaled_dot_product_attention(*[fb.ones(1, 2, 4)] * 3)
    """
    chosen = [backends] if isinstance(backends, SDPBackend) else list(backends)
    if not all(isinstance(b, SDPBackend) for b in chosen):
        raise AssertionError("sdpa_kernel: backends are SDPBackend members or a list of them, not "
                             f"{backends!r}")
    if not {SDPBackend.MATH, SDPBackend.FLASH_ATTENTION} & set(chosen):
        raise RuntimeError("No available kernel. Aborting execution: the CPU has MATH and FLASH_ATTENTION only.")
    yield
