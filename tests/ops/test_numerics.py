"""Values of elementwise ops: against mpmath, at every CPU level, and through their printed functors."""

import ctypes
import json
import math
import os
import random
import subprocess
import sys

import flambeau as fb
import pytest
import references
from flambeau import _C
from schemas import parse

ROWS = {row["name"]: row for row in _C._op_table()
        if row["kind"] == "elementwise" and not parse(row["schema"]).overload}
PRINTABLE = sorted(name for name, row in ROWS.items() if row["printable"])
EPSILON = {fb.float32: 2.0**-23, fb.float64: 2.0**-52}


def inputs_of(name, dtype, count=64):
    """One list of values of `dtype` per tensor parameter that has no default."""
    low, high = references.DOMAINS.get(name, (-3.0, 3.0))
    rng = random.Random(name)
    needed = sum(p.type.startswith("Tensor") and p.required for p in parse(ROWS[name]["schema"]).parameters)
    drawn = [[rng.uniform(low, high) for _ in range(count)] for _ in range(needed)]
    return [fb.tensor(values, dtype=dtype).tolist() for values in drawn]


def evaluate(name, dtype, lists):
    return getattr(_C, name)(*[fb.tensor(values, dtype=dtype) for values in lists]).tolist()


def ulps(found, wanted, dtype, least=0.0):
    """Distance in units of the last place of `wanted`, or of `least` where that is larger."""
    if found == wanted or (found != found and wanted != wanted):
        return 0.0
    if not (math.isfinite(found) and math.isfinite(wanted)):
        return math.inf
    magnitude = max(abs(wanted), least)
    scale = math.ldexp(1.0, math.frexp(magnitude)[1] - 1) if magnitude else EPSILON[dtype]
    return abs(found - wanted) / (scale * EPSILON[dtype])


def least_of(name):
    """Derivatives and other internal formulas are sums that cancel: they are held to the last place of one."""
    return 1.0 if name.startswith("_") else 0.0


def test_has_rows():
    assert "exp" in PRINTABLE and "add" in ROWS


@pytest.mark.parametrize("dtype", EPSILON, ids=str)
@pytest.mark.parametrize("name", sorted(ROWS))
def test_mpmath(name, dtype):
    pytest.importorskip("mpmath")
    function = references.from_mpmath().get(name)
    if function is None:
        pytest.skip("no reference")
    lists = inputs_of(name, dtype)
    for found, *arguments in zip(evaluate(name, dtype, lists), *lists, strict=True):
        wanted = float(function(*map(as_mpmath, arguments)).real)
        assert ulps(found, wanted, dtype) <= references.ULPS.get(name, 4), (arguments, found, wanted)


def as_mpmath(value):
    import mpmath
    return mpmath.mpf(value)


@pytest.mark.parametrize("name", sorted(references.EXACT))
def test_exact(name):
    if name not in ROWS:
        pytest.skip("not registered")
    lists = inputs_of(name, fb.float64)
    special = [[-0.0, math.inf, -math.inf, 2.5, -2.5, 3.5][:len(lists[0])]] * len(lists)
    if name in ("ceil", "floor", "trunc", "round", "remainder", "fmod"):
        special = lists
    for given in (lists, special):
        for found, *arguments in zip(evaluate(name, fb.float64, given), *given, strict=True):
            wanted = references.EXACT[name](*arguments)
            assert found == wanted or (name == "remainder" and math.isclose(found, wanted)), (arguments, found, wanted)


LEVEL_PROGRAM = """
import json, sys
import flambeau as fb
from flambeau import _C
assert _C._cpu_level() == int(sys.argv[1])
names = json.load(sys.stdin)
made = {}
for name, dtype, lists in names:
    tensors = [fb.tensor(values, dtype=getattr(fb, dtype)) for values in lists]
    made[f"{name} {dtype}"] = getattr(_C, name)(*tensors).tolist()
print(json.dumps(made))
"""


@pytest.mark.skipif(_C._cpu_level() == 2, reason="this processor, or the environment, has one level only")
@pytest.mark.parametrize("level", range(2, _C._cpu_level()))
def test_levels_agree(level):
    calls = []
    for name in PRINTABLE:
        for dtype in EPSILON:
            lists = inputs_of(name, dtype)
            if len(lists) == parse(ROWS[name]["schema"]).tensor_count():
                calls.append((name, str(dtype).removeprefix("torch."), lists))
    done = subprocess.run([sys.executable, "-c", LEVEL_PROGRAM, str(level)], input=json.dumps(calls), text=True,
                          capture_output=True, env={**os.environ, "FLAMBEAU_LEVEL": str(level)}, timeout=60)
    assert done.returncode == 0, done.stderr
    for key, values in json.loads(done.stdout).items():
        name, word = key.split()
        dtype = getattr(fb, word)
        here = evaluate(name, dtype, inputs_of(name, dtype))
        off = max(ulps(a, b, dtype, least_of(name)) for a, b in zip(values, here, strict=True))
        # levels differ by fused multiply-adds, whose effect a zero of the function magnifies
        assert off <= max(2, references.ULPS.get(name, 0)), f"{key}: {off} ulp between level {level} and this one"


@pytest.fixture(scope="module")
def engine():
    llvm = pytest.importorskip("llvmlite.binding")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2)
    return llvm, llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


@pytest.mark.parametrize("dtype", EPSILON, ids=str)
@pytest.mark.parametrize("name", PRINTABLE)
def test_printed_functor(engine, name, dtype):
    llvm, compiler = engine
    text = _C.functor_ir(name, dtype)
    module = llvm.parse_assembly(text)
    module.verify()
    compiler.add_module(module)
    compiler.finalize_object()
    suffix = "f32" if dtype == fb.float32 else "f64"
    number = ctypes.c_float if dtype == fb.float32 else ctypes.c_double
    lists = inputs_of(name, dtype, 24)
    tensors = parse(ROWS[name]["schema"]).tensor_count()
    lists += [lists[0]] * (tensors - len(lists))
    address = compiler.get_function_address(f"fb_{name}_{suffix}")
    assert address, f"defines fb_{name}_{suffix}"
    function = ctypes.CFUNCTYPE(number, *[number] * tensors)(address)
    for found, *arguments in zip(evaluate(name, dtype, lists), *lists, strict=True):
        printed = function(*arguments)
        off = ulps(printed, found, dtype, least_of(name))
        assert off <= max(2, references.ULPS.get(name, 0)), (arguments, printed, found)
