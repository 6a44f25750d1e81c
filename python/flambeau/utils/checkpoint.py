"""Trading time for memory: what a function saves for backward is dropped and computed again when it is needed."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flambeau import _C
from flambeau.autograd import Function, backward
from flambeau.autograd.grad_mode import enable_grad, no_grad
from flambeau.autograd.graph import saved_tensors_hooks
from flambeau.random import fork_rng, get_rng_state, set_rng_state

__all__ = [
    "checkpoint",
    "checkpoint_sequential",
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "detach_variable",
    "get_device_states",
    "set_device_states",
    "noop_context_fn",
    "set_checkpoint_early_stop",
    "DefaultDeviceType",
    "set_checkpoint_debug_enabled",
]


class CheckpointError(RuntimeError):
    """Running a checkpointed function again did not save the tensors that its first run did."""


class DefaultDeviceType:
    """The kind of accelerator whose random state is kept beside the CPU's; there is none to choose."""

    _device_type = "cuda"

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        """Recorded only."""
        DefaultDeviceType._device_type = device

    @staticmethod
    def get_device_type() -> str:
        """What was set last."""
        return DefaultDeviceType._device_type


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """Accelerators that hold one of `args` and the states of their generators: none."""
    return [], []


def set_device_states(devices: list[int], states: list[Any], *, device_type: str | None = None) -> None:
    """Restores what `get_device_states` gave: nothing to do."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing, for the first run and for running again."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def detach_variable(inputs: tuple) -> tuple:
    """`inputs` with each tensor cut from its history; whether it requires grad is kept."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"checkpoint: inputs must be a tuple of tensors, not {type(inputs).__name__}")
    return tuple(_detached(item) if isinstance(item, _C.Tensor) else item for item in inputs)


def _detached(tensor: Any) -> Any:
    copy = tensor.detach()
    copy.requires_grad = tensor.requires_grad
    return copy


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns if none of the tensors among `inputs` requires gradients."""
    if not any(isinstance(item, _C.Tensor) and item.requires_grad for item in inputs):
        warnings.warn("checkpoint: no input requires grad, so no gradient will flow through this "
                      "part", stacklevel=3)


class _Switches:
    early_stop = True
    debug: bool | None = None


@contextlib.contextmanager
def _switched(name: str, value: Any) -> Iterator[None]:
    before = getattr(_Switches, name)
    setattr(_Switches, name, value)
    try:
        yield
    finally:
        setattr(_Switches, name, before)


def set_checkpoint_early_stop(enable: bool) -> contextlib.AbstractContextManager[None]:
    """A block whose checkpoints, when run again, stop at the last tensor needed (True) or run to their end."""
    return _switched("early_stop", enable)


def set_checkpoint_debug_enabled(enabled: bool | None) -> contextlib.AbstractContextManager[None]:
    """A block in which `debug` of every checkpoint is `enabled`, whatever its caller said; None: what they said."""
    return _switched("debug", enabled)


# ---- with a graph of its own: backward runs inside backward


class CheckpointFunction(Function):
    """The recorded node of `checkpoint(..., use_reentrant=True)`."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable, preserve_rng_state: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.rng_state = get_rng_state() if preserve_rng_state else None
        ctx.places = [i for i, arg in enumerate(args) if isinstance(arg, _C.Tensor)]
        ctx.others = [None if isinstance(arg, _C.Tensor) else arg for arg in args]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple:
        if not _C._whole_backward():
            raise RuntimeError("checkpoint: use_reentrant=True works with a plain backward() only, neither "
                               "with its `inputs` nor with autograd.grad(); pass use_reentrant=False")
        inputs = list(ctx.others)
        for place, tensor in zip(ctx.places, ctx.saved_tensors):
            inputs[place] = tensor
        detached = detach_variable(tuple(inputs))
        with _random_state(ctx.rng_state), enable_grad():
            outputs = ctx.run_function(*detached)
        outputs = (outputs,) if isinstance(outputs, _C.Tensor) else outputs
        reached = [(out, grad) for out, grad in zip(outputs, grads)
                   if isinstance(out, _C.Tensor) and out.requires_grad]
        if not reached:
            raise RuntimeError("checkpoint: no output requires grad, so there is nothing to go back through")
        backward([out for out, _ in reached], [grad for _, grad in reached])
        return None, None, *(arg.grad if isinstance(arg, _C.Tensor) else None for arg in detached)


