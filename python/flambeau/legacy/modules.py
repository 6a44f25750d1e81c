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


def next_of_loader(iterator):
    """`iter(loader).next`, which Python 2 had asked for."""
    if not enabled():
        raise AttributeError(f"{type(iterator).__name__!r} object has no attribute 'next'; write next(iterator)")
    note("iter(loader).next()", "next(iter(loader))", stacklevel=4)
    return iterator.__next__
