"""Tensors that a Module owns: parameters to train, buffers to keep, and both before their shape is known."""

from __future__ import annotations

from collections import OrderedDict

from .. import _C

Tensor = _C.Tensor

__all__ = [
    "Parameter",
    "Buffer",
    "UninitializedParameter",
    "UninitializedBuffer",
    "UninitializedTensorMixin",
    "is_lazy",
]


class Parameter(Tensor):
    """A tensor that registers itself when assigned to a Module attribute.

    Args:
        data: values, any shape and dtype; shared, not copied.
        requires_grad: whether backward computes a gradient; needs a floating or complex dtype.

    >>> fb.nn.Parameter(fb.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data=None, requires_grad=True):
        if data is None:
            data = _C.empty(0)
        elif not isinstance(data, Tensor):
            data = data.detach()  # what has no such method is no tensor
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo):
        found = memo.get(id(self))
        if found is not None:
            return found
        copy = type(self)(self.data.clone(memory_format=_C.preserve_format), self.requires_grad)
        copy.__dict__.update(_copied_attributes(self, memo))
        memo[id(self)] = copy
        return copy

    def __repr__(self, *, tensor_contents=None):
        return "Parameter containing:\n" + Tensor.__repr__(self)

    def __reduce_ex__(self, protocol):
        state = getattr(self, "__dict__", None)
        if state:
            return _rebuild_parameter_with_state, (self.data, self.requires_grad, OrderedDict(), dict(state))
        return _rebuild_parameter, (self.data, self.requires_grad, OrderedDict())


def _copied_attributes(tensor, memo):
    from copy import deepcopy

    return deepcopy(getattr(tensor, "__dict__", {}), memo)


def _rebuild_parameter(data, requires_grad, backward_hooks):
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    param = Parameter(data, requires_grad)
    param.__dict__.update(state)
    return param


class _BufferMeta(type):
    def __instancecheck__(cls, instance):
        if cls is Buffer:
            return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)
        return type.__instancecheck__(cls, instance)


class Buffer(metaclass=_BufferMeta):
    """A tensor that becomes a buffer of the Module it is assigned to: saved and moved, not trained.

    The result is an ordinary tensor sharing `data`; `isinstance(t, Buffer)` recognises it.

    Args:
        data: values, any shape and dtype.
        persistent: whether `state_dict` includes it.
    """

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = _C.empty(0)
        buffer = data.detach().requires_grad_(data.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


# What may be asked of a tensor whose shape is not known yet.
_ALLOWED_UNINITIALIZED = {
    "is_floating_point",
    "half",
    "float",
    "double",
    "char",
    "short",
    "int",
    "long",
    "bfloat16",
    "cuda",
    "cpu",
    "to",
    "_to_copy",
    "get_device",
    "_has_compatible_shallow_copy_type",
    "share_memory_",
    "requires_grad_",
    "detach",
    "is_complex",
    "type",
    "__hash__",
    "__get__",
    "__set__",
    "__delete__",
    "__setattr__",
    "__reduce_ex__",
    "__repr__",
    "copy_",
}


class UninitializedTensorMixin:
    """What uninitialized parameters and buffers share."""

    cls_to_become = Tensor

    def materialize(self, shape, device=None, dtype=None):
        """Give the tensor a shape and memory (values are undefined) and its ordinary class."""
        self.data = _C.empty(
            shape,
            device=self.data.device if device is None else device,
            dtype=self.data.dtype if dtype is None else dtype,
        )
        self.__class__ = self.cls_to_become

    @property
    def shape(self):
        raise RuntimeError(
            "an uninitialized parameter or buffer has no shape yet; run forward once (and load such a "
            "checkpoint into a model that has not run)"
        )

    def share_memory_(self):
        raise RuntimeError("an uninitialized parameter or buffer cannot be shared: run forward once first")

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol):
        return type(self), (self.requires_grad,)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in _ALLOWED_UNINITIALIZED:
            return super().__torch_function__(func, types, args, kwargs or {})
        raise ValueError(
            f"{func} needs an initialized parameter; run the module's forward once before, "
            "so that its lazy parameters get their shape"
        )


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is found at the first forward of a lazy module."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return Tensor._make_subclass(cls, _C.empty(0, device=device, dtype=dtype), requires_grad)

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.data.device, self.data.dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is found at the first forward of a lazy module."""

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        buffer = Tensor._make_subclass(cls, _C.empty(0, device=device, dtype=dtype), requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(
                self.requires_grad, self.data.device, self.data.dtype, self.persistent
            )
        return memo[id(self)]


def is_lazy(param):
    """Whether `param` still waits for its shape."""
    return isinstance(param, UninitializedTensorMixin)


# Operations on parameters give plain tensors, and cost no more than operations on those.
Parameter.__torch_function__ = staticmethod(_C._disabled_torch_function_impl)
_C._set_parameter_class(Parameter)
