"""Runs the `>>>` examples of every op's doc and of the package's docstrings, with `fb` and `torch` bound."""

import doctest
import importlib
import io
import pkgutil
import sys
import textwrap

import flambeau
from flambeau import _C

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def run_example(name: str, doc: str) -> str:
    """The report of a doc's failing examples; empty when all pass."""
    report = io.StringIO()
    test = doctest.DocTestParser().get_doctest(textwrap.dedent(doc), {"fb": flambeau, "torch": flambeau}, name, None, 0)
    flambeau.manual_seed(0)
    doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=report.write)
    return report.getvalue()


def op_docs() -> list[tuple[str, str]]:
    return [(row["schema"].split("(")[0], row["doc"]) for row in _C._op_table()]


def module_reports() -> list[str]:
    """One report per failing docstring of the Python package."""
    reports = []
    finder = doctest.DocTestFinder(exclude_empty=True)
    for info in pkgutil.walk_packages(flambeau.__path__, "flambeau.", onerror=lambda name: None):
        if info.name.endswith(("__main__", "._C")):
            continue
        try:
            module = importlib.import_module(info.name)
        except ImportError as error:
            reports.append(f"{info.name}: cannot be imported: {error}")
            continue
        for test in finder.find(module, extraglobs={"fb": flambeau, "torch": flambeau}):
            report = io.StringIO()
            flambeau.manual_seed(0)
            doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=report.write)
            if report.getvalue():
                reports.append(report.getvalue())
    return reports


def main() -> int:
    failed = [report for name, doc in op_docs() if (report := run_example(name, doc))]
    failed += module_reports()
    print("\n".join(failed) or "doctests: every example prints what it says")
    if failed:
        print(f"{len(failed)} docstrings with failing examples")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
