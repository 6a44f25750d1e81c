"""Exchange of memory with other libraries by the DLPack protocol."""
from __future__ import annotations

import enum
from typing import Any

from flambeau._functions import from_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """Numbers of device types in the protocol."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14


def to_dlpack(tensor: Any) -> Any:
    """A capsule that holds the memory of `tensor`; `tensor.__dlpack__()` by its older name."""
    return tensor.__dlpack__()
