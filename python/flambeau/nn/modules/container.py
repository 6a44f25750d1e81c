"""Containers of modules."""

from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable
from itertools import chain, islice

from .module import Module
from .utils import key_value_pairs

__all__ = ["Container", "ModuleDict", "ModuleList", "Sequential"]


class Container(Module):
    """Old base class: a module with the children given as keywords."""

    def __init__(self, **kwargs):
        super().__init__()
        warnings.warn(
            "nn.Container does nothing that nn.Module does not; derive from nn.Module",
            FutureWarning,
            stacklevel=2,
        )
        for name, module in kwargs.items():
            self.add_module(name, module)


class Sequential(Module):
    """Runs its modules one after the other.

    Args:
        args: modules, named "0", "1", …; or one OrderedDict of named modules.
    Shapes: input of the first module → output of the last.

    >>> net = fb.nn.Sequential(fb.nn.Linear(2, 3), fb.nn.ReLU())
    >>> net(fb.ones(1, 2)).shape
    torch.Size([1, 3])
    """

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for place, module in enumerate(args):
                self.add_module(str(place), module)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input

    def _key(self, place):
        """The name of the module at `place`, which may count from the end."""
        size = len(self)
        place = operator.index(place)
        if not -size <= place < size:
            raise IndexError(f"{type(self).__name__}: index {place} lies out of range, there are {len(self)} "
                             "modules")
        return next(islice(self._modules, place % size, None))

    def _renumber(self, modules):
        self._modules.clear()
        self._modules.update((str(i), m) for i, m in enumerate(modules))

    def __getitem__(self, idx):
        if isinstance(idx, slice):
            return self.__class__(OrderedDict(list(self._modules.items())[idx]))
        return self._modules[self._key(idx)]

    def __setitem__(self, idx, module):
        setattr(self, self._key(idx), module)

    def __delitem__(self, idx):
        keys = list(self._modules)[idx] if isinstance(idx, slice) else [self._key(idx)]
        for key in keys:
            delattr(self, key)
        self._renumber(list(self._modules.values()))

    def __len__(self):
        return len(self._modules)

    def __add__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential can be joined with a Sequential, not with {type(other).__name__}")
        joined = Sequential()
        joined._renumber(chain(self, other))
        return joined

    def __iadd__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential can be joined with a Sequential, not with {type(other).__name__}")
        start = len(self)
        for place, module in enumerate(list(other)):
            self.add_module(str(start + place), module)
        return self

    def _check_factor(self, factor):
        if not isinstance(factor, int):
            raise TypeError(f"Sequential can be repeated an int of times, not {type(factor).__name__}")
        if factor <= 0:
            raise ValueError(f"{type(self).__name__}: it can be repeated a positive number of times, not "
                             f"{factor}")

    def __mul__(self, other):
        self._check_factor(other)
        joined = Sequential()
        joined._renumber(list(self) * other)
        return joined

    __rmul__ = __mul__

    def __imul__(self, other):
        self._check_factor(other)
        self._renumber(list(self) * other)
        return self

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]

    def __iter__(self):
        return iter(self._modules.values())

    def pop(self, key):
        """Remove the module at `key` and return it."""
        module = self[key]
        del self[key]
        return module

    def append(self, module):
        """Add `module` at the end."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index, module):
        """Add `module` before `index`."""
        if not isinstance(module, Module):
            raise AssertionError(f"Sequential: {type(module).__name__} is no Module")
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Sequential: index {index} lies out of range, there are {len(self)} modules")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def extend(self, sequential):
        """Add the modules of `sequential` at the end."""
        for module in list(sequential):
            self.append(module)
        return self


class ModuleList(Module):
    """A list of modules that are registered; has no forward of its own."""

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self += modules

    def _key(self, place):
        size = len(self)
        place = operator.index(place)
        if not -size <= place < size:
            raise IndexError(f"{type(self).__name__}: index {place} lies out of range, there are {len(self)} "
                             "modules")
        return str(place % size)

    def __getitem__(self, idx):
        if isinstance(idx, slice):
            return self.__class__(list(self._modules.values())[idx])
        return self._modules[self._key(idx)]

    def __setitem__(self, idx, module):
        setattr(self, self._key(idx), module)

    def __delitem__(self, idx):
        keys = [str(i) for i in range(len(self))[idx]] if isinstance(idx, slice) else [self._key(idx)]
        for key in keys:
            delattr(self, key)
        modules = list(self._modules.values())
        self._modules.clear()
        self._modules.update((str(i), m) for i, m in enumerate(modules))

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        joined = ModuleList()
        for place, module in enumerate(chain(self, other)):
            joined.add_module(str(place), module)
        return joined

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]

    def __repr__(self):
        """As of other containers, with runs of equal modules written once as `(0-3): 4 x Linear(…)`."""
        if not len(self):
            return self._get_name() + "()"
        runs = []  # [first, last, text]
        for place, text in enumerate(repr(module) for module in self):
            if runs and runs[-1][2] == text:
                runs[-1][1] = place
            else:
                runs.append([place, place, text])
        lines = []
        for first, last, text in runs:
            label = f"({first})" if first == last else f"({first}-{last})"
            count = "" if first == last else f"{last - first + 1} x "
            lines.append(f"  {label}: {count}" + text.replace("\n", "\n  "))
        return self._get_name() + "(\n" + "\n".join(lines) + "\n)"

    def insert(self, index, module):
        """Add `module` before `index`."""
        modules = list(self._modules.values())
        modules.insert(index, module)
        for place, member in enumerate(modules):
            self._modules[str(place)] = member

    def append(self, module):
        """Add `module` at the end."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key):
        """Remove the module at `key` and return it."""
        module = self[key]
        del self[key]
        return module

    def extend(self, modules):
        """Add modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend takes an iterable of modules, not {type(modules).__name__}")
        start = len(self)
        for place, module in enumerate(modules):
            self.add_module(str(start + place), module)
        return self


class ModuleDict(Module):
    """A dictionary of modules that are registered; has no forward of its own."""

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self):
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key):
        """Remove the module at `key` and return it."""
        return self._modules.pop(key)

    def keys(self):
        """The names."""
        return self._modules.keys()

    def items(self):
        """(name, module) pairs."""
        return self._modules.items()

    def values(self):
        """The modules."""
        return self._modules.values()

    def update(self, modules):
        """Add modules from a mapping or from (name, module) pairs."""
        for key, module in key_value_pairs(modules, "ModuleDict"):
            self[key] = module
