"""Running graphs: depth, hooks, retained gradients, custom functions, what is freed when."""

import gc
import weakref

import flambeau as torch
import pytest


def test_long_chain_is_built_run_and_freed():
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 0
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    del y
    z = x
    for _ in range(100_000):
        z = z + 0
    del z  # never run


def test_shared_subexpression_is_added_up():
    x = torch.tensor(2.0, requires_grad=True)
    a = x * x
    (a * a + a).backward()
    assert x.grad.item() == 4 * 2.0**3 + 2 * 2.0


def test_graph_is_freed_after_backward():
    x = torch.ones(3, requires_grad=True)
    y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    assert torch.allclose(x.grad, 2 * x.exp())
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_create_graph():
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad((x**4).sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    (t,) = torch.autograd.grad(h.sum(), x)
    assert g.tolist() == [4.0, 32.0] and h.tolist() == [12.0, 48.0] and t.tolist() == [24.0, 48.0]


def test_unused_input():
    x, z = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="allow_unused"):
        torch.autograd.grad(x * 2, [x, z])
    g = torch.autograd.grad(x * 2, [x, z], allow_unused=True)
    assert g[0].tolist() == [2.0] and g[1] is None


def test_output_of_several_elements_needs_a_gradient():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="scalar"):
        (x * 2).backward()
    (x * 2).backward(torch.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 20.0]


def test_tensor_hooks_see_and_replace_gradients():
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 2)
    y.sum().backward()
    assert seen == [[1.0, 1.0]] and x.grad.tolist() == [6.0, 6.0]
    handle.remove()
    (y2 := x * 3).register_hook(lambda g: None)
    y2.sum().backward()
    assert x.grad.tolist() == [9.0, 9.0]


def test_retained_gradient_of_a_result():
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 6.0] and y.retains_grad


def test_hook_after_accumulation():
    x = torch.ones(2, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    (x * 2).sum().backward()
    assert seen == [[2.0, 2.0]]


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


def test_custom_function():
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = Cube.apply(x)
    assert "CubeBackward" in repr(y.grad_fn)
    assert torch.autograd.gradcheck(Cube.apply, (x,)) and torch.autograd.gradgradcheck(Cube.apply, (x,))


def test_custom_function_of_wrong_gradient_count():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g

    a = torch.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="a gradient for each of the 2 arguments"):
        Wrong.apply(a, a * 1).sum().backward()


def test_error_in_a_hook_reaches_the_caller_and_leaves_the_engine_usable():
    x = torch.ones(1, requires_grad=True)

    def fail(g):
        raise KeyError("mine")

    y = x * 2
    y.register_hook(fail)
    with pytest.raises(KeyError, match="mine"):
        y.backward()
    (x * 5).backward()
    assert x.grad.tolist() == [5.0]


def test_backward_inside_backward():
    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with torch.enable_grad():
                z = x.detach().requires_grad_()
                (inner,) = torch.autograd.grad((z * z).sum(), z)
            return g * inner

    x = torch.tensor([3.0], requires_grad=True)
    Inner.apply(x).sum().backward()
    assert x.grad.tolist() == [6.0]


def test_tensors_are_freed_without_the_cycle_collector():
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        y = x.exp()
        alive = weakref.ref(y)
        z = y.sum()
        z.backward()
        del y, z
        assert alive() is None
    finally:
        gc.enable()


def test_gradient_keeps_identity_and_accumulates():
    x = torch.ones(2, requires_grad=True)
    x.sum().backward()
    first = x.grad
    x.sum().backward()
    assert x.grad is first and first.tolist() == [2.0, 2.0]
