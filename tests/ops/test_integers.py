"""Integer arithmetic wraps around in the dtype of the result, whatever loop computes it."""

import flambeau as torch
import pytest

NARROW = {
    torch.uint8: (0, 255),
    torch.int8: (-128, 127),
    torch.int16: (-(2**15), 2**15 - 1),
    torch.int32: (-(2**31), 2**31 - 1),
}


def wrapped(v, dtype):
    low, high = NARROW[dtype]
    return (v - low) % (high - low + 1) + low


def values(dtype):
    low, high = NARROW[dtype]
    return [v for v in (low, low + 1, -7, -1, 0, 1, 2, 5, 100, high - 1, high) if low <= v <= high]


def pairs(dtype, long):
    v = values(dtype)
    a, b = zip(*[(x, y) for x in v for y in v])
    return (a * 40, b * 40) if long else (a, b)


BINARY = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "maximum": max, "minimum": min,
    "bitwise_and": lambda a, b: a & b, "bitwise_or": lambda a, b: a | b, "bitwise_xor": lambda a, b: a ^ b,
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "lt": lambda a, b: a < b, "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
}


@pytest.mark.parametrize("layout", ["packed", "strided", "long", "in place"])
@pytest.mark.parametrize("dtype", NARROW, ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype, layout):
    a, b = pairs(dtype, layout == "long")
    wanted = [BINARY[name](x, y) for x, y in zip(a, b)]
    compares = isinstance(wanted[0], bool)
    if not compares:
        wanted = [wrapped(v, dtype) for v in wanted]
    x, y = torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
    if layout == "strided":
        x = torch.stack((x, x), 1)[:, 0]
    if layout == "in place":
        if not hasattr(x, name + "_") or compares:
            pytest.skip("no in-place form of its own dtype")
        found = getattr(x, name + "_")(y)
    else:
        found = getattr(torch, name)(x, y)
    assert found.dtype == (torch.bool if compares else dtype)
    assert found.tolist() == wanted


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_unary_and_shifts(dtype):
    v = values(dtype)
    x = torch.tensor(v, dtype=dtype)
    assert (-x).tolist() == [wrapped(-i, dtype) for i in v]
    assert x.abs().tolist() == [wrapped(abs(i), dtype) for i in v]
    assert x.sign().tolist() == [(i > 0) - (i < 0) for i in v]
    assert (~x).tolist() == [wrapped(~i, dtype) for i in v]
    assert (x << 3).tolist() == [wrapped(i << 3, dtype) for i in v]
    assert (x >> 1).tolist() == [i >> 1 for i in v]


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_numbers_beside_tensors(dtype):
    v = values(dtype)
    x = torch.tensor(v, dtype=dtype)
    assert (x + 1).tolist() == [wrapped(i + 1, dtype) for i in v]
    assert x.clamp(1, 100).tolist() == [min(max(i, 1), 100) for i in v]
    assert torch.where(x > 1, x, 0).tolist() == [i if i > 1 else 0 for i in v]


@pytest.mark.parametrize("shape,dim", [((40, 30), 0), ((40, 30), 1), ((3, 700), 1), ((700, 3), 0), ((5,), 0)])
@pytest.mark.parametrize("dtype", [*NARROW, torch.bool], ids=str)
def test_reductions(dtype, shape, dim):
    torch.manual_seed(0)
    x = torch.randint(0, 2 if dtype == torch.bool else 100, shape).to(dtype)
    wide = x.to(torch.int64)
    for name in ("amax", "amin"):
        assert getattr(x, name)(dim).tolist() == getattr(wide, name)(dim).to(dtype).tolist()
        assert getattr(x, name)(dim).dtype == dtype
    assert x.any(dim).to(torch.bool).tolist() == wide.ne(0).sum(dim).gt(0).tolist()
    assert x.all(dim).to(torch.bool).tolist() == wide.eq(0).sum(dim).eq(0).tolist()
    assert bool(x.any()) == (int(wide.ne(0).sum()) > 0)
    assert x.any(dim).dtype == (torch.uint8 if dtype == torch.uint8 else torch.bool)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int8], ids=str)
def test_division_rounds_as_python_does(dtype):
    info = torch.iinfo(dtype)
    v = [info.min, info.min + 1, -100, -7, -1, 0, 1, 6, 99, info.max - 1, info.max]
    a, b = zip(*[(x, y) for x in v for y in v if y != 0 and not (x == info.min and y == -1)])
    x, y = torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
    assert (x // y).tolist() == [i // j for i, j in zip(a, b)]
    assert (x % y).tolist() == [i % j for i, j in zip(a, b)]
    toward_zero = [abs(i) // abs(j) * (1 if (i < 0) == (j < 0) else -1) for i, j in zip(a, b)]
    assert torch.div(x, y, rounding_mode="trunc").tolist() == toward_zero
    assert torch.fmod(x, y).tolist() == [abs(i) % abs(j) * (-1 if i < 0 else 1) for i, j in zip(a, b)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_remainders_of_floats(dtype):
    import math

    v = [0.0, -0.0, 0.3, -0.3, 1.0, -1.0, 2.5, 7.25, -7.25, 1e9, -1e20, 3e38, 1e-30]
    v = torch.tensor(v, dtype=dtype).tolist()
    a, b = zip(*[(x, y) for x in v for y in v if y != 0])
    x, y = torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
    exact = torch.tensor([math.fmod(i, j) for i, j in zip(a, b)], dtype=dtype).tolist()
    found = torch.fmod(x, y).tolist()
    assert [(r, math.copysign(1, r)) for r in found] == [(r, math.copysign(1, r)) for r in exact]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_division_of_special_floats(dtype):
    def t(*v):
        return torch.tensor(v, dtype=dtype)

    nan, inf = float("nan"), float("inf")
    found = torch.fmod(t(1.0, inf, 1.0, nan), t(inf, 2.0, 0.0, 1.0))
    assert found[0] == 1.0 and found[1:].isnan().all()
    assert torch.remainder(t(-3.0, 3.0, -0.0), 2).tolist() == [1.0, 1.0, -0.0]
    assert torch.floor_divide(t(-7.0, 7.0, 1.0), t(2.0, -2.0, 0.1)).tolist() == [-4.0, -4.0, 9.0]
    assert torch.floor_divide(t(1.0, -1.0), t(0.0, 0.0)).tolist() == [inf, -inf]
