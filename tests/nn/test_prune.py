"""Pruning: masks, their order, what stays when it is removed."""

import flambeau as torch
import pytest
from flambeau import nn
from flambeau.nn.utils import prune


def layer():
    torch.manual_seed(0)
    return nn.Linear(4, 3)


def test_smallest_elements_go_first():
    module = prune.l1_unstructured(layer(), "weight", 5)
    assert int((module.weight_mask == 0).sum()) == 5
    kept = module.weight_orig[module.weight_mask == 1].abs().min()
    gone = module.weight_orig[module.weight_mask == 0].abs().max()
    assert gone <= kept
    assert torch.equal(module.weight, module.weight_orig * module.weight_mask)
    assert [name for name, _ in module.named_parameters()] == ["bias", "weight_orig"]


def test_random_masks_are_those_of_pytorch():
    torch.manual_seed(0)
    module = nn.Linear(4, 3)
    prune.l1_unstructured(module, "weight", 0.3)
    prune.random_unstructured(module, "weight", 2)
    assert module.weight_mask.tolist() == [[0, 1, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]]
    prune.ln_structured(module, "weight", 0.5, 2, 0)
    assert module.weight_mask.tolist() == [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_methods_on_one_parameter_share_a_container():
    module = prune.random_unstructured(layer(), "weight", 3)
    prune.random_structured(module, "weight", 1, dim=1)
    container, = module._forward_pre_hooks.values()
    assert [type(method).__name__ for method in container] == ["RandomUnstructured", "RandomStructured"]
    assert (module.weight_mask.sum(0) == 0).any()


def test_gradients_reach_the_original_and_stop_at_the_mask():
    module = prune.l1_unstructured(layer(), "weight", 5)
    module(torch.ones(2, 4)).sum().backward()
    assert torch.equal(module.weight_orig.grad, 2 * module.weight_mask)


def test_the_parameter_follows_its_original():
    module = prune.l1_unstructured(layer(), "weight", 5)
    with torch.no_grad():
        module.weight_orig.fill_(7.0)
    module(torch.ones(1, 4))
    assert torch.equal(module.weight, 7 * module.weight_mask)


def test_remove_makes_it_permanent():
    module = prune.l1_unstructured(layer(), "weight", 5)
    masked = module.weight.detach().clone()
    assert prune.is_pruned(nn.Sequential(module))
    prune.remove(module, "weight")
    assert not prune.is_pruned(module) and isinstance(module.weight, nn.Parameter)
    assert torch.equal(module.weight, masked) and list(module.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="weight"):
        prune.remove(module, "weight")


def test_global_pruning_compares_across_modules():
    small, large = layer(), layer()
    with torch.no_grad():
        large.weight.mul_(100)
    prune.global_unstructured([(small, "weight"), (large, "weight")], prune.L1Unstructured, amount=12)
    assert int(small.weight_mask.sum()) <= 1 and int(large.weight_mask.sum()) >= 11
    with pytest.raises(TypeError, match="unstructured"):
        prune.global_unstructured([(small, "weight")], prune.RandomStructured, amount=1)


def test_custom_methods_and_masks():
    class EveryOther(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    module = layer()
    EveryOther.apply(module, "bias")
    assert module.bias_mask.tolist() == [0, 1, 0]
    prune.custom_from_mask(module, "bias", torch.tensor([1, 0, 1]))
    assert module.bias_mask.tolist() == [0, 0, 0]
    prune.identity(module, "weight")
    assert module.weight_mask.all()


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: prune.l1_unstructured(layer(), "weight", 1.3), ValueError, "1.3"),
        (lambda: prune.l1_unstructured(layer(), "weight", 100), ValueError, "12"),
        (lambda: prune.l1_unstructured(layer(), "weight", "a"), TypeError, "a"),
        (lambda: prune.ln_structured(layer(), "bias", 1, 2, 0), ValueError, "3"),
        (lambda: prune.ln_structured(layer(), "weight", 1, 2, 5), IndexError, "5"),
        (lambda: prune.l1_unstructured(layer(), "other", 1), AttributeError, "other"),
        (lambda: prune.custom_from_mask(layer(), "weight", torch.ones(2)), AssertionError, "2"),
        (lambda: prune.BasePruningMethod(), TypeError, "compute_mask"),
    ],
)
def test_errors(call, error, told):
    with pytest.raises(error, match=told):
        call()


def test_a_failed_attempt_leaves_the_module_as_it_was():
    module = layer()
    with pytest.raises(ValueError):
        prune.l1_unstructured(module, "weight", 100)
    assert sorted(dict(module.named_parameters())) == ["bias", "weight"] and not list(module.buffers())
