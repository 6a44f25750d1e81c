"""The version, and the versions of what other builds would compute with: there are none."""

from flambeau import __version__

__all__ = ["__version__", "debug", "cuda", "git_version", "hip", "rocm", "xpu"]

debug = False
cuda = hip = rocm = xpu = None
git_version = "unknown"
