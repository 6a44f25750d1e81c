"""Writes to tensors that a graph knows: rebased histories, views, version checks."""

import flambeau as torch
import pytest


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_write_to_a_result_is_recorded():
    x = leaf(1.0, 2.0)
    y = x * 3
    y.mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_write_to_a_view_reaches_the_base():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1
    y[1:3].mul_(10)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 10.0, 10.0, 1.0]


def test_write_to_the_base_reaches_an_older_view():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1
    view = y[1:3]
    y.mul_(5)
    view.sum().backward()
    assert x.grad.tolist() == [0.0, 5.0, 5.0, 0.0]


def test_write_to_one_view_reaches_another():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = (x * 1).reshape(2, 2)
    column, row = y[:, 0], y[0]
    row.mul_(7)
    column.sum().backward()
    assert x.grad.tolist() == [7.0, 0.0, 1.0, 0.0]


def test_chain_of_views():
    x = leaf(*range(8))
    y = x * 1
    y.view(2, 4).transpose(0, 1)[1:3][:, 1].mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 1.0]


def test_assignment_cuts_the_old_values_off():
    x, v = leaf(1.0, 2.0, 3.0), leaf(9.0)
    y = x * 2
    y[1] = v[0] * 4
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 2.0]
    assert v.grad.tolist() == [4.0]


def test_gradients_through_writes_match_differences():
    def function(a, b):
        y = a * b
        y[0] = y[1] * 2
        y[1:].mul_(b[1:])
        return y.exp()

    assert torch.autograd.gradcheck(function, (leaf(0.1, 0.2, 0.3), leaf(0.4, 0.5, 0.6)))


def test_leaf_that_requires_grad_is_not_written():
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="leaf"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="leaf"):
        x[0] = 3
    with torch.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0]


@pytest.mark.parametrize("write", [lambda y: y.add_(1), lambda y: y[0].mul_(2), lambda y: y.zero_()])
def test_saved_output_that_was_written_is_noticed(write):
    x = leaf(1.0, 2.0)
    y = x.exp()
    write(y)
    with pytest.raises(RuntimeError, match="inplace operation"):
        y.sum().backward()


def test_saved_input_that_was_written_is_noticed():
    x, w = leaf(1.0, 2.0), torch.ones(2, dtype=torch.float64)
    y = x * w
    w.mul_(3)
    with pytest.raises(RuntimeError, match="version"):
        y.sum().backward()


def test_what_is_not_saved_may_be_written():
    x = leaf(1.0, 2.0)
    y = x + 1
    y.exp_()
    y.sum().backward()
    assert torch.allclose(x.grad, (x + 1).exp())


def test_versions_are_shared_by_views_and_detached_tensors():
    x = torch.zeros(4)
    view, detached, data = x[:2], x.detach(), x.data
    view.add_(1)
    assert x._version == view._version == detached._version == 1
    data.add_(1)
    assert x._version == 1 and x.tolist() == [2.0, 2.0, 1.0, 1.0]


def test_write_over_part_of_an_input():
    for overlapping in (lambda x: x[1:].add_(x[:-1]), lambda x: x.view(3, 3).mul_(x.view(3, 3).T),
                        lambda x: x.add_(x[0]), lambda x: x[1:].copy_(x[:-1])):
        x = torch.arange(9.0)
        with pytest.raises(RuntimeError, match="single memory location"):
            overlapping(x)
        assert torch.equal(x, torch.arange(9.0))
    x = torch.arange(8.0)
    x[::2] += x[1::2]
    assert x.tolist() == [1, 1, 5, 3, 9, 5, 13, 7] and x._version == 2
    square = torch.arange(9.0).view(3, 3)
    square[0] += square[:, 0]                          # the column is read before the row is written
    assert square.tolist() == [[0, 4, 8], [3, 4, 5], [6, 7, 8]]


def test_write_through_overlapping_memory_is_refused():
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.zeros(1).expand(3).add_(1)
