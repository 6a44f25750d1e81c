"""`torch.amp.autocast("cuda", …)` by its older name."""
from __future__ import annotations

import warnings

from flambeau import _C, amp

__all__ = ["autocast", "custom_fwd", "custom_bwd"]


def _warn(name, stacklevel=3):
    warnings.warn(f"torch.cuda.amp.{name} is an old name; use torch.amp.{name} with "
                  "device_type='cuda'", FutureWarning, stacklevel=stacklevel)


class autocast(amp.autocast):
    """`torch.amp.autocast("cuda")`: warns, there being no such device, and changes nothing."""

    def __init__(self, enabled=True, dtype=_C.float16, cache_enabled=True):
        _warn("autocast")
        super().__init__("cuda", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)


def custom_fwd(fwd=None, *, cast_inputs=None):
    """`torch.amp.custom_fwd(device_type="cuda")`."""
    _warn("custom_fwd")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd):
    """`torch.amp.custom_bwd(device_type="cuda")`."""
    _warn("custom_bwd")
    return amp.custom_bwd(bwd, device_type="cuda")
