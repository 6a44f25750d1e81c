"""`torch.amp.GradScaler("cuda", …)` by its older name."""
from __future__ import annotations

import warnings

from flambeau import amp

__all__ = ["GradScaler"]


class GradScaler(amp.GradScaler):
    """`torch.amp.GradScaler("cuda")`: warns, there being no such device, and passes everything through."""

    def __init__(self, init_scale=2.0 ** 16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True):
        warnings.warn("torch.cuda.amp.GradScaler is an old name; use "
                      "torch.amp.GradScaler('cuda')", FutureWarning, stacklevel=2)
        super().__init__("cuda", init_scale=init_scale, growth_factor=growth_factor, backoff_factor=backoff_factor,
                         growth_interval=growth_interval, enabled=enabled)
