"""Operations whose derivative is written in Python."""
from __future__ import annotations

import functools

from .. import _C
from .._tensor import _RemovableHandle as RemovableHandle

__all__ = ["Function", "FunctionCtx", "once_differentiable", "NestedIOFunction", "InplaceFunction"]


class FunctionCtx:
    """What `forward` leaves for `backward`; also the graph node that users see as `grad_fn`."""

    _saved = ()
    _saved_versions = ()
    _dirty = ()
    _constant = ()
    _materialize = True
    _released = False
    _packed = None
    needs_input_grad = ()

    def save_for_backward(self, *tensors):
        """Keep inputs or outputs of `forward`; `saved_tensors` gives them back, checked for in-place writes."""
        self.to_save = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors for `jvp`."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors):
        """Name the inputs that `forward` changed in place."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Name outputs that have no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value):
        """If False, gradients that did not arrive are None in `backward` instead of zeros."""
        self._materialize = value

    @property
    def saved_tensors(self):
        if "_legacy_saved" in self.__dict__:
            return self.__dict__["_legacy_saved"]
        if self._packed is not None:
            return self._unpacked()
        if self._released:
            raise RuntimeError(f"{type(self).__name__}: its saved tensors were freed by an earlier backward. "
                               "To backward a second time, pass retain_graph=True the first time.")
        for tensor, version in zip(self._saved, self._saved_versions):
            if tensor is not None and tensor._version != version:
                raise RuntimeError(f"{type(self).__name__} saved a tensor that was modified by an inplace "
                                   f"operation: it has shape {tuple(tensor.shape)} and is at version "
                                   f"{tensor._version}, it was saved at version {version}")
        return tuple(self._restore(t) for t in self._saved)

    saved_variables = saved_tensors

    def _unpacked(self):
        """Saved tensors that hooks took, brought back and tied to their histories."""
        restored = []
        for packed, own_output, edge in self._packed:
            tensor = None if packed is None else packed.unpack()
            if own_output is not None:
                tensor = _C._detach(tensor)
                _C._attach(tensor, self._node, own_output)
            elif edge is not None:
                tensor = _C._tied(tensor, self._node, edge)
            restored.append(tensor)
        return tuple(restored)

    def _restore(self, tensor):
        """A saved output was kept without its history, or the node would own itself: tie it on again."""
        if tensor is None or id(tensor) not in self._own_outputs:
            return tensor
        again = _C._detach(tensor)
        _C._attach(again, self._node, self._own_outputs[id(tensor)])
        return again

    def _pack(self, tensors, own, edges):
        """Hand the saved tensors to the hooks in force, if there are any."""
        packed = []
        for tensor in tensors:
            if tensor is None:
                packed.append((None, None, None))
                continue
            k = own.get(id(tensor))
            shown = tensor
            if k is not None:                          # with its history the node would own itself
                shown = _C._detach(tensor)
                if shown.is_floating_point() or shown.is_complex():
                    shown.requires_grad = True
            handle = _C._pack_saved(shown)
            if handle is None:
                return False
            packed.append((handle, k, None if k is not None else edges.get(id(tensor))))
        self._packed = packed
        self._own_outputs = {}
        self.__dict__.pop("to_save", None)
        return True

    def _keep(self, outputs, edges):
        own = {id(o): k for k, o in enumerate(outputs)}
        kept, self._own_outputs = [], {}
        to_save = getattr(self, "to_save", ())
        for i, tensor in enumerate(to_save):
            if tensor is not None and not isinstance(tensor, _C.Tensor):
                raise TypeError(f"save_for_backward can only save tensors, but argument {i} is of type "
                                f"{type(tensor).__name__}")
        if to_save and self._pack(to_save, own, edges):
            return
        for tensor in to_save:
            if tensor is not None and id(tensor) in own:
                k = own[id(tensor)]
                tensor = _C._detach(tensor)
                self._own_outputs[id(tensor)] = k
            kept.append(tensor)
        self._saved = tuple(kept)
        self._saved_versions = tuple(None if t is None else t._version for t in kept)
        self.__dict__.pop("to_save", None)

    def _release(self):
        self._saved, self._packed, self._released = (), None, True

    # ---- as a graph node
    def name(self):
        return type(self).__name__

    @property
    def next_functions(self):
        return self._node.next_functions

    @property
    def metadata(self):
        return self.__dict__.setdefault("_metadata", {})

    def register_hook(self, hook):
        """Call `hook(grad_inputs, grad_outputs)` after `backward`; what it returns replaces grad_inputs."""
        return RemovableHandle(_C._node_hook(self._node, hook, False))

    def register_prehook(self, hook):
        """Call `hook(grad_outputs)` before `backward`; what it returns replaces them."""
        return RemovableHandle(_C._node_hook(self._node, hook, True))


class _FunctionMeta(type):
    def __init__(cls, name, bases, attributes):
        super().__init__(name, bases, attributes)
        cls._backward_cls = type(name + "Backward", (FunctionCtx,), {"_forward_cls": cls, "__module__": __name__})


def _run_backward(context, grads, create_graph):
    function = context._forward_cls
    if function.backward is not Function.backward and function.vjp is not Function.vjp:
        raise RuntimeError(f"{function.__name__} has both backward and vjp, which are two names of one "
                           "method; define one")
    if context._materialize:
        grads = tuple(_C.zeros(shape, dtype=dtype) if g is None and dtype is not None else g
                      for g, (shape, dtype) in zip(grads, context._output_info))  # constants have zeros too
    rule = function.vjp if function.vjp is not Function.vjp else function.backward
    before = _C._set_grad_enabled(create_graph)
    try:
        result = rule(context, *grads)
    finally:
        _C._set_grad_enabled(before)
    result = result if isinstance(result, (tuple, list)) else (result,)
    count = len(context._is_tensor)
    if len(result) > count and all(g is None for g in result[count:]):
        result = result[:count]
    if len(result) != count:
        raise RuntimeError(f"{type(context).__name__} must return a gradient for each of the {count} "
                           f"arguments of forward, it returned {len(result)}")
    return tuple(_checked(context, i, g) for i, (g, tensor) in enumerate(zip(result, context._is_tensor)) if tensor)


def _checked(context, position, gradient):
    if gradient is None or not context.needs_input_grad[position]:
        return None
    if not isinstance(gradient, _C.Tensor):
        raise RuntimeError(f"{type(context).__name__}: gradient {position} must be a tensor or None, not "
                           f"{type(gradient).__name__}")
    shape, dtype = context._input_info[position]
    if gradient.shape != shape:
        try:
            gradient = gradient.sum_to_size(shape)
        except RuntimeError:
            raise RuntimeError(f"{type(context).__name__}: gradient {position} has shape "
                               f"{list(gradient.shape)}, which does not fit the argument's, "
                               f"{list(shape)}") from None
    return gradient if gradient.dtype == dtype else gradient.to(dtype)


class Function(FunctionCtx, metaclass=_FunctionMeta):
    """An operation with a derivative of its own: subclass, write static `forward` and `backward`, call `apply`.

    `forward(ctx, *args)` computes; `backward(ctx, *grad_outputs)` returns one gradient per argument, None where
    there is none. `forward` may instead be written without `ctx`, beside `setup_context(ctx, inputs, output)`.

    >>> class Square(fb.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         x, = ctx.saved_tensors
    ...         return 2 * x * g
    >>> x = fb.tensor(3., requires_grad=True)
    >>> Square.apply(x).backward(); x.grad
    tensor(6.)
    """

    def __call__(self, *args):
        from ..legacy.functions import call_instance
        return call_instance(self, args)

    @staticmethod
    def forward(*args, **kwargs):
        raise NotImplementedError("autograd.Function: a subclass must define forward")

    @staticmethod
    def setup_context(ctx, inputs, output):
        raise NotImplementedError("autograd.Function: setup_context is not defined")

    @staticmethod
    def backward(ctx, *grad_outputs):
        raise NotImplementedError("autograd.Function: to go backward, a subclass must define backward (or "
                                  "vjp)")

    @staticmethod
    def vjp(ctx, *grad_outputs):
        raise NotImplementedError("autograd.Function: to go backward, a subclass must define backward (or "
                                  "vjp)")

    @staticmethod
    def jvp(ctx, *grad_inputs):
        raise NotImplementedError("autograd.Function: for forward mode, a subclass must define jvp")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Run `forward` and record it."""
        context = cls._backward_cls()
        is_tensor = tuple(isinstance(a, _C.Tensor) for a in args)
        recording = _C.is_grad_enabled() and any(t and a.requires_grad for a, t in zip(args, is_tensor))
        context.needs_input_grad = tuple(t and a.requires_grad for a, t in zip(args, is_tensor))
        before = _C._set_grad_enabled(False)
        try:
            if cls.setup_context is not Function.setup_context:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(context, args, result)
            else:
                result = cls.forward(context, *args, **kwargs)
        finally:
            _C._set_grad_enabled(before)
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]
        if recording:
            _record(cls, context, args, is_tensor, outputs)
        return type(result)(outputs) if isinstance(result, (tuple, list)) else outputs[0]


