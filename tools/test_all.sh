#!/usr/bin/env bash
# Everything that a full test run covers beside the environment at hand: C++ tests, the sanitizers, the portable
# build, each CPU level, and other Pythons of the machine. PYTHON names the interpreter; it must hold the tools.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=$("${PYTHON:-python3}" -c 'import sys; print(sys.executable)')
PATH="$(dirname "$PYTHON"):$PATH"
JOBS=${JOBS:-$(nproc)}
scratch=$(mktemp -d -p build 2>/dev/null || { mkdir -p build && mktemp -d -p build; })
scratch=$(realpath "$scratch")
trap 'rm -rf "$scratch"' EXIT

say() { printf '\n== %s\n' "$*"; }

# A build of its own with a copy of the Python package beside it: built NAME OPTIONS… prints the package's folder.
built() {
  local name=$1
  shift
  cmake -S . -B "build/$name" -G Ninja -DPython_EXECUTABLE="$PYTHON" "$@" > "$scratch/$name.log"
  cmake --build "build/$name" -j "$JOBS" >> "$scratch/$name.log" || { tail -n 40 "$scratch/$name.log" >&2; return 1; }
  mkdir -p "$scratch/$name"
  cp -r python/flambeau "$scratch/$name/"
  rm -f "$scratch/$name"/flambeau/*.so
  cp "build/$name"/_C.*.so "$scratch/$name/flambeau/"
  echo "$scratch/$name"
}

say "C++ tests"
package=$(built cpp -DFLAMBEAU_TESTS=ON)
ctest --test-dir build/cpp --output-on-failure

say "tests"
PYTHONPATH=$package "$PYTHON" -m pytest -q

for level in 2 3; do
  say "CPU level $level"
  FLAMBEAU_LEVEL=$level PYTHONPATH=$package "$PYTHON" -m pytest -q tests/test_tiny.py tests/ops tests/autograd tests/nn
done

say "portable kernels"
package=$(built portable -DFLAMBEAU_ONEDNN=OFF -DFLAMBEAU_OPENBLAS=OFF)
PYTHONPATH=$package "$PYTHON" -m pytest -q

# LeakSanitizer is off: Python itself keeps memory until it exits. OpenMP's pool is what fork tests are about.
say "address and undefined-behaviour sanitizers"
package=$(built sanitized -DFLAMBEAU_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1")  # optimizing the checks would take most of the time
LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 PYTHONPATH=$package "$PYTHON" -m pytest -q -x \
  --ignore tests/test_import.py --ignore tests/test_fork.py --ignore tests/test_demo.py --ignore tests/data

here=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for other in 3.11 3.12 3.13 3.14; do
  [ "$other" = "$here" ] && continue
  found=""
  for candidate in "python$other" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$other".*/bin/python; do
    "$candidate" -c 'import venv' 2> /dev/null && found=$candidate && break
  done
  [ -n "$found" ] || continue
  say "Python $other"
  "$found" -m venv "$scratch/venv-$other"
  "$scratch/venv-$other/bin/pip" install --quiet ".[test,vision]"
  "$scratch/venv-$other/bin/python" -m pytest -q
done
say "all passed"
