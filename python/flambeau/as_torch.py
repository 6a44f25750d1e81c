"""Runs programs that say `import torch`: installs flambeau under that name, and `flambeau.vision` as torchvision.

`install()` puts a forwarding module into `sys.modules`; every `torch.x.y` is the same object as `flambeau.x.y`.
Processes started by multiprocessing (spawn, forkserver) install it before they import the program.
"""
from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import sys
import types

from .torch_version import TorchVersion

__all__ = ["install", "run"]

VERSION = TorchVersion("2.13.0")


class _Forward(types.ModuleType):
    """The module `torch`: asks flambeau for everything."""

    def __init__(self, name, target, version):
        super().__init__(name, target.__doc__)
        self.__dict__["_target"] = target
        self.__version__ = version
        self.__path__ = []
        self.__file__ = target.__file__

    def __getattr__(self, name):
        return getattr(self.__dict__["_target"], name)

    def __dir__(self):
        return dir(self.__dict__["_target"])


class _SameModule(importlib.abc.Loader):
    """Gives an existing module under a second name, and leaves its attributes alone."""

    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        module = importlib.import_module(self.real)
        self.kept = module.__spec__, getattr(module, "__loader__", None)
        return module

    def exec_module(self, module):
        module.__spec__, module.__loader__ = self.kept


class _Distribution(importlib.metadata.Distribution):
    def __init__(self, name):
        self._text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION if name == 'torch' else '0.28.0'}\n"

    def read_text(self, filename):
        return self._text if filename in ("METADATA", "PKG-INFO") else None

    def locate_file(self, path):
        return os.path.join(os.path.dirname(__file__), path)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds torch.x.y at flambeau.x.y, and torchvision.x at flambeau.vision.x."""

    def __init__(self, names):
        self.names = names                     # "torch" → "flambeau"

    def find_spec(self, fullname, path=None, target=None):
        top, dot, rest = fullname.partition(".")
        if top not in self.names or not dot:
            return None
        real = f"{self.names[top]}.{rest}"
        try:
            found = importlib.util.find_spec(real)
        except ModuleNotFoundError:
            found = None
        if found is None:
            return None
        is_package = found.submodule_search_locations is not None
        return importlib.machinery.ModuleSpec(fullname, _SameModule(real), is_package=is_package)

    def find_distributions(self, context=importlib.metadata.DistributionFinder.Context()):
        if context.name in self.names:
            yield _Distribution(context.name)


class _InstallOnLoad:
    """Unpickles as a call of `install`: travels in front of the program to processes that multiprocessing starts."""

    def __reduce__(self):
        return install, ()


def _reach_child_processes():
    from multiprocessing import spawn
    original = spawn.get_preparation_data

    def get_preparation_data(name):
        return {"flambeau": _InstallOnLoad(), **original(name)}

    spawn.get_preparation_data = get_preparation_data


def install():
    """Answer for `torch` (and for `torchvision` where none is installed) in this process and those it starts.

    Errors: ImportError if PyTorch itself has been imported already.
    """
    existing = sys.modules.get("torch")
    if isinstance(existing, _Forward):
        return
    if existing is not None:
        raise ImportError("the real torch is already imported; call flambeau.as_torch.install() before "
                          "anything imports torch")
    import flambeau
    names = {"torch": "flambeau"}
    sys.modules["torch"] = _Forward("torch", flambeau, VERSION)
    if importlib.util.find_spec("torchvision") is None:
        from flambeau import vision
        names["torchvision"] = "flambeau.vision"
        sys.modules["torchvision"] = _Forward("torchvision", vision, "0.28.0")
    sys.meta_path.insert(0, _Finder(names))
    for top in names:
        spec = importlib.machinery.ModuleSpec(top, None, is_package=True)
        sys.modules[top].__spec__ = spec
    # Programs print the type of a tensor; nothing finds these two classes by the name of their module.
    flambeau.Tensor.__module__ = "torch"
    flambeau.nn.Parameter.__module__ = "torch.nn.parameter"
    _reach_child_processes()


def run(program, arguments=()):
    """Run a Python file as `__main__` with `torch` answered by flambeau.

    Args:
        program: path of the file.
        arguments: what it finds in `sys.argv[1:]`.
    Errors: OSError if the file cannot be read, SyntaxError if it is no Python; else what the program raises.
    """
    install()
    path = os.path.abspath(program)
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    main = types.ModuleType("__main__")
    main.__file__, main.__spec__, main.__builtins__ = path, None, __builtins__
    sys.modules["__main__"] = main
    sys.argv = [program, *arguments]
    sys.path[0] = os.path.dirname(path)
    exec(code, main.__dict__)
