"""Mixing the channels of groups."""

from __future__ import annotations

from ... import _C
from .module import Module

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Take channels in turn from each of `groups` groups.

    Shapes: (N, C, *) → the same, C a multiple of groups.
    """

    __constants__ = ["groups"]

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, input):
        return _C.channel_shuffle(input, self.groups)

    def extra_repr(self):
        return f"groups={self.groups}"
