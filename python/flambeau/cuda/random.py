"""Random numbers of CUDA devices: seeding is accepted and forgotten, states do not exist."""

from flambeau._absent_device import define, gives
from flambeau.cuda._absent import not_built

__all__ = [
    *define(globals(), gives(None), """
        manual_seed(seed)
        manual_seed_all(seed)
        seed()
        seed_all()
        set_rng_state(new_state, device="cuda")
        set_rng_state_all(new_states)
    """),
    *define(globals(), list, "get_rng_state_all()"),
    *define(globals(), not_built, 'get_rng_state(device="cuda")\n initial_seed()'),
]  # fmt: skip
