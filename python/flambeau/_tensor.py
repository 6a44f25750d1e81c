"""Methods of `Tensor` that are written in Python; attached to the one class, so that `type(x) is Tensor` holds."""
from __future__ import annotations

from . import _C, _tensor_conversion, _tensor_storage

Tensor = _C.Tensor


def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None, **former):
    """Add the gradients of this tensor into the `.grad` of the leaves it depends on.

    Args:
        gradient: the gradient with respect to this tensor, of its shape; may be left out for one element.
        retain_graph, create_graph, inputs: as in `autograd.backward`.
    """
    if former:
        from .legacy.functions import retain_variables
        retain_graph = retain_variables(former, retain_graph)
    if gradient is None and retain_graph is None and not create_graph and inputs is None and self.numel() == 1 \
            and not self.is_complex():
        return _C._backward_one(self)
    from .autograd import backward
    return backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def requires_grad_(self, requires_grad=True):
    """Set whether autograd records operations on this leaf; returns self."""
    if not isinstance(requires_grad, bool):
        raise TypeError("requires_grad_(): argument 'requires_grad' (position 1) must be bool, not "
                        + requires_grad.__class__.__name__)
    self.requires_grad = requires_grad
    return self


def detach_(self):
    """Forget the history of this tensor; returns self."""
    _C._detach_(self)
    return self


def retain_grad(self):
    """Have backward fill the `.grad` of this tensor although it is no leaf."""
    _C._retain_grad(self)


def register_hook(self, hook):
    """Call `hook(grad)` when this tensor's gradient is computed; what it returns, if not None, replaces it."""
    return _RemovableHandle(_C._tensor_hook(self, hook))


def register_post_accumulate_grad_hook(self, hook):
    """Call `hook(self)` after backward has added to `.grad` of this leaf."""
    return _RemovableHandle(_C._accumulated_hook(self, lambda param: hook(param)))


class _RemovableHandle:
    """Removes a hook: call `remove()`, or use it as a context manager."""

    def __init__(self, token):
        self._token = token

    def remove(self):
        if self._token is not None:
            self._token.remove()
            self._token = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def __repr__(self, *, tensor_contents=None):
    from ._printing import tensor_repr
    return tensor_repr(self, tensor_contents=tensor_contents)


def __format__(self, spec):
    from ._printing import tensor_format
    return tensor_format(self, spec)


def __contains__(self, element):
    import numbers

    if isinstance(element, (Tensor, numbers.Number)):
        return bool((self == element).any().item())
    raise RuntimeError(f"in: a tensor can hold numbers and tensors, not {element.__class__.__name__}")


def __deepcopy__(self, memo):
    if not self.is_leaf:
        raise RuntimeError("deepcopy: this tensor is computed from others and its graph cannot be copied; "
                           "copy x.detach(). In a module, weight_norm makes such tensors.")
    if id(self) in memo:
        return memo[id(self)]
    storage = _C._untyped_storage(self)
    key = ("storage", storage._id())
    if key not in memo:
        memo[key] = _C._storage_from_buffer(bytearray(storage._to_bytes()))
    data = _C._tensor_from_storage(memo[key], self.dtype, self.storage_offset(), tuple(self.shape), self.stride())
    copy = _C._make_subclass(self.__class__, data, False) if self.__class__ is not Tensor else data
    copy.requires_grad = self.requires_grad
    if self.grad is not None:
        copy.grad = self.grad.__deepcopy__(memo)
    for name, value in getattr(self, "__dict__", {}).items():
        from copy import deepcopy
        setattr(copy, name, deepcopy(value, memo))
    memo[id(self)] = copy
    return copy


def _rebuild(cls, dtype_name, shape, data, requires_grad, state):
    dtype = getattr(_C, dtype_name)
    storage = _C._storage_from_buffer(bytearray(data))
    strides, step = [], 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= max(size, 1)
    tensor = _C._tensor_from_storage(storage, dtype, 0, shape, tuple(strides))
    if cls is not Tensor:
        tensor = _C._make_subclass(cls, tensor, False)
    tensor.requires_grad = requires_grad
    tensor.__dict__.update(state)
    return tensor


