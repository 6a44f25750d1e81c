"""Fails when the machine code of an elementwise op's float loop holds no wide vectors, or calls a function.

Reads the object files of a build: check_vectorized.py [BUILD_FOLDER]. A loop, a branch or a call inside a functor
costs several times its speed without any message from the compiler; only Scalarwise ops may do that.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Ops whose functions may call, each with its reason.
MAY_CALL = dict.fromkeys(["Sin", "Cos", "Tan", "Sinc", "SphericalBesselJ0"],
                         "a chunk that holds a huge angle takes the C library's path, beside the loop")

# Ops that move or set values without any arithmetic.
MOVES = {"PowOne", "Isreal"}

STRUCT = re.compile(r"^struct (\w+)[^;{]*\{(.*?)^\};", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(r"^[0-9a-f]+ <fb::Clones<&\(?(?:void )?fb::each<fb::(\w+), (float|double)>.*?>::(v[34])\(")
WIDTH = {"v3": "%ymm", "v4": "%zmm"}
PLAIN = re.compile(r"\s(vmov|vzero|vbroadcast|vpbroadcast|vextract|vinsert)")


def straight_line_ops() -> dict[str, str]:
    """Structs of kind Elementwise → their file."""
    found = {}
    for file in sorted((ROOT / "core" / "ops").glob("*.cpp")):
        for name, body in STRUCT.findall(file.read_text()):
            if re.search(r"using kind = Elementwise\b", body):
                found[name] = file.name
    return found


def functions(listing: str):
    """(struct, dtype, level, instructions) of every clone of a loop in a disassembly."""
    for part in listing.split("\n\n"):
        match = FUNCTION.match(part)
        if match:
            yield *match.groups(), part.splitlines()[1:]


def fault(level: str, instructions: list[str], may_call: bool) -> str:
    # v4 code of the compiler's choice may stay at 256 bits
    wide = sum(("%ymm" in line or WIDTH[level] in line) and not PLAIN.search(line) for line in instructions)
    if not may_call and any(re.search(r"\scall", line) for line in instructions):
        return "calls a function"
    return "" if wide else "has no wide arithmetic"


def main() -> int:
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "dev"
    objects = sorted(build.glob("**/core/ops/*.o"))
    if not objects:
        print(f"no object files below {build}: `make build` first")
        return 1
    ops = straight_line_ops()
    seen, found = set(), []
    for file in objects:
        listing = subprocess.run(["objdump", "-d", "-C", "--no-show-raw-insn", file], capture_output=True, text=True,
                                 check=True).stdout
        for name, dtype, level, instructions in functions(listing):
            if name not in ops or name in MOVES:
                continue
            seen.add(name)
            if reason := fault(level, instructions, name in MAY_CALL):
                found.append(f"{ops[name]}: {name}: the {dtype} loop at level {level} {reason}")
    print("\n".join(found) or f"vectorized: the float loops of {len(seen)} elementwise ops")
    if not seen:
        print("no loop was found: has the naming of clones changed?")
    return bool(found) or not seen


if __name__ == "__main__":
    sys.exit(main())
