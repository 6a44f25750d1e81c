"""The portable factorizations, which builds without OpenBLAS use, against the same checks as the library's."""

import os
import subprocess
import sys
from pathlib import Path


def test_reference_kernels():
    checks = Path(__file__).with_name("test_factorizations.py")
    left_out = "ldl or complex_factors or least or exponential or low_rank"      # eig and ldl need OpenBLAS
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(checks), "-k", f"not ({left_out})"]
    run = subprocess.run(command, env={**os.environ, "FLAMBEAU_KERNEL": "reference"}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]


def test_what_needs_the_library_says_so():
    program = ("import flambeau as torch\n"
               "try: torch.linalg.eig(torch.eye(2))\n"
               "except NotImplementedError as error: print(error)")
    run = subprocess.run([sys.executable, "-c", program], env={**os.environ, "FLAMBEAU_KERNEL": "reference"},
                         capture_output=True, text=True, check=True)
    assert "FLAMBEAU_OPENBLAS" in run.stdout
