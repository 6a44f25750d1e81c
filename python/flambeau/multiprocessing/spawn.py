"""Several processes that run one function, watched together: the first that fails ends the others."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
import warnings
import weakref
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

__all__ = [
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "spawn",
    "start_processes",
]

_SECONDS_TO_END = 5.0


class ProcessException(Exception):
    """A process that `spawn` started failed.

    Attributes:
        error_index: its number.
        pid, error_pid: its process id.
    """

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg = msg
        self.error_index = error_index
        self.pid = self.error_pid = pid

    def __reduce__(self) -> tuple:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """The function raised an exception, whose traceback the message carries."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg, error_index, error_pid)


class ProcessExitedException(ProcessException):
    """The process ended with an exit code or by a signal.

    Attributes:
        exit_code: negative if a signal ended it.
        signal_name: of that signal, or None.
    """

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code = exit_code
        self.signal_name = signal_name

    def __reduce__(self) -> tuple:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _run(function: Callable, index: int, arguments: tuple, error_file: str) -> None:
    try:
        function(index, *arguments)
    except KeyboardInterrupt:
        pass  # the terminal interrupts every process; the main one reports it
    except Exception:
        with open(error_file, "wb") as file:
            pickle.dump(traceback.format_exc(), file)
        sys.exit(1)


class ProcessContext:
    """The processes that `start_processes` started."""

    def __init__(self, processes: list[Any], error_files: list[str]) -> None:
        self.processes = processes
        self.error_files = error_files
        self.sentinels = {process.sentinel: index for index, process in enumerate(processes)}
        weakref.finalize(self, _remove, error_files)

    def pids(self) -> list[int]:
        """The process ids, in order."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until one of the processes ends; True once all have ended well.

        Args:
            timeout: seconds to wait for one more of them to end; None waits for ever.
            grace_period: seconds that the others have to end after SIGTERM when one failed; then SIGKILL.
        Errors: ProcessRaisedException or ProcessExitedException for the first that failed.
        """
        if not self.sentinels:
            return True
        ended = connection.wait(list(self.sentinels), timeout)
        failed = None
        for sentinel in ended:
            index = self.sentinels.pop(sentinel)  # type: ignore[call-overload]
            self.processes[index].join()
            if failed is None and self.processes[index].exitcode:
                failed = index
        if failed is None:
            return not self.sentinels
        self._end_all(_SECONDS_TO_END if grace_period is None else grace_period)
        self._raise(failed)
        raise AssertionError("not reached")

    def _end_all(self, patience: float) -> None:
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        deadline = time.monotonic() + patience
        for process in self.processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _raise(self, index: int) -> None:
        process = self.processes[index]
        if os.path.getsize(self.error_files[index]):
            with open(self.error_files[index], "rb") as file:
                text = pickle.load(file)
            raise ProcessRaisedException(
                f"\n\n-- Process {index} failed:\n{text}", index, process.pid
            )
        code = process.exitcode
        if code < 0:
            name = signal.Signals(-code).name
            raise ProcessExitedException(
                f"process {index} terminated with signal {name}", index, process.pid, code, name
            )
        raise ProcessExitedException(
            f"process {index} ended with exit code {code}", index, process.pid, code
        )


SpawnContext = ProcessContext


def _remove(files: list[str]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            os.unlink(file)


def start_processes(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run `fn(i, *args)` in processes i = 0 … nprocs - 1.

    Args:
        fn: function at the top of a module, if `start_method` is not "fork".
        args: further arguments; tensors among them are shared, not copied.
        nprocs: number of processes.
        join: wait until all have ended; False returns at once.
        daemon: end the processes when this one ends.
        start_method: "spawn", "fork" or "forkserver".
    Returns: None, or with `join=False` the ProcessContext to join.
    Errors: ProcessRaisedException, ProcessExitedException when one fails; the others are ended.
    """
    context: Any = multiprocessing.get_context(start_method)
    processes, error_files = [], []
    for index in range(nprocs):
        with tempfile.NamedTemporaryFile(prefix="flambeau-process-", delete=False) as file:
            error_files.append(file.name)
        process = context.Process(target=_run, args=(fn, index, args, file.name), daemon=daemon)
        process.start()
        processes.append(process)
    result = ProcessContext(processes, error_files)
    if not join:
        return result
    while not result.join():
        pass
    return None


def spawn(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """`start_processes` with new interpreters."""
    if start_method != "spawn":
        warnings.warn(
            f"spawn is meant for start_method='spawn', not {start_method!r}: call start_processes for others",
            FutureWarning,
            stacklevel=2,
        )
    return start_processes(fn, args, nprocs, join, daemon, start_method)
