"""The recorded graph: its nodes, hooks on gradients and on saved tensors."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from flambeau import _C

__all__ = [
    "saved_tensors_hooks",
    "save_on_cpu",
    "disable_saved_tensors_hooks",
    "register_multi_grad_hook",
    "allow_mutation_on_saved_tensors",
    "Node",
    "GradientEdge",
    "get_gradient_edge",
    "increment_version",
    "set_warn_on_accumulate_grad_stream_mismatch",
    "set_override_stale_capture_stream",
]

Node = _C.Node


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor arrives; `backward` and `grad` take it in place of the tensor."""

    node: Any
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge of a tensor; for a leaf it ends in the node that accumulates `.grad`.

    Args:
        tensor: any tensor that requires gradients.
    Errors: RuntimeError if it does not.
    """
    if not tensor.requires_grad:
        raise RuntimeError("get_gradient_edge: the tensor does not require gradients, so it has no edge")
    node = _node_of(tensor)
    return GradientEdge(node, tensor.output_nr)


def _node_of(tensor: Any) -> Any:
    if tensor.requires_grad and tensor.grad_fn is None:
        # A leaf shows its accumulating node only to the nodes that lead there.
        from flambeau.autograd.grad_mode import enable_grad

        with enable_grad():
            return tensor.view_as(tensor).grad_fn.next_functions[0][0]
    return tensor.grad_fn


def increment_version(tensor: Any) -> None:
    """Tell the recorder that the memory of these tensors was written to behind its back.

    Args:
        tensor: a tensor or several in an iterable.
    Errors: RuntimeError for anything else.
    """
    tensors = [tensor] if isinstance(tensor, _C.Tensor) else tensor
    if not isinstance(tensors, Iterable):
        raise RuntimeError(f"increment_version: give a tensor or several, not {type(tensor).__name__}")
    tensors = list(tensors)
    if not all(isinstance(item, _C.Tensor) for item in tensors):
        raise RuntimeError("increment_version: each item must be a tensor")
    _C._increment_version(tensors)


# --- saved tensors ---------------------------------------------------------------------------------------


class saved_tensors_hooks:
    """A block in which one function packs what backward needs and another unpacks it.

    Args:
        pack_hook: from the tensor to save to any object; it must not change the tensor.
        unpack_hook: from that object to a tensor with the same values.
    Errors: UnsupportedError for now: the recorder cannot hand out what it saves yet.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> Any:
        _C._push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *error: Any) -> None:
        _C._pop_saved_tensors_hooks()


class save_on_cpu(saved_tensors_hooks):
    """A block whose saved tensors wait on the CPU until backward.

    Args:
        pin_memory: lock the copies for faster transfer where an accelerator is present.
        device_type: kind of the accelerator.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Any) -> tuple[Any, Any]:
            if not (pin_memory and tensor.device.type == device_type):
                return tensor.device, tensor.cpu()
            copy = _C.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            return tensor.device, copy.copy_(tensor)

        super().__init__(pack, lambda packed: packed[1].to(packed[0], non_blocking=pin_memory))


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """A block in which `saved_tensors_hooks` raises a RuntimeError with this message."""
    before = _C._set_saved_tensors_hooks_disabled(error_message)
    try:
        yield
    finally:
        _C._set_saved_tensors_hooks_disabled(before)


class _SavedCopies:
    """The copies made by one `allow_mutation_on_saved_tensors` block."""

    def __init__(self) -> None:
        self.cloned: dict[int, Any] = {}

    def clear(self) -> None:
        """Drop the copies: the graphs recorded in the block cannot run backward afterwards."""
        self.cloned.clear()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_SavedCopies]:
    """A block in which tensors may be written to after they were saved for backward.

    Each saved tensor is copied when it is saved, which costs its memory a second time.
    """
    copies = _SavedCopies()

    def pack(tensor: Any) -> int:
        key = len(copies.cloned)
        copies.cloned[key] = tensor.detach().clone()
        return key

    def unpack(key: int) -> Any:
        if key not in copies.cloned:
            raise RuntimeError(
                "backward needs a saved tensor whose copy was dropped with clear() or by leaving the block"
            )
        return copies.cloned[key]

    try:
        with saved_tensors_hooks(pack, unpack):
            yield copies
    finally:
        copies.clear()


# --- hooks on several gradients --------------------------------------------------------------------------


class _MultiHandle:
    """Removes a group of hooks, by `remove()` or at the end of a `with` block."""

    def __init__(self, handles: Sequence[Any]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _MultiHandle:
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


class _Arrivals:
    """The gradients of one backward pass that have arrived so far."""

    def __init__(self, expected: int, count: int) -> None:
        self.expected = expected
        self.seen = 0
        self.grads: list[Any] = [None] * count


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: str = "all"
) -> _MultiHandle:
    """Call `fn` once per backward pass about the gradients of several tensors.

    Args:
        tensors: tensors that require gradients.
        fn: for mode "all", called with the list of gradients (None for tensors the pass does not reach)
        when the last
            has been computed; for mode "any", called with the first gradient.
        mode: "all" or "any".
    Errors: ValueError for another mode, AssertionError if a tensor does not require gradients.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: unknown mode={mode!r}, choose 'all' or 'any'")
    nodes = [_node_of(tensor) for tensor in tensors]
    if any(node is None for node in nodes):
        raise AssertionError("register_multi_grad_hook: every tensor must require gradients")
    make = _all_hook if mode == "all" else _any_hook
    return _MultiHandle([tensor.register_hook(hook) for tensor, hook in zip(tensors, make(nodes, fn))])


def _all_hook(nodes: list[Any], fn: Callable[[Any], None]) -> list[Callable[[Any], None]]:
    passes: dict[int, _Arrivals] = {}
    lock = threading.Lock()

    def arrive(index: int, grad: Any) -> None:
        task = _C._current_graph_task_id()
        with lock:
            arrivals = passes.get(task)
            if arrivals is None:
                arrivals = passes[task] = _Arrivals(sum(map(_C._will_engine_execute_node, nodes)), len(nodes))
            arrivals.grads[index] = grad
            arrivals.seen += 1
            complete = arrivals.seen == arrivals.expected
            if complete:
                del passes[task]
        if complete:
            fn(arrivals.grads)

    return [lambda grad, index=index: arrive(index, grad) for index in range(len(nodes))]


def _any_hook(nodes: list[Any], fn: Callable[[Any], None]) -> list[Callable[[Any], None]]:
    last_task: list[int | None] = [None]
    lock = threading.Lock()

    def arrive(grad: Any) -> None:
        task = _C._current_graph_task_id()
        with lock:
            first = last_task[0] != task
            last_task[0] = task
        if first:
            fn(grad)

    return [arrive] * len(nodes)


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Warn about gradients from other streams than the leaf's; the CPU has no streams to warn about."""


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Treatment of streams left over from a graph capture; on the CPU there are none."""
