"""Mixed precision: chosen operations in bfloat16 or float16, and a scaler that keeps small gradients from vanishing."""
from flambeau.amp.autocast_mode import _enter_autocast, _exit_autocast, autocast, custom_bwd, custom_fwd
from flambeau.amp.autocast_mode import is_autocast_available
from flambeau.amp.grad_scaler import GradScaler

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available", "GradScaler"]
