"""Saving a module's tensors to a state_dict and loading them back."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Mapping

from ... import _C
from ...autograd import no_grad
from ..parameter import Parameter, is_lazy
from .hooks import RemovableHandle

__all__ = ["ModuleState"]

_EXTRA_STATE_KEY_SUFFIX = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns: keys that one side has and the other lacks."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class _LoadPreHook:
    """A load_state_dict pre-hook that also gets its module, without keeping the module alive."""

    def __init__(self, hook, module=None):
        self.hook = hook
        self.with_module = module is not None
        self.module = weakref.ref(module) if module is not None else None

    def __call__(self, *args, **kwargs):
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("the module of this load_state_dict hook no longer exists")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self):
        return {
            "hook": self.hook,
            "with_module": self.with_module,
            "module": self.module() if self.with_module else None,
        }

    def __setstate__(self, state):
        self.hook, self.with_module = state["hook"], state["with_module"]
        self.module = weakref.ref(state["module"]) if self.with_module else None


class ModuleState:
    """The part of Module that saves and loads."""

    _version = 1
    dump_patches = False

    def get_extra_state(self):
        """Override to put further picklable state into state_dict; see `set_extra_state`."""
        raise RuntimeError("override get_extra_state (and set_extra_state) to save extra state")

    def set_extra_state(self, state):
        """Override to take back what `get_extra_state` returned."""
        raise RuntimeError(
            "this state_dict holds extra state, but set_extra_state is not overridden in "
            f"{type(self).__name__}"
        )

    def _register_state_dict_hook(self, hook):
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError("this hook was already registered by register_state_dict_post_hook")
        handle = RemovableHandle(self._state_dict_hooks)
        self._state_dict_hooks[handle.id] = hook
        return handle

    def register_state_dict_post_hook(self, hook):
        """Call hook(module, state_dict, prefix, local_metadata) after state_dict has been made."""
        hook._from_public_api = True
        handle = RemovableHandle(self._state_dict_hooks)
        self._state_dict_hooks[handle.id] = hook
        return handle

    def register_state_dict_pre_hook(self, hook):
        """Call hook(module, prefix, keep_vars) before state_dict is made."""
        handle = RemovableHandle(self._state_dict_pre_hooks)
        self._state_dict_pre_hooks[handle.id] = hook
        return handle

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        handle = RemovableHandle(self._load_state_dict_pre_hooks)
        self._load_state_dict_pre_hooks[handle.id] = _LoadPreHook(hook, self if with_module else None)
        return handle

    def register_load_state_dict_pre_hook(self, hook):
        """Call hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs) before this module loads."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook):
        """Call hook(module, incompatible_keys) after load_state_dict; it may edit the keys in place."""
        handle = RemovableHandle(self._load_state_dict_post_hooks)
        self._load_state_dict_post_hooks[handle.id] = hook
        return handle

    def _has_extra_state(self, method):
        return getattr(type(self), method) is not getattr(ModuleState, method)

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for name, tensor in self._own_tensors():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state("get_extra_state"):
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """Ordered dictionary of parameters and persistent buffers by dotted name.

        Args:
            destination: dictionary to fill instead of a new one.
            prefix: text put before every key.
            keep_vars: give the tensors themselves instead of detached ones that share their memory.
        """
        if args:
            warnings.warn(
                "state_dict takes destination, prefix and keep_vars as keywords", FutureWarning, stacklevel=2
            )
            destination, prefix, keep_vars = (*args, *(destination, prefix, keep_vars)[len(args) :])
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            changed = hook(self, destination, prefix, local_metadata)
            if changed is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("a post-hook of state_dict changes the dict itself and returns None")
                destination = changed
        return destination

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Load this module's own tensors; override to convert older versions of a state_dict."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, tensor in self._own_tensors():
            key = prefix + name
            if key in state_dict:
                self._load_tensor(name, tensor, key, state_dict[key], assign, error_msgs)
            elif strict:
                missing_keys.append(key)
        extra_key = prefix + _EXTRA_STATE_KEY_SUFFIX
        if self._has_extra_state("set_extra_state"):
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)
        if strict:
            self._find_unexpected(state_dict, prefix, extra_key, unexpected_keys)

    def _find_unexpected(self, state_dict, prefix, extra_key, unexpected_keys):
        own = {name for name, _ in self._own_tensors()}
        for key in state_dict:
            if key.startswith(prefix) and key != extra_key:
                first, *rest = key[len(prefix) :].split(".", 1)
                known = first in self._modules if rest else first in own
                if not known:
                    unexpected_keys.append(key)

    def _load_tensor(self, name, tensor, key, value, assign, error_msgs):
        if not isinstance(value, _C.Tensor):
            error_msgs.append(f"'{key}' of the checkpoint is {type(value)}, it must be a tensor")
            return
        lazy = is_lazy(tensor)
        # Checkpoints of PyTorch 0.3 keep 0-d tensors as 1-element vectors.
        if not lazy and tensor.dim() == 0 and value.dim() == 1:
            value = value[0]
        if not lazy and value.shape != tensor.shape:
            error_msgs.append(
                f"size mismatch for {key}: the checkpoint has shape {value.shape}, the model {tensor.shape}"
            )
            return
        if tensor.is_meta and not value.is_meta and not assign:
            warnings.warn(
                f"for {key}: copying from a checkpoint into a meta tensor does nothing; "
                "pass assign=True to put the checkpoint's tensor in its place",
                stacklevel=2,
            )
        try:
            with no_grad():
                if assign:
                    self._assign_tensor(name, tensor, value)
                else:
                    tensor.copy_(value)
        except Exception as error:
            error_msgs.append(
                f"'{key}' of the checkpoint, of shape {value.size()}, cannot be copied into the model, shape "
                f"{tensor.size()}: {error.args}"
            )

    def _assign_tensor(self, name, tensor, value):
        if isinstance(tensor, Parameter):
            if not isinstance(value, Parameter):
                value = Parameter(value, requires_grad=tensor.requires_grad)
            else:
                value.requires_grad_(tensor.requires_grad)
        setattr(self, name, value)

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copy the tensors of `state_dict` into this module and those below it.

        Args:
            state_dict: mapping from dotted names to tensors, as `state_dict()` gives it.
            strict: whether keys that one side lacks are an error.
            assign: put the given tensors in place of the module's instead of copying values.
        Errors: RuntimeError that lists missing keys, unexpected keys and differing sizes.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: state_dict must be a mapping, not {type(state_dict).__name__}")
        missing_keys, unexpected_keys, error_msgs = [], [], []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata

        def load(module, local_state, prefix=""):
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata["assign_to_params_buffers"] = assign
            module._load_from_state_dict(
                local_state, prefix, local_metadata, True, missing_keys, unexpected_keys, error_msgs
            )
            for name, child in module._modules.items():
                if child is not None:
                    start = prefix + name + "."
                    load(child, {k: v for k, v in local_state.items() if k.startswith(start)}, start)
            incompatible = _IncompatibleKeys(missing_keys, unexpected_keys)
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, incompatible) is not None:
                    raise RuntimeError(
                        "hooks of register_load_state_dict_post_hook must return None; "
                        "edit missing_keys and unexpected_keys in place"
                    )

        load(self, state_dict)
        if strict:
            for title, keys in (("Unexpected", unexpected_keys), ("Missing", missing_keys)):
                if keys:
                    names = ", ".join(f'"{k}"' for k in keys)
                    error_msgs.insert(0, f"{title} key(s) in state_dict: {names}. ")
        if error_msgs:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(error_msgs)
            )
        return _IncompatibleKeys(missing_keys, unexpected_keys)
