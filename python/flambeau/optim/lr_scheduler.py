"""Learning-rate schedulers: LRScheduler and its kinds, collected from one file a family."""

# ruff: noqa: F401 - _LRScheduler and the warning's text are old names that programs import
from ._schedules.base import EPOCH_DEPRECATION_WARNING, LRScheduler, _LRScheduler
from ._schedules.combined import ChainedScheduler, SequentialLR
from ._schedules.cyclic import CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from ._schedules.factor import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from ._schedules.plateau import ReduceLROnPlateau

__all__ = [
    "LambdaLR",
    "MultiplicativeLR",
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "SequentialLR",
    "CosineAnnealingLR",
    "ChainedScheduler",
    "ReduceLROnPlateau",
    "CyclicLR",
    "CosineAnnealingWarmRestarts",
    "OneCycleLR",
    "PolynomialLR",
    "LRScheduler",
]

for _name in __all__:  # the names that users, prints and pickles know
    globals()[_name].__module__ = __name__
