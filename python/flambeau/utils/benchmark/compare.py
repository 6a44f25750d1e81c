"""A table of measurements: rows by sub-label, columns by description, one table for each label."""
from __future__ import annotations

from flambeau.utils.benchmark.timer import Measurement, select_unit, trim_sigfig

_UNITS = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}


class Compare:
    """Measurements side by side.

    >>> from flambeau.utils.benchmark import Compare, Measurement, TaskSpec
    >>> task = TaskSpec("x", "", label="sum", sub_label="small", description="here")
    >>> Compare([Measurement(1, [2e-6], task)]).print()
    [----- sum ------]
                 |  here
    1 threads: -------
          small  |   2.0
    <BLANKLINE>
    Times are in microseconds (us).
    <BLANKLINE>
    """

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._trims = self._highlights = False
        self.extend_results(results)

    def extend_results(self, results: list[Measurement]) -> None:
        """Add measurements. Errors: ValueError for anything else."""
        for r in results:
            if not isinstance(r, Measurement):
                raise ValueError(f"Compare: results must be Measurements, one is {type(r).__name__}")
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Show only the digits that are certain."""
        self._trims = True

    def highlight_warnings(self) -> None:
        """Mark with `!` the times that vary by more than a tenth."""
        self._highlights = True

    def colorize(self, rowwise: bool = False) -> None:
        """Accepted; tables are printed without colours."""

    def __str__(self) -> str:
        labels = list(dict.fromkeys(r.label for r in self._results))
        return "\n".join(self._table([r for r in self._results if r.label == label]) for label in labels)

    def print(self) -> None:
        print(self)

    def _table(self, results: list[Measurement]) -> str:
        merged = Measurement.merge(results)
        unit, length = select_unit(min(m.median for m in merged))
        columns = list(dict.fromkeys(m.description or "" for m in merged))
        threads = sorted({m.num_threads for m in merged})
        rows = list(dict.fromkeys(m.as_row_name for m in merged))
        cells = {(m.num_threads, m.as_row_name, m.description or ""): self._cell(m, length) for m in merged}
        first = max(len(r) for r in rows) + 6
        widths = [max([len(c), *(len(v) for (_, _, d), v in cells.items() if d == c)]) for c in columns]
        total = first + sum(w + 5 for w in widths)
        title = f" {merged[0].label or merged[0].title} "
        lines = ["[" + title.center(max(total - 4, len(title) + 4), "-") + "]"]
        lines.append(" " * first + "".join(f"  |  {c.center(w)}" for c, w in zip(columns, widths)))
        for n in threads:
            head = f"{n} threads: "
            lines.append(head + "-" * max(total - len(head) - 2, 4))
            for row in rows:
                values = [cells.get((n, row, c), "") for c in columns]
                if any(values):
                    shown = "".join(f"  |  {v.rjust(w)}" for v, w in zip(values, widths))
                    lines.append(f"      {row}".ljust(first) + shown)
        table = "\n".join(line.rstrip() for line in lines)
        return f"{table}\n\nTimes are in {_UNITS[unit]} ({unit}).\n"

    def _cell(self, m: Measurement, length: float) -> str:
        value = m.median / length
        mark = " (!)" if self._highlights and m.has_warnings else ""
        if not self._trims:
            return f"{value:.1f}{mark}"
        digits = m.significant_figures
        trimmed = trim_sigfig(value, digits)
        decimals = max(0, digits - len(str(int(trimmed))))
        return f"{trimmed:.{min(decimals, 1)}f}{mark}"
