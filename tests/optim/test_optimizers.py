"""Optimizers: first steps by hand, descent, groups, state and hooks."""

import copy

import flambeau as torch
import pytest

ALL = ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "RMSprop", "NAdam", "RAdam", "Adamax", "ASGD", "Rprop",
       "Adafactor"]  # fmt: skip


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def quadratic(param):
    return ((param - 1.0) ** 2).sum()


def run(optimizer, param, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        quadratic(param).backward()
        optimizer.step()
    return quadratic(param).item()


@pytest.mark.parametrize("name", ALL)
def test_goes_downhill_and_maximize_uphill(name):
    param = leaf(3.0, -2.0)
    make = getattr(torch.optim, name)
    assert run(make([param]), param, 20) < 13.0
    param = leaf(3.0, -2.0)
    assert run(make([param], maximize=True), param, 20) > 13.0


def test_sgd_momentum_by_hand():
    param = leaf(1.0)
    optimizer = torch.optim.SGD([param], lr=0.1, momentum=0.9, weight_decay=0.5)
    value, velocity = 1.0, None
    for _ in range(4):
        optimizer.zero_grad()
        (param * 2).sum().backward()
        optimizer.step()
        grad = 2 + 0.5 * value
        velocity = grad if velocity is None else 0.9 * velocity + grad
        value -= 0.1 * velocity
        assert param.item() == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name, decay", [("Adam", 0.0), ("AdamW", 0.1)])
def test_adam_by_hand(name, decay):
    param = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([param], lr=0.1, weight_decay=decay)
    value, m, v = 2.0, 0.0, 0.0
    for step in range(1, 6):
        optimizer.zero_grad()
        (param**2).sum().backward()
        optimizer.step()
        grad = 2 * value
        value *= 1 - 0.1 * decay
        m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
        value -= 0.1 * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8)
        assert param.item() == pytest.approx(value, rel=1e-12)
    state = optimizer.state_dict()["state"][0]
    assert list(state) == ["step", "exp_avg", "exp_avg_sq"] and state["step"].item() == 5


@pytest.mark.parametrize("name", ALL)
def test_restored_optimizer_goes_on_alike(name):
    make = getattr(torch.optim, name)
    first = leaf(3.0, -2.0)
    optimizer = make([first])
    run(optimizer, first, 3)
    second = leaf(*first.tolist())
    other = make([second])
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    run(optimizer, first, 3)
    run(other, second, 3)
    assert first.tolist() == second.tolist()


def test_groups_have_their_own_options():
    a, b, frozen = leaf(1.0), leaf(1.0), leaf(1.0)
    optimizer = torch.optim.SGD([{"params": [a, frozen], "lr": 1.0}, {"params": b}], lr=0.5)
    (a + b).sum().backward()
    optimizer.step()
    assert [a.item(), b.item(), frozen.item()] == [0.0, 0.5, 1.0]
    assert repr(optimizer).startswith("SGD (\nParameter Group 0\n    dampening: 0\n")


def test_replaced_parameter_and_state_are_used():
    param = leaf(1.0)
    optimizer = torch.optim.Adam([param])
    run(optimizer, param, 1)
    fresh = leaf(5.0, 6.0)
    optimizer.state.clear()
    optimizer.param_groups[0]["params"][0] = fresh
    run(optimizer, fresh, 1)
    assert optimizer.state[fresh]["exp_avg"].shape == (2,)


def test_lbfgs_solves_a_quadratic():
    param = leaf(30.0, -20.0)
    optimizer = torch.optim.LBFGS([param], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = quadratic(param)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert quadratic(param).item() < 1e-8


def test_step_hooks_and_closure():
    param, log = leaf(1.0), []
    optimizer = torch.optim.SGD([param], lr=0.1)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append("pre"))
    handle = optimizer.register_step_post_hook(lambda o, args, kwargs: log.append("post"))

    def closure():
        optimizer.zero_grad()
        loss = quadratic(param)
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 0.0 and log == ["pre", "post"]
    handle.remove()
    optimizer.step()
    assert log == ["pre", "post", "pre"]


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda p: torch.optim.SGD([], lr=0.1), ValueError),
        (lambda p: torch.optim.SGD(p, lr=0.1), TypeError),
        (lambda p: torch.optim.SGD([p * 2], lr=0.1), ValueError),
        (lambda p: torch.optim.SGD([p], lr=-1), ValueError),
        (lambda p: torch.optim.SGD([p], lr=0.1, nesterov=True), ValueError),
        (lambda p: torch.optim.Adam([p], betas=(1.0, 0.9)), ValueError),
        (lambda p: torch.optim.Adam([{"params": [p]}, {"params": [p]}]), ValueError),
        (lambda p: torch.optim.LBFGS([p]).step(), TypeError),
    ],
)
def test_wrong_arguments_are_refused(make, error):
    with pytest.raises(error):
        make(leaf(1.0))
