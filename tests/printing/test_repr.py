"""The text of tensors: notation, widths, line breaks, suffixes and options."""

import math

import flambeau as torch
import pytest


@pytest.fixture(autouse=True)
def default_options():
    torch.set_printoptions(profile="default")
    yield
    torch.set_printoptions(profile="default")


@pytest.mark.parametrize(
    "values, text",
    [
        ([1.0, 2.0], "tensor([1., 2.])"),
        ([0.5, -2.25], "tensor([ 0.5000, -2.2500])"),
        ([1.0, 1000.0], "tensor([   1., 1000.])"),
        ([1.0, 1001.0], "tensor([1.0000e+00, 1.0010e+03])"),
        ([2e-4], "tensor([0.0002])"),
        ([9e-5], "tensor([9.0000e-05])"),
        ([100000000.0], "tensor([100000000.])"),
        ([100000008.0], "tensor([1.0000e+08])"),
        ([0.0], "tensor([0.])"),
        ([-0.0, 1.5], "tensor([-0.0000, 1.5000])"),
        ([-0.0], "tensor([-0.])"),
        ([math.nan, 1.0], "tensor([nan, 1.])"),
        ([math.inf, -math.inf, 0.5], "tensor([   inf,   -inf, 0.5000])"),
        (3.25, "tensor(3.2500)"),
        ([1, -10], "tensor([  1, -10])"),
        ([True, False], "tensor([ True, False])"),
        ([1 + 2j, -0.5j], "tensor([1.+2.0000j, -0.-0.5000j])"),
        ([[1.0, 2], [3, 4]], "tensor([[1., 2.],\n        [3., 4.]])"),
        ([[[1], [2]], [[3], [4]]], "tensor([[[1],\n         [2]],\n\n        [[3],\n         [4]]])"),
    ],
)
def test_values(values, text):
    assert repr(torch.tensor(values)) == text
    assert str(torch.tensor(values)) == text


@pytest.mark.parametrize(
    "name, text", [("float16", "1."), ("bfloat16", "1."), ("float64", "1."), ("uint8", "1")]
)
def test_dtype_is_named_unless_the_elements_imply_it(name, text):
    assert repr(torch.ones(1, dtype=getattr(torch, name))) == f"tensor([{text}], dtype=torch.{name})"


def test_long_rows_break_at_the_line_width():
    lines = repr(torch.arange(60.0)).split("\n")
    assert lines[0].startswith("tensor([ 0.,  1.,") and lines[0].endswith("12., 13.,")
    assert lines[1].startswith("        14., ")
    assert len(lines) == 5


def test_large_tensors_are_shortened():
    assert repr(torch.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    rows = repr(torch.zeros(40, 40)).split("\n")
    assert rows[0] == "tensor([[0., 0., 0.,  ..., 0., 0., 0.],"
    assert rows[3] == "        ...,"
    assert len(rows) == 7


def test_shortening_of_a_strided_view_reads_the_right_elements():
    matrix = torch.arange(40000).reshape(200, 200)
    shown = repr(matrix.t()[::2])
    assert shown.split("\n")[1] == "        [    2,   202,   402,  ..., 39402, 39602, 39802],"
    assert shown.split("\n")[-1] == "        [  198,   398,   598,  ..., 39598, 39798, 39998]])"


@pytest.mark.parametrize(
    "shape, text",
    [((0,), "tensor([])"), ((0, 3), "tensor([], size=(0, 3))"), ((2, 0, 1), "tensor([], size=(2, 0, 1))")],
)
def test_empty(shape, text):
    assert repr(torch.empty(shape)) == text


def test_empty_integers_name_their_dtype():
    assert repr(torch.empty(0, dtype=torch.int64)) == "tensor([], dtype=torch.int64)"


def test_meta():
    t = torch.empty(2, 3, device="meta", dtype=torch.int8)
    assert repr(t) == "tensor(..., device='meta', size=(2, 3), dtype=torch.int8)"


def test_history():
    leaf = torch.ones(2, requires_grad=True)
    assert repr(leaf) == "tensor([1., 1.], requires_grad=True)"
    assert repr(leaf * 2) == "tensor([2., 2.], grad_fn=<MulBackward0>)"
    assert repr(leaf.detach()) == "tensor([1., 1.])"


def test_suffixes_that_do_not_fit_start_a_line():
    t = torch.ones(7, dtype=torch.float64, requires_grad=True) * 1.5
    assert repr(t) == (
        "tensor([1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000],\n"
        "       dtype=torch.float64, grad_fn=<MulBackward0>)"
    )


def test_parameter():
    assert (
        repr(torch.nn.Parameter(torch.ones(1))) == "Parameter containing:\ntensor([1.], requires_grad=True)"
    )


def test_subclass_is_named():
    class Measured(torch.Tensor):
        pass

    assert repr(torch.ones(2).as_subclass(Measured)) == "Measured([1., 1.])"


def test_options():
    t = torch.tensor([1.23456, 2.0])
    with torch.printoptions(precision=2):
        assert repr(t) == "tensor([1.23, 2.00])"
    with torch.printoptions(sci_mode=True):
        assert repr(t) == "tensor([1.2346e+00, 2.0000e+00])"
    with torch.printoptions(threshold=3, edgeitems=1):
        assert repr(torch.arange(9)) == "tensor([0,  ..., 8])"
    with torch.printoptions(linewidth=20):
        assert repr(torch.arange(6)) == "tensor([0, 1, 2, 3,\n        4, 5])"
    assert torch.get_printoptions() == {
        "precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None,
    }  # fmt: skip


def test_profiles():
    torch.set_printoptions(profile="short")
    assert torch.get_printoptions()["edgeitems"] == 2
    torch.set_printoptions(profile="full")
    assert torch.get_printoptions()["threshold"] == math.inf
    assert "..." not in repr(torch.zeros(2000))


def test_options_return_after_an_error():
    with pytest.raises(KeyError), torch.printoptions(precision=1):
        raise KeyError
    assert torch.get_printoptions()["precision"] == 4


def test_format():
    assert f"{torch.tensor(3.14159):.2f}" == "3.14"
    assert f"{torch.tensor(7):>4d}" == "   7"
    assert f"{torch.tensor(2.5, requires_grad=True):.1f}" == "2.5"
    assert f"{torch.ones(2)}" == "tensor([1., 1.])"
    with pytest.raises(TypeError, match="unsupported format string"):
        f"{torch.ones(2):.2f}"
