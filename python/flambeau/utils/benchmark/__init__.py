"""Timing of small pieces of code, with the spread of the times and tables that compare them."""
from flambeau.utils.benchmark.compare import Compare
from flambeau.utils.benchmark.timer import Measurement, TaskSpec, Timer, select_unit, timer, trim_sigfig

__all__ = ["Compare", "Measurement", "TaskSpec", "Timer", "select_unit", "timer", "trim_sigfig"]
