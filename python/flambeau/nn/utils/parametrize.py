"""Parameters computed from others by modules: module.weight = parametrization(original)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import contextmanager

from ... import _C
from ...autograd import no_grad
from ..modules.container import ModuleDict, ModuleList
from ..parameter import Parameter

__all__ = [
    "cached",
    "ParametrizationList",
    "register_parametrization",
    "is_parametrized",
    "remove_parametrizations",
    "type_before_parametrizations",
    "transfer_parametrizations_and_params",
]

Tensor = _C.Tensor
_depth = 0
_cache = {}


@contextmanager
def cached():
    """Compute each parametrized tensor only once within the context."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _cache.clear()


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _put(target, source):
    """Give `target` the memory of `source`, or its values where that is not possible."""
    with no_grad():
        target.set_(source.detach())


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied in order to `original` (or original0, original1, …).

    Args:
        modules: the parametrizations; one with `right_inverse` may give several originals.
        original: the tensor before.
        unsafe: do not check that dtype and shape stay the same.
    """

    def __init__(self, modules, original, unsafe=False):
        if len(modules) == 0:
            raise ValueError("ParametrizationList: give one module at least")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new = self._invert(original)
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "right_inverse gives back a tensor, or several in a list or tuple; it gave "
                f"{type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            if original.dtype != new.dtype:
                raise ValueError(
                    f"right_inverse returned a tensor of {new.dtype}, it must have the dtype of the "
                    f"original, {original.dtype}"
                )
            _put(original, new)
            _register(self, "original", original)
        else:
            for place, tensor in enumerate(new):
                if not isinstance(tensor, Tensor):
                    raise ValueError(
                        f"right_inverse must return tensors, item {place} is {type(tensor).__name__}"
                    )
                if isinstance(original, Parameter):
                    tensor = Parameter(tensor, original.requires_grad)
                _register(self, f"original{place}", tensor)
        if not unsafe:
            self._check_result(shape, dtype)

    def _invert(self, value):
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    value = module.right_inverse(value)
        return value

    def _check_result(self, shape, dtype):
        result = self()
        if not isinstance(result, Tensor):
            raise ValueError(f"a parametrization gives back a tensor, this one gave {type(result).__name__}")
        if result.dtype != dtype:
            raise ValueError(
                f"a parametrization must keep the dtype: the tensor is {dtype}, the result {result.dtype}; "
                "unsafe=True allows it"
            )
        if result.shape != shape:
            raise ValueError(
                f"a parametrization must keep the shape: the tensor has {shape}, the result {result.shape}; "
                "unsafe=True allows it"
            )

    def _originals(self):
        return (
            [self.original]
            if self.is_tensor
            else [getattr(self, f"original{i}") for i in range(self.ntensors)]
        )

    def right_inverse(self, value):
        """Set the original tensors so that the parametrized one becomes `value`, where possible."""
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"{type(module).__name__} has no right_inverse, so nothing can be assigned"
                    )
                value = module.right_inverse(value)
            new = [value] if self.is_tensor else list(value)
            if len(new) != self.ntensors:
                raise ValueError(f"right_inverse must return {self.ntensors} tensors, it returned {len(new)}")
            for original, tensor in zip(self._originals(), new):
                if not isinstance(tensor, Tensor):
                    raise ValueError("right_inverse must return tensors, it returned "
                                     f"{type(tensor).__name__}")
                if original.dtype != tensor.dtype:
                    raise ValueError(
                        f"right_inverse returned a tensor of {tensor.dtype}, it must have the dtype of the "
                        f"original, {original.dtype}"
                    )
                _put(original, tensor)

    def forward(self):
        first, *rest = self
        value = first(*self._originals())
        for module in rest:
            value = module(value)
        return value


def _inject_class(module):
    """Give `module` a class of its own, so that properties can be put on it."""
    base = type(module)

    def deepcopy_method(self, memo):
        found = memo.get(id(self))
        if found is not None:
            return found
        replica = self.__new__(type(self))
        memo[id(self)] = replica
        replica.__dict__ = copy.deepcopy(self.__dict__, memo)
        return replica

    def getstate(self):
        raise RuntimeError("a parametrized module cannot be pickled; save its state_dict() instead")

    methods = {"__getstate__": getstate}
    if not hasattr(base, "__deepcopy__"):
        methods["__deepcopy__"] = deepcopy_method
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), methods)


def _inject_property(module, name):
    """Make `name` a property that computes the parametrized tensor."""

    def get(self):
        if not _depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def set_(self, value):
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set_))


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Make `module.tensor_name` the result of `parametrization` on the tensor that was there.

    Args:
        parametrization: a module from tensor to tensor; `right_inverse`, if it has one, is used on
            assignment.
        unsafe: allow it to change dtype or shape.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        _append(module, tensor_name, parametrization, unsafe)
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        entry = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = entry
    else:
        raise ValueError(f"{module} has no tensor {tensor_name!r}, parametrized or not")
    return module


def _append(module, name, parametrization, unsafe):
    entry = module.parametrizations[name]
    if not unsafe:
        before = getattr(module, name)
        after = parametrization(before)
        if not isinstance(after, Tensor):
            raise ValueError(f"a parametrization gives back a tensor, this one gave {type(after).__name__}")
        for what in ("dtype", "shape"):
            if getattr(before, what) != getattr(after, what):
                raise ValueError(
                    f"a parametrization must keep the {what}: {name} has {getattr(before, what)}, the result "
                    f"{getattr(after, what)}; unsafe=True allows it"
                )
        if hasattr(parametrization, "right_inverse"):
            inverse = parametrization.right_inverse(after)
            if not isinstance(inverse, Tensor):
                raise ValueError(f"right_inverse must return a tensor, it returned {type(inverse).__name__}")
    entry.append(parametrization)
    entry.unsafe |= unsafe


def is_parametrized(module, tensor_name=None):
    """Whether `module` (or its tensor of that name) is parametrized."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Take the parametrizations away and leave the parametrized value, or else the original.

    With several originals only leave_parametrized=True is possible.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{tensor_name!r} of {module} is not parametrized")
    entry = module.parametrizations[tensor_name]
    if entry.is_tensor:
        original = entry.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name)
            _put(original, value)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} is computed from several tensors and has no single "
            "original to go back to; use leave_parametrized=True"
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module):
    """The class that `module` had before it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Put the parametrizations of one module, and the tensors they use, on another of the same kind."""
    if not is_parametrized(from_module):
        return to_module
    names = [tensor_name] if tensor_name is not None else list(from_module.parametrizations)
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for parametrization in from_module.parametrizations[name]:
            register_parametrization(to_module, name, parametrization)
        source, target = from_module.parametrizations[name], to_module.parametrizations[name]
        for key in ["original"] if source.is_tensor else [f"original{i}" for i in range(source.ntensors)]:
            setattr(target, key, getattr(source, key))
    return to_module
