"""Checkpoints: the gradients of running without them, the random numbers of the first run, clear errors."""

import warnings

import flambeau as torch
import pytest
from flambeau import nn
from flambeau.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_early_stop,
)


def function(x, w):
    return (x.sin() * w).exp().softmax(-1)


def gradients(call):
    torch.manual_seed(0)
    x, w = torch.rand(3, requires_grad=True), torch.rand(3, requires_grad=True)
    (call(x, w) * torch.arange(3.0)).sum().backward()
    return x.grad, w.grad


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_same_gradients(use_reentrant):
    plain = gradients(function)
    checked = gradients(lambda x, w: checkpoint(function, x, w, use_reentrant=use_reentrant))
    assert all(torch.equal(a, b) for a, b in zip(plain, checked))


@pytest.mark.parametrize("use_reentrant", [True, False])
@pytest.mark.parametrize("preserve", [True, False])
def test_random_numbers(use_reentrant, preserve):
    torch.manual_seed(0)
    x = torch.ones(200, requires_grad=True)
    y = checkpoint(nn.Dropout(0.5), x, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    after = torch.get_rng_state()
    torch.manual_seed(5)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach()) == preserve
    torch.manual_seed(0)
    nn.Dropout(0.5)(torch.ones(200))
    assert torch.equal(after, torch.get_rng_state())


def test_intermediate_values_are_not_kept():
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        checkpoint(function, torch.ones(3, requires_grad=True), torch.ones(3), use_reentrant=False)
    assert [t.shape for t in saved] == [(3,), (3,)]  # the two arguments


def test_the_function_runs_once_more_and_not_for_each_tensor():
    calls = []

    def counted(x):
        calls.append(1)
        return x.sin().exp().cos()

    x = torch.ones(3, requires_grad=True)
    checkpoint(counted, x, use_reentrant=False).sum().backward()
    assert len(calls) == 2


def test_early_stop():
    ends = []

    def told(x):
        y = x.exp()
        y * 2  # saves nothing
        ends.append("here")
        return y

    for stop, runs in ((True, 1), (False, 2)):
        ends.clear()
        x = torch.ones(3, requires_grad=True)
        with set_checkpoint_early_stop(stop):
            y = checkpoint(told, x, use_reentrant=False)
        y.sum().backward()
        assert len(ends) == runs


def test_keyword_arguments_nesting_and_higher_derivatives():
    def inner(x, power):
        return checkpoint(lambda t: (t ** power).sin(), x, use_reentrant=False)

    x = torch.tensor([0.5, 0.7], requires_grad=True, dtype=torch.float64)

    def second(call):
        g, = torch.autograd.grad(call(x).sum(), x, create_graph=True)
        return torch.autograd.grad((g * g).sum(), x)[0]

    plain = second(lambda t: (t ** 3).sin().exp())
    checked = second(lambda t: checkpoint(lambda u, power: inner(u, power).exp(), t, power=3, use_reentrant=False))
    assert torch.allclose(plain, checked)


def test_retained_graph():
    x = torch.ones(3, requires_grad=True)
    y = checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False).sum()
    y.backward(retain_graph=True)
    first = x.grad.clone()
    y.backward()
    assert torch.allclose(x.grad, 2 * first)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_runs_that_differ():
    def unsteady(*forms):
        runs = iter(forms)
        return lambda x: next(runs)(x)

    x = torch.ones(3, requires_grad=True)
    fewer = checkpoint(unsteady(lambda t: t.sin().exp(), lambda t: t.sin()), x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="1 and not 2"):
        fewer.sum().backward()
    other = checkpoint(unsteady(lambda t: t.sin(), lambda t: t[:2].sin()), x, use_reentrant=False, debug=True)
    with pytest.raises(CheckpointError, match=r"(?s)tensor 0.*\[3\].*\[2\].*test_checkpoint"):
        other.sum().backward()


def test_changed_argument():
    x = torch.ones(3, requires_grad=True) * 1
    y = checkpoint(lambda t: t.sin(), x, use_reentrant=False)
    x.add_(1)
    with pytest.raises(RuntimeError, match=r"argument 0.*version 1.*version 0"):
        y.sum().backward()


def test_errors_of_arguments():
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="k"):
        checkpoint(lambda t, k: t, x, k=1, use_reentrant=True)
    with pytest.raises(ValueError, match="use_reentrant=False"):
        checkpoint(torch.sin, x, debug=True, use_reentrant=True)
    with pytest.raises(ValueError, match="other"):
        checkpoint(torch.sin, x, determinism_check="other", use_reentrant=False)
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(torch.sin, x)
    with pytest.warns(UserWarning, match="requires grad"):
        checkpoint(torch.sin, torch.ones(3), use_reentrant=True)
    with pytest.raises(RuntimeError, match="use_reentrant=False"):
        torch.autograd.grad(checkpoint(torch.sin, x, use_reentrant=True).sum(), x)


def test_sequential():
    torch.manual_seed(0)
    layers = nn.Sequential(*[nn.Linear(3, 3) for _ in range(5)])
    grads = []
    for call in (layers, lambda x: checkpoint_sequential(layers, 2, x, use_reentrant=False)):
        layers.zero_grad()
        call(torch.ones(2, 3)).sum().backward()
        grads.append([p.grad.clone() for p in layers.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*grads))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with torch.no_grad():
            assert torch.equal(checkpoint_sequential(layers, 2, torch.ones(3), use_reentrant=False),
                               layers(torch.ones(3)))
