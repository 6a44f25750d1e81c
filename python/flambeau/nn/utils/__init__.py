"""Utilities for modules and their parameters.

Loaded on first use: rnn.py is needed by the layers, which the other files need.
"""

from importlib import import_module

_HOMES = {
    "clip_grad": (
        "clip_grad_norm",
        "clip_grad_norm_",
        "clip_grad_value_",
        "clip_grads_with_norm_",
        "get_total_norm",
    ),
    "convert_parameters": ("parameters_to_vector", "vector_to_parameters"),
    "fusion": ("fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"),
    "init": ("skip_init",),
    "memory_format": ("convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"),
    "spectral_norm": ("spectral_norm", "remove_spectral_norm"),
    "weight_norm": ("weight_norm", "remove_weight_norm"),
}
_SUBMODULES = (
    "parametrizations",
    "parametrize",
    "prune",
    "rnn",
    "stateless",
    "clip_grad",
    "convert_parameters",
    "fusion",
    "init",
    "memory_format",
)

__all__ = [
    *(name for names in _HOMES.values() for name in names),
    "parametrizations",
    "parametrize",
    "prune",
    "rnn",
    "stateless",
]


def __getattr__(name):
    for home, names in _HOMES.items():
        if name in names:
            # spectral_norm and weight_norm are both a file and the function in it; the function wins.
            module = import_module(f"{__name__}.{home}")
            globals().update((each, getattr(module, each)) for each in names)
            return globals()[name]
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
