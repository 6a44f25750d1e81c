"""What `import flambeau` costs."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys, time
def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024
start = time.process_time()
import flambeau
print(json.dumps({"ms": 1000 * (time.process_time() - start), "mb": resident(), "modules": sorted(sys.modules)}))
"""


def measure():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_import_is_light():
    measure()  # the first one compiles Python files and reads the libraries from disk
    runs = [measure() for _ in range(3)]
    # the aim is 60 ms; the rest is for a busy machine
    assert min(run["ms"] for run in runs) <= 120
    assert min(run["mb"] for run in runs) <= 60
    for module in ("numpy", "matplotlib", "PIL", "llvmlite"):
        assert module not in runs[0]["modules"]
