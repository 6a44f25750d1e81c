"""Sequential, ModuleList, ModuleDict and the containers of parameters."""

import flambeau as torch
import pytest
from flambeau import nn


def kinds(modules):
    return [type(m).__name__ for m in modules]


def test_sequential_edits():
    net = nn.Sequential(nn.ReLU(), nn.Tanh())
    net.append(nn.ELU()).insert(0, nn.Sigmoid())
    assert kinds(net) == ["Sigmoid", "ReLU", "Tanh", "ELU"]
    assert kinds(net[1:3]) == ["ReLU", "Tanh"] and isinstance(net[1:3], nn.Sequential)
    del net[1]
    assert list(net._modules) == ["0", "1", "2"] and kinds(net) == ["Sigmoid", "Tanh", "ELU"]
    assert kinds(net + nn.Sequential(nn.ReLU())) == ["Sigmoid", "Tanh", "ELU", "ReLU"]
    assert kinds(net * 2) == kinds(net) * 2
    assert type(net.pop(-1)) is nn.ELU and len(net) == 2
    with pytest.raises(IndexError):
        net[2]
    with pytest.raises(TypeError):
        nn.Sequential(nn.ReLU(), "text")


def test_module_list_groups_equal_modules_in_its_repr():
    modules = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert repr(modules) == ("ModuleList(\n  (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)\n)")
    modules.insert(1, nn.ReLU())
    assert kinds(modules) == ["Linear", "ReLU", "Linear", "Linear"]
    assert len(list(modules.parameters())) == 6


def test_module_dict():
    modules = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
    modules.update([("c", nn.ELU())])
    assert list(modules) == ["a", "b", "c"] and "b" in modules and type(modules.pop("b")) is nn.Tanh
    with pytest.raises(KeyError):
        modules["b"]
    with pytest.raises(ValueError):
        modules.update([("x",)])


def test_parameter_containers_register_tensors():
    values = nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(3))])
    assert [n for n, _ in values.named_parameters()] == ["0", "1"]
    assert isinstance(values[0], nn.Parameter) and values[-1].shape == (3,)
    named = nn.ParameterDict({"w": torch.ones(2), "note": "text"})
    assert list(named.state_dict()) == ["w"] and named["note"] == "text"
    assert list((named | {"v": torch.ones(1)}).keys()) == ["note", "w", "v"]
