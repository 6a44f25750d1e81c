"""Averages of a model's weights over training: SWA and exponential moving averages."""

from __future__ import annotations

import itertools
import math
from copy import deepcopy

from .. import _C
from ..autograd import no_grad
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.modules.module import Module
from ._schedules.base import LRScheduler, as_list
from .optimizer import Optimizer

__all__ = [
    "AveragedModel",
    "update_bn",
    "SWALR",
    "get_ema_multi_avg_fn",
    "get_swa_multi_avg_fn",
    "get_ema_avg_fn",
    "get_swa_avg_fn",
]


def _check_decay(decay):
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"decay must lie from 0 to 1, got {decay}")


def _inexact(tensor):
    return tensor.is_floating_point() or tensor.is_complex()


def get_ema_multi_avg_fn(decay=0.999):
    """A function that moves lists of averages towards lists of values by 1 − decay."""
    _check_decay(decay)

    def ema_update(ema_params, current_params, num_averaged):
        with no_grad():
            for average, value in zip(ema_params, current_params):
                if _inexact(average):
                    average.lerp_(value.to(average.dtype), 1 - decay)
                else:
                    average.copy_(average * decay + value * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn():
    """A function that takes values into equally weighted averages, list by list."""

    def swa_update(averaged_params, current_params, num_averaged):
        with no_grad():
            for average, value in zip(averaged_params, current_params):
                if _inexact(average):
                    average.lerp_(value.to(average.dtype), 1 / (float(num_averaged) + 1))
                else:
                    average.add_(_C.div(value - average, int(num_averaged) + 1, rounding_mode="trunc"))

    return swa_update


def get_ema_avg_fn(decay=0.999):
    """A function that gives decay·average + (1 − decay)·value."""
    _check_decay(decay)

    def ema_update(ema_param, current_param, num_averaged):
        with no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """A function that gives the mean after one more value."""

    def swa_update(averaged_param, current_param, num_averaged):
        with no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model that holds the average of its parameters.

    Args:
        model: the model to copy.
        device: where the average is kept; as the model if None.
        avg_fn: average of (average, value, number averaged); or multi_avg_fn: the same in place on lists.
        use_buffers: average the buffers too instead of copying them.
    Shapes: as of the model.
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("AveragedModel: pass avg_fn or multi_avg_fn, not both")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", _C.tensor(0, dtype=_C.long, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    def update_parameters(self, model):
        """Take the present parameters of `model` into the average."""
        mine, theirs = (
            [*m.parameters(), *(m.buffers() if self.use_buffers else ())] for m in (self.module, model)
        )
        averages = [p.detach() for p in mine]
        values = [p.detach().to(a.device) for p, a in zip(theirs, averages)]
        if self.n_averaged == 0:
            for average, value in zip(averages, values):
                average.copy_(value)
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(averages, values, self.n_averaged)
        elif self.avg_fn is not None:
            for average, value in zip(averages, values):
                average.copy_(self.avg_fn(average, value, self.n_averaged.to(average.device)))
        else:
            get_swa_multi_avg_fn()(averages, values, self.n_averaged)
        if not self.use_buffers:
            for average, value in zip(itertools.chain(self.module.buffers()), model.buffers()):
                average.detach().copy_(value.detach().to(average.device))
        self.n_averaged += 1


def update_bn(loader, model, device=None):
    """Compute the running statistics of all batch norms of `model` anew from the data of `loader`."""
    norms = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not norms:
        return
    was_training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    with no_grad():
        for batch in loader:
            if isinstance(batch, (list, tuple)):
                batch = batch[0]
            model(batch if device is None else batch.to(device))
    for norm, momentum in norms.items():
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Moves the rate to `swa_lr` in `anneal_epochs` epochs and keeps it there.

    Args:
        swa_lr: one rate or one a group.
        anneal_strategy: "cos" or "linear".
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"SWALR: {type(optimizer).__name__} is no Optimizer")
        for group, lr in zip(optimizer.param_groups, as_list(swa_lr, optimizer.param_groups, "swa_lr")):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: unknown anneal_strategy={anneal_strategy!r}, choose 'cos' or 'linear'")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs must be an int and not negative, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, t):
        """How much of the way is done at the time `t`."""
        t = max(0.0, min(1.0, t))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self):
        step = self._step_count - 1
        epochs = max(1, self.anneal_epochs) if self.anneal_epochs == 0 else self.anneal_epochs
        before, now = self._share(max(0, step - 1) / epochs), self._share(step / epochs)
        rates = []
        for group in self.optimizer.param_groups:
            target = group["swa_lr"]
            start = target if before == 1 else (group["lr"] - before * target) / (1 - before)
            rates.append(target * now + start * (1 - now))
        return rates
