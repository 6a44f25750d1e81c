"""torch.compile: calls are checked, and code runs as it is."""
import flambeau as torch
import pytest


def test_a_module_is_wrapped_as_pytorch_wraps_it():
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    compiled = torch.compile(module, backend="eager")
    assert isinstance(compiled, torch.nn.Module) and compiled._orig_mod is module and len(compiled) == 2
    assert list(compiled.state_dict()) == ["_orig_mod.0.weight", "_orig_mod.0.bias"]
    assert [p.data_ptr() for p in compiled.parameters()] == [p.data_ptr() for p in module.parameters()]
    compiled.eval()
    assert not module.training and torch.equal(compiled(torch.ones(1, 2)), module(torch.ones(1, 2)))
    module.compile(backend="eager")
    compiled.note = 3
    assert module.note == 3 and compiled[0] is module[0]


def test_functions_and_decorators():
    @torch.compile(fullgraph=True, dynamic=True, backend="eager")
    def double(x):
        """Twice x."""
        return x * 2

    assert double.__name__ == "double" and double.__doc__ == "Twice x." and double(torch.ones(1)).item() == 2
    assert torch.compile(double, disable=True) is double


def test_says_once_that_nothing_is_compiled(monkeypatch):
    from flambeau.compiler import _compile
    monkeypatch.setattr(_compile, "_said", False)
    with pytest.warns(UserWarning, match="no compiler yet"):
        torch.compile(abs)
    assert _compile._said


@pytest.mark.parametrize("arguments, error", [
    (dict(backend="nope"), "Invalid backend: 'nope'"), (dict(mode="nope"), "unknown mode='nope'"),
    (dict(mode="default", options={}), "not both"), (dict(backend=lambda graph, inputs: graph), "graph"),
])
def test_wrong_calls_are_refused(arguments, error):
    with pytest.raises((RuntimeError, NotImplementedError), match=error):
        torch.compile(abs, **arguments)
    with pytest.raises(AssertionError, match="a function or a module"):
        torch.compile(3)
