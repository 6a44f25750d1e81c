"""Registering forward and backward hooks, on one module or on all, and calling a module that has some."""

from __future__ import annotations

import warnings
from collections import OrderedDict

from .hooks import BackwardHook, RemovableHandle, attach_legacy_backward_hooks

__all__ = [
    "register_module_forward_pre_hook",
    "register_module_forward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_backward_hook",
    "register_module_full_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_global_forward_pre_hooks = OrderedDict()
_global_forward_hooks = OrderedDict()
_global_forward_hooks_always_called = OrderedDict()
_global_forward_hooks_with_kwargs = OrderedDict()
_global_backward_pre_hooks = OrderedDict()
_global_backward_hooks = OrderedDict()
_global_is_full_backward_hook = None
_global_buffer_registration_hooks = OrderedDict()
_global_module_registration_hooks = OrderedDict()
_global_parameter_registration_hooks = OrderedDict()
# The ids of all hooks above that concern calls: what the fast path of Module.__call__ asks.
_global_call_hooks = OrderedDict()


def _has_any_global_hook():
    return bool(_global_call_hooks)


def _add(hooks, hook, prepend=False, extra=()):
    """Store `hook` and its flags under a new id."""
    handle = RemovableHandle(hooks, extra_dict=[d for d, wanted in extra])
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for flags, wanted in extra:
        if wanted:
            flags[handle.id] = True
    return handle


def register_module_buffer_registration_hook(hook):
    """Call hook(module, name, buffer) whenever any module registers a buffer."""
    return _add(_global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook):
    """Call hook(module, name, submodule) whenever any module registers a submodule."""
    return _add(_global_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook):
    """Call hook(module, name, param) whenever any module registers a parameter."""
    return _add(_global_parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook):
    """Call hook(module, args) before the forward of every module; it may return new args."""
    return _add(_global_forward_pre_hooks, hook, extra=[(_global_call_hooks, True)])


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """Call hook(module, args, output) after the forward of every module; it may return a new output."""
    return _add(
        _global_forward_hooks,
        hook,
        extra=[
            (_global_forward_hooks_with_kwargs, with_kwargs),
            (_global_forward_hooks_always_called, always_call),
            (_global_call_hooks, True),
        ],
    )


def register_module_full_backward_pre_hook(hook):
    """Call hook(module, grad_output) before the backward of every module."""
    return _add(_global_backward_pre_hooks, hook, extra=[(_global_call_hooks, True)])


def _add_global_backward_hook(hook, full):
    global _global_is_full_backward_hook
    if _global_is_full_backward_hook is (not full):
        raise RuntimeError("full and non-full global backward hooks cannot be used together")
    _global_is_full_backward_hook = full
    return _add(_global_backward_hooks, hook, extra=[(_global_call_hooks, True)])


def register_module_backward_hook(hook):
    """The old form of register_module_full_backward_hook, which sees only a module's last operation."""
    return _add_global_backward_hook(hook, full=False)


def register_module_full_backward_hook(hook):
    """Call hook(module, grad_input, grad_output) after the backward of every module."""
    return _add_global_backward_hook(hook, full=True)


def apply_registration_hooks(hooks, module, name, value):
    """Let registration hooks see `value` and replace it."""
    for hook in hooks.values():
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


class ModuleHooks:
    """The part of Module that holds hooks on calls."""

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Call hook(module, args) before forward; it may return new args.

        Args:
            prepend: run before the hooks that are there already.
            with_kwargs: call hook(module, args, kwargs), which may return (args, kwargs).
        """
        return _add(
            self._forward_pre_hooks, hook, prepend, [(self._forward_pre_hooks_with_kwargs, with_kwargs)]
        )

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Call hook(module, args, output) after forward; it may return a new output.

        Args:
            prepend: run before the hooks that are there already.
            with_kwargs: call hook(module, args, kwargs, output).
            always_call: call it (with output None) also when forward raises.
        """
        return _add(
            self._forward_hooks,
            hook,
            prepend,
            [
                (self._forward_hooks_with_kwargs, with_kwargs),
                (self._forward_hooks_always_called, always_call),
            ],
        )

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Call hook(module, grad_output) before this module is differentiated;
        it may return a new grad_output.
        """
        return _add(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Call hook(module, grad_input, grad_output) once this module is differentiated."""
        self._set_backward_kind(True)
        return _add(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook):
        """The old form of register_full_backward_hook, which sees only the module's last operation."""
        self._set_backward_kind(False)
        return _add(self._backward_hooks, hook)

    def _set_backward_kind(self, full):
        if self._is_full_backward_hook is (not full):
            raise RuntimeError("full and non-full backward hooks cannot be used on the same module")
        self._is_full_backward_hook = full

    def _get_backward_hooks(self):
        """(full hooks, non-full hooks) that apply to this module."""
        full, legacy = [], []
        if _global_is_full_backward_hook is not None:
            (full if _global_is_full_backward_hook else legacy).extend(_global_backward_hooks.values())
        if self._is_full_backward_hook is not None:
            (full if self._is_full_backward_hook else legacy).extend(self._backward_hooks.values())
        return full, legacy

    def _get_backward_pre_hooks(self):
        return [*_global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]

    def _run_pre_hooks(self, args, kwargs):
        for hook in tuple(_global_forward_pre_hooks.values()):
            args = _as_args(hook(self, args), args)
        for key, hook in tuple(self._forward_pre_hooks.items()):
            if key not in self._forward_pre_hooks_with_kwargs:
                args = _as_args(hook(self, args), args)
                continue
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"a forward pre-hook with kwargs returns None or a pair (args, kwargs), not {changed}"
                    )
                args, kwargs = changed
        return args, kwargs

    def _all_forward_hooks(self):
        """(id, hook, wants kwargs, always called) of each forward hook in calling order."""
        tables = (
            (_global_forward_hooks, _global_forward_hooks_with_kwargs, _global_forward_hooks_always_called),
            (self._forward_hooks, self._forward_hooks_with_kwargs, self._forward_hooks_always_called),
        )
        return [
            (key, hook, key in with_kwargs, key in always)
            for hooks, with_kwargs, always in tables
            for key, hook in hooks.items()
        ]

    def _call_with_hooks(self, args, kwargs):
        called, result = set(), None
        try:
            args, kwargs = self._run_pre_hooks(args, kwargs)
            full, legacy = self._get_backward_hooks()
            pre = self._get_backward_pre_hooks()
            backward = BackwardHook(self, full, pre) if full or pre else None
            if backward:
                args = backward.setup_input_hook(args)
            result = self.forward(*args, **kwargs)
            for key, hook, with_kwargs, always in self._all_forward_hooks():
                if always:
                    called.add(key)
                changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                if changed is not None:
                    result = changed
            if backward:
                result = backward.setup_output_hook(result)
            if legacy:
                attach_legacy_backward_hooks(self, legacy, args, result)
            return result
        except Exception:
            self._run_remaining_always_called(called, args, kwargs, result)
            raise

    def _run_remaining_always_called(self, called, args, kwargs, result):
        for key, hook, with_kwargs, always in self._all_forward_hooks():
            if not always or key in called:
                continue
            try:
                changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                if changed is not None:
                    result = changed
            except Exception as error:
                warnings.warn(
                    "an always_call hook failed too, after another error, which is the one that is raised: "
                    f"{error}",
                    stacklevel=3,
                )


def _as_args(changed, args):
    if changed is None:
        return args
    return changed if isinstance(changed, tuple) else (changed,)
