"""Lists files of more than 400 lines and counts wide lines of C++; fails on a file of more than 700 lines."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AIM, LIMIT, WIDTH = 400, 700, 110
SUFFIXES = {".py", ".h", ".cpp", ".sh"}

# Files that may pass the limit, each with its reason.
ALLOWED: dict[str, str] = {}


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listed if Path(name).suffix in SUFFIXES and (ROOT / name).exists()]


def main() -> int:
    long, too_long, wide = [], [], 0
    for file in files():
        name = file.relative_to(ROOT).as_posix()
        lines = file.read_text().splitlines()
        if len(lines) > LIMIT and name not in ALLOWED:
            too_long.append(f"{len(lines):5} {name}")
        elif len(lines) > AIM:
            long.append(f"{len(lines):5} {name}")
        if file.suffix in {".h", ".cpp"}:
            wide += sum(len(line) > WIDTH for line in lines)
    if long:
        print(f"longer than {AIM} lines, worth a look:\n" + "\n".join(sorted(long, reverse=True)))
    if too_long:
        print(f"longer than {LIMIT} lines, split by topic:\n" + "\n".join(too_long))
    if wide:
        print(f"{wide} lines of C++ are wider than {WIDTH} characters")
    return bool(too_long)


if __name__ == "__main__":
    sys.exit(main())
