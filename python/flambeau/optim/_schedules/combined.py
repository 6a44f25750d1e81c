"""Several schedulers one after another or at once."""

from __future__ import annotations

from bisect import bisect_right

from .base import LRScheduler, set_option

__all__ = ["SequentialLR", "ChainedScheduler"]


class _Several(LRScheduler):
    """Schedulers of one optimizer, saved together."""

    def _check(self, optimizer, schedulers):
        for place, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{type(self).__name__}: scheduler {place} has no optimizer")
            if isinstance(scheduler, _plateau()):
                raise ValueError(
                    f"{type(self).__name__}: scheduler {place} is a ReduceLROnPlateau, whose step needs a "
                    "metric; step it by itself"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{type(self).__name__}: scheduler {place}, {type(scheduler).__name__}, changes another "
                    f"optimizer, {scheduler.optimizer}"
                )

    def state_dict(self):
        """The state, with those of the schedulers in "_schedulers"."""
        state = {k: v for k, v in self.__dict__.items() if k not in ("optimizer", "_schedulers")}
        state["_schedulers"] = [scheduler.state_dict() for scheduler in self._schedulers]
        return state

    def load_state_dict(self, state_dict):
        """Take over what another one's `state_dict` returned."""
        state = dict(state_dict)
        for scheduler, saved in zip(self._schedulers, state.pop("_schedulers")):
            scheduler.load_state_dict(saved)
        self.__dict__.update(state)


class SequentialLR(_Several):
    """The first scheduler until the first milestone, then the second, and so on."""

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        if len(schedulers) < 1:
            raise ValueError(f"{type(self).__name__}: give one scheduler at least")
        self._check(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} milestones between "
                f"them, got {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # All schedulers have set their first rate when they were made; only the first one's counts.
        for group in optimizer.param_groups:
            set_option(group, "lr", group["initial_lr"])
        for scheduler in schedulers:
            _undo_first_step(scheduler)
        schedulers[0]._initial_step()
        self._last_lr = schedulers[0].get_last_lr()

    def step(self):
        """Go on by one epoch with the scheduler whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Several):
    """All schedulers step at once; their effects multiply."""

    def __init__(self, schedulers, optimizer=None):
        if len(schedulers) < 1:
            raise ValueError(f"{type(self).__name__}: give one scheduler at least")
        optimizer = optimizer or schedulers[0].optimizer
        self._check(optimizer, schedulers)
        self._schedulers = schedulers
        self.optimizer = optimizer
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self):
        """Step every scheduler."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


def _undo_first_step(scheduler):
    for inner in getattr(scheduler, "_schedulers", ()):
        _undo_first_step(inner)
    if hasattr(scheduler, "last_epoch"):
        scheduler.last_epoch -= 1


def _plateau():
    from .plateau import ReduceLROnPlateau

    return ReduceLROnPlateau
