"""CUDA's libraries: the settings are kept, and without a GPU nothing reads them."""

from __future__ import annotations

import contextlib
import enum
import warnings
from collections.abc import Iterator
from typing import Any

from flambeau import backends
from flambeau._absent_device import absent_class, define, fails, gives, not_built_text
from flambeau.backends._settings import Precision, check_precision

NOT_BUILT = not_built_text("CUDA")
_not_built = fails(AssertionError, NOT_BUILT)
_not_present = fails(AttributeError, f"only a build for CUDA has this function. {NOT_BUILT}")

define(globals(), gives(False), """
    is_built()
    is_ck_sdpa_available()
    is_flash_attention_available()
    can_use_flash_attention(params, debug=False)
    can_use_efficient_attention(params, debug=False)
    can_use_cudnn_attention(params, debug=False)
""")  # fmt: skip
define(globals(), _not_present, """
    cublas_workspace_size(size=None)
    cublaslt_workspace_size(size=None)
    blas_workspace_size(size=None, backend=None)
""")  # fmt: skip
SDPAParams = absent_class(__name__, "SDPAParams", _not_built)


class cuFFTPlanCacheAttrContextProp:
    """A property of a plan cache that needs a device to be read or set."""

    def __init__(self, getter: Any, setter: Any) -> None:
        self.getter = getter
        self.setter = setter

    def __get__(self, obj: Any, objtype: Any = None) -> Any:
        return self if obj is None else self.getter(obj)

    def __set__(self, obj: Any, value: Any) -> None:
        self.setter(obj, value)


def _no_cache(*args: Any) -> None:
    _not_built()


class cuFFTPlanCache:
    """The cached FFT plans of one device. Errors: AssertionError on every use, there being no device."""

    size = cuFFTPlanCacheAttrContextProp(_no_cache, _no_cache)
    max_size = cuFFTPlanCacheAttrContextProp(_no_cache, _no_cache)
    clear = _no_cache

    def __init__(self, device_index: int) -> None:
        object.__setattr__(self, "device_index", device_index)


class cuFFTPlanCacheManager:
    """The plan caches of all devices; its own attributes are the current device's."""

    size = cuFFTPlanCacheAttrContextProp(_no_cache, _no_cache)
    max_size = cuFFTPlanCacheAttrContextProp(_no_cache, _no_cache)
    clear = _no_cache

    def __getitem__(self, device: Any) -> cuFFTPlanCache:
        raise RuntimeError(f"cufft_plan_cache: there is no GPU with index {device}, and no other")


