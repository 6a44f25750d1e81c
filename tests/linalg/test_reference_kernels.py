"""The portable factorizations, which builds without OpenBLAS use, against the same checks as the library's."""

import os
import subprocess
import sys
from pathlib import Path


def test_reference_kernels():
    folder = Path(__file__).parent
    checks = [str(file) for file in sorted(folder.glob("test_*.py")) if file.name != Path(__file__).name]
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks],
                         env={**os.environ, "FLAMBEAU_KERNEL": "reference"}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]
