"""`Variable`, the name PyTorch 0.3 gave to tensors that record: today every tensor is one."""
from __future__ import annotations

from .. import _C


class _VariableMeta(type):
    def __instancecheck__(cls, other):
        return isinstance(other, _C.Tensor)


class Variable(metaclass=_VariableMeta):
    """A tensor that shares `data`, recording if `requires_grad`.

    >>> fb.autograd.Variable(fb.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data=None, requires_grad=None, volatile=None):
        if volatile is not None:
            from ..legacy.tensors import warn_of_volatile
            warn_of_volatile()
        if data is None:
            data = _C.tensor([])
        result = data.detach()
        result.requires_grad = bool(requires_grad)
        return result
