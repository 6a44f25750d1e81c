"""What runs in a worker process: seed, ask the dataset, send batches."""

import contextlib
import gc
import pickle
import queue
import random
import signal
import threading
import traceback
from dataclasses import dataclass

import flambeau as torch

from . import shared_memory

__all__ = ["WorkerInfo", "get_worker_info"]


@dataclass(frozen=True)
class WorkerInfo:
    """Who a worker is.

    Attributes:
        id: number of the worker, 0 … num_workers - 1.
        num_workers: how many workers the DataLoader has.
        seed: this worker's seed.
        dataset: this worker's copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: object


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Who this worker is; None in a process that is no worker of a DataLoader."""
    return _worker_info


class KeyErrorMessage(str):
    """A text that KeyError, which shows the repr of its argument, shows with its line breaks."""

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception on its way to the main process: its class and the text of its traceback."""

    def __init__(self, error: BaseException, where: str) -> None:
        name = type(error).__name__
        self.kind = type(error) if _is_picklable(type(error)) else RuntimeError
        self.text = f"Caught {name} {where}.\nOriginal {''.join(traceback.format_exception(error))}"

    def reraise(self) -> None:
        """Raise the exception again, or a RuntimeError if its class wants other arguments than a text."""
        try:
            error = self.kind(KeyErrorMessage(self.text) if issubclass(self.kind, KeyError) else self.text)
        except Exception:
            error = RuntimeError(self.text)
        try:
            raise error
        finally:
            # the traceback holds this frame: a cycle would keep the iterator, and its workers, alive
            del error


@dataclass
class WorkerPlan:
    """All that a worker needs to know at its start."""

    worker_id: int
    num_workers: int
    base_seed: int
    dataset: object
    create_fetcher: object
    worker_init_fn: object


def run_worker(plan: WorkerPlan, connection) -> None:
    """Answer the tasks that come through `connection` until it is closed.

    A task is ("start", epoch), before the first of an epoch, or ("fetch", epoch, number, arguments of fetch);
    the answer to the latter is the header (epoch, number, kind) with the batch, an exception, or nothing at
    the end of an iterable-style dataset.
    """
    # Ctrl-C reaches all processes of a terminal; the main process then ends its workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # the collector must not write to, and so copy, the pages shared with the main process since fork()
    gc.freeze()
    torch.set_num_threads(1)
    where = f"in DataLoader worker process {plan.worker_id}"
    tasks = _tasks_from(connection)
    sender = shared_memory.start_sending(connection)
    failure = None
    try:
        _introduce(plan)
    except Exception as error:
        failure = ExceptionWrapper(error, where)

    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        fetch = None
        while (task := tasks.get()) is not None:
            kind, epoch, *rest = task
            if kind == "start":
                fetch = _Epoch(plan)
                continue
            number, arguments = rest
            try:
                answer = ("error", failure) if failure else fetch(arguments)
                sender.send((epoch, number, answer[0]), answer[1])
            except (BrokenPipeError, ConnectionResetError):
                raise
            except Exception as error:
                sender.abandon()
                sender.send((epoch, number, "error"), ExceptionWrapper(error, where))
            # the batch must not live until the next one is made
            answer = None


class _Epoch:
    """Fetches batches of one epoch; knows when an iterable-style dataset has ended."""

    def __init__(self, plan: WorkerPlan) -> None:
        self._plan = plan
        self._fetcher = None
        self._ended = False

    def __call__(self, arguments: tuple) -> tuple:
        if self._fetcher is None:
            self._fetcher = self._plan.create_fetcher()
        if not self._ended:
            try:
                return "batch", self._fetcher.fetch(*arguments)
            except StopIteration:
                # a map-style dataset has no end; there it is a mistake to report
                if not hasattr(self._fetcher, "dataset_iter"):
                    raise
                self._ended = True
        return "end", None


def _introduce(plan: WorkerPlan) -> None:
    global _worker_info
    seed = plan.base_seed + plan.worker_id
    random.seed(seed)
    torch.manual_seed(seed)
    with contextlib.suppress(ImportError):
        import numpy

        words = [plan.worker_id, plan.base_seed & 0xFFFFFFFF, plan.base_seed >> 32, 0]
        numpy.random.seed(numpy.random.SeedSequence(words).generate_state(4))
    _worker_info = WorkerInfo(plan.worker_id, plan.num_workers, seed, plan.dataset)
    if plan.worker_init_fn is not None:
        plan.worker_init_fn(plan.worker_id)


def _tasks_from(connection) -> queue.SimpleQueue:
    """The tasks that come in, then None when the connection is closed, be it because the main process died.

    A thread takes them at once: if both ends waited for the other to read, neither would go on.
    """
    tasks: queue.SimpleQueue = queue.SimpleQueue()

    def read() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                tasks.put(connection.recv())
        # tasks still waiting have nobody to answer to
        while not tasks.empty():
            tasks.get()
        tasks.put(None)

    threading.Thread(target=read, daemon=True).start()
    return tasks


def _is_picklable(kind: type) -> bool:
    try:
        return pickle.loads(pickle.dumps(kind)) is kind
    except Exception:
        return False
