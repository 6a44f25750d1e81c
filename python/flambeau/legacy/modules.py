"""Old spellings of modules and optimizers."""
from __future__ import annotations

from . import enabled, note


def eval_with_mode(module, mode):
    """`module.eval(True)`: evaluation mode if `mode`, training mode otherwise."""
    if not enabled():
        raise TypeError("eval() takes 1 positional argument but 2 were given; write module.train(mode)")
    note("module.eval(mode)", "module.eval() or module.train(mode)", stacklevel=4)
    return module.train(not mode)


def old_optimizer(name):
    """The class that `torch.optim.<name>` stood for, or None."""
    if name == "RMSProp" and enabled():
        from ..optim import RMSprop
        note("torch.optim.RMSProp", "torch.optim.RMSprop", stacklevel=4)
        return RMSprop
    return None