def __reduce_ex__(self, protocol):
    packed = _C._detach(self).contiguous()
    if packed.storage_offset() or packed.numel() * packed.element_size() != packed.untyped_storage().nbytes():
        packed = packed.clone(memory_format=_C.contiguous_format)
    name = str(self.dtype).removeprefix("torch.")
    return _rebuild, (self.__class__, name, tuple(self.shape), bytes(packed.untyped_storage()._to_bytes()),
                      self.requires_grad, dict(getattr(self, "__dict__", {})))


def __copy__(self):
    """Another handle of the same memory."""
    copy = _C._detach(self)
    if self.__class__ is not Tensor:
        copy = _C._make_subclass(self.__class__, copy, False)
    copy.requires_grad = self.requires_grad
    copy.__dict__.update(getattr(self, "__dict__", {}))
    return copy


def __reversed__(self):
    """The slices along the first dim, last first."""
    return self if self.dim() == 0 else self.flip(0)


def is_signed(self):
    """Whether the dtype has negative numbers."""
    return self.dtype.is_signed


def is_nonzero(self):
    """Whether the one element of this tensor is not zero.

    Errors: RuntimeError if there is not exactly one.
    """
    if self.numel() != 1:
        amount = "no values" if self.numel() == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {amount} is ambiguous: is_nonzero takes one element, got "
                           f"{self.numel()}")
    return self.item() != 0


def is_same_size(self, other):
    """Whether `other` has the shape of this tensor."""
    return self.shape == other.shape


def __setstate__(self, state):
    self.__dict__.update(state)


