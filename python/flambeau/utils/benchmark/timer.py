"""`Timer` and what it measures."""
from __future__ import annotations

import dataclasses
import math
import statistics
import time
import timeit
from collections.abc import Callable, Iterable
from typing import Any

import flambeau as fb
from flambeau import errors

timer = time.perf_counter


def select_unit(seconds: float) -> tuple[str, float]:
    """The unit in which a time has one to three digits before the point, and its length in seconds."""
    for unit, length, limit in (("ns", 1e-9, 1e-6), ("us", 1e-6, 1e-3), ("ms", 1e-3, 1.0)):
        if seconds < limit:
            return unit, length
    return "s", 1.0


def trim_sigfig(x: float, n: int) -> float:
    """`x` rounded to `n` significant digits."""
    if x == 0:
        return x
    scale = 10 ** (math.floor(math.log10(abs(x))) + 1 - n)
    return float(round(x / scale) * scale)


@dataclasses.dataclass(frozen=True)
class TaskSpec:
    """What is timed, and under which names it appears in a table."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        title = self.label or (self.stmt if "\n" not in self.stmt else f"stmt:\n{self.stmt}")
        return title + (f": {self.sub_label}" if self.sub_label else "")


class Measurement:
    """Times of a statement.

    Args: number_per_run, how often each run repeats the statement; raw_times, seconds of each run; task_spec.
    """

    def __init__(self, number_per_run: int, raw_times: list[float], task_spec: TaskSpec,
                 metadata: dict | None = None) -> None:
        self.number_per_run, self.raw_times = number_per_run, raw_times
        self.task_spec, self.metadata = task_spec, metadata

    def __getattr__(self, name: str) -> Any:
        if name != "task_spec" and name in TaskSpec.__dataclass_fields__ or name == "title":
            return getattr(self.task_spec, name)
        raise AttributeError(f"'Measurement' object has no attribute '{name}'")

    @property
    def times(self) -> list[float]:
        """Seconds of one statement, in each run."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.times)

    def _quartiles(self) -> tuple[float, float]:
        times = sorted(self.times)

        def at(level: float) -> float:
            place = level * (len(times) - 1)
            low = int(place)
            high = min(low + 1, len(times) - 1)
            return times[low] + (place - low) * (times[high] - times[low])
        return at(0.25), at(0.75)

    @property
    def iqr(self) -> float:
        """The distance of the quartiles."""
        low, high = self._quartiles()
        return high - low

    @property
    def significant_figures(self) -> int:
        """How many digits of the median the spread of the times leaves certain."""
        if len(self.times) == 1:
            return 1
        # The spread of a median of n normal numbers is about 1.25 σ / √n, and IQR = 1.35 σ (Kendall and Stuart).
        spread = max(1.25 * self.iqr / 1.349 / math.sqrt(len(self.times)), 1e-12 * self.median)
        return max(1, math.floor(math.log10(self.median / spread)))

    def meets_confidence(self, threshold: float = 0.1) -> bool:
        """Whether the quartiles are no further apart than `threshold` of the median."""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self) -> bool:
        """Whether the times vary by more than a tenth."""
        return not self.meets_confidence()

    @property
    def as_row_name(self) -> str:
        return self.sub_label or self.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """Runs of the same task joined."""
        grouped: dict[TaskSpec, list[Measurement]] = {}
        for m in measurements:
            grouped.setdefault(m.task_spec, []).append(m)
        return [Measurement(1, [t for m in group for t in m.times], spec) for spec, group in grouped.items()]

    def __repr__(self) -> str:
        unit, length = select_unit(self.median)
        lines = [object.__repr__(self), self.title]
        lines += [self.description] if self.description else []
        many = len(self.raw_times) > 1
        if many:
            low, high = self._quartiles()
            lines.append(f"  Median: {self.median / length:.2f} {unit}")
            lines.append(f"  IQR:    {self.iqr / length:.2f} {unit} ({low / length:.2f} to {high / length:.2f})")
        else:
            lines.append(f"  {self.median / length:.2f} {unit}")
        runs = f"{len(self.raw_times)} measurement{'s' if many else ''}, {self.number_per_run} runs " \
               f"{'per measurement' if many else ''}, {self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        lines.append("  " + runs)
        if many and self.has_warnings:
            lines.append(f"  WARNING: the quartiles lie {100 * self.iqr / self.median:.1f}% of the median "
                         "apart. Another process may be taking turns with this one.")
        return "\n".join(lines)


class Timer:
    """Times a statement of Python, on one thread unless told otherwise.

    Args:
        stmt: the statement; setup: run before; globals: names that both see.
        timer: a clock, seconds. label, sub_label, description: names for tables. num_threads: of flambeau.

    >>> from flambeau.utils.benchmark import Timer
    >>> Timer("x + x", globals={"x": fb.ones(3)}).timeit(100).number_per_run
    100
    """

    def __init__(self, stmt: str = "pass", setup: str = "pass", global_setup: str = "",
                 timer: Callable[[], float] = timer, globals: dict | None = None, label: str | None = None,
                 sub_label: str | None = None, description: str | None = None, env: str | None = None,
                 num_threads: int = 1, language: Any = "python") -> None:
        if str(getattr(language, "name", language)).lower() not in ("python", "py"):
            raise errors.UnsupportedError("Timer: only statements of Python can be timed")
        import textwrap
        stmt, setup = textwrap.dedent(stmt).strip(), textwrap.dedent(setup).strip()
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)
        names = {"fb": fb, "torch": fb, **(globals or {})}
        self._timer = timeit.Timer(stmt, setup, timer=timer, globals=names)

    def _run(self, number: int) -> float:
        """Seconds of `number` statements, at least a nanosecond."""
        before = fb.get_num_threads()
        fb.set_num_threads(self._task_spec.num_threads)
        try:
            return max(self._timer.timeit(number), 1e-9)
        finally:
            fb.set_num_threads(before)

    def timeit(self, number: int = 1000000) -> Measurement:
        """One run of `number` statements, after a short one that warms up."""
        self._run(max(number // 100, 2))
        return Measurement(number, [self._run(number)], self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback: Callable | None = None) -> None:
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def _number_for(self, seconds: float) -> int:
        """A power of ten of statements whose run takes at least `seconds`."""
        number = 1
        while self._run(number) < seconds and number < 10 ** 9:
            number *= 10
        return number

    def blocked_autorange(self, callback: Callable[[int, float], Any] | None = None,
                          min_run_time: float = 0.2) -> Measurement:
        """Runs of equal length until `min_run_time` seconds have been measured, each told to `callback`."""
        number = self._number_for(min_run_time / 1000)
        times: list[float] = []
        while sum(times) < min_run_time:
            times.append(self._run(number))
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
                           callback: Callable[[int, float], Any] | None = None) -> Measurement:
        """Runs until the quartiles are within `threshold` of the median, for at most `max_run_time` seconds."""
        number = self._number_for(0.05 * min_run_time)
        times: list[float] = []
        while True:
            times.append(self._run(number))
            if callback is not None:
                callback(number, times[-1])
            measured = Measurement(number, times, self._task_spec)
            total = sum(times)
            if total >= max_run_time or (total >= min_run_time and len(times) > 3
                                         and measured.meets_confidence(threshold)):
                return measured

    def collect_callgrind(self, *args: Any, **kwargs: Any) -> Any:
        """Not available. Errors: UnsupportedError."""
        raise errors.UnsupportedError("Timer.collect_callgrind: instructions are not counted")
