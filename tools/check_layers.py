"""Fails when a core file includes a file of a layer above its own: the rule of docs/design/layers.md."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Each folder and the folders it may include. `ops.h`, the C++ names of the ops, is a layer of its own.
MAY_INCLUDE = {
    "math": {"math"},
    "base": {"base", "math"},
    "tensor": {"tensor", "base", "math"},
    "kernels": {"kernels", "tensor", "base", "math"},
    "op": {"op", "tensor", "base", "math"},
    "ops.h": {"op", "tensor", "base", "math"},
    "autograd": {"autograd", "ops.h", "op", "tensor", "base", "math"},
    "func": {"func", "autograd", "ops.h", "op", "tensor", "base", "math"},
    "ops": {"ops", "ops.h", "autograd", "func", "op", "kernels", "tensor", "base", "math"},
    "bind": {"bind", "ops", "ops.h", "autograd", "func", "op", "kernels", "tensor", "base", "math"},
}

# Upward includes that are the design: (file or folder/*.cpp, included file) and why.
ALLOWED = {
    ("*", "autograd/modes.h"): "the thread's modes: plain flags, and includes base/ only",
    ("op/*.cpp", "ops.h"): "the machinery copies, clones and fills by calling ops",
    ("kernels/*.cpp", "ops.h"): "kernels bring their tensors into shape by calling ops",
    ("kernels/along.h", "ops.h"): "the same, in templates",
    ("op/*.cpp", "autograd/node.h"): "a call records",
    ("op/*.cpp", "func/autocast.h"): "a call may have its inputs cast",
    ("op/*.cpp", "func/interceptor.h"): "a call is intercepted",
    ("autograd/*.cpp", "func/interceptor.h"): "wrapped tensors are unwrapped for the record",
    ("tensor/tensor.cpp", "autograd/node.h"): "frees what a tensor owns: its graph node",
    ("tensor/tensor.cpp", "func/interceptor.h"): "frees what a tensor owns: its wrapper",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def layer_of(path: str) -> str:
    return "ops.h" if path == "ops.h" else path.split("/")[0]


def resolve(name: str, including: Path) -> str | None:
    """The included file as a path below core/ (or bind/…), None when it is not the project's."""
    name = name.removeprefix("core/")
    if (ROOT / "core" / name).exists() or (ROOT / name).exists():
        return name
    beside = including.parent / name
    if not beside.exists():
        return None
    relative = beside.resolve().relative_to(ROOT).as_posix()
    return relative.removeprefix("core/")


def is_allowed(file: str, included: str) -> bool:
    folder = file.split("/")[0] + "/*" + Path(file).suffix
    return any((where, included) in ALLOWED for where in ("*", file, folder))


def faults(file: Path) -> list[str]:
    name = file.relative_to(ROOT).as_posix().removeprefix("core/")
    found = []
    for match in INCLUDE.finditer(file.read_text()):
        included = resolve(match[1], file)
        if included is None:
            found.append(f'{name}: cannot find "{match[1]}"')
        elif layer_of(included) not in MAY_INCLUDE[layer_of(name)] and not is_allowed(name, included):
            found.append(f"{name} ({layer_of(name)}) includes {included} ({layer_of(included)})")
    if name.startswith("core/") or not name.startswith("bind/"):
        if "<Python.h>" in file.read_text():
            found.append(f"{name} includes Python.h: only bind/ may")
    return found


def main() -> int:
    files = [f for folder in ("core", "bind") for f in sorted((ROOT / folder).rglob("*")) if f.suffix in {".h", ".cpp"}]
    found = [fault for file in files for fault in faults(file)]
    print("\n".join(found) or f"layers: {len(files)} files, every include points down")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
