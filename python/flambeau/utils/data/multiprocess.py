"""The DataLoader's pass with worker processes, seen from the main process."""

import functools
import importlib.util
import itertools
import multiprocessing
import os
import signal
import time
import weakref
from multiprocessing.connection import Connection, wait

from . import shared_memory
from .dataloader import DataLoader, _BaseDataLoaderIter, _DatasetKind
from .worker import WorkerPlan, run_worker

__all__ = ["_MultiProcessingDataLoaderIter"]

# how long workers may take to finish what they are at before they are ended
_SECONDS_TO_FINISH = 5.0

# A forked process inherits the ends of all connections. While any copy is open, a worker does not notice that
# the main process is gone.
_main_ends: "weakref.WeakSet[Connection]" = weakref.WeakSet()


def _close_inherited_ends() -> None:
    for connection in list(_main_ends):
        connection.close()
    _main_ends.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited_ends)


class _Worker:
    """One process and the tasks given to it."""

    def __init__(self, context, plan: WorkerPlan) -> None:
        self.connection, other_end = context.Pipe(duplex=True)
        _main_ends.add(self.connection)
        self.process = context.Process(target=run_worker, args=(plan, other_end), daemon=True)
        self.process.start()
        other_end.close()
        self.outstanding = 0
        # cleared when the worker's share of an iterable-style dataset has ended
        self.active = True

    def death_notice(self) -> RuntimeError:
        self.process.join(_SECONDS_TO_FINISH)
        code = self.process.exitcode
        if code is not None and code < 0:
            how = f"killed by signal: {signal.strsignal(-code)} ({signal.Signals(-code).name})"
            if -code == signal.SIGKILL:
                how += "; the system does this when memory runs out"
        else:
            how = f"exit code {code}"
        return RuntimeError(f"DataLoader worker (pid {self.process.pid}) exited unexpectedly, {how}.")


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Gives tasks to the workers in turn and hands out their answers in the order of the tasks.

    `prefetch_factor` tasks per worker are under way at any time.
    """

    def __init__(self, loader: DataLoader) -> None:
        self._workers: list[_Worker] = []
        self._epoch = 0
        self._in_order = loader.in_order
        self._timeout = loader.timeout or None
        self._prefetch_factor = loader.prefetch_factor
        self._persistent = loader.persistent_workers
        super().__init__(loader)
        # unlike __del__, also runs when the interpreter exits
        self._shutdown = weakref.finalize(self, _end_workers, self._workers, os.getpid())
        self._start_workers(loader)
        self._begin()

    def _start_workers(self, loader: DataLoader) -> None:
        context = loader.multiprocessing_context or multiprocessing.get_context()
        if context.get_start_method() == "fork" and importlib.util.find_spec("numpy"):
            # workers seed NumPy; imported here once, they need not import it each
            import numpy  # noqa: F401
        create_fetcher = functools.partial(
            _DatasetKind.create_fetcher,
            self._dataset_kind,
            self._dataset,
            loader._auto_collation,
            loader.collate_fn,
            loader.drop_last,
        )
        for i in range(loader.num_workers):
            plan = WorkerPlan(
                i, loader.num_workers, self._base_seed, self._dataset, create_fetcher, loader.worker_init_fn
            )
            self._workers.append(_Worker(context, plan))

    def _reset(self, loader: DataLoader) -> None:
        """Start the next epoch with the same workers."""
        if not self._shutdown.alive:
            raise RuntimeError(
                "The workers of this DataLoader have ended after a failure; make a new DataLoader."
            )
        self._epoch += 1
        if self._sample_seeds:
            self._start_epoch(loader)
        else:
            # workers keep their random state, so no new seed is drawn
            self._restart(loader)
        self._begin()

    def _begin(self) -> None:
        self._turn = itertools.cycle(self._workers)
        self._given = 0  # tasks given out so far
        self._next = 0  # number of the task whose answer comes next
        self._doers: dict[int, _Worker] = {}  # who does a task that is not answered yet
        self._answers: dict[int, tuple] = {}  # answers that came before their turn
        for worker in self._workers:
            worker.active, worker.outstanding = True, 0
            self._tell(worker, ("start", self._epoch))
        for _ in range(self._prefetch_factor * len(self._workers)):
            self._give_task()

    def _give_task(self) -> None:
        worker = self._next_worker()
        if worker is None:
            return
        try:
            task = self._next_task()
        except StopIteration:
            return
        self._tell(worker, ("fetch", self._epoch, self._given, task))
        self._doers[self._given] = worker
        worker.outstanding += 1
        self._given += 1

    def _next_worker(self) -> _Worker | None:
        for worker in itertools.islice(self._turn, len(self._workers)):
            # out of order, a slow worker must not collect the tasks of the fast ones
            if worker.active and (self._in_order or worker.outstanding < self._prefetch_factor):
                return worker
        return None

    def _tell(self, worker: _Worker, message: tuple) -> None:
        try:
            worker.connection.send(message)
        except OSError:
            self._fail(worker.death_notice())

    def _next_data(self):
        while self._doers or self._answers:
            answer = self._take_answer()
            if answer is None:
                continue
            kind, data = answer
            self._give_task()
            if kind == "batch":
                return data
            if kind == "error":
                data.reraise()
        if not self._persistent:
            self._shutdown()
        raise StopIteration

    def _take_answer(self) -> tuple | None:
        """The answer whose turn it is, or None after another one came in."""
        if self._in_order:
            if self._next in self._answers:
                self._next += 1
                return self._answers.pop(self._next - 1)
            self._receive_from([self._doers[self._next]])
        else:
            if self._answers:
                return self._answers.pop(next(iter(self._answers)))
            self._receive_from(list(dict.fromkeys(self._doers.values())))
        return None

    def _receive_from(self, workers: list[_Worker]) -> None:
        """Take in one answer of one of the workers."""
        worker = self._wait_for(workers)
        try:
            (epoch, number, kind), data = shared_memory.receive(worker.connection)
        except (EOFError, ConnectionResetError):
            self._fail(worker.death_notice())
        # the last epoch was left before its end
        if epoch == self._epoch:
            worker.outstanding -= 1
            worker.active = worker.active and kind != "end"
            del self._doers[number]
            self._answers[number] = kind, data

    def _wait_for(self, workers: list[_Worker]) -> _Worker:
        for worker in workers:
            if worker.connection.poll():
                return worker
        by_event = {worker.connection: worker for worker in workers}
        by_event |= {worker.process.sentinel: worker for worker in workers}
        ready = wait(list(by_event), self._timeout)
        if not ready:
            self._fail(RuntimeError(f"DataLoader: timed out, no batch came in {self._timeout} seconds"))
        # an answer sent before a death still counts
        answered = [event for event in ready if event in {worker.connection for worker in workers}]
        worker = by_event[(answered or ready)[0]]
        if not worker.connection.poll():
            self._fail(worker.death_notice())
        return worker

    def _fail(self, error: RuntimeError) -> None:
        # what the workers are at is of no use any more
        self._shutdown.detach()
        _end_workers(self._workers, os.getpid(), patience=0.0)
        raise error


def _end_workers(workers: list[_Worker], owner: int, patience: float = _SECONDS_TO_FINISH) -> None:
    """Let the workers finish their batch, for some seconds, then end those that do not."""
    if os.getpid() != owner:
        return
    for worker in workers:
        worker.connection.close()
    deadline = time.monotonic() + patience
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.terminate()
            worker.process.join(1.0)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        shared_memory.forget(worker.process.pid)
        worker.process.close()
    workers.clear()
