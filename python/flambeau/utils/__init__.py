"""Tools around training: loading data, checkpoints of activations, logs."""

from importlib import import_module

_SUBMODULES = ("benchmark", "data", "checkpoint", "dlpack", "hooks", "tensorboard")


def __getattr__(name: str):
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES])