def _record(cls, context, args, is_tensor, outputs):
    context._is_tensor = is_tensor
    context._input_info = [(a.shape, a.dtype) if t else (None, None) for a, t in zip(args, is_tensor)]
    dirty, constant = {id(t) for t in context._dirty}, {id(t) for t in context._constant}
    inputs = {id(a): a for a, t in zip(args, is_tensor) if t}
    for tensor in context._dirty:
        if id(tensor) not in {id(o) for o in outputs}:
            raise RuntimeError("mark_dirty: forward must return every tensor that it changed in place and "
                               "marked")
        _C._check_in_place(tensor)
    context._node = _C._python_node(context, _run_backward, cls._backward_cls.__name__,
                                    [a for a, t in zip(args, is_tensor) if t])
    info, varying = [], [False] * len(outputs)
    for k, output in enumerate(outputs):
        if not isinstance(output, _C.Tensor):
            info.append((None, None))
            continue
        if id(output) in inputs and id(output) not in dirty:
            outputs[k] = output = _C._detach(output)
        differentiable = id(output) not in constant and (output.is_floating_point() or output.is_complex())
        info.append((output.shape, output.dtype))
        varying[k] = differentiable
    context._output_info = info
    _C._declare_outputs(context._node, [o if v else None for o, v in zip(outputs, varying)])
    tensors = [a for a, t in zip(args, is_tensor) if t]
    context._keep(outputs, {id(a): k for k, a in enumerate(tensors) if a.requires_grad})
    for k, output in enumerate(outputs):
        if not varying[k]:
            continue
        if id(output) in dirty:
            _C._rebase(context._node, output, k)
        else:
            _C._attach(output, context._node, k)


def once_differentiable(function):
    """Decorates `backward`: its results are constants, and differentiating them again raises."""

    @functools.wraps(function)
    def wrapper(ctx, *args):
        with_grad = _C.is_grad_enabled() and any(isinstance(a, _C.Tensor) and a.requires_grad for a in args)
        before = _C._set_grad_enabled(False)
        try:
            results = function(ctx, *args)
        finally:
            _C._set_grad_enabled(before)
        if not with_grad:
            return results
        several = isinstance(results, (tuple, list))
        marked = tuple(_forbid(r) for r in (results if several else (results,)))
        return marked if several else marked[0]

    return wrapper


def _forbid(tensor):
    """`tensor` with a history that raises when it is differentiated."""
    if not isinstance(tensor, _C.Tensor) or not tensor.is_floating_point():
        return tensor
    seed = _C._detach(tensor)
    seed.requires_grad = True
    return _OnceOnly.apply(seed)


class _OnceOnly(Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        raise RuntimeError("a backward under @once_differentiable cannot be differentiated again")


class InplaceFunction(Function):
    """Kept for programs that derive from it."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class NestedIOFunction(Function):
    """Kept for programs that derive from it."""
