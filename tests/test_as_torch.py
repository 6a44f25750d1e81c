"""Programs that say `import torch`, run by `python -m flambeau run` in processes of their own."""
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    def go(source, *arguments, name="program.py"):
        program = tmp_path / name
        if source is not None:
            program.write_text(source)
        return subprocess.run([sys.executable, "-m", "flambeau", "run", str(program), *arguments], cwd=tmp_path,
                              capture_output=True, text=True, timeout=120)

    return go


def test_every_spelling_of_an_import_gives_the_same_objects(run):
    done = run("""
import flambeau, importlib.metadata, sys
import torch, torch.utils.data as data
from torch import nn
import torch.nn.functional as F
from torch.optim.lr_scheduler import StepLR
from torch.nn.utils.rnn import pad_sequence
assert nn is flambeau.nn and F is flambeau.nn.functional and data is flambeau.utils.data
assert StepLR is flambeau.optim.lr_scheduler.StepLR and torch.ones is flambeau.ones
assert importlib.metadata.version("torch") == torch.__version__ == "2.13.0"
print(__name__, sys.argv[1:], type(torch.ones(1)), type(nn.Parameter(torch.ones(1))), torch.version.cuda)
""", "--lr", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == ("__main__ ['--lr', '1'] <class 'torch.Tensor'> "
                                          "<class 'torch.nn.parameter.Parameter'> None")


def test_exit_codes_and_traces_are_the_programs_own(run):
    failing = run("def f():\n    raise KeyError('here')\n\n\nf()\n")
    assert failing.returncode == 1
    first = failing.stderr.splitlines()[1].strip()
    assert first.startswith('File "') and "program.py" in first
    assert "as_torch.py" not in failing.stderr and failing.stderr.endswith("KeyError: 'here'\n")
    assert run("import sys; sys.exit(3)").returncode == 3
    assert "SyntaxError" in run("x = (").stderr
    missing = run(None, name="nothing.py")
    assert missing.returncode == 2 and "can't open file" in missing.stderr


def test_the_programs_own_file_error_is_not_taken_for_a_missing_program(run):
    done = run("open('nowhere.txt')")
    assert done.returncode == 1 and "FileNotFoundError" in done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_child_processes_find_torch_too(run, method):
    done = run(f"""
import multiprocessing
import torch

def total(queue, tensor):
    queue.put((torch.__name__, float(tensor.sum())))

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    queue = context.Queue()
    process = context.Process(target=total, args=(queue, torch.arange(4.)))
    process.start()
    print(queue.get(timeout=60))
    process.join()
""")
    assert done.stdout == "('torch', 6.0)\n", done.stderr


def test_what_is_missing_is_named(run):
    done = run("""
import torch
for attempt in ("torch.no_such_name", "__import__('torch.no_such_module')"):
    try:
        eval(attempt)
    except (AttributeError, ImportError) as error:
        print(type(error).__name__, error)
""")
    absent, module = done.stdout.splitlines()
    assert absent.startswith("AttributeError module 'flambeau' has no attribute 'no_such_name'")
    assert module == "ModuleNotFoundError No module named 'torch.no_such_module'"


def test_install_refuses_beside_the_real_torch():
    program = """
import sys, types
sys.modules["torch"] = types.ModuleType("torch")
from flambeau import as_torch
try:
    as_torch.install()
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "already imported" in done.stdout, done.stderr


def test_versions_compare_by_their_numbers():
    from flambeau.torch_version import TorchVersion

    version = TorchVersion("2.13.0")
    assert version > "2.9" and version >= (2, 13) and version < "2.13.1" and version == "2.13" and version != "2.1"
    assert version.split(".")[0] == "2" and {version: 1}["2.13.0"] == 1
