"""Losses over alignments and margins, bags, grids, filters and fractional pools against direct computations."""

import itertools
import math

import flambeau as torch
import pytest
from flambeau.nn import functional as F


def test_ctc_loss_sums_over_all_alignments():
    torch.manual_seed(0)
    log_probs = torch.randn(4, 1, 3, dtype=torch.float64).log_softmax(-1)
    target = [1, 2]
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        collapsed = [label for label, _ in itertools.groupby(path) if label != 0]
        if collapsed == target:
            total += math.exp(sum(log_probs[t, 0, label].item() for t, label in enumerate(path)))
    loss = F.ctc_loss(log_probs, torch.tensor([target]), (4,), (2,), reduction="sum")
    assert loss.item() == pytest.approx(-math.log(total), rel=1e-12)


def test_ctc_loss_of_an_impossible_target():
    log_probs = torch.zeros(1, 1, 3).log_softmax(-1).requires_grad_()
    arguments = (torch.tensor([[1, 2]]), (1,), (2,))
    assert F.ctc_loss(log_probs, *arguments).item() == math.inf
    F.ctc_loss(log_probs, *arguments, zero_infinity=True).backward()
    assert not log_probs.grad.any()
    with pytest.raises(RuntimeError, match="not one of 3 classes"):
        F.ctc_loss(log_probs, torch.tensor([[3]]), (1,), (1,))


def test_margin_losses():
    scores, target = torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([[3, 0, -1, 1]])
    expected = sum(max(0, 1 - (scores[0, j] - scores[0, i]).item()) for j in (3, 0) for i in (1, 2)) / 4
    assert F.multilabel_margin_loss(scores, target).item() == pytest.approx(expected)
    expected = sum(max(0, 1 - 0.8 + s) ** 2 for s in (0.1, 0.2, 0.4)) / 4
    assert F.multi_margin_loss(scores, torch.tensor([3]), p=2).item() == pytest.approx(expected)
    with pytest.raises(RuntimeError, match="out of range"):
        F.multi_margin_loss(scores, torch.tensor([4]))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag_is_a_reduction_of_embedding(mode):
    torch.manual_seed(0)
    weight = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([[0, 2, 5], [1, 1, 4]])
    rows = F.embedding(index, weight)
    expected = rows.amax(1) if mode == "max" else getattr(rows, mode)(1)
    bags = F.embedding_bag(index, weight, mode=mode)
    assert torch.equal(bags, expected) or torch.allclose(bags, expected)
    factor = torch.randn(2, 3, dtype=torch.float64)
    given, wanted = (torch.autograd.grad((y * factor).sum(), weight)[0] for y in (bags, expected))
    if mode != "max":
        assert torch.allclose(given, wanted)
    assert torch.allclose(given.sum(), wanted.sum())


def test_grid_sample_of_the_identity_is_the_input():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]] * 2, dtype=torch.float64)
    for aligned in (True, False):
        grid = F.affine_grid(theta, x.shape, aligned)
        for mode in ("bilinear", "nearest", "bicubic"):
            assert torch.allclose(F.grid_sample(x, grid, mode, "border", aligned), x)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_grid_sample_gradients(mode, padding):
    torch.manual_seed(1)
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    grid = (torch.rand(1, 2, 3, 2, dtype=torch.float64) * 3 - 1.5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, g: F.grid_sample(x, g, mode, padding, False), (x, grid))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_filters_keep_constants_and_have_adjoints(mode, antialias):
    x = torch.full((1, 1, 9, 7), 2.5, dtype=torch.float64)
    small = F.interpolate(x, (4, 5), mode=mode, antialias=antialias)
    assert torch.allclose(small, torch.full((1, 1, 4, 5), 2.5, dtype=torch.float64))
    x = torch.randn(1, 1, 9, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: F.interpolate(x, (4, 9), mode=mode, antialias=antialias), (x,))


def test_fractional_pool_takes_maxima_of_its_windows():
    x = torch.arange(49.0).reshape(1, 1, 7, 7)
    y, places = F.fractional_max_pool2d(x, 2, output_size=(3, 4), return_indices=True)
    assert y.shape == (1, 1, 3, 4) and torch.equal(y, x.flatten()[places])
    assert y[0, 0, -1, -1].item() == 48
    with pytest.raises(RuntimeError, match="too large"):
        F.fractional_max_pool2d(x, 5, output_size=4)


def test_packing_and_padding_are_inverse():
    x = torch.arange(12.0).reshape(3, 2, 2).requires_grad_()
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, [3, 1])
    assert packed.batch_sizes.tolist() == [2, 1, 1]
    padded, lengths = torch.nn.utils.rnn.pad_packed_sequence(packed)
    assert lengths.tolist() == [3, 1] and torch.equal(padded[:, 0], x[:, 0])
    assert not padded[1:, 1].any()
    padded.sum().backward()
    assert x.grad[:, 1].tolist() == [[1, 1], [0, 0], [0, 0]]
