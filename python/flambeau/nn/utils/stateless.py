"""Calling a module with other parameters than its own."""

from __future__ import annotations

import contextlib
import warnings

__all__ = ["functional_call"]


def _owner(module, path):
    """(the module that holds the tensor at `path`, its name there)."""
    prefix, _, name = path.rpartition(".")
    return module.get_submodule(prefix), name


def _swap(owner, name, value):
    """Put a parameter or buffer in the place of `name` without registration; return what was there."""
    for members in (owner._parameters, owner._buffers):
        if name in members:
            old = members[name]
            members[name] = value
            return old
    old = getattr(owner, name)
    setattr(owner, name, value)
    return old


def _with_tied_names(module, values):
    """`values` with entries for all names under which their tensors are shared."""
    names = {}
    for members in (module.named_parameters, module.named_buffers):
        for name, tensor in members(remove_duplicate=False):
            names.setdefault(id(tensor), []).append(name)
    full = dict(values)
    for group in names.values():
        given = [name for name in group if name in values]
        if len({id(values[name]) for name in given}) > 1:
            raise ValueError(
                f"functional_call: {sorted(given)} share one tensor and are given different values; "
                "tie_weights=False allows it"
            )
        if given:
            full.update((name, values[given[0]]) for name in group)
    return full


@contextlib.contextmanager
def _reparametrize_module(
    module, parameters_and_buffers, tie_weights=False, strict=False, stack_weights=False
):
    """`module` with the given tensors, within the context."""
    values = _with_tied_names(module, parameters_and_buffers) if tie_weights else dict(parameters_and_buffers)
    if strict:
        own = {
            n for f in (module.named_parameters, module.named_buffers) for n, _ in f(remove_duplicate=False)
        }
        missing, unexpected = sorted(own - set(values)), sorted(set(values) - own)
        if missing or unexpected:
            parts = [
                f"{title} key(s): {', '.join(keys)}."
                for title, keys in (("Unexpected", unexpected), ("Missing", missing))
                if keys
            ]
            raise RuntimeError(
                f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(parts)
            )
    saved = []
    try:
        for path, value in values.items():
            owner, name = _owner(module, path)
            saved.append((owner, name, _swap(owner, name, value)))
        yield
    finally:
        for owner, name, old in reversed(saved):
            _swap(owner, name, old)


def _functional_call(
    module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def functional_call(
    module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    """The module's result with the given tensors in the places of its parameters and buffers.

    Args:
        parameters_and_buffers: tensors by dotted name; those not named stay the module's own.
        args, kwargs: of the call; a single argument need not be a tuple.
        tie_weights: a name stands for all names that share its tensor.
        strict: every parameter and buffer must be named.
    """

    warnings.warn(
        "nn.utils.stateless.functional_call has moved; use func.functional_call",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
