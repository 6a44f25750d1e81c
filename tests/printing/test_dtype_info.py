"""finfo and iinfo."""

import flambeau as torch
import pytest


def test_float32():
    info = torch.finfo(torch.float32)
    assert (info.bits, info.dtype, info.eps, info.tiny) == (32, "float32", 2.0**-23, 2.0**-126)
    assert info.max == 3.4028234663852886e38 == -info.min
    assert info.smallest_normal == info.tiny and info.resolution == 1e-6
    assert repr(info) == (
        "finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19209e-07, "
        "smallest_normal=1.17549e-38, tiny=1.17549e-38, dtype=float32)"
    )


def test_default_and_complex():
    assert torch.finfo() == torch.finfo(torch.get_default_dtype())
    assert torch.finfo(torch.complex128) == torch.finfo(torch.float64)
    assert torch.finfo(torch.float16) != torch.finfo(torch.bfloat16)


def test_agrees_with_arithmetic():
    for name in ("float16", "bfloat16", "float32", "float64"):
        dtype = getattr(torch, name)
        info = torch.finfo(dtype)
        one = torch.tensor(1.0, dtype=dtype)
        assert (one + info.eps).item() == 1 + info.eps
        assert (one + info.eps / 4).item() == 1
        assert torch.tensor(info.max, dtype=dtype).item() == info.max
        assert torch.tensor(info.tiny, dtype=dtype).item() == info.tiny


def test_integers():
    info = torch.iinfo(torch.int32)
    assert (info.bits, info.min, info.max) == (32, -(2**31), 2**31 - 1)
    assert repr(info) == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    assert torch.iinfo(torch.uint8).max == 255


def test_errors():
    for make in (
        lambda: torch.finfo(torch.int8),
        lambda: torch.iinfo(torch.float32),
        lambda: torch.iinfo(torch.bool),
        lambda: torch.finfo("float32"),
        lambda: torch.iinfo(),
        lambda: hash(torch.finfo()),
    ):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(AttributeError):
        torch.finfo().eps = 1.0
