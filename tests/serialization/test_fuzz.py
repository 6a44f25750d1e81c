"""A few hundred mutants of checkpoints; tools/fuzz_load.py runs as many as one likes."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "fuzz_load.py"


def test_mutated_files_load_equal_or_raise():
    run = subprocess.run(
        [sys.executable, str(TOOL), "--mutations", "250", "--seed", "1"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-1000:]
    assert "250 mutants, 0 failures" in run.stdout