def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A tensor from `data`, of this tensor's dtype unless given."""
    return _C.tensor(data, dtype=self.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def new(self, *args, **kwargs):
    """A tensor of this tensor's type, by the constructor of PyTorch 0.3."""
    return _C._construct(self.dtype, *args)


def get_device(self):
    """-1: the CPU."""
    return -1


def where(self, condition, other=None):
    """Elements of this tensor where `condition` holds, of `other` elsewhere, broadcast."""
    if other is not None:
        return _C.where(condition, self, other)
    from .legacy import enabled, note
    if not enabled():
        raise TypeError("where() missing 1 required positional arguments: \"other\"")
    note("x.where(condition)", "torch.where(condition)")
    return _C.where(condition)


def sum_to_size(self, *size):
    """This tensor summed down to `size`: the reverse of expanding. Itself if it has that shape.

    Args: size, a shape that expands to this tensor's.
    Errors: RuntimeError if it does not.

    >>> fb.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    size = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    extra = self.dim() - len(size)
    if extra < 0 or any(s not in (1, mine) for s, mine in zip(size, self.shape[extra:])):
        raise RuntimeError(f"expand_as: size {list(size)} does not expand to {list(self.shape)}")
    if size and tuple(self.shape) == size:
        return self
    kept = [extra + i for i, s in enumerate(size) if s == 1 and self.shape[extra + i] != 1]
    result = self.sum(dim=[*range(extra), *kept], keepdim=True)
    return result.view(size) if extra else result


def apply_(self, function):
    """Replace each element by `function(element)`, in place."""
    values = [function(v) for v in self.reshape(-1).tolist()]
    for value in values:
        if not isinstance(value, (int, float, complex, Tensor)):
            raise TypeError(f"apply_(): the function must give a real number, not {value.__class__.__name__}")
    return self.copy_(_C.tensor(values, dtype=self.dtype).reshape(self.shape))


def map_(self, other, function):
    """Replace each element by `function(element, element of other)`, in place."""
    pairs = zip(self.reshape(-1).tolist(), other.expand_as(self).reshape(-1).tolist())
    return self.copy_(_C.tensor([function(a, b) for a, b in pairs], dtype=self.dtype).reshape(self.shape))


def __dir__(self):
    return sorted(set(dir(self.__class__)) | set(getattr(self, "__dict__", ())))


def nonzero(self, *, as_tuple=False):
    """The coordinates of all elements that are not zero: one row each, or one tensor per dim."""
    return _C.nonzero_numpy(self) if as_tuple else _C.nonzero(self)


def _transposed(self):
    """All dims in reverse order, as a view."""
    if self.dim() not in (0, 2):
        import warnings
        warnings.warn("x.T has a meaning for matrices only: use x.mT for batches of them, or "
                      "x.permute(*range(x.ndim - 1, -1, -1)) to reverse the dims", stacklevel=2)
    return self.permute(*range(self.dim() - 1, -1, -1)) if self.dim() else self.alias()


def _matrix_transposed(self):
    """The last two dims swapped, as a view."""
    if self.dim() < 2:
        raise RuntimeError(f"mT: a tensor of {self.dim()} dims has no rows and columns to swap")
    return self.transpose(-2, -1)


def _matrix_adjoint(self):
    """The last two dims swapped, and complex elements conjugated."""
    if self.dim() < 2:
        raise RuntimeError(f"mH: a tensor of {self.dim()} dims has no rows and columns to swap")
    return self.adjoint()


def _hermitian(self):
    """The conjugate transpose of a matrix."""
    if self.dim() not in (0, 2):
        raise RuntimeError(f"H: only a matrix has rows and columns to swap, this tensor has {self.dim()} "
                           "dims")
    return self.adjoint()


def _set_real(self, value):
    _C.real(self).copy_(value)


def _set_imag(self, value):
    _C.imag(self).copy_(value)


def _read_only(name, what):
    """The property `what`, whose refusal to be set names it."""
    def refuse(self, value):
        raise AttributeError(f"attribute '{name}' of 'Tensor' objects is not writable", name=name, obj=self)

    return property(what.fget, refuse, doc=what.__doc__)


def _attach():
    for function in (backward, requires_grad_, detach_, retain_grad, register_hook, register_post_accumulate_grad_hook,
                     __repr__, __format__, __contains__, __deepcopy__, __copy__, __reversed__, is_signed, is_nonzero,
                     is_same_size, __reduce_ex__, __setstate__, new_tensor, new, get_device, sum_to_size, apply_, map_,
                     __dir__, nonzero, where, *_tensor_conversion.METHODS, *_tensor_storage.METHODS):
        setattr(Tensor, function.__name__, function)
    for name, function in {"T": _transposed, "mT": _matrix_transposed, "mH": _matrix_adjoint, "H": _hermitian}.items():
        setattr(Tensor, name, property(function))
    Tensor.__array_priority__ = 1000
    Tensor.layout = property(lambda self: _C.strided)
    Tensor._make_subclass = staticmethod(_C._make_subclass)
    Tensor._is_view = lambda self: _C._is_view(self)
    Tensor.is_quantized = Tensor.is_sparse = Tensor.is_mkldnn = Tensor.is_cuda = Tensor.is_meta = False
    Tensor.is_nested = Tensor.is_sparse_csr = Tensor.is_xpu = Tensor.is_mps = Tensor.is_xla = Tensor.is_cpu = False
    Tensor.is_ipu = Tensor.is_maia = Tensor.is_mtia = Tensor.is_vulkan = False
    Tensor.is_cpu = True
    Tensor.name = None
    Tensor.names = property(lambda self: (None,) * self.dim())
    Tensor.has_names = lambda self: False
    from .legacy import tensors as former_methods
    Tensor.volatile = former_methods.volatile
    Tensor.resize, Tensor.resize_as = former_methods.resize, former_methods.resize_as
    for flag in ("is_conj", "is_neg", "is_distributed", "is_coalesced"):
        setattr(Tensor, flag, lambda self: False)
    for same in ("resolve_conj", "resolve_neg"):
        setattr(Tensor, same, lambda self: self)
    Tensor.real = property(lambda self: self if not self.is_complex() else _C.real(self), _set_real)
    Tensor.imag = property(lambda self: _C.imag(self), _set_imag)
    for name, what in list(vars(Tensor).items()):
        if isinstance(what, property) and what.fset is None:
            setattr(Tensor, name, _read_only(name, what))
    from . import _untyped_storage
    _untyped_storage.attach()
    from ._functions import allclose, equal
    Tensor.allclose, Tensor.equal = allclose, equal
    Tensor.__rdiv__ = Tensor.__rtruediv__
    Tensor.__torch_function__ = classmethod(_default_torch_function)


def _default_torch_function(cls, func, types, args=(), kwargs=None):
    """Run `func` on subclass instances as if they were tensors, and give the results the subclass."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    before = _C._set_overrides_off(True)
    try:
        result = func(*args, **(kwargs or {}))
    finally:
        _C._set_overrides_off(before)
    return _converted(result, cls)


def _converted(result, cls):
    if cls is Tensor:
        return result
    if isinstance(result, Tensor) and not isinstance(result, cls):
        return result.as_subclass(cls)
    if isinstance(result, (tuple, list)):
        return result.__class__(_converted(r, cls) for r in result)
    return result
