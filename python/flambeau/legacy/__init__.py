"""What programs for PyTorch 0.3 need and today's PyTorch refuses. On by default; `strict()` switches it off.

Each kind of use warns once per program and names the modern spelling. Everything flambeau accepts beyond
PyTorch 2.13 goes through this package.

| old | modern |
|---|---|
| `loss.data[0]` of a 0-d tensor | `loss.item()` |
| `MyFunction()(x)`, instance methods `forward` and `backward` | static methods, `MyFunction.apply(x)` |
| `x.where(condition)` | `torch.where(condition)` |
| `torch.optim.RMSProp` | `torch.optim.RMSprop` |
| `loss.backward(retain_variables=True)` | `loss.backward(retain_graph=True)` |
| `iter(loader).next()` | `next(iter(loader))` |
| `module.eval(True)` | `module.eval()`, `module.train(mode)` |
"""
from __future__ import annotations

import warnings

__all__ = ["strict", "enabled", "note"]

_on = True
_noted: set[str] = set()


def strict(mode: bool = True) -> None:
    """Refuse, or with `strict(False)` accept again, what only PyTorch 0.3 accepted.

    >>> import flambeau as fb
    >>> fb.strict(); fb.strict(False)
    """
    global _on
    _on = not mode


def enabled() -> bool:
    """Whether old spellings are accepted."""
    return _on


def note(kind: str, modern: str, stacklevel: int = 3) -> None:
    """Warn, the first time a program uses `kind`, naming the modern spelling."""
    if kind not in _noted:
        _noted.add(kind)
        warnings.warn(f"{kind} is the spelling of PyTorch 0.3; write {modern}. (Said once; "
                      "flambeau.strict() refuses old spellings.)", UserWarning,
                      stacklevel=stacklevel)


def item_of_0d(tensor, key):
    """`loss.data[0]`: the number in a 0-d tensor, as PyTorch 0.3 gave it."""
    if not _on or isinstance(key, bool) or key not in (0, -1):
        raise IndexError("a 0-dimensional tensor has no elements to index; x.item() gives its number")
    note("loss.data[0] on a 0-d tensor", "loss.item()")
    return tensor.item()
