"""The LLVM IR that functors print computes what the eager ops compute."""

import ctypes
import re

import flambeau as torch
import pytest
from flambeau import _C

llvm = pytest.importorskip("llvmlite.binding")

printable = sorted(op["name"] for op in _C._op_table() if op["printable"])
TYPES = {torch.float32: (ctypes.c_float, 2**-19), torch.float64: (ctypes.c_double, 2**-48)}
POINTS = [-30.0, -2.5, -1.0, -0.75, -0.1, -0.0, 0.0, 1e-3, 0.25, 0.5, 0.9, 1.0, 1.5, 3.0, 20.0, 90.0,
          float("inf"), float("-inf"), float("nan")]


@pytest.fixture(scope="module")
def engine():
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(opt=0)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def compiled(engine, name, dtype, arity):
    module = llvm.parse_assembly(_C.functor_ir(name, dtype))
    module.verify()
    engine.add_module(module)
    engine.finalize_object()
    number, _ = TYPES[dtype]
    address = engine.get_function_address(f"fb_{name}_{'f32' if dtype == torch.float32 else 'f64'}")
    return ctypes.CFUNCTYPE(number, *[number] * arity)(address)


def close(a, b, tolerance):
    return a == b or (a != a and b != b) or abs(a - b) <= tolerance * abs(b)


def argument_rows(arity):
    rotated = [POINTS[k:] + POINTS[:k] for k in (0, 5, 11)]
    return list(zip(*rotated[:arity]))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", printable)
def test_ir_agrees_with_eager(engine, name, dtype):
    op = next(op for op in _C._op_table() if op["name"] == name and op["printable"])
    arity = len(re.findall(r"Tensor\?? ", op["schema"]))
    function = compiled(engine, name, dtype, arity)
    rows = argument_rows(arity)
    eager = getattr(_C, name)(*[torch.tensor(column, dtype=dtype) for column in zip(*rows)])
    for row, expected in zip(rows, eager.tolist()):
        printed = function(*row)
        assert close(printed, expected, TYPES[dtype][1]), f"{name}{row}: {printed}, eager {expected}"
