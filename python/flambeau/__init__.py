"""flambeau: tensors, autograd and neural networks on the CPU, with PyTorch's names, numbers and files."""
from __future__ import annotations

import importlib as _importlib
from math import e, inf, nan, pi  # noqa: F401

from . import _C
from . import errors
from .errors import AcceleratorError, OutOfMemoryError  # noqa: F401

_C._set_error_classes(errors._classes)
vars(_C)["_LinAlgError"] = errors.LinAlgError  # a name that programs catch
from . import _formats  # noqa: E402
from ._C import *  # noqa: E402, F401, F403
from ._formats import (channels_last, channels_last_3d, contiguous_format, layout, memory_format,  # noqa: E402, F401
                       preserve_format, sparse_coo, sparse_csr, strided)
from . import _aliases, _tensor  # noqa: E402

_aliases.apply(globals())
_tensor._attach()
from . import overrides  # noqa: E402

overrides._install()
from ._functions import *  # noqa: E402, F401, F403
from .functional import *  # noqa: E402, F401, F403
from ._tensor_rare import *  # noqa: E402, F401, F403
from ._windows import *  # noqa: E402, F401, F403
from ._lowrank import *  # noqa: E402, F401, F403
from .random import (default_generator, get_rng_state, initial_seed, manual_seed, seed,  # noqa: E402, F401
                     set_rng_state)
from ._legacy_types import types as _types  # noqa: E402

globals().update(_types)
from .autograd import (Variable as _Variable, enable_grad, inference_mode, no_grad,  # noqa: E402, F401
                       set_grad_enabled)

from .torch_version import TorchVersion as _TorchVersion  # noqa: E402
from . import _absent_ops  # noqa: E402

_absent_ops.apply()
Tensor = _C.Tensor
newaxis = None
__version__ = _TorchVersion("2.13.0+flambeau0.1.0")

_submodules = {"nn", "optim", "autograd", "utils", "vision", "cuda", "backends", "testing", "serialization", "storage",
               "mps", "mtia", "xpu", "accelerator", "random", "linalg", "fft", "special", "func", "distributions",
               "errors", "legacy", "as_torch", "viz", "multiprocessing", "jit", "compiler", "amp", "sparse", "types",
               "overrides", "hub", "distributed", "version", "functional", "futures", "onnx", "package", "profiler",
               "torch_version", "quantization", "return_types", "_dtype_info", "_printing", "library", "fx", "export",
               "monitor", "nested", "masked", "signal", "ao", "cpu", "demo"}
_lazy = {"strict": "legacy", "compile": "compiler",
         "finfo": "_dtype_info", "iinfo": "_dtype_info", "set_printoptions": "_printing",
         "printoptions": "_printing",
         "save": "serialization",
         "load": "serialization", "get_printoptions": "_printing", "UntypedStorage": "storage",
         "TypedStorage": "storage",
         "FloatStorage": "storage", "DoubleStorage": "storage", "LongStorage": "storage", "IntStorage": "storage",
         "ShortStorage": "storage", "CharStorage": "storage", "ByteStorage": "storage", "BoolStorage": "storage",
         "HalfStorage": "storage", "BFloat16Storage": "storage", "ComplexFloatStorage": "storage",
         "ComplexDoubleStorage": "storage", "to_dlpack": "utils.dlpack",
         "unravel_index": "_coordinates", "empty_permuted": "_coordinates",
         "autocast": "amp", "GradScaler": "amp",
         **{name: "amp._state" for name in (
             "is_autocast_enabled", "set_autocast_enabled", "get_autocast_dtype", "set_autocast_dtype",
             "is_autocast_cache_enabled", "set_autocast_cache_enabled", "autocast_increment_nesting",
             "autocast_decrement_nesting", "clear_autocast_cache", "is_autocast_cpu_enabled",
             "set_autocast_cpu_enabled", "get_autocast_cpu_dtype", "set_autocast_cpu_dtype", "get_autocast_gpu_dtype",
             "set_autocast_gpu_dtype")}}


def __getattr__(name):
    if name in _submodules:
        try:
            module = _importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name == f"{__name__}.{name}":
                raise AttributeError(f"module 'flambeau' has no attribute '{name}'") from None
            raise
        globals()[name] = module
        return module
    if name in _lazy:
        value = getattr(_importlib.import_module(f"{__name__}.{_lazy[name]}"), name)
        globals()[name] = value
        return value
    import difflib
    near = difflib.get_close_matches(name, list(globals()) + list(_submodules) + list(_lazy), 1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise AttributeError(f"module 'flambeau' has no attribute '{name}'{hint}")


def __dir__():
    return sorted(set(globals()) | _submodules | set(_lazy))
