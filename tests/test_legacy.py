"""Programs of 2017: what today's PyTorch still takes with a warning, and what `flambeau.legacy` takes beyond it."""
import warnings

import flambeau as torch
import pytest
from flambeau import legacy


@pytest.fixture
def strict():
    torch.strict()
    yield
    torch.strict(False)


def warned(function):
    """The result of `function` and whether it warned, as in a program that has not warned before."""
    legacy._noted.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    return result, bool(caught)


def square():
    x = torch.autograd.Variable(torch.ones(2), requires_grad=True)
    return x, (x * x).sum()


def next_batch():
    data = torch.utils.data.TensorDataset(torch.arange(4.0), torch.arange(4))
    return iter(torch.utils.data.DataLoader(data, 2)).next()


def test_next_of_a_loader():
    (values, labels), said = warned(next_batch)
    assert said and values.tolist() == [0, 1] and labels.tolist() == [0, 1]


def test_next_of_a_loader_is_refused_when_strict(strict):
    with pytest.raises(AttributeError, match="next"):
        next_batch()


def test_retain_variables():
    x, y = square()
    _, said = warned(lambda: y.backward(retain_variables=True))
    y.backward()
    assert said and x.grad.tolist() == [4, 4]
    with pytest.raises(TypeError, match="unexpected keyword argument 'retain_everything'"):
        square()[1].backward(retain_everything=True)


def test_retain_variables_is_refused_when_strict(strict):
    with pytest.raises(TypeError, match="retain_variables"):
        square()[1].backward(retain_variables=True)


def test_number_of_a_loss():
    (number, said), (again, said_again) = warned(lambda: square()[1].data[0]), (square()[1].data[0], False)
    assert number == again == 2.0 and isinstance(number, float) and said and not said_again


def test_number_of_a_loss_is_refused_when_strict(strict):
    with pytest.raises(IndexError, match="0-dim"):
        square()[1].data[0]


def test_volatile_warns_and_is_false():
    variable, said = warned(lambda: torch.autograd.Variable(torch.ones(2), volatile=True))
    assert said and warned(lambda: variable.volatile) == (False, True)


def test_resize():
    x = torch.arange(6)
    result, said = warned(lambda: x.resize(2, 3))
    assert said and result.tolist() == [[0, 1, 2], [3, 4, 5]] and x.shape == (6,)
    with pytest.raises(RuntimeError, match="2x2 takes 4 elements.* has 6"):
        x.resize(2, 2)


# each op says it once, in whatever test comes first
pytestmark = pytest.mark.filterwarnings("ignore:.*numbers between the tensors")
M, V = torch.full((2, 2), 2.0), torch.tensor([1.0, 3.0])


@pytest.mark.parametrize("former, modern", [
    (lambda: V.add(0.5, V), lambda: V.add(V, alpha=0.5)),
    (lambda: torch.add(V, 2, V), lambda: torch.add(V, V, alpha=2)),
    (lambda: V.clone().add_(-0.5, V), lambda: V.clone().add_(V, alpha=-0.5)),
    (lambda: V.clone().sub_(0.5, V), lambda: V.clone().sub_(V, alpha=0.5)),
    (lambda: V.clone().addcmul_(0.5, V, V), lambda: V.clone().addcmul_(V, V, value=0.5)),
    (lambda: torch.addcdiv(V, -2, V, V), lambda: torch.addcdiv(V, V, V, value=-2)),
    (lambda: torch.addmm(1, M, 3, M, M), lambda: torch.addmm(M, M, M, beta=1, alpha=3)),
    (lambda: torch.addmm(0.5, M, M, M), lambda: torch.addmm(M, M, M, beta=0.5)),
    (lambda: M.clone().addmm_(0.5, 3, M, M), lambda: M.clone().addmm_(M, M, beta=0.5, alpha=3)),
    (lambda: torch.addmv(2, V, 3, M, V), lambda: torch.addmv(V, M, V, beta=2, alpha=3)),
    (lambda: torch.addr(2, M, 3, V, V), lambda: torch.addr(M, V, V, beta=2, alpha=3)),
    (lambda: torch.baddbmm(2, M[None], 3, M[None], M[None]),
     lambda: torch.baddbmm(M[None], M[None], M[None], beta=2, alpha=3)),
])
def test_numbers_between_tensors(former, modern):
    assert torch.equal(former(), modern())


def test_numbers_that_fit_nowhere_are_still_refused():
    for wrong in (lambda: V.add(1, 2, V), lambda: V.mul(2, V), lambda: torch.addmm(1, 2, 3, M, M, M)):
        with pytest.raises(TypeError):
            wrong()
