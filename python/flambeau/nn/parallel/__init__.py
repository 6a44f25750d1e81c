"""Running one module on several devices of a machine."""

from .data_parallel import DataParallel

__all__ = ["DataParallel"]
