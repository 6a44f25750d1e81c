"""gradcheck accepts right gradients and finds wrong ones."""

import flambeau as torch
import pytest
from flambeau.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck


@pytest.fixture
def x():
    return torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)


@pytest.fixture
def z():
    return torch.tensor([1.0 + 2j, -0.5 + 0.3j], dtype=torch.complex128, requires_grad=True)


class WrongSquare(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        return 3 * grad * ctx.saved_tensors[0]


@pytest.mark.parametrize("fast_mode", [False, True])
def test_right(x, z, fast_mode):
    for func, inputs in (
        (torch.exp, (x,)),
        (lambda a: (a.sum(), a * a), (x,)),
        (lambda a: a * a, (z,)),
        (lambda a: a.abs(), (z,)),
        (lambda a: a.conj() * a, (z,)),
        (lambda a: a.detach() * 0, (x,)),
    ):
        assert gradcheck(func, inputs, fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_wrong(x, z, fast_mode):
    for value in (x, z):
        with pytest.raises(GradcheckError, match="Jacobian mismatch of output 0 and input 0"):
            gradcheck(WrongSquare.apply, (value,), fast_mode=fast_mode)
        assert gradcheck(WrongSquare.apply, (value,), fast_mode=fast_mode, raise_exception=False) is False


def test_hidden_dependence(x):
    with pytest.raises(GradcheckError, match="changes with an input"):
        gradcheck(lambda a: a.detach() * 2, (x,))


def test_bad_arguments(x):
    with pytest.raises(ValueError):
        gradcheck(torch.exp, (x.detach(),))
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(torch.exp, (x.expand(2, 3),))
    with pytest.raises(RuntimeError, match="atol"):
        gradcheck(torch.exp, (x,), atol=-1)
    with pytest.raises(AssertionError):
        gradcheck(torch.exp, (x,), check_backward_ad=False)
    with pytest.warns(UserWarning, match="double precision"):
        gradcheck(lambda a: a * 2, (torch.ones(1, requires_grad=True),), atol=1e-1)


def test_inputs_are_left_as_they_were(x):
    before = x.tolist()
    gradcheck(torch.exp, (x,))
    assert x.tolist() == before


def test_second_order(x):
    assert gradgradcheck(lambda a: a**3, (x,))
    assert gradgradcheck(lambda a: a**3, (x,), fast_mode=True, gen_non_contig_grad_outputs=True)


def test_forward_and_batched(x):
    assert gradcheck(
        torch.sin, (x,), check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True
    )