@contextlib.contextmanager
def _random_state(state: Any) -> Iterator[None]:
    """A block that starts from a state of the default generator and leaves it as it was; None: touches nothing."""
    if state is None:
        yield
        return
    with fork_rng():
        set_rng_state(state)
        yield


# ---- with saved-tensor hooks: nothing of backward is nested


class _Place:
    """What the graph holds instead of a saved tensor."""

    def __init__(self, index: int) -> None:
        self.index = index


class _EnoughSaved(Exception):
    """Ends running again, once every tensor that was asked for is there."""


class _Inputs:
    """The arguments of a checkpointed function; hooks of an enclosing block may take the tensors among them."""

    def __init__(self, args: tuple, kwargs: dict) -> None:
        self.kwargs = kwargs
        self.args = [self._kept(arg) for arg in args]

    @staticmethod
    def _kept(arg: Any) -> tuple:
        if not isinstance(arg, _C.Tensor):
            return "value", arg, None
        packed = _C._pack_saved(arg)
        if packed is not None:
            return "packed", packed, arg.requires_grad
        return "tensor", arg, None if arg.is_inference() else arg._version

    def get(self) -> tuple:
        return tuple(self._restored(i, *kept) for i, kept in enumerate(self.args))

    @staticmethod
    def _restored(position: int, how: str, what: Any, note: Any) -> Any:
        if how == "packed":
            tensor = what.unpack().detach()
            tensor.requires_grad = note
            return tensor
        if how == "tensor" and note is not None and what._version != note:
            raise RuntimeError(
                f"argument {position} of a checkpointed function, of shape {list(what.shape)}, was modified "
                f"by an inplace operation: it is at version {what._version}, it was saved at version {note}"
            )
        return what


