"""Timers on a clock of the test's own, and the tables made of what they measure."""
import pytest

import flambeau as fb
from flambeau.utils.benchmark import Compare, Measurement, TaskSpec, Timer, select_unit, trim_sigfig


class Clock:
    """Advances by `step` seconds at each statement, and tells the time without."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def tick(self):
        self.now += self.step

    def __call__(self):
        return self.now


def timer(step, **names):
    clock = Clock(step)
    return Timer("tick()", timer=clock, globals={"tick": clock.tick}, **names)


def test_times():
    m = timer(2e-6, label="a", sub_label="b").timeit(50)
    assert m.number_per_run == 50 and m.times == [pytest.approx(2e-6)] and m.title == "a: b"
    assert "2.00 us" in repr(m) and "1 measurement, 50 runs" in repr(m)
    seen = []
    m = timer(1e-4).blocked_autorange(callback=lambda n, t: seen.append(n), min_run_time=0.05)
    assert sum(m.raw_times) >= 0.05 and len(seen) == len(m.times) > 3 and m.iqr == pytest.approx(0, abs=1e-9)
    assert m.meets_confidence() and not m.has_warnings and m.significant_figures > 3
    assert timer(1e-3).adaptive_autorange(min_run_time=0.1).median == pytest.approx(1e-3)


def test_threads_are_set_and_restored():
    before = fb.get_num_threads()
    m = Timer("seen.append(torch.get_num_threads())", globals={"seen": (seen := [])}, num_threads=1).timeit(3)
    assert set(seen) == {1} and fb.get_num_threads() == before and m.num_threads == 1


def test_spread_and_merging():
    task = TaskSpec("x", "", label="sum", sub_label="row", description="column")
    m = Measurement(10, [10.0, 20.0, 30.0, 40.0, 50.0], task)
    assert (m.median, m.mean, m.iqr) == (3.0, 3.0, 2.0) and m.has_warnings and "WARNING" in repr(m)
    merged, = Measurement.merge([m, Measurement(1, [6.0], task)])
    assert merged.times == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert trim_sigfig(1234.0, 2) == 1200.0 and select_unit(2e-5) == ("us", 1e-6)
    with pytest.raises(AttributeError):
        m.nothing  # noqa: B018


def test_tables():
    def made(row, column, seconds):
        return Measurement(1, [seconds], TaskSpec("x", "", label="sum", sub_label=row, description=column))
    table = Compare([made("a", "one", 1e-6), made("a", "two", 2.4e-6), made("b", "two", 1e-3)])
    lines = str(table).splitlines()
    assert lines[3].split() == ["a", "|", "1.0", "|", "2.4"] and lines[4].split() == ["b", "|", "|", "1000.0"]
    assert "microseconds" in str(table)
    table.trim_significant_figures()
    assert str(table).splitlines()[3].split() == ["a", "|", "1", "|", "2"]
    with pytest.raises(ValueError):
        Compare([3])
    for refused in (lambda: Timer("x", language="c++"), lambda: Timer().repeat()):
        with pytest.raises(NotImplementedError):
            refused()
