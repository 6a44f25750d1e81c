"""`GradScaler`: scales losses so that gradients of low precision do not underflow."""
from __future__ import annotations

import enum
import warnings
from collections import defaultdict

import flambeau as fb
from flambeau import _C

__all__ = ["OptState", "GradScaler"]


class OptState(enum.Enum):
    """How far an optimizer is in the current iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _refresh_per_optimizer_state():
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """Multiplies losses by a scale that adapts, and skips steps whose gradients are infinite or nan.

    Each iteration: `scale(loss).backward()`, `step(optimizer)`, `update()`; `unscale_(optimizer)` before clipping. A
    step that found inf or nan multiplies the scale by `backoff_factor`; `growth_interval` steps without, by
    `growth_factor`.

    Args:
        device: "cuda" (the default) warns that there is none and disables the scaler; "cpu" works.
        init_scale: the first scale, a power of two so that scaling is exact.
        growth_factor: > 1. backoff_factor: < 1. growth_interval: number of iterations.
        enabled: False makes every method pass through.
    Source: Micikevicius et al., Mixed precision training, ICLR 2018, section 3.2.

    >>> scaler = fb.amp.GradScaler("cpu", init_scale=8.)
    >>> scaler.scale(fb.tensor(0.5))
    tensor(4.)
    """

    def __init__(self, device="cuda", init_scale=2.0 ** 16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000,
                 enabled=True):
        self._device = device
        self._enabled = enabled
        if device == "cuda" and enabled:
            warnings.warn("GradScaler: CUDA is not available, so the scaler for it stays off", stacklevel=2)
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError(f"GradScaler: growth_factor must be above 1, got {growth_factor}")
        if backoff_factor >= 1.0:
            raise AssertionError(f"GradScaler: backoff_factor must be below 1, got {backoff_factor}")
        self._init_scale = init_scale
        self._scale = None                                              # a tensor from the first use on
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker = 0
        self._growth_tracker = None                                     # steps since the scale last changed
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _check_scale_growth_tracker(self, funcname):
        if self._scale is None:
            raise AssertionError(f"GradScaler: {funcname} comes before a loss was scaled; call "
                                 "scaler.scale(loss) first")
        return self._scale, self._growth_tracker

    def _lazy_init_scale_growth_tracker(self, dev=None):
        if self._growth_tracker is not None:
            raise AssertionError("GradScaler: the tracker of growth exists before the scale")
        self._scale = fb.full((), self._init_scale, dtype=fb.float32)
        self._growth_tracker = fb.full((), self._init_growth_tracker, dtype=fb.int32)

    def scale(self, outputs):
        """A tensor, or nested iterables of tensors, times the scale. Errors: ValueError for anything else."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, _C.Tensor):
            if self._scale is None:
                self._lazy_init_scale_growth_tracker()
            return outputs * self._scale
        if hasattr(outputs, "__iter__") and not isinstance(outputs, str):
            scaled = [self.scale(value) for value in outputs]
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else iter(scaled)
        raise ValueError("GradScaler.scale: outputs must be tensors, one or an iterable of them")

    def _unscale_grads_(self, optimizer, inv_scale, found_inf, allow_fp16):
        """Multiplies gradients by `inv_scale` in place; {device: 1. where an element was not finite}."""
        finite = True
        some = False
        with fb.no_grad():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    grad = parameter.grad
                    if grad is None:
                        continue
                    if not allow_fp16 and grad.dtype == fb.float16:
                        raise ValueError("GradScaler: a gradient is float16; keep the parameters in float32")
                    some = True
                    finite = _C._all_true(_C.isfinite(grad)) and finite
                    grad.mul_(inv_scale)
        return {fb.device("cpu"): found_inf + (0.0 if finite else 1.0)} if some else {}

    def unscale_(self, optimizer):
        """Divide the gradients of `optimizer` by the scale, to look at them or clip them before the step.

        Errors: RuntimeError if it was called before in this iteration, or after `step`; ValueError for float16.
        """
        if not self._enabled:
            return
        self._check_scale_growth_tracker("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_: the gradients of this optimizer are unscaled already; call "
                               "update() before the next time")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_: step() of this optimizer came first; call unscale_ before it")
        inv_scale = self._scale.double().reciprocal().float()           # exact to float32 for any scale
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inv_scale, fb.zeros(()), False)
        state["stage"] = OptState.UNSCALED

    def _maybe_opt_step(self, optimizer, optimizer_state, *args, **kwargs):
        if sum(v.item() for v in optimizer_state["found_inf_per_device"].values()):
            return None
        return optimizer.step(*args, **kwargs)

    def step(self, optimizer, *args, **kwargs):
        """`optimizer.step()` with gradients unscaled, unless one of them is not finite; what it returns, or None.

        Errors: RuntimeError for a second step without `update`, or for a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("GradScaler.step: a closure is not possible, as it would compute gradients "
                               "that are not unscaled")
        self._check_scale_growth_tracker("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("GradScaler.step: this optimizer has stepped already; call update() before "
                               "the next time")
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if not state["found_inf_per_device"]:
            raise AssertionError("GradScaler.step: the optimizer has no gradients that scaling reached")
        result = self._maybe_opt_step(optimizer, state, *args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def update(self, new_scale=None):
        """Adapt the scale to what this iteration found, or set it; begins the next iteration."""
        if not self._enabled:
            return
        scale, tracker = self._check_scale_growth_tracker("update")
        if new_scale is not None:
            self._set_scale(new_scale)
        else:
            found = [v for state in self._per_optimizer_states.values() for v in state["found_inf_per_device"].values()]
            if not found:
                raise AssertionError("GradScaler.update: no optimizer has stepped or unscaled since the last "
                                     "time")
            if any(v.item() for v in found):
                scale.mul_(self._backoff_factor)
                tracker.zero_()
            elif tracker.item() + 1 == self._growth_interval:
                grown = scale * self._growth_factor
                if fb.isfinite(grown):                                  # a scale of inf would stop training
                    scale.copy_(grown)
                tracker.zero_()
            else:
                tracker.add_(1)
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _set_scale(self, new_scale):
        if isinstance(new_scale, float):
            self._scale.fill_(new_scale)
            return
        if not isinstance(new_scale, _C.Tensor) or new_scale.numel() != 1 or new_scale.requires_grad \
                or new_scale.dtype != fb.float32:
            raise AssertionError("GradScaler.update: new_scale must be a float, or a float32 tensor of one "
                                 "element without requires_grad")
        self._scale.copy_(new_scale)

    def _get_scale_async(self):
        return self._scale

    def get_scale(self):
        """The scale as a float; 1 if disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def get_growth_factor(self):
        return self._growth_factor

    def set_growth_factor(self, new_factor):
        self._growth_factor = new_factor

    def get_backoff_factor(self):
        return self._backoff_factor

    def set_backoff_factor(self, new_factor):
        self._backoff_factor = new_factor

    def get_growth_interval(self):
        return self._growth_interval

    def set_growth_interval(self, new_interval):
        self._growth_interval = new_interval

    def _get_growth_tracker(self):
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else self._growth_tracker.item()

    def is_enabled(self):
        return self._enabled

    def state_dict(self):
        """The state as plain numbers; empty if disabled."""
        if not self._enabled:
            return {}
        return {"scale": self.get_scale(), "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
                "growth_interval": self._growth_interval, "_growth_tracker": self._get_growth_tracker()}

    def load_state_dict(self, state_dict):
        """Take over a state. Errors: RuntimeError for an empty one, unless disabled."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("GradScaler.load_state_dict: the state is empty, as that of a scaler that is "
                               "off")
        self._init_scale = state_dict["scale"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
            self._growth_tracker.fill_(self._init_growth_tracker)

    def __getstate__(self):
        state = self.__dict__.copy()
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError("GradScaler: it can be pickled between iterations only, after update()")
            state["_init_scale"] = self.get_scale()
            state["_init_growth_tracker"] = self._get_growth_tracker()
            state["_scale"] = state["_growth_tracker"] = None
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)

    def _check_inf_per_device(self, optimizer):
        """Record, without changing them, whether gradients of `optimizer` are finite."""
        self._check_scale_growth_tracker("_check_inf_per_device")
        found = self._unscale_grads_(optimizer, fb.ones(()), fb.zeros(()), True)
        self._per_optimizer_states[id(optimizer)]["found_inf_per_device"] = found
        return found

    def _found_inf_per_device(self, optimizer):
        return self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]
