"""grid_sample of planes, which has loops of its own, against volumes of depth one, which go place by place."""

import math

import flambeau as torch
import pytest
from flambeau.nn import functional as F


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_planes_as_volumes(mode, padding, aligned):
    torch.manual_seed(0)
    options = {"mode": mode, "padding_mode": padding, "align_corners": aligned}
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64, requires_grad=True)
    grid = (torch.rand(2, 9, 11, 2, dtype=torch.float64) * 4 - 2).requires_grad_()
    volume_grid = F.pad(grid, (0, 1)).unsqueeze(1)       # the depth coordinate is the last
    y, wanted = F.grid_sample(x, grid, **options), F.grid_sample(x.unsqueeze(2), volume_grid, **options).squeeze(2)
    torch.testing.assert_close(y, wanted)
    g = torch.randn_like(y)
    for a, b in zip(torch.autograd.grad(y, (x, grid), g), torch.autograd.grad(wanted, (x, grid), g), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_coordinates_that_are_no_places(mode, padding):
    x = torch.ones(1, 1, 3, 3)
    grid = torch.tensor([math.nan, math.inf, -math.inf, 1e30, -1e30, 0.0] * 2).reshape(1, 1, 6, 2).requires_grad_()
    y = F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=False)
    y.sum().backward()                                   # nothing outside of the input is read or written
    assert y.shape == (1, 1, 1, 6) and not y.isnan().any()