class _Frame:
    """One call of a checkpointed function."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict, preserve_rng_state: bool, options: dict) -> None:
        self.function = function
        self.inputs = _Inputs(args, kwargs)
        self.rng_state = get_rng_state() if preserve_rng_state else None
        self.again, self.check, self.early_stop = options["again"], options["check"], options["early_stop"]
        self.debug = options["debug"]
        self.facts: list[Any] = []
        self.lines: list[str] = []
        self.values: dict[int, dict[int, Any]] = {}  # run of backward → place → tensor

    def pack(self, tensor: Any) -> _Place:
        self.facts.append(self.check(tensor))
        if self.debug:
            self.lines.append(_caller())
        return _Place(len(self.facts) - 1)

    def unpack(self, place: _Place) -> Any:
        run = _C._current_graph_task_id()
        values = self.values.get(run)
        if values is None or place.index not in values:
            values = self.values[run] = self.run_again()
        tensor = values.pop(place.index)
        if not values:
            del self.values[run]
        return tensor

    def run_again(self) -> dict[int, Any]:
        args = self.inputs.get()
        found: list[Any] = []
        lines: list[str] = []

        def pack(tensor: Any) -> int:
            found.append(tensor.detach())
            if self.debug:
                lines.append(_caller())
            if self.early_stop and len(found) == len(self.facts):
                raise _EnoughSaved
            return len(found) - 1

        def unpack(index: int) -> Any:
            return found[index]

        with _random_state(self.rng_state), enable_grad(), self.again, saved_tensors_hooks(pack, unpack):
            with contextlib.suppress(_EnoughSaved):
                self.function(*args, **self.inputs.kwargs)
        self.compare(found, lines)
        return dict(enumerate(found))

    def compare(self, found: list[Any], lines: list[str]) -> None:
        trace = _trace(self.lines, lines) if self.debug else "\nPass debug=True to see where each tensor was saved."
        if len(found) != len(self.facts):
            raise CheckpointError(
                "checkpoint: running the function again saved other tensors for backward than its first run, "
                f"{len(found)} and not {len(self.facts)}.{trace}"
            )
        wrong = [(i, before, self.check(tensor)) for i, (before, tensor) in enumerate(zip(self.facts, found))
                 if before != self.check(tensor)]
        if wrong:
            told = "\n".join(f"tensor {i}:\nfirst run: {before}\nsecond run: {now}"
                             for i, before, now in wrong)
            raise CheckpointError(
                "torch.utils.checkpoint: running the function again saved tensors of other shapes or dtypes than its "
                f"first run.\n{told}{trace}"
            )


def _caller() -> str:
    """The line of the program that an operation was called from."""
    import traceback

    lines = [frame for frame in traceback.extract_stack() if "flambeau" not in frame.filename]
    return f"{lines[-1].filename}:{lines[-1].lineno}: {lines[-1].line}" if lines else "?"


def _trace(first: list[str], again: list[str]) -> str:
    return "\nSaved by the first run at:\n  " + "\n  ".join(first) + "\nand when run again at:\n  " + "\n  ".join(again)


def _metadata(tensor: Any) -> dict[str, Any]:
    return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}


_CHECKS: dict[str, Callable[[Any], Any]] = {"default": _metadata, "none": lambda tensor: None}


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """`function(*args, **kwargs)`, whose intermediate values are computed again in backward and not kept.

    Args:
        function: computes the same values each time it is called with the same arguments.
        use_reentrant: True runs a backward inside of backward, and needs an argument that requires gradients; False has
            no such limits. To be given explicitly; True while it is not.
        preserve_rng_state: run again with the random numbers of the first run; default True.
        context_fn: gives the context managers for the first run and for running again.
        determinism_check: "default" compares shapes and dtypes of what both runs save, "none" only their number.
        debug: let errors say where each tensor was saved.
        early_stop: stop running again at the last tensor that backward needs.
    Errors: ValueError for arguments that do not go together; CheckpointError, in backward, if the runs differ.

    >>> x = fb.ones(2, requires_grad=True)
    >>> y = fb.utils.checkpoint.checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False)
    >>> y.sum().backward()
    >>> x.grad
    tensor([-2.4783, -2.4783])
    """
    if use_reentrant is None:
        _advise("checkpoint")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if not use_reentrant:
        return _checkpoint_by_hooks(function, args, kwargs, preserve, context_fn, determinism_check, debug, early_stop)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn or debug:
        raise ValueError("checkpoint: context_fn and debug need use_reentrant=False")
    return CheckpointFunction.apply(function, preserve, *args)


def _checkpoint_by_hooks(
    function: Callable,
    args: tuple,
    kwargs: dict,
    preserve: bool,
    context_fn: Callable[[], tuple[Any, Any]],
    determinism_check: str,
    debug: bool,
    early_stop: bool,
) -> Any:
    if determinism_check not in _CHECKS:
        raise ValueError(f"checkpoint: unknown determinism_check={determinism_check!r}, choose one of "
                         f"{list(_CHECKS)}")
    if debug and context_fn is not noop_context_fn:
        raise ValueError("checkpoint: debug=True brings a context of its own and cannot be combined with "
                         "context_fn")
    first, again = context_fn()
    debug = debug if _Switches.debug is None else _Switches.debug
    if not _C.is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    options = {"again": again, "check": _CHECKS[determinism_check], "debug": debug,
               "early_stop": early_stop and _Switches.early_stop}
    frame = _Frame(function, args, kwargs, preserve, options)
    with saved_tensors_hooks(frame.pack, frame.unpack), first:
        return function(*args, **kwargs)


def _advise(name: str) -> None:
    warnings.warn(f"torch.utils.checkpoint.{name}: pass use_reentrant explicitly. use_reentrant=False is recommended; "
                  "use_reentrant=True is what happens now, and a later version may require the argument.", stacklevel=3)


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = None,
                          **kwargs: Any) -> Any:
    """`functions` applied one after the other, checkpointed in `segments` pieces, the last of which is kept whole.

    Args:
        functions: a Sequential or a list of modules or functions.
        segments: the number of pieces.
        input: the argument of the first.
        use_reentrant, preserve_rng_state: as in `checkpoint`.
    """
    if use_reentrant is None:
        _advise("checkpoint_sequential")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    functions = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(functions) // segments
    starts = range(0, size * (segments - 1), size)
    for start in starts:
        piece = functions[start:start + size]
        input = checkpoint(lambda x, piece=piece: _chain(piece, x), input, use_reentrant=use_reentrant,
                           preserve_rng_state=preserve)
    return _chain(functions[len(starts) * size:], input)


def _chain(functions: list[Callable], value: Any) -> Any:
    for function in functions:
        value = function(value)
    return value