class cuBLASModule:
    """Settings of matrix products on GPUs."""

    _bools = {
        "allow_fp16_reduced_precision_reduction": True,
        "allow_bf16_reduced_precision_reduction": True,
        "allow_fp16_accumulation": False,
    }

    def __init__(self) -> None:
        self.__dict__.update(self._bools)
        self.__dict__["_precision"] = Precision(lambda: backends.fp32_precision)

    def __getattr__(self, name: str) -> Any:
        if name == "allow_tf32":
            return self._precision.fp32_precision == "tf32"
        if name == "fp32_precision":
            return self._precision.fp32_precision
        raise AttributeError(f"Unknown attribute {name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "fp32_precision":
            check_precision(value)
            self._precision.fp32_precision = value
        elif name == "allow_tf32":
            _expect_bool("set_allow_tf32_cublas", value)
            self._precision.fp32_precision = "tf32" if value else "none"
        elif name in self._bools:
            # A pair also says whether sums may be split; only the first bit is read back.
            self.__dict__[name] = value[0] if isinstance(value, tuple) else value
        else:
            raise AttributeError(f"Unknown attribute {name}")


def _expect_bool(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise RuntimeError(f"{name} expects a bool, but got {type(value).__name__}")


cufft_plan_cache = cuFFTPlanCacheManager()
matmul = cuBLASModule()

_LinalgBackend = enum.Enum("_LinalgBackend", {"Default": 0, "Cusolver": 1, "Magma": 2})
_BlasBackend = enum.Enum("_BlasBackend", {"Default": 0, "Cublas": 1, "Cublaslt": 2, "Ck": 3})
_ROCmFABackend = enum.Enum("_ROCmFABackend", {"Default": 0, "AOTriton": 1, "Ck": 2})
_preferred: dict[type, Any] = {
    _LinalgBackend: _LinalgBackend.Default,
    _BlasBackend: _BlasBackend.Cublas,
    _ROCmFABackend: _ROCmFABackend.Default,
}


def _prefer(kind: Any, backend: Any, spellings: dict[str, str], absent: tuple[str, ...]) -> Any:
    if backend is not None:
        if isinstance(backend, str):
            if backend not in spellings:
                raise RuntimeError(f"unknown precision, choose one of {', '.join(spellings)}")
            backend = kind[spellings[backend]]
        if not isinstance(backend, kind):
            raise RuntimeError("a precision must be a str")
        if backend.name in absent:
            raise RuntimeError(
                f"Cannot set preferred backend to {backend.name}: it is not part of this build."
            )
        _preferred[kind] = backend
    return _preferred[kind]


def preferred_linalg_library(backend: Any = None) -> Any:
    """The library for linear algebra on GPUs: get it, or set it to "default"; no other one is built."""
    spellings = {"default": "Default", "cusolver": "Cusolver", "magma": "Magma"}
    return _prefer(_LinalgBackend, backend, spellings, ("Cusolver", "Magma"))


def preferred_blas_library(backend: Any = None) -> Any:
    """The library for matrix products on GPUs: get or set it."""
    spellings = {
        "default": "Default", "cublas": "Cublas", "hipblas": "Cublas", "cublaslt": "Cublaslt",
        "hipblaslt": "Cublaslt", "ck": "Ck",
    }  # fmt: skip
    return _prefer(_BlasBackend, backend, spellings, ("Cublaslt",))


def preferred_rocm_fa_library(backend: Any = None) -> Any:
    """The library for attention on AMD's GPUs: get or set it."""
    spellings = {"default": "Default", "aotriton": "AOTriton", "ck": "Ck"}
    return _prefer(_ROCmFABackend, backend, spellings, ())


_attention = {"flash": True, "math": True, "mem_efficient": True, "cudnn": True, "fp16_bf16_reduction": True}


def _attention_setting(kind: str) -> tuple[Any, Any]:
    def read() -> bool:
        return _attention[kind]

    def write(enabled: bool) -> None:
        _expect_bool(f"enable_{kind}_sdp", enabled)
        _attention[kind] = enabled

    return read, write


flash_sdp_enabled, enable_flash_sdp = _attention_setting("flash")
math_sdp_enabled, enable_math_sdp = _attention_setting("math")
mem_efficient_sdp_enabled, enable_mem_efficient_sdp = _attention_setting("mem_efficient")
cudnn_sdp_enabled, enable_cudnn_sdp = _attention_setting("cudnn")
fp16_bf16_reduction_math_sdp_allowed, allow_fp16_bf16_reduction_math_sdp = _attention_setting(
    "fp16_bf16_reduction"
)


@contextlib.contextmanager
def _sdp_block(wanted: dict[str, bool]) -> Iterator[dict]:
    before = dict(_attention)
    _attention.update(wanted)
    try:
        yield {}
    finally:
        _attention.update(before)


def sdp_kernel(
    enable_flash: bool = True,
    enable_math: bool = True,
    enable_mem_efficient: bool = True,
    enable_cudnn: bool = True,
) -> contextlib.AbstractContextManager:
    """Which attention kernels of GPUs may run in a block; replaced by `torch.nn.attention.sdpa_kernel`."""
    warnings.warn(
        "torch.backends.cuda.sdp_kernel() is an old name; use torch.nn.attention.sdpa_kernel()",
        FutureWarning,
        stacklevel=2,
    )
    return _sdp_block({
        "flash": enable_flash, "math": enable_math, "mem_efficient": enable_mem_efficient,
        "cudnn": enable_cudnn,
    })  # fmt: skip
