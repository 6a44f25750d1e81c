"""vjp, jvp, jacobian, hessian, vhp, hvp against closed forms."""

import flambeau as torch
import pytest
from flambeau.autograd import functional


def square(x):
    return x**2


def cubes(x):
    return (x**3).sum()


X = torch.tensor([1.0, 2.0, 3.0])


def test_products():
    v = torch.tensor([1.0, 0.5, -1.0])
    for product in (functional.vjp, functional.jvp):
        value, result = product(square, X, v)
        assert value.tolist() == [1, 4, 9] and result.tolist() == [2, 2, -6] and not result.requires_grad
    for product in (functional.vhp, functional.hvp):
        value, result = product(cubes, X, v)
        assert value.item() == 36 and result.tolist() == [6, 6, -18]


def test_tuples():
    value, result = functional.vjp(lambda a, b: (a * b, a), (X, X), (X, X))
    assert [t.tolist() for t in result] == [[2, 6, 12], [1, 4, 9]]
    blocks = functional.jacobian(lambda a, b: (a.sum(), b), (X, X))
    assert blocks[0][0].tolist() == [1, 1, 1] and blocks[0][1].tolist() == [0, 0, 0]
    assert blocks[1][1].tolist() == torch.eye(3).tolist()


@pytest.mark.parametrize(
    "options",
    [{}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}, {"create_graph": True}],
)
def test_jacobian(options):
    result = functional.jacobian(square, X, **options)
    assert torch.equal(result, torch.diag(2 * X))
    assert result.requires_grad is ("create_graph" in options)


@pytest.mark.parametrize(
    "options", [{}, {"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}]
)
def test_hessian(options):
    assert torch.allclose(functional.hessian(cubes, X, **options), torch.diag(6 * X))


def test_strict():
    constant = lambda x: torch.ones(2)  # noqa: E731
    assert functional.vjp(constant, X, torch.ones(2))[1].tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="output 0"):
        functional.vjp(constant, X, torch.ones(2), strict=True)
    with pytest.raises(RuntimeError, match="does not depend on input 1"):
        functional.jacobian(lambda a, b: a, (X, X), strict=True)
    with pytest.raises(RuntimeError, match="does not depend on"):
        functional.hvp(lambda x: x.sum(), X, X, strict=True)


def test_errors():
    with pytest.raises(RuntimeError, match="v can be left away"):
        functional.vjp(square, X)
    with pytest.raises(RuntimeError, match="must have shape"):
        functional.vjp(square, X, torch.ones(2))
    with pytest.raises(TypeError):
        functional.jvp(square, 3)
    with pytest.raises(RuntimeError, match="one element"):
        functional.hessian(square, X)
    with pytest.raises(NotImplementedError):
        functional.jacobian(square, X, strategy="forward-mode")
    with pytest.raises(AssertionError):
        functional.jacobian(square, X, strategy="sideways")


def test_create_graph_links_to_the_caller():
    x = X.clone().requires_grad_()
    _, result = functional.vjp(square, x, torch.ones(3), create_graph=True)
    result.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]
