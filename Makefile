# The words of the project; continuous integration uses the same ones. `make help` lists them.
VENV ?= .venv
PYTHON ?= $(if $(wildcard $(VENV)/bin/python),$(VENV)/bin/python,python3)
BUILD ?= build/dev
JOBS ?= $(shell nproc)
CMAKE ?= $(if $(wildcard $(dir $(PYTHON))cmake),$(dir $(PYTHON))cmake,cmake)

.PHONY: help dev build test test-all check stubs docs bench clean

help:  ## print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

dev:  ## make a virtual environment with every tool, and build
	test -d $(VENV) || python3 -m venv $(VENV)
	mkdir -p build
	$(VENV)/bin/python tools/requirements.py > build/requirements.txt
	$(VENV)/bin/pip install --quiet -r build/requirements.txt
	echo "$(CURDIR)/python" > $$($(VENV)/bin/python -c "import site; print(site.getsitepackages()[0])")/flambeau-source.pth
	$(MAKE) build PYTHON=$(VENV)/bin/python

build:  ## compile the core into build/dev and link it into python/flambeau
	$(CMAKE) -S . -B $(BUILD) -G Ninja -DPython_EXECUTABLE="$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(OPTIONS)
	$(CMAKE) --build $(BUILD) -j $(JOBS)
	ln -sf $(CURDIR)/$(BUILD)/_C.*.so python/flambeau/

test:  ## run the tests on what is built or installed
	$(PYTHON) -m pytest -q

test-all:  ## tests, the C++ ones, sanitizers, portable build, each CPU level, other Pythons
	PYTHON=$(PYTHON) tools/test_all.sh

check:  ## lint, types, stubs, sizes, layers, vectorized code, doctests
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) tools/check_sizes.py
	$(PYTHON) tools/check_layers.py
	$(PYTHON) tools/stubs.py --check
	$(PYTHON) tools/check_vectorized.py $(BUILD)
	$(PYTHON) tools/doctests.py

stubs:  ## write python/flambeau/_C.pyi from the registry
	$(PYTHON) tools/stubs.py

docs:  ## write docs/reference from the docstrings of the ops
	$(PYTHON) tools/reference.py

bench:  ## time import, small calls and streaming ops
	$(PYTHON) bench/quick.py

clean:  ## delete what building and testing left behind
	rm -rf build dist docs/reference .pytest_cache .ruff_cache .mypy_cache results demo-output
	find python tests tools -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/flambeau/*.so
