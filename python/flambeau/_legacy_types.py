"""`FloatTensor`, `LongTensor` …: constructors of PyTorch 0.3 that also answer `isinstance` by dtype."""
from __future__ import annotations

from . import _C

_by_name = {"Float": _C.float32, "Double": _C.float64, "Half": _C.float16, "BFloat16": _C.bfloat16, "Byte": _C.uint8,
            "Char": _C.int8, "Short": _C.int16, "Int": _C.int32, "Long": _C.int64, "Bool": _C.bool,
            "ComplexFloat": _C.complex64, "ComplexDouble": _C.complex128}


class _TypeMeta(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, _C.Tensor) and instance.dtype == cls.dtype

    def __repr__(cls):
        return f"<class 'torch.{cls.__name__}'>"

    def __call__(cls, *args, **kwargs):
        if kwargs.pop("device", None) is not None:
            _C._check_device(kwargs["device"])
        if len(args) == 1 and hasattr(args[0], "_untyped_storage"):
            return _C.empty(0, dtype=cls.dtype).set_(args[0])
        return _C._construct(cls.dtype, *args)


def _make(name, dtype):
    doc = f"{name}Tensor(*sizes) or {name}Tensor(data): a tensor of {dtype}."
    return _TypeMeta(f"{name}Tensor", (), {"dtype": dtype, "__module__": "flambeau", "is_cuda": False,
                                           "is_sparse": False, "__doc__": doc})


types = {f"{name}Tensor": _make(name, dtype) for name, dtype in _by_name.items()}


def dtype_of(kind):
    """The dtype that a dtype, a tensor type or its name ("torch.FloatTensor") stands for."""
    if isinstance(kind, _C.dtype):
        return kind
    if isinstance(kind, str):
        name = kind.rsplit(".", 1)[-1]
        if ".cuda." in kind:
            _C._check_device("cuda")
        if name == "Tensor":
            return _C.get_default_dtype()
        if name in types:
            return types[name].dtype
        raise ValueError(f"invalid type: '{kind}'")
    if isinstance(kind, _TypeMeta):
        return kind.dtype
    if kind is _C.Tensor:
        return _C.get_default_dtype()
    if kind in (float, int, bool, complex):
        return {float: _C.float64, int: _C.int64, bool: _C.bool, complex: _C.complex128}[kind]
    raise RuntimeError(f"invalid type object: {kind!r}")
