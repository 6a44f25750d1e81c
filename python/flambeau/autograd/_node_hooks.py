"""Hooks on nodes of the recorded graph."""
from __future__ import annotations

from .. import _C
from .._tensor import _RemovableHandle as RemovableHandle


class _Both:
    """Removes two hooks."""

    def __init__(self, *handles):
        self.handles = handles

    def remove(self):
        for handle in self.handles:
            handle.remove()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


def _register_hook(self, hook):
    """Call `hook(grad_inputs, grad_outputs)` when the gradients of this node's inputs have been computed.

    What it returns, if not None, replaces grad_inputs. The node of a leaf has no inputs: `hook((), (grad,))` is called
    after `.grad` was added to. Returns a handle with `remove()`.
    """
    leaf = getattr(self, "variable", None)
    if leaf is None:
        return RemovableHandle(_C._node_hook(self, hook, False))
    arrived = []

    def note(grad):
        arrived[:] = [grad]

    def tell(_):
        hook((), tuple(arrived))

    return _Both(RemovableHandle(_C._tensor_hook(leaf, note)),
                 RemovableHandle(_C._accumulated_hook(leaf, tell)))


def _register_prehook(self, hook):
    """Call `hook(grad_outputs)` before this node runs; what it returns, if not None, replaces grad_outputs."""
    leaf = getattr(self, "variable", None)
    if leaf is None:
        return RemovableHandle(_C._node_hook(self, hook, True))

    def on_grad(grad):
        result = hook((grad,))
        return result[0] if isinstance(result, (tuple, list)) else result

    return RemovableHandle(_C._tensor_hook(leaf, on_grad))


def _saved(self, name):
    """`_saved_self`, `_saved_result` …: what the node keeps for backward, by the name of the op's parameter."""
    if name.startswith("_saved_"):
        value = _C._saved_value(self, name.removeprefix("_saved_"))
        if value is not None:
            return value
    raise AttributeError(f"'{self.name()}' object has no attribute '{name}'", name=name, obj=self)


_C.Node.__getattr__ = _saved
_C.Node.register_hook = _register_hook
_C.Node.register_prehook = _register_prehook
