"""Hooks on saved tensors and on groups of gradients, edges, versions."""

import flambeau as torch
import pytest
from flambeau.autograd import graph


def test_saved_tensors_hooks():
    packed = []
    x = torch.arange(3.0, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: packed.append(t.shape) or t.detach().clone(), lambda t: t * 10):
        y = (x * x).sum()
    y.backward()
    assert len(packed) == 2 and x.grad.tolist() == [0, 20, 40]


def test_hooks_can_be_disabled():
    with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        pass


def test_save_on_cpu():
    x = torch.ones(2, requires_grad=True)
    with graph.save_on_cpu():
        y = (x * x).sum()
    y.backward()
    assert x.grad.tolist() == [2, 2]


def test_mutation_of_saved_tensors():
    x = torch.ones(2, requires_grad=True)
    with graph.allow_mutation_on_saved_tensors():
        y = x.clone()
        out = (y**2).sum()
        y.detach().fill_(7)
        out.backward()
    assert x.grad.tolist() == [2, 2]


def test_multi_grad_hook_all():
    x = torch.ones(2, requires_grad=True)
    a, b = x * 2, x * 3
    calls = []
    with graph.register_multi_grad_hook((a, b), calls.append):
        (a + b).sum().backward(retain_graph=True)
        a.sum().backward(retain_graph=True)
    (a + b).sum().backward()
    assert len(calls) == 2
    assert [g.tolist() for g in calls[0]] == [[1, 1], [1, 1]]
    assert calls[1][0].tolist() == [1, 1] and calls[1][1] is None


def test_multi_grad_hook_any():
    x = torch.ones(2, requires_grad=True)
    a, b = x * 2, x * 3
    calls = []
    graph.register_multi_grad_hook((a, b), calls.append, mode="any")
    (a + b).sum().backward()
    assert len(calls) == 1
    with pytest.raises(ValueError):
        graph.register_multi_grad_hook((a,), calls.append, mode="some")
    with pytest.raises(AssertionError):
        graph.register_multi_grad_hook((torch.ones(1),), calls.append)


def test_edges_and_nodes():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    edge = graph.get_gradient_edge(y)
    assert edge.node.name() == "MulBackward0" and edge.output_nr == 0
    assert isinstance(edge.node, graph.Node) and isinstance(graph.get_gradient_edge(x).node, graph.Node)
    with pytest.raises(RuntimeError):
        graph.get_gradient_edge(torch.ones(1))


def test_increment_version():
    t = torch.ones(1)
    before = t._version
    graph.increment_version(t)
    graph.increment_version([t])
    assert t._version == before + 2
    with pytest.raises(RuntimeError):
        graph.increment_version(3)


def test_node_classes_are_named_and_show_every_input():
    w, x = torch.ones(2, requires_grad=True), torch.ones(2)
    node = (x * w).grad_fn
    assert type(node).__name__ == "MulBackward0" and isinstance(node, torch.autograd.graph.Node)
    assert repr(node).startswith("<MulBackward0 object at 0x") and not hasattr(node, "variable")
    (first, _), (second, _) = node.next_functions
    assert first is None and type(second).__name__ == "AccumulateGrad" and second.variable is w


def test_grad_takes_a_generator_of_inputs():
    layer = torch.nn.Linear(2, 3)
    grads = torch.autograd.grad(layer(torch.ones(1, 2)).sum(), layer.parameters())
    assert [g.shape for g in grads] == [(3, 2), (3,)]


def test_hooks_of_nodes():
    x = torch.ones(2, requires_grad=True)
    seen = []
    y = x * 2
    handle = y.grad_fn.register_hook(lambda grads_in, grads_out: seen.append((grads_in[0].tolist(), grads_out)))
    y.grad_fn.register_prehook(lambda grads_out: (grads_out[0] * 3,))
    y.sum().backward(retain_graph=True)
    assert seen[0][0] == [6, 6] and seen[0][1][0].tolist() == [3, 3] and x.grad.tolist() == [6, 6]
    handle.remove()
    y.sum().backward()
    assert len(seen) == 1


def test_hooks_of_a_leafs_node():
    x = torch.ones(2, requires_grad=True)
    seen = []
    node = x.view_as(x).grad_fn.next_functions[0][0]
    handle = node.register_hook(lambda *grads: seen.append((grads[0], grads[1][0].tolist(), x.grad.tolist())))
    before = node.register_prehook(lambda grads_out: (grads_out[0] * 3,))
    before.remove()
    (x * 5).sum().backward()
    assert seen == [((), [5, 5], [5, 5])]
    handle.remove()
    (x * 5).sum().backward()
    assert len(seen) == 1


def test_constant_outputs_of_functions_have_zero_gradients():
    class Largest(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            place = x.argmax()
            ctx.mark_non_differentiable(place)
            return x * 2, place

        @staticmethod
        def backward(ctx, g, of_place):
            assert of_place.item() == 0 and of_place.dtype == torch.int64
            return g * 2

    x = torch.tensor([1.0, 3.0], requires_grad=True)
    y, place = Largest.apply(x)
    assert place.item() == 1 and not place.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]
