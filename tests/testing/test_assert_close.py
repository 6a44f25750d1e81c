"""assert_close, assert_allclose and make_tensor."""

import math

import flambeau as torch
import pytest
from flambeau.testing import assert_close, make_tensor


def text_of(*args, **kwargs):
    with pytest.raises(AssertionError) as error:
        assert_close(*args, **kwargs)
    return str(error.value)


def test_passes_within_tolerance():
    assert_close(torch.tensor([1.0, 2.0]), torch.tensor([1.0 + 1e-6, 2.0]))
    assert_close({"a": [1, 2.0]}, {"a": [1, 2.0 + 1e-9]})
    assert_close(torch.tensor(math.nan), torch.tensor(math.nan), equal_nan=True)
    assert_close(None, None)
    assert_close(torch.ones(2, dtype=torch.float16), torch.ones(2, dtype=torch.float16) * 1.001)


def test_text_names_the_worst_elements():
    assert text_of(torch.tensor([[1.0, 2], [3, 5]]), torch.tensor([[1.0, 2], [3, 4]])) == (
        "Tensor-likes are not close!\n\n"
        "Mismatched elements: 1 / 4 (25.0%)\n"
        "Largest absolute difference: 1.0 at (1, 1), allowed are 1e-05\n"
        "Largest relative difference: 0.25 at (1, 1), allowed are 1.3e-06"
    )
    assert (
        text_of(1, 2)
        == "Scalars are not equal!\n\nExpected 2 but got 1.\nAbsolute difference: 1\nRelative difference: 0.5"
    )


@pytest.mark.parametrize(
    "actual, expected, words",
    [
        (torch.ones(1), torch.ones(1, dtype=torch.int64), "different dtype: "),
        (torch.ones(1), torch.ones(2), "different shape: "),
        ([1], [1, 2], "different length: 1 != 2"),
        ({"a": 1}, {"b": 1}, "Missing: ['b']"),
        (
            [0, {"k": torch.tensor(1.0)}],
            [0, {"k": torch.tensor(2.0)}],
            "At item [1]['k']",
        ),
        (True, False, "Booleans mismatch"),
        (math.nan, math.nan, "Expected nan but got nan"),
        (1.0, 1, "different types"),
        (torch.tensor([math.inf]), torch.tensor([1.0]), "Largest absolute difference: inf"),
        (torch.tensor([1], dtype=torch.uint8), torch.tensor([255], dtype=torch.uint8), "difference: 254"),
    ],
)
def test_failures(actual, expected, words):
    assert words in text_of(actual, expected)


def test_options():
    a, b = torch.tensor([1.0]), torch.tensor([1.1])
    assert_close(a, b, rtol=0.2, atol=0)
    assert text_of(a, b, msg="mine") == "mine"
    assert text_of(a, b, msg=lambda text: text[:6] + "!") == "Tensor!"
    assert_close(torch.ones(1), torch.ones(1, dtype=torch.float64), check_dtype=False)
    with pytest.raises(ValueError, match="atol is missing"):
        assert_close(a, b, rtol=1.0)
    transposed = torch.ones(2, 3).t()
    assert_close(transposed, torch.ones(3, 2))
    assert "stride()" in text_of(transposed, torch.ones(3, 2), check_stride=True)


def test_kinds_that_do_not_compare():
    for pair in (("a", "a"), (1.0, torch.tensor(1.0)), ({}, [])):
        with pytest.raises(TypeError, match="cannot be compared"):
            assert_close(*pair)


def test_assert_allclose():
    torch.testing.assert_allclose(torch.tensor([1.0]), [1.00001])
    with pytest.raises(AssertionError):
        torch.testing.assert_allclose(torch.tensor([1.0]), [1.1])


@pytest.mark.parametrize(
    "name", ["float32", "float64", "float16", "bfloat16", "int64", "uint8", "bool", "complex64"]
)
def test_make_tensor(name):
    dtype = getattr(torch, name)
    t = make_tensor(3, 4, dtype=dtype, device="cpu")
    assert t.shape == (3, 4) and t.dtype == dtype and t.is_contiguous()
    gaps = make_tensor((3, 4), dtype=dtype, device="cpu", noncontiguous=True)
    assert gaps.shape == (3, 4) and not gaps.is_contiguous()
    full = make_tensor(200, dtype=dtype, device="cpu", exclude_zero=True)
    assert (full != 0).all()


def test_make_tensor_bounds():
    t = make_tensor(500, dtype=torch.int8, device="cpu", low=-3, high=3)
    assert t.min() == -3 and t.max() == 2
    wide = make_tensor(5000, dtype=torch.uint8, device="cpu", low=-5, high=1000)
    assert wide.min() == 0 and wide.max() == 255
    assert torch.isfinite(
        make_tensor(50, dtype=torch.float32, device="cpu", low=-math.inf, high=math.inf)
    ).all()
    with pytest.raises(ValueError):
        make_tensor(1, dtype=torch.float32, device="cpu", low=2, high=1)
    with pytest.raises(ValueError):
        make_tensor(1, dtype=torch.int32, device="cpu", requires_grad=True)
    assert make_tensor(1, dtype=torch.float32, device="cpu", requires_grad=True).requires_grad
