"""The default random generator: seeds, states, and forks of it."""
from __future__ import annotations

import contextlib

from . import _C

__all__ = ["manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state", "fork_rng", "thread_safe_generator"]

default_generator = _C.default_generator


def manual_seed(seed):
    """Seed the default generator with an integer in [-2**63, 2**64); returns the generator.

    >>> _ = fb.manual_seed(1337); fb.rand(2)
    tensor([0.0783, 0.4956])
    """
    return default_generator.manual_seed(int(seed))


def seed():
    """Seed the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def initial_seed():
    """The seed the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state():
    """The state of the default generator, a uint8 tensor of 5056 bytes in PyTorch's layout."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Put the default generator into a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices=None, enabled=True, _caller="fork_rng", _devices_kw="devices", device_type="cuda"):
    """On leaving the context, the default generator is as it was on entering."""
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


def thread_safe_generator():
    """None: outside a data loader's worker threads the default generator is used."""
    return None
