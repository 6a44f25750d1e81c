"""Gradients of cdist against those of its formula."""

import math

import flambeau as torch
import pytest


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("first, second", [((4, 3), (5, 3)), ((2, 1, 4, 20), (3, 5, 20))])
def test_gradients(p, first, second):
    torch.manual_seed(0)
    x, y = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in (first, second))
    d = torch.cdist(x, y, p=p)
    wanted = torch.linalg.vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, -1)
    g = torch.randn_like(d)
    for a, b in zip(torch.autograd.grad(d, (x, y), g), torch.autograd.grad(wanted, (x, y), g), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 3.0, math.inf])
def test_rows_that_coincide_have_no_slope(p):
    x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    torch.cdist(x, torch.ones(4, 3, dtype=torch.float64), p=p).sum().backward()
    assert x.grad.eq(0).all()


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_second_derivatives(p):
    x, y = (torch.randn(n, 3, dtype=torch.float64, requires_grad=True) for n in (2, 3))
    assert torch.autograd.gradgradcheck(lambda x, y: torch.cdist(x, y, p=p), (x, y))
