"""Module: registration, state_dict, hooks, conversion, repr, copies."""

import copy
import pickle

import flambeau as torch
import pytest
from flambeau import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)

    def forward(self, x):
        return self.net(x)


def test_members_are_registered_by_kind():
    net = Net()
    names = ["net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"]
    assert [n for n, _ in net.named_parameters()] == names
    assert [n for n, _ in net.named_buffers()] == ["count", "scratch"]
    assert list(net.state_dict()) == ["count", *names]
    assert [n for n, _ in net.named_modules()] == ["", "net", "net.0", "net.1", "net.2"]
    assert net.get_submodule("net.2") is net.net[2]
    assert net.get_parameter("net.0.bias") is net.net[0].bias


def test_an_attribute_can_change_its_kind():
    module = nn.Module()
    module.x = torch.ones(2)
    module.x = nn.Parameter(torch.ones(2))
    assert "x" in module._parameters and "x" not in vars(module)
    module.x = None
    assert module._parameters["x"] is None
    del module.x
    module.x = nn.Identity()
    assert "x" in module._modules and not hasattr(module, "y")


def test_shared_parameters_are_listed_once():
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    module[1].weight = module[0].weight
    assert len(list(module.parameters())) == 3
    assert len(list(module.named_parameters(remove_duplicate=False))) == 4


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda s: s.pop("net.0.bias"), 'Missing key(s) in state_dict: "net.0.bias"'),
        (lambda s: s.update(extra=torch.ones(1)), 'Unexpected key(s) in state_dict: "extra"'),
        (lambda s: s.update({"count": torch.ones(2)}), "size mismatch for count"),
    ],
)
def test_load_state_dict_names_what_does_not_fit(change, expected):
    state = Net().state_dict()
    change(state)
    with pytest.raises(RuntimeError) as error:
        Net().load_state_dict(state)
    assert expected in str(error.value) and "for Net" in str(error.value)


def test_load_state_dict_copies_or_assigns():
    source, copied, assigned = Net(), Net(), Net()
    state = source.state_dict()
    assert str(copied.load_state_dict(state)) == "<All keys matched successfully>"
    assert torch.equal(copied.net[0].weight, source.net[0].weight)
    assert copied.net[0].weight.data_ptr() != source.net[0].weight.data_ptr()
    assigned.load_state_dict(state, assign=True)
    assert assigned.net[0].weight.data_ptr() == source.net[0].weight.data_ptr()
    assert isinstance(assigned.net[0].weight, nn.Parameter)


def test_not_strict_reports_keys():
    keys = Net().load_state_dict({"other": torch.ones(1)}, strict=False)
    assert keys.unexpected_keys == ["other"] and len(keys.missing_keys) == 5


def test_extra_state_travels():
    class WithExtra(nn.Module):
        extra = None

        def get_extra_state(self):
            return {"answer": 42}

        def set_extra_state(self, state):
            self.extra = state

    module = WithExtra()
    assert list(module.state_dict()) == ["_extra_state"]
    module.load_state_dict(module.state_dict())
    assert module.extra == {"answer": 42}


def test_forward_hooks_see_and_change_values():
    net = nn.Identity()
    seen = []
    first = net.register_forward_pre_hook(lambda m, args: (args[0] + 1,))
    net.register_forward_pre_hook(lambda m, args: seen.append(args[0].item()), prepend=True)
    net.register_forward_hook(lambda m, args, out: out * 10)
    assert net(torch.tensor(1.0)).item() == 20 and seen == [1.0]
    first.remove()
    assert net(torch.tensor(1.0)).item() == 10


def test_always_called_hook_runs_after_an_error():
    class Fails(nn.Module):
        def forward(self):
            raise ValueError("no")

    module, seen = Fails(), []
    module.register_forward_hook(lambda m, a, out: seen.append(out), always_call=True)
    with pytest.raises(ValueError):
        module()
    assert seen == [None]


def test_full_backward_hooks_replace_gradients():
    module = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(3.0)
    log = []
    module.register_full_backward_pre_hook(lambda m, grad_out: (grad_out[0] * 2,))
    module.register_full_backward_hook(lambda m, gi, go: log.append(go[0].item()) or (gi[0] * 5,))
    x = torch.ones(1, 2, requires_grad=True)
    module(x).sum().backward()
    assert log == [2.0] and x.grad.tolist() == [[30.0, 30.0]]
    assert module.weight.grad.tolist() == [[2.0, 2.0]]


def test_global_hooks_reach_every_module():
    seen = []
    handle = nn.modules.module.register_module_forward_hook(lambda m, a, out: seen.append(type(m).__name__))
    nn.Sequential(nn.Identity())(1)
    handle.remove()
    nn.Identity()(1)
    assert seen == ["Identity", "Sequential"]


def test_an_error_names_the_layer():
    with pytest.raises(RuntimeError) as error:
        Net()(torch.ones(2, 7))
    assert error.value.__notes__ == ["in layer net.0 (Linear 3→4) of Net"]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_independent(duplicate):
    module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    twin = duplicate(module)
    assert repr(twin) == repr(module) and type(twin[0].weight) is nn.Parameter
    with torch.no_grad():
        twin[0].weight.zero_()
    assert not torch.equal(twin[0].weight, module[0].weight)


def test_conversion_keeps_integers_and_identity():
    module = nn.BatchNorm1d(2)
    weight = module.weight
    assert module.double() is module and module.weight is weight
    assert weight.dtype == torch.float64 and module.num_batches_tracked.dtype == torch.int64
    assert module.to(torch.float32).running_mean.dtype == torch.float32
    with pytest.raises(TypeError, match="floating or complex"):
        module.to(torch.int64)


def test_train_eval_and_zero_grad():
    net = Net()
    assert not net.eval().net[1].training and net.train().net[1].training
    net(torch.ones(1, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(p.grad.abs().sum() == 0 for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_repr_is_nested():
    expected = (
        "Net(\n  (net): Sequential(\n    (0): Linear(in_features=3, out_features=4, bias=True)\n"
        "    (1): ReLU()\n    (2): Linear(in_features=4, out_features=2, bias=True)\n  )\n)"
    )
    assert repr(Net()) == expected
    assert repr(nn.Parameter(torch.ones(2))).startswith("Parameter containing:\n")


def test_early_assignment_is_refused():
    class Early(nn.Module):
        def __init__(self):
            self.layer = nn.Identity()

    with pytest.raises(AttributeError, match="super\\(\\).__init__\\(\\) first"):
        Early()
    with pytest.raises(TypeError, match="parameter 'weight'"):
        nn.Linear(2, 2).weight = torch.ones(2, 2)
