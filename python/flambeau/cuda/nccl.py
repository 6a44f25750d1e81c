"""Collectives between CUDA devices of one process, of which there are none."""

from flambeau._absent_device import define, gives
from flambeau.cuda._absent import not_present

__all__ = define(globals(), not_present, """
    all_reduce(inputs, outputs=None, op=0, streams=None, comms=None)
    reduce(inputs, output=None, root=0, op=0, streams=None, comms=None, *, outputs=None)
    broadcast(inputs, root=0, streams=None, comms=None)
    all_gather(inputs, outputs, streams=None, comms=None)
    reduce_scatter(inputs, outputs, op=0, streams=None, comms=None)
""")  # fmt: skip
define(globals(), gives(False), "is_available(tensors)")
