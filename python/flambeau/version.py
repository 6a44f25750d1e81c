"""What this build is: the version, and the devices it was built for (none beside the CPU)."""
from . import __version__ as __version__

__all__ = ["__version__", "debug", "cuda", "git_version", "hip", "rocm", "xpu"]

debug = False
cuda = hip = rocm = xpu = None
git_version = "unknown"
