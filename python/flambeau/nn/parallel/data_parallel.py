"""DataParallel on a machine whose only device is the CPU."""

from __future__ import annotations

from ..modules.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """Wraps a module; with no accelerator to spread a batch over, calls go to it as they are.

    Args:
        module: what to run.
        device_ids, output_device: accelerators; without any they are not used.
        dim: dimension along which a batch would be cut.
    Shapes: as of `module`.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []
        self.dim = dim

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)
