"""LRScheduler: the base class, which counts epochs and writes learning rates into the optimizer."""

from __future__ import annotations

import functools
import warnings
import weakref

from ... import _C
from ..optimizer import Optimizer

Tensor = _C.Tensor

EPOCH_DEPRECATION_WARNING = (
    "scheduler.step(epoch) goes away where it can; call scheduler.step() once for each epoch"
)


def copied(value):
    """A tensor's own copy; other values as they are."""
    return value.clone() if isinstance(value, Tensor) else value


def set_option(group, name, value):
    """Write an option of a group, into the tensor that is there if it is one."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value.item() if isinstance(value, Tensor) else value)
    else:
        group[name] = value


def as_list(value, groups, name):
    """One value for each group."""
    if isinstance(value, (list, tuple)):
        if len(value) != len(groups):
            raise ValueError(f"{name}: {len(value)} values for {len(groups)} parameter groups")
        return list(value)
    return [value] * len(groups)


class LRScheduler:
    """Sets the learning rates of an optimizer's groups once an epoch.

    Subclasses define `get_lr()`, which gives the new rates from `self.last_epoch` and the present ones.

    Args:
        optimizer: whose groups are scheduled.
        last_epoch: the epoch already done when resuming, −1 for a fresh start.
    """

    _is_initial = False

    def __init__(self, optimizer, last_epoch=-1):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__}: {type(optimizer).__name__} is no Optimizer")
        self.optimizer = optimizer
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", copied(group["lr"]))
        else:
            for place, group in enumerate(optimizer.param_groups):
                if "initial_lr" not in group:
                    raise KeyError(
                        f"param_groups[{place}] has no 'initial_lr', which a scheduler with last_epoch >= 0 "
                        "goes on from; set it, or load the optimizer's state"
                    )
        self.base_lrs = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _count_steps(optimizer)
        self._initial_step()

    def _initial_step(self):
        """Set the rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self):
        """Everything but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict):
        """Take over what another scheduler's `state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The learning rates set last, one a group."""
        return self._last_lr

    def get_lr(self):
        """The learning rates of `self.last_epoch`, one a group; subclasses define it."""
        raise NotImplementedError

    def _rates(self):
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def step(self, epoch=None):
        """Go on by one epoch, or (deprecated) to the given one, and set the learning rates."""
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        self._get_lr_called_within_step = False  # part of the saved state
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            rates = self._get_closed_form_lr() if hasattr(self, "_get_closed_form_lr") else self.get_lr()
        for group, rate in zip(self.optimizer.param_groups, rates):
            set_option(group, "lr", rate)
        self._last_lr = self._rates()

    def _check_order(self):
        """Warn once if the scheduler steps before the optimizer: the first rate would be skipped."""
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warnings.warn(
                "optimizer.step was replaced after the scheduler was made, which hides whether it comes "
                "first; call it before lr_scheduler.step()",
                UserWarning,
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "lr_scheduler.step() comes before the first optimizer.step(), which skips the first learning "
                "rate; swap the two",
                UserWarning,
                stacklevel=3,
            )


class _LRScheduler(LRScheduler):
    """Old name of LRScheduler."""


def _count_steps(optimizer):
    """Let the optimizer's step note that it was called."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    step = optimizer.step.__func__
    # The wrapper lives in the optimizer: a strong reference back would be a cycle.
    owner = weakref.ref(optimizer)

    @functools.wraps(step)
    def counted(*args, **kwargs):
        self = owner()
        self._opt_called = True
        return step(self, *args, **kwargs)

    counted._wrapped_by_lr_sched = True
    optimizer.step = counted
