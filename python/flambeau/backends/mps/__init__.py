"""Apple's Metal, which is not part of this build."""

from flambeau._absent_device import define, fails, gives

_no_backend = fails(RuntimeError, "Cannot execute isOnMacOSorNewer() without MPS backend.")
_no_metal = fails(AttributeError, "this function exists in builds with Metal only")

__all__ = [
    *define(globals(), gives(False), "is_built()\n is_available()"),
    *define(globals(), _no_backend, "is_macos13_or_newer(minor=0)\n is_macos_or_newer(major, minor)"),
    *define(globals(), _no_metal, "get_core_count()\n get_name()"),
]
