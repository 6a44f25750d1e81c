"""Loads mutated checkpoints and judges what happens: `python tools/fuzz_load.py --mutations 100000`.

A mutant must either raise one of the documented exceptions or load. What loads must equal the original
wherever a checksum covers the change; where none can (files without checksums, the format before the zip
archive, mapped tensors, changes behind a checksum made right again) it must be consistent: plain types, every
tensor inside its storage. No mutant may crash, hang, run code with `weights_only=True`, or ask for much more
memory than it has bytes. Mutants are loaded in batches by child processes with limits on memory and time, so
that a crash is found, reported with its number, and the rest goes on. `--only N` repeats one mutant.
"""

from __future__ import annotations

import argparse
import collections
import io
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
MEMORY = 512 << 20
SECONDS = 10


# --- the parent ------------------------------------------------------------------------------------------


def run(first: int, last: int, options: argparse.Namespace) -> tuple[collections.Counter, list[dict]]:
    """Counts of (kind of mutation, outcome) and the failures, of the mutants first … last - 1."""
    counts: collections.Counter = collections.Counter()
    failures: list[dict] = []
    while first < last:
        end = min(first + options.batch, last)
        with tempfile.TemporaryDirectory() as folder:
            done, stopped = _run_child(first, end, folder, options, counts, failures)
        if stopped:
            failures.append({"mutant": done, "problem": stopped})
            counts["stopped", stopped] += 1
            end = done + 1
        first = end
        print(f"\r{first} of {last}, {len(failures)} failures", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return counts, failures


def _run_child(first: int, end: int, folder: str, options, counts, failures) -> tuple[int, str]:
    """The mutant at which a child stopped early and why; (end, "") if it did not."""
    progress = Path(folder, "progress")
    command = [sys.executable, __file__, "--child", str(first), str(end), folder, "--seed", str(options.seed)]
    if options.corpus:
        command += ["--corpus", options.corpus]
    with open(Path(folder, "answer"), "w+") as output, open(Path(folder, "errors"), "w+") as errors:
        child = subprocess.Popen(command, stdout=output, stderr=errors)
        hangs = not _is_progressing(child, progress)
        output.seek(0), errors.seek(0)
        text, why = output.read(), errors.read()[-300:]
    if child.returncode:
        if not progress.exists():
            raise SystemExit(f"the unharmed files do not load, or the child could not start: {why}")
        return int(
            progress.read_text() or first
        ), "hangs" if hangs else f"exit code {child.returncode}: {why}"
    answer = json.loads(text)
    counts.update({tuple(key.split("|", 1)): n for key, n in answer["counts"].items()})
    counts["memory", "peak MB"] = max(counts["memory", "peak MB"], answer["peak_mb"])
    failures.extend(answer["failures"])
    return end, ""


def _is_progressing(child: subprocess.Popen, progress: Path) -> bool:
    """Wait for the child; False if it had to be ended because it stayed at one mutant."""
    last, since = "", time.monotonic()
    while child.poll() is None:
        time.sleep(0.05)
        now = progress.read_text() if progress.exists() else ""
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > SECONDS * 6:
            child.kill()
            child.wait()
            return False
    return True


# --- the child -------------------------------------------------------------------------------------------

_FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename", "os.kill")
_CODE = ("exec", "compile", "pickle.find_class", "marshal.loads", "code.__new__")


class Guard:
    """Notices code that a file runs, by Python's audit events."""

    def __init__(self) -> None:
        self.mode = ""
        self.caught = ""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple) -> None:
        if not self.mode:
            return
        harmful = event in _FORBIDDEN or event.split(".")[0] in ("subprocess", "socket", "shutil", "ctypes")
        mode = arguments[1] if event == "open" else None
        harmful = harmful or (isinstance(mode, str) and not set(mode).isdisjoint("wax+"))
        if harmful or (self.mode == "strict" and event in _CODE):
            self.caught = self.caught or f"{event} {str(arguments)[:100]}"
            raise RuntimeError(f"stopped {event}")


class Hang(BaseException):
    """A load that takes too long."""


def _raise_hang(*_: object) -> None:
    raise Hang


