"""Values that another thread will supply."""
from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any

from flambeau import errors

__all__ = ["Future", "collect_all", "wait_all"]


class Future:
    """A value to come. `wait` blocks until someone calls `set_result` or `set_exception`.

    >>> from flambeau.futures import Future
    >>> f = Future()
    >>> doubled = f.then(lambda f: 2 * f.value())
    >>> f.set_result(21)
    >>> doubled.wait()
    42
    """

    def __init__(self, *, devices: Any = None) -> None:
        if devices:
            raise errors.UnsupportedError("Future(devices=…): there are no devices but the CPU")
        self._future: concurrent.futures.Future = concurrent.futures.Future()

    def done(self) -> bool:
        """Whether there is a value or an exception."""
        return self._future.done()

    def wait(self) -> Any:
        """The value, as soon as there is one. Errors: the exception that was set instead."""
        return self._future.result()

    def value(self) -> Any:
        """The value. Errors: RuntimeError if it is not there yet, or the exception that was set instead."""
        if not self.done():
            raise RuntimeError("value() was called on a future that is not completed")
        return self._future.result()

    def then(self, callback: Callable[[Future], Any]) -> Future:
        """A future of what `callback` makes of this one, once it is done."""
        following = Future()

        def run(_: Any) -> None:
            try:
                following.set_result(callback(self))
            except Exception as error:
                following.set_exception(error)
        self._future.add_done_callback(run)
        return following

    def add_done_callback(self, callback: Callable[[Future], None]) -> None:
        """Call `callback` with this future once it is done."""
        self._future.add_done_callback(lambda _: callback(self))

    def set_result(self, result: Any) -> None:
        """Complete the future. Errors: RuntimeError if it is completed already."""
        self._check_open()
        self._future.set_result(result)

    def set_exception(self, result: BaseException) -> None:
        """Complete the future with an exception, which waiting raises."""
        if not isinstance(result, Exception):
            raise AssertionError(f"set_exception: {result!r} is {type(result).__name__}, which is no "
                                 "exception")
        self._check_open()
        self._future.set_exception(result)

    def _check_open(self) -> None:
        if self.done():
            raise RuntimeError("Future can only be completed once: it has a result already")


def collect_all(futures: list[Future]) -> Future:
    """A future of the list of futures, done when all are."""
    result = Future()
    if not futures:
        result.set_result([])
        return result
    left = len(futures)
    import threading
    lock = threading.Lock()

    def one_done(_: Future) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            result.set_result(futures)
    for future in futures:
        future.add_done_callback(one_done)
    return result


def wait_all(futures: list[Future]) -> list:
    """The values of all futures. Errors: the exception of the first that failed."""
    return [future.wait() for future in collect_all(futures).wait()]
