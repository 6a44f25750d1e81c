"""Saved-tensor hooks: what passes through them, and what comes back."""

import flambeau as torch
import pytest
from flambeau.autograd.graph import disable_saved_tensors_hooks, saved_tensors_hooks


def leaves(*shapes):
    torch.manual_seed(0)
    return [torch.rand(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


OPS = {
    "input": lambda x, y: x.sin(),
    "output": lambda x, y: x.exp(),
    "both inputs": lambda x, y: x * y,
    "list": lambda x, y: torch.stack([x, y]).prod(0),
    "list that saves": lambda x, y: torch.linalg_multi_dot([x, y, x]) if hasattr(torch, "linalg_multi_dot") else x @ y,
    "products": lambda x, y: torch.einsum("ij,jk->ik", x, y),
    "in place": lambda x, y: (x * 2).sin_().exp_() * y,
    "fused": lambda x, y: torch.nn.functional.layer_norm(x, (3,), y[0], y[1]),
    "view and write": lambda x, y: (x * y)[:1].mul_(y[:1]),
}


@pytest.mark.parametrize("name", OPS)
def test_identity_changes_nothing(name):
    x, y = leaves((3, 3), (3, 3))
    plain = OPS[name](x, y)
    wanted = torch.autograd.grad(plain.sum(), (x, y), allow_unused=True)
    count = []
    with saved_tensors_hooks(lambda t: count.append(t.shape) or t.numpy(force=True).copy(), lambda a: torch.tensor(a)):
        result = OPS[name](x, y)
    found = torch.autograd.grad(result.sum(), (x, y), allow_unused=True)
    assert count
    for f, w in zip(found, wanted):
        assert (f is None) == (w is None) and (f is None or torch.equal(f, w))


def test_higher_derivatives_pass_through():
    x, y = leaves((3,), (3,))

    def second(result):
        g, = torch.autograd.grad(result.sum(), x, create_graph=True)
        return torch.autograd.grad((g * g).sum(), (x, y))

    wanted = second((x * y).exp())
    with saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        result = (x * y).exp()
    assert all(torch.allclose(f, w) for f, w in zip(second(result), wanted))


def test_functions_written_in_python():
    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            result = x * y
            ctx.save_for_backward(x, y, result, None)
            return result

        @staticmethod
        def backward(ctx, g):
            x, y, result, nothing = ctx.saved_tensors
            assert nothing is None and result.requires_grad
            return g * y, g * x

    x, y = leaves((3,), (3,))
    packed = []
    with saved_tensors_hooks(lambda t: packed.append(t) or len(packed) - 1, lambda i: packed[i]):
        result = Scale.apply(x, y)
    assert len(packed) == 3
    g, = torch.autograd.grad(result.sum(), x, create_graph=True)
    assert torch.equal(g, y) and torch.equal(torch.autograd.grad(g.sum(), y)[0], torch.ones(3, dtype=torch.float64))


def test_hooks_run_without_recording_and_only_the_innermost():
    x, = leaves((3,))
    seen = []
    with saved_tensors_hooks(lambda t: seen.append("outer"), lambda t: t):
        with saved_tensors_hooks(lambda t: seen.append(torch.is_grad_enabled()) or t, lambda t: t):
            x.sin()
        assert seen == [False]
        x.cos()
    assert seen == [False, "outer"]
    x.sin()
    assert len(seen) == 2


def test_writes_after_saving_are_the_hooks_business():
    x, = leaves((3,))
    base = x * 1
    with saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        y = base.sin()
    before = base.detach().clone()
    base.add_(1)
    assert torch.allclose(torch.autograd.grad(y.sum(), x)[0], before.cos())


def test_errors():
    x, = leaves((3,))
    with saved_tensors_hooks(lambda t: t, lambda t: 1):
        number = x.sin()
    with pytest.raises(TypeError, match="int"):
        number.sum().backward()
    with saved_tensors_hooks(lambda t: t, lambda t: t[:2]):
        short = x.sin()
    with pytest.raises(RuntimeError, match=r"\(2,\).*\(3,\)"):
        short.sum().backward()
    with saved_tensors_hooks(lambda t: t.add_(1), lambda t: t), pytest.raises(RuntimeError, match="in place"):
        (x * 1).sin()
    with pytest.raises(TypeError, match="int"), saved_tensors_hooks(1, 2):
        pass
    with disable_saved_tensors_hooks("not now"):
        with pytest.raises(RuntimeError, match="not now"), saved_tensors_hooks(lambda t: t, lambda t: t):
            pass
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        with pytest.raises(RuntimeError, match="not now"), disable_saved_tensors_hooks("not now"):
            pass


def test_an_error_of_a_hook_comes_through():
    x, = leaves((3,))
    with saved_tensors_hooks(lambda t: 1 // 0, lambda t: t), pytest.raises(ZeroDivisionError):
        x.sin()
    with saved_tensors_hooks(lambda t: t, lambda t: 1 // 0):
        y = x.sin()
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()


def test_what_was_packed_goes_with_the_graph():
    import weakref

    class Kept:
        def __init__(self, tensor):
            self.tensor = tensor

    x, = leaves((3,))
    kept = []

    def pack(tensor):
        box = Kept(tensor)
        kept.append(weakref.ref(box))
        return box

    with saved_tensors_hooks(pack, lambda box: box.tensor):
        y = x.exp()
    assert kept[0]() is not None
    y.sum().backward()
    assert kept[0]() is None


def test_a_write_whose_hook_failed_has_no_backward():
    x, = leaves((3,))
    y = x * 1
    with saved_tensors_hooks(lambda t: 1 // 0, lambda t: t), pytest.raises(ZeroDivisionError):
        y.sin_()
    with pytest.raises(RuntimeError):
        y.sum().backward()


def test_saved_values_by_name():
    x, y = leaves((3,), (3,))
    node = (x * y).grad_fn
    assert node._saved_self is x and node._saved_other is y
    z = x.exp()
    assert torch.equal(z.grad_fn._saved_result, z) and z.grad_fn._saved_result.grad_fn is z.grad_fn
    assert not hasattr(z.grad_fn, "_saved_other")
    z.sum().backward()
    with pytest.raises(RuntimeError, match="retain_graph"):
        z.grad_fn._saved_result  # noqa: B018