class Child:
    """Makes, loads and judges mutants; every mutant depends on its number and the seed alone."""

    def __init__(self, folder: str, seed: int, corpus: str | None) -> None:
        import fuzz_corpus
        from fuzz_mutations import Mutator

        self._path = Path(folder, "mutant.pt")
        self._progress = Path(folder, "progress")
        self._seed = seed
        self._examples = fuzz_corpus.examples(corpus)
        self._mutator = Mutator([example.data for example in self._examples])
        for example in self._examples:
            example.value = self.load(example.data, "full" if example.trusted else "stream")
            if not example.trusted:
                self.load(example.data, "full")
        # imported now, as imports run code: the encoding of old zips' names, the printer of tensors
        bytes(1).decode("cp437")
        repr(self._examples[0].value)
        self.guard = Guard()
        self.counts: collections.Counter = collections.Counter()
        self.failures: list[dict] = []

    def load(self, data: bytes, way: str):
        """The value of a file: way is "stream", "mapped" or "full"."""
        import flambeau as torch

        if way == "mapped":
            return torch.load(self._path, mmap=True)
        return torch.load(io.BytesIO(data), weights_only=way != "full")

    def judge(self, number: int) -> tuple[str, str, str]:
        """(kind of mutation, outcome, problem or nothing) of one mutant."""
        from fuzz_corpus import inconsistency, same

        draw = random.Random(f"{self._seed}/{number}")
        example = draw.choice(self._examples)
        kind, data, is_checked = self._mutator.mutate(example.data, example.is_zip, draw)
        way = "full" if example.trusted else draw.choices(["stream", "mapped", "full"], [70, 15, 15])[0]
        is_checked = is_checked and example.checksums and way != "mapped"
        kind = f"{kind} ({'zip' if example.is_zip else 'legacy'}, {way})"
        outcome, value, error = self._try(data, way)
        if self.guard.caught and way != "full":
            return kind, "ran code", self.guard.caught
        if outcome != "loaded":
            return kind, outcome, error
        if is_checked:
            known = same(value, example.value) or any(same(value, other.value) for other in self._examples)
            return (kind, "equal", "") if known else (kind, "differs", f"{example.name}: differs unnoticed")
        # With weights_only=False the file may make anything at all; there is nothing to hold it to.
        problem = "" if way == "full" else inconsistency(value)
        return kind, "inconsistent" if problem else "equal or consistent", problem

    def _try(self, data: bytes, way: str) -> tuple[str, object, str]:
        self._path.write_bytes(data)
        self.guard.mode, self.guard.caught = "lenient" if way == "full" else "strict", ""
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            return "loaded", self.load(data, way), ""
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            return ("raised", None, "") if str(error) else ("no message", None, repr(error))
        except Hang:
            return "hangs", None, f"more than {SECONDS} s"
        except Exception as error:
            if way == "full":
                return "raised", None, ""
            return "wrong exception", None, f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.guard.mode = ""

    def run(self, first: int, end: int) -> None:
        for number in range(first, end):
            self._progress.write_text(str(number))
            kind, outcome, problem = self.judge(number)
            self.counts[kind, outcome] += 1
            if problem:
                self.failures.append({"mutant": number, "kind": kind, "problem": f"{outcome}: {problem}"})


def child(first: int, end: int, folder: str, seed: int, corpus: str | None) -> None:
    import resource

    signal.signal(signal.SIGALRM, _raise_hang)
    worker = Child(folder, seed, corpus)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    worker.run(first, end)
    print(
        json.dumps(
            {
                "counts": {"|".join(key): n for key, n in worker.counts.items()},
                "failures": worker.failures,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=2000, help="mutants per child process")
    parser.add_argument("--corpus", help="folder of further .pt files to mutate")
    parser.add_argument("--only", type=int, help="number of the one mutant to try")
    parser.add_argument("--child", nargs=3, metavar=("FIRST", "END", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        first, end, folder = options.child
        child(int(first), int(end), folder, options.seed, options.corpus)
        return 0
    start = time.monotonic()
    first, last = (0, options.mutations) if options.only is None else (options.only, options.only + 1)
    counts, failures = run(first, last, options)
    for (kind, outcome), n in sorted(counts.items()):
        print(f"{kind:40} {outcome:24} {n:8}")
    for failure in failures[:50]:
        print("FAILURE", json.dumps(failure))
    print(f"{last - first} mutants, {len(failures)} failures, {time.monotonic() - start:.0f} s")
    return bool(failures)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
