"""Methods of `Tensor` that convert: to other dtypes, and to arrays of other libraries; attached by _tensor.py."""
from __future__ import annotations

from . import _C

Tensor = _C.Tensor

# The methods that cast, and the dtypes' names of PyTorch 0.3, as in torch.FloatTensor.
CASTS = {"float": (_C.float32, "Float"), "double": (_C.float64, "Double"), "half": (_C.float16, "Half"),
         "bfloat16": (_C.bfloat16, "BFloat16"), "int": (_C.int32, "Int"), "long": (_C.int64, "Long"),
         "short": (_C.int16, "Short"), "char": (_C.int8, "Char"), "byte": (_C.uint8, "Byte"),
         "bool": (_C.bool, "Bool"), "cfloat": (_C.complex64, "ComplexFloat"),
         "cdouble": (_C.complex128, "ComplexDouble")}
FORMER_NAMES = dict(CASTS.values())


def _target(args, kwargs, self):
    """(dtype or None, copy, memory format or None) of the arguments of `to`, checking the device."""
    dtype, copy = kwargs.pop("dtype", None), kwargs.pop("copy", False)
    device, other = kwargs.pop("device", None), kwargs.pop("other", None)
    kwargs.pop("non_blocking", None)
    memory_format = kwargs.pop("memory_format", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    args = list(args)
    if args and isinstance(args[0], Tensor):
        other = args.pop(0)
    elif args and (isinstance(args[0], (str, _C.device, int)) and not isinstance(args[0], bool) or args[0] is None):
        device = args.pop(0)
        if args and (args[0] is None or not isinstance(args[0], bool)):
            dtype = args.pop(0)
    elif args:
        dtype = args.pop(0)
    flags = args[:2]  # non_blocking, for which there is nothing to wait on a CPU, and copy
    if len(args) > 2 or not all(isinstance(flag, (bool, int)) for flag in flags):
        given = ", ".join(a.__class__.__name__ for a in args)
        raise TypeError(f"to: after device and dtype came ({given}), there is room for non_blocking and "
                        "copy, two bools")
    copy = flags[1] if len(flags) == 2 else copy
    if other is not None:
        dtype = other.dtype
    if device is not None:
        _C._check_device(device)
    return dtype, copy, None if memory_format == _C.preserve_format else memory_format


def to(self, *args, **kwargs):
    """This tensor with another dtype or on another device: itself if nothing changes and `copy` is False."""
    if len(args) == 1 and not kwargs and isinstance(args[0], (_C.device, str)) and str(args[0]) == "cpu":
        return self
    if len(args) == 1 and not kwargs and isinstance(args[0], _C.dtype):
        dtype, copy, memory_format = args[0], False, None
    else:
        dtype, copy, memory_format = _target(args, kwargs, self)
    converts = dtype is not None and dtype != self.dtype
    result = _C._to_copy(self, dtype) if converts else self
    if memory_format is not None:
        ordered = result.clone(memory_format=memory_format)
        return self if not (converts or copy) and ordered.stride() == self.stride() else ordered
    return self.clone() if copy and not converts else result


def cpu(self, *, memory_format=None):
    """This tensor: it is on the CPU."""
    return self


def cuda(self, device=None, non_blocking=False, memory_format=None):
    """Raises: there is no CUDA device."""
    _C._check_device("cuda" if device is None else device)


def _cast_method(name, dtype):
    def cast(self, *, memory_format=None):
        result = self if self.dtype == dtype else _C._to_copy(self, dtype)
        if memory_format in (None, _C.preserve_format):
            return result
        return contiguous(result, memory_format=memory_format)
    cast.__name__ = name
    cast.__doc__ = f"This tensor as {dtype}."
    return cast


def type(self, dtype=None, non_blocking=False, **kwargs):
    """The name of this tensor's type, as "torch.FloatTensor", or this tensor converted to `dtype`."""
    if dtype is None:
        return f"torch.{FORMER_NAMES[self.dtype]}Tensor"
    from ._legacy_types import dtype_of
    return self.to(dtype_of(dtype))


def type_as(self, other):
    """This tensor converted to the dtype of `other`."""
    if not isinstance(other, Tensor):
        raise TypeError(f"type_as(): argument 'other' (position 1) must be Tensor, not {other.__class__.__name__}")
    return self.to(other.dtype)


def numpy(self, *, force=False):
    """A NumPy array that shares this tensor's memory.

    Errors: RuntimeError if the tensor requires grad (use `detach().numpy()`), TypeError for bfloat16.
    """
    if self.requires_grad and not force:
        raise RuntimeError("numpy: the tensor requires grad and numpy would lose the graph; use "
                           ".detach().numpy()")
    if self.is_conj() or self.is_neg():
        self = self.resolve_conj().resolve_neg()
    return _C._as_array(_C._detach(self))


def __array__(self, dtype=None, copy=None):
    array = self.numpy()
    if dtype is not None and array.dtype != dtype:
        return array.astype(dtype)
    return array.copy() if copy else array


def __array_wrap__(self, array, context=None, return_scalar=False):
    if array.dtype == bool:
        array = array.astype("uint8")
    return _C.from_numpy(array)


def __dlpack__(self, *, stream=-1, max_version=None, dl_device=None, copy=None):
    if self.requires_grad:
        raise BufferError("__dlpack__: the tensor requires grad; export .detach()")
    return self.numpy().__dlpack__()


def __dlpack_device__(self):
    return (1, 0)


def contiguous(self, *, memory_format=None):
    """This tensor packed in memory, last dim fastest: itself if it already is."""
    if memory_format not in (None, _C.contiguous_format, _C.preserve_format):
        return self if self.is_contiguous(memory_format=memory_format) else self.clone(memory_format=memory_format)
    return self if self.is_contiguous() else _C._contiguous(self)


METHODS = (to, cpu, cuda, type, type_as, numpy, __array__, __array_wrap__, __dlpack__, __dlpack_device__, contiguous,
           *(_cast_method(name, dtype) for name, (dtype, _) in CASTS.items()))
