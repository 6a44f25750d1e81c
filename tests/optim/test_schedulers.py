"""Schedulers: learning rates against closed formulas."""

import math

import flambeau as torch
import pytest
from flambeau.optim import lr_scheduler


def rates(make, steps=12, lr=1.0, momentum=0.0):
    param = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.SGD([param], lr=lr, momentum=momentum)
    scheduler = make(optimizer)
    seen = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        seen.append(optimizer.param_groups[0]["lr"])
    return seen


@pytest.mark.parametrize(
    "make, formula",
    [
        (lambda o: lr_scheduler.LambdaLR(o, lambda e: 1 / (1 + e)), lambda e: 1 / (1 + e)),
        (lambda o: lr_scheduler.StepLR(o, 4, 0.5), lambda e: 0.5 ** (e // 4)),
        (lambda o: lr_scheduler.MultiStepLR(o, [2, 5, 5], 0.1), lambda e: 0.1 ** ((e >= 2) + 2 * (e >= 5))),
        (lambda o: lr_scheduler.ConstantLR(o, 0.25, 3), lambda e: 0.25 if e < 3 else 1.0),
        (lambda o: lr_scheduler.LinearLR(o, 0.5, 1.0, 4), lambda e: 0.5 + 0.5 * min(e, 4) / 4),
        (lambda o: lr_scheduler.ExponentialLR(o, 0.9), lambda e: 0.9**e),
        (lambda o: lr_scheduler.PolynomialLR(o, 20, 2.0), lambda e: (1 - e / 20) ** 2),
        (
            lambda o: lr_scheduler.CosineAnnealingLR(o, 5, 0.1),
            lambda e: 0.55 + 0.45 * math.cos(e * math.pi / 5),
        ),
    ],
)
def test_closed_formulas(make, formula):
    assert rates(make) == pytest.approx([formula(e) for e in range(13)], rel=1e-9)


def test_warm_restarts():
    seen = rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2), 6)
    assert seen == pytest.approx([1, 0.5, 1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125), 1])


def test_sequential_hands_over_at_milestones():
    seen = rates(
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.ConstantLR(o, 0.1, 100), lr_scheduler.ExponentialLR(o, 0.5)], milestones=[2]
        ),
        4,
    )
    assert seen == pytest.approx([0.1, 0.1, 1.0, 0.5, 0.25])


def test_one_cycle_runs_momentum_against_the_rate():
    param = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.SGD([param], lr=0.1, momentum=0.9)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=11, pct_start=0.5)
    pairs = []
    for _ in range(10):
        optimizer.step()
        scheduler.step()
        pairs.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]))
    assert max(pairs)[1] == min(m for _, m in pairs) and pairs[-1][0] == pytest.approx(4e-6)
    with pytest.raises(ValueError, match="total_steps=11"):
        scheduler.step()
        scheduler.step()


def test_plateau_waits_for_patience():
    param = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.SGD([param], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    seen = []
    for loss in (1.0, 0.5, 0.5, 0.5, 0.5, 0.5):
        scheduler.step(loss)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_stepping_first_warns():
    param = torch.tensor([1.0], requires_grad=True)
    scheduler = lr_scheduler.StepLR(torch.optim.SGD([param], lr=1.0), 2)
    with pytest.warns(UserWarning, match="before the first optimizer.step"):
        scheduler.step()


def test_swa_average_and_state_round_trip():
    model = torch.nn.Linear(1, 1, bias=False)
    averaged = torch.optim.swa_utils.AveragedModel(model)
    for value in (1.0, 2.0, 6.0):
        with torch.no_grad():
            model.weight.fill_(value)
        averaged.update_parameters(model)
    assert averaged.module.weight.item() == pytest.approx(3.0) and averaged.n_averaged == 3
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    state = scheduler.state_dict()
    assert "optimizer" not in state and state["last_epoch"] == 0
    other = lr_scheduler.StepLR(torch.optim.SGD(model.parameters(), lr=1.0), 7)
    other.load_state_dict(state)
    assert other.step_size == 3
