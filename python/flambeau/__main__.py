"""The command line: `python -m flambeau demo`, `run`, `info`, `doctor`."""

import argparse
import os
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m flambeau", description="Deep learning on the CPU.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_demo, _add_run, _add_info, _add_doctor):
        add(commands)
    options = vars(parser.parse_args(arguments))
    options.pop("command")
    return options.pop("function")(**options)


def _add_demo(commands) -> None:
    parser = commands.add_parser("demo", help="train a network on handwritten digits, in a few seconds")
    parser.add_argument(
        "--dataset",
        choices=("Digits", "MNIST", "FashionMNIST", "KMNIST"),
        default="Digits",
        help="what to learn; only Digits comes along (%(default)s)",
    )
    parser.add_argument(
        "--data", default="data", metavar="DIR", help="the files are in DIR/MNIST/raw and so on (%(default)s)"
    )
    parser.add_argument("--download", action="store_true", help="fetch the files if they are missing")
    parser.add_argument(
        "--epochs", type=_positive, metavar="N", help="passes over the data (30 for Digits, else 5)"
    )
    parser.add_argument(
        "--out", default="demo-output", metavar="DIR", help="folder for weights and picture (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="start of the random numbers (%(default)s)"
    )
    parser.add_argument("--no-picture", dest="picture", action="store_false", help="do not draw a picture")
    parser.set_defaults(function=_demo)


def _demo(**options) -> int:
    from flambeau import demo

    if options["dataset"] != "Digits":
        try:
            for train in (True, False):
                demo.load(options["dataset"], options["data"], options["download"], train)
        except (RuntimeError, ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    demo.main(**options)
    return 0


def _add_run(commands) -> None:
    parser = commands.add_parser("run", help="run a PyTorch program, unchanged, on flambeau")
    parser.add_argument("program", help="the Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program finds in sys.argv[1:]")
    parser.set_defaults(function=_run)


def _run(program: str, arguments: list[str]) -> int:
    from flambeau import as_torch

    try:
        as_torch.run(program, arguments)
    except Exception as error:  # shown as `python program.py` would show it, without the frames of the runner
        own = os.path.abspath(program)
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != own:
            trace = trace.tb_next
        if isinstance(error, OSError) and trace is None:
            print(f"flambeau: can't open file {own!r}: {error.strerror}", file=sys.stderr)
            return 2
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0


def _add_info(commands) -> None:
    commands.add_parser("info", help="versions and machine, for a bug report").set_defaults(function=_info)


def _info() -> int:
    for name, value in _facts().items():
        print(f"{name + ':':14}{value}")
    return 0


def _facts() -> dict[str, str]:
    import os
    import platform
    from importlib import metadata

    import flambeau

    def version(package: str) -> str:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return "not installed"

    optional = ("numpy", "pillow", "matplotlib", "tqdm", "llvmlite", "safetensors")
    return {
        "flambeau": getattr(flambeau, "__version__", version("flambeau")),
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "processor": f"{platform.machine()}, {os.cpu_count()} logical",
        "threads": str(flambeau.get_num_threads()),
        **{package: version(package) for package in optional},
    }


def _add_doctor(commands) -> None:
    commands.add_parser("doctor", help="check that this installation works").set_defaults(function=_doctor)


def _doctor() -> int:
    failed = 0
    for name, check in _CHECKS.items():
        try:
            print(f"ok    {name}{check() or ''}")
        except Exception as error:
            failed += 1
            print(f"FAIL  {name}: {type(error).__name__}: {error}")
    print(
        "all is well"
        if not failed
        else f"{failed} of {len(_CHECKS)} checks failed; `info` gives facts for a report"
    )
    return min(failed, 1)


def _check_arithmetic() -> None:
    import flambeau as torch

    a = torch.arange(6.0).reshape(2, 3)
    _expect((a @ a.T).tolist(), [[5.0, 14.0], [14.0, 50.0]])


def _check_gradient() -> None:
    import flambeau as torch

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward()
    _expect(x.grad.tolist(), [3.0, 12.0])


def _check_random() -> None:
    import flambeau as torch

    # state of a generator of its own: the check leaves the user's random numbers alone
    generator = torch.Generator().manual_seed(0)
    # first outputs of the reference MT19937 for seed 0: 2357136044, 2546248239, 3071714933 …, mod 4
    _expect(torch.randint(4, (4,), generator=generator).tolist(), [0, 3, 1, 0])


def _check_numpy() -> str | None:
    try:
        import numpy
    except ImportError:
        return ": not installed (optional)"
    import flambeau as torch

    array = numpy.ones(3, dtype=numpy.float32)
    torch.from_numpy(array).mul_(2)
    _expect(array.tolist(), [2.0, 2.0, 2.0])
    return None


def _check_save() -> None:
    import io

    import flambeau as torch

    file = io.BytesIO()
    torch.save({"x": torch.arange(3)}, file)
    file.seek(0)
    _expect(torch.load(file)["x"].tolist(), [0, 1, 2])


def _check_workers() -> None:
    from flambeau.utils.data import DataLoader

    batches = [batch.tolist() for batch in DataLoader(range(4), batch_size=2, num_workers=1)]
    _expect(batches, [[0, 1], [2, 3]])


_CHECKS = {
    "arithmetic": _check_arithmetic,
    "gradients": _check_gradient,
    "random numbers": _check_random,
    "NumPy": _check_numpy,
    "saving and loading": _check_save,
    "worker processes": _check_workers,
}


def _expect(found, wanted) -> None:
    if found != wanted:
        raise ValueError(f"expected {wanted}, got {found}")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
