"""Handles that remove hooks, and the autograd nodes that module backward hooks hang on."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict

from ... import _C
from ...autograd import Function, is_grad_enabled

__all__ = ["RemovableHandle", "BackwardHook"]


class RemovableHandle:
    """What `register_*_hook` returns: `remove()` it, or use it as a context manager.

    Args:
        hooks_dict: the ordered dictionary the hook is stored in.
        extra_dict: further dictionaries keyed by the same id.
    """

    next_id = 0

    def __init__(self, hooks_dict, *, extra_dict=None):
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        if extra_dict is None:
            extra_dict = ()
        elif isinstance(extra_dict, dict):
            extra_dict = (extra_dict,)
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra_dict)

    def remove(self):
        """Take the hook away; a second call does nothing."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state):
        hooks, self.id, extra = state
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks is None else hooks)
        self.extra_dict_ref = tuple(weakref.ref(OrderedDict() if d is None else d) for d in extra)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


class BackwardHookFunction(Function):
    """Identity whose backward hands the gradients to `receive` and passes on what it returns."""

    @staticmethod
    def forward(ctx, receive, *tensors):
        ctx.receive = receive
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*(t for t in tensors if not t.requires_grad))
        return tensors

    @staticmethod
    def backward(ctx, *grads):
        return (None, *ctx.receive(grads))


class BackwardHook:
    """Runs a module's full backward (pre-)hooks during one backward pass.

    The inputs and the outputs of the module each go through an identity node: the output node sees
    grad_output first, the input node sees grad_input when the whole module has been differentiated.
    """

    def __init__(self, module, hooks, pre_hooks):
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs = None
        self.n_inputs = self.n_outputs = -1
        self.input_index = self.output_index = None

    def setup_input_hook(self, args):
        """The arguments, behind the input node where they are tensors that need gradients."""

        def receive(grads):
            if self.grad_outputs is None:  # no gradient has come through the module's outputs
                return grads
            grad_inputs = self._call_hooks(_spread(grads, self.input_index, self.n_inputs))
            self.grad_outputs = None
            return tuple(grad_inputs[i] for i in self.input_index)

        wrapped, self.input_index = _through_node(args, receive)
        self.n_inputs = len(args)
        return wrapped

    def setup_output_hook(self, result):
        """The module's result, behind the output node."""

        def receive(grads):
            grad_outputs = _spread(grads, self.output_index, self.n_outputs)
            grad_outputs = self._call_pre_hooks(grad_outputs)
            if self.input_index is None:  # no input needs a gradient: the hooks run here or never
                self.grad_outputs = grad_outputs
                if self._call_hooks((None,) * self.n_inputs, replaceable=False):
                    raise RuntimeError(
                        "a full backward hook returned gradients for inputs, "
                        "but no input of the module requires one"
                    )
                self.grad_outputs = None
            else:
                self.grad_outputs = grad_outputs
            return tuple(grad_outputs[i] for i in self.output_index)

        is_tuple = isinstance(result, (tuple, list))
        results = tuple(result) if is_tuple else (result,)
        wrapped, self.output_index = _through_node(results, receive)
        self.n_outputs = len(results)
        if not is_tuple:
            return wrapped[0]
        if self.output_index is None:
            return result
        return _same_kind(result, wrapped)

    def _call_pre_hooks(self, grad_outputs):
        for hook in self.pre_hooks:
            changed = hook(self.module, grad_outputs)
            if changed is not None:
                grad_outputs = _checked(changed, len(grad_outputs), "pre hook", "grad_output")
        return grad_outputs

    def _call_hooks(self, grad_inputs, replaceable=True):
        for hook in self.hooks:
            changed = hook(self.module, grad_inputs, self.grad_outputs)
            if changed is not None:
                if not replaceable and any(g is not None for g in _as_tuple(changed)):
                    return True
                grad_inputs = _checked(changed, len(grad_inputs), "hook", "grad_input")
        return grad_inputs if replaceable else False


def _through_node(values, receive):
    """(values with their tensors behind one identity node, places of those tensors or None)."""
    index = [i for i, v in enumerate(values) if isinstance(v, _C.Tensor)]
    tensors = [values[i] for i in index]
    if not (is_grad_enabled() and any(t.requires_grad for t in tensors)):
        return values, None
    fresh = BackwardHookFunction.apply(receive, *tensors)
    values = list(values)
    for i, tensor in zip(index, fresh):
        values[i] = tensor
    return tuple(values), index


def _spread(grads, index, count):
    spread = [None] * count
    for i, grad in zip(index, grads):
        spread[i] = grad
    return tuple(spread)


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def _checked(grads, count, what, of):
    grads = _as_tuple(grads)
    if len(grads) != count:
        raise RuntimeError(
            f"Backward {what} returned an invalid number of {of}, got {len(grads)}, but expected {count}"
        )
    return grads


def _same_kind(original, values):
    if hasattr(original, "_fields"):
        return type(original)(*values)
    return type(original)(values)


def first_tensor(result):
    """The tensor a legacy backward hook is attached to: the first one found in `result`."""
    while not isinstance(result, _C.Tensor):
        if isinstance(result, dict):
            result = next((v for v in result.values() if isinstance(v, _C.Tensor)), None)
        elif isinstance(result, (tuple, list)) and result:
            result = result[0]
        else:
            return None
        if result is None:
            return None
    return result


def attach_legacy_backward_hooks(module, hooks, args, result):
    """Hang `register_backward_hook` hooks on the last node of the module's result."""
    tensor = first_tensor(result)
    node = None if tensor is None else tensor.grad_fn
    if node is None:
        return
    for hook in hooks:

        def call(grad_inputs, grad_outputs, hook=hook):
            return hook(module, grad_inputs, grad_outputs)

        node.register_hook(call)
    if not (isinstance(result, _C.Tensor) and all(isinstance(a, _C.Tensor) for a in args)):
        warnings.warn(
            "register_backward_hook sees only the last operation of a module whose inputs and "
            "outputs are not plain tensors; use register_full_backward_hook",
            FutureWarning,
            stacklevel=3,
        )
