"""LazyModuleMixin: modules whose parameters get their shapes from the first input."""

from __future__ import annotations

import itertools

from ..parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Adds to a Module that its parameters may be uninitialized until the first call.

    Subclasses create UninitializedParameter members, define `initialize_parameters(*args, **kwargs)`
    and name in `cls_to_become` the class to turn into afterwards.
    """

    cls_to_become = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for name, tensor in self._own_tensors():
            destination[prefix + name] = tensor if is_lazy(tensor) or keep_vars else tensor.detach()

    def _lazy_load_hook(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Give uninitialized members the shape of what is about to be loaded into them."""
        for name, member in itertools.chain(self._parameters.items(), self._buffers.items()):
            key = prefix + name
            if key in state_dict and member is not None and is_lazy(member) and not is_lazy(state_dict[key]):
                member.materialize(state_dict[key].shape)

    def initialize_parameters(self, *args, **kwargs):
        """Set the shapes from the first input; every lazy module defines it."""
        raise NotImplementedError(f"{type(self).__name__} must define initialize_parameters")

    def has_uninitialized_params(self):
        """Whether some parameter or buffer still has no shape."""
        return any(is_lazy(m) for m in itertools.chain(self._parameters.values(), self._buffers.values()))

    def _infer_parameters(self, module, args, kwargs=None):
        kwargs = kwargs or {}
        module.initialize_parameters(*args, **kwargs)
        if module.has_uninitialized_params():
            raise RuntimeError(f"{self._get_name()} has parameters without a shape; run forward once first")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _replicate_for_data_parallel(self):
        raise RuntimeError("a lazy module cannot be replicated before its first forward")
