"""The version of PyTorch whose behaviour is followed, as a string that compares by its numbers."""
from __future__ import annotations

import re

__all__ = ["TorchVersion"]


def _release(version):
    """The leading numbers of a version, without trailing zeros: "2.10.0+cpu" → (2, 10)."""
    numbers = re.match(r"v?\d+(\.\d+)*", str(version).strip())
    if numbers is None:
        raise ValueError(f"invalid version: {version!r}")
    release = [int(n) for n in numbers[0].lstrip("v").split(".")]
    while release and release[-1] == 0:
        release.pop()
    return tuple(release)


class TorchVersion(str):
    """A version string that orders as versions do: 2.13 comes after 2.9.

    Compares with strings and with tuples or lists of numbers. What cannot be read as a version is compared as text.

    >>> fb.torch_version.TorchVersion("2.13.0") > "2.9"
    True
    >>> fb.torch_version.TorchVersion("2.13.0") >= (2, 0)
    True
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def _pair(self, other):
        text = ".".join(map(str, other)) if isinstance(other, (tuple, list)) else other
        try:
            return _release(self), _release(text)
        except ValueError:
            return str(self), str(text)

    def __lt__(self, other):
        mine, theirs = self._pair(other)
        return mine < theirs

    def __le__(self, other):
        mine, theirs = self._pair(other)
        return mine <= theirs

    def __gt__(self, other):
        mine, theirs = self._pair(other)
        return mine > theirs

    def __ge__(self, other):
        mine, theirs = self._pair(other)
        return mine >= theirs

    def __eq__(self, other):
        if isinstance(other, str) and str.__eq__(self, other):
            return True
        mine, theirs = self._pair(other)
        return mine == theirs

    def __ne__(self, other):
        return not self == other
