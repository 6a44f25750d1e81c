"""CUDA graphs, which this build does not have."""

from flambeau._absent_device import absent_class, define
from flambeau.cuda._absent import no_instance, no_stream

__all__ = [
    *define(globals(), no_instance, """
        graph_pool_handle()
        is_current_stream_capturing()
        make_graphed_callables(callables, sample_args, num_warmup_iters=3, allow_unused_input=False, pool=None)
    """),
    "CUDAGraph",
    "graph",
]  # fmt: skip

CUDAGraph = absent_class(__name__, "CUDAGraph", no_instance)
graph = absent_class(__name__, "graph", no_stream)
