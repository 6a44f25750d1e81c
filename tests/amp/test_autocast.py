"""Mixed precision: which operations are cast, what is recorded, how blocks nest."""
import threading

import pytest

import flambeau as fb
from flambeau import nn

F = nn.functional
b16 = fb.bfloat16


def randn(*shape):
    return fb.randn(*shape)


LOWER = {
    "mm": lambda: fb.mm(randn(2, 3), randn(3, 2)), "matmul": lambda: randn(2, 3) @ randn(3), "bmm": lambda: fb.bmm(
        randn(1, 2, 3), randn(1, 3, 2)), "addmm": lambda: fb.addmm(randn(2), randn(2, 3), randn(3, 2)),
    "baddbmm": lambda: fb.baddbmm(randn(1, 2, 2), randn(1, 2, 3), randn(1, 3, 2)),
    "linear": lambda: F.linear(randn(2, 3), randn(4, 3), randn(4)),
    "conv1d": lambda: F.conv1d(randn(1, 2, 5), randn(3, 2, 2)), "conv2d": lambda: F.conv2d(
        randn(1, 2, 5, 5), randn(3, 2, 2, 2)), "conv_transpose2d": lambda: F.conv_transpose2d(
        randn(1, 2, 5, 5), randn(2, 3, 2, 2)), "einsum": lambda: fb.einsum("ij,jk->ik", randn(2, 3), randn(3, 2)),
    "attention": lambda: F.scaled_dot_product_attention(randn(1, 1, 2, 4), randn(1, 1, 2, 4), randn(1, 1, 2, 4)),
    "prelu": lambda: F.prelu(randn(3), fb.tensor([0.1])), "lstm": lambda: nn.LSTM(3, 4)(randn(2, 1, 3))[0],
    "float16 input": lambda: fb.mm(randn(2, 2).half(), randn(2, 2).half()),
}
FLOAT32 = {
    "mse_loss": lambda: F.mse_loss(randn(3).to(b16), randn(3).to(b16)),
    "cross_entropy": lambda: F.cross_entropy(randn(2, 3).to(b16), fb.tensor([0, 1])),
    "nll_loss": lambda: F.nll_loss(randn(2, 3).to(b16), fb.tensor([0, 1])),
    "bce": lambda: F.binary_cross_entropy_with_logits(randn(3).to(b16), fb.ones(3).to(b16)),
    "l1_loss": lambda: F.l1_loss(randn(3).to(b16), randn(3).to(b16)), "prod": lambda: randn(3).to(b16).prod(),
    "cdist": lambda: fb.cdist(randn(2, 3).to(b16), randn(2, 3).to(b16)),
    "trace": lambda: randn(2, 2).to(b16).trace(), "grid_sample": lambda: F.grid_sample(
        randn(1, 1, 3, 3).to(b16), fb.zeros(1, 2, 2, 2).to(b16), align_corners=False),
    "reflection": lambda: F.pad(randn(1, 1, 4).to(b16), (1, 1), mode="reflect"),
    "avg_pool3d": lambda: F.avg_pool3d(randn(1, 1, 2, 2, 2).to(b16), 2),
}
AS_GIVEN = {
    "add": lambda: randn(2) + randn(2),
    "mv": lambda: fb.mv(randn(2, 3), randn(3)), "dot": lambda: fb.dot(randn(2), randn(2)),
    "softmax": lambda: randn(2).softmax(0), "inner": lambda: fb.inner(randn(3), randn(3)),
    "out=": lambda: fb.mm(randn(2, 2), randn(2, 2), out=fb.empty(2, 2)),
    "in place": lambda: randn(2, 2).addmm_(randn(2, 2), randn(2, 2)),
}


@pytest.mark.parametrize("name", sorted(LOWER))
def test_runs_in_lower_precision(name):
    with fb.autocast("cpu"):
        assert LOWER[name]().dtype == b16
    with fb.autocast("cpu", dtype=fb.float16):
        assert LOWER[name]().dtype == fb.float16


@pytest.mark.parametrize("name", sorted(FLOAT32))
def test_runs_in_float32(name):
    with fb.autocast("cpu"):
        assert FLOAT32[name]().dtype == fb.float32


@pytest.mark.parametrize("name", sorted(AS_GIVEN))
def test_is_left_alone(name):
    with fb.autocast("cpu"):
        assert AS_GIVEN[name]().dtype == fb.float32


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_borders(dims):
    x = randn(1, 1, *[4] * dims).to(b16)
    with fb.autocast("cpu"):
        assert F.pad(x, (1, 1) * dims, mode="replicate").dtype == fb.float32
        assert F.pad(x, (1, 1) * dims, mode="circular").dtype == b16
        assert F.pad(x, (1, 1) * dims, mode="reflect").dtype == (b16 if dims == 3 else fb.float32)


def test_widest_dtype_and_float64():
    with fb.autocast("cpu"):
        assert fb.cat([fb.zeros(2), fb.zeros(2).to(b16)]).dtype == fb.float32
        assert fb.stack([fb.zeros(2).to(b16)] * 2).dtype == b16
        assert fb.index_copy(fb.zeros(3), 0, fb.tensor([0]), fb.ones(1).to(b16)).dtype == fb.float32
        assert fb.mm(fb.ones(2, 2).double(), fb.ones(2, 2).double()).dtype == fb.float64


def test_values_and_gradients_are_those_of_the_casts():
    fb.manual_seed(0)
    w, x = randn(4, 3).requires_grad_(), randn(5, 3).requires_grad_()
    with fb.autocast("cpu"):
        y = F.linear(x, w)
        loss = F.mse_loss(y, fb.zeros(5, 4))
    loss.backward()
    w2, x2 = w.detach().requires_grad_(), x.detach().requires_grad_()
    expected = F.linear(x2.to(b16), w2.to(b16))
    F.mse_loss(expected.float(), fb.zeros(5, 4)).backward()
    assert fb.equal(y, expected)
    assert w.grad.dtype == fb.float32
    fb.testing.assert_close(w.grad, w2.grad)
    fb.testing.assert_close(x.grad, x2.grad)


def test_backward_inside_the_block_is_the_same():
    w = fb.tensor([[0.1, 0.2]], requires_grad=True)
    grads = []
    for inside in (True, False):
        with fb.autocast("cpu"):
            y = (w @ fb.tensor([[1.0], [3.0]])).sum()
            if inside:
                y.backward()
        if not inside:
            y.backward()
        grads.append(w.grad.clone())
        w.grad = None
    assert fb.equal(*grads)


def test_parameters_are_cast_once():
    w = randn(2, 2).requires_grad_()

    def source(y):                                                      # the node that casts w
        return y.grad_fn.next_functions[-1][0]
    with fb.autocast("cpu"):
        first, second = source(fb.ones(2, 2) @ w), source(fb.ones(2, 2) @ w)
        assert first is second
        with fb.autocast("cpu", cache_enabled=False):
            assert source(fb.ones(2, 2) @ w) is not first
        with fb.no_grad():
            w += 1
        assert fb.equal(fb.eye(2) @ w, w.to(b16))                       # a changed parameter is cast again
    with fb.autocast("cpu"):
        with fb.no_grad():
            fb.ones(2, 2) @ w
        assert (fb.ones(2, 2) @ w).requires_grad


def test_nesting_and_state():
    assert not fb.is_autocast_enabled("cpu")
    with fb.autocast("cpu", dtype=fb.float16):
        assert fb.is_autocast_enabled("cpu") and fb.get_autocast_dtype("cpu") == fb.float16
        with fb.autocast("cpu", enabled=False):
            assert (fb.ones(2, 2) @ fb.ones(2, 2)).dtype == fb.float32 and not fb.is_autocast_enabled("cpu")
        with fb.autocast("cpu"):
            assert (fb.ones(2, 2) @ fb.ones(2, 2)).dtype == fb.float16
    assert fb.get_autocast_dtype("cpu") == b16 and (fb.ones(2, 2) @ fb.ones(2, 2)).dtype == fb.float32
    with pytest.raises(ZeroDivisionError), fb.autocast("cpu"):
        raise ZeroDivisionError
    assert not fb.is_autocast_enabled("cpu")


def test_decorator_and_threads():
    @fb.autocast("cpu")
    def product():
        return fb.ones(2, 2) @ fb.ones(2, 2)
    assert product().dtype == b16
    seen = []
    with fb.autocast("cpu"):
        thread = threading.Thread(target=lambda: seen.append((fb.ones(2, 2) @ fb.ones(2, 2)).dtype))
        thread.start()
        thread.join()
    assert seen == [fb.float32]                                         # the state belongs to a thread


def test_a_network_trains():
    fb.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 8),
                        nn.LayerNorm(8),
                        nn.Linear(8, 2))
    optimizer = fb.optim.SGD(net.parameters(), lr=0.1)
    x, target = randn(16, 1, 6, 6), fb.arange(16) % 2
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        with fb.autocast("cpu"):
            loss = F.cross_entropy(net(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0] and all(p.dtype == fb.float32 for p in net.parameters())


def test_devices_and_errors():
    with pytest.warns(UserWarning, match="CUDA"):
        assert not fb.autocast("cuda")._enabled
    with pytest.warns(UserWarning, match="dtype"):
        assert not fb.autocast("cpu", dtype=fb.float64)._enabled
    with pytest.raises(RuntimeError):
        fb.autocast("nowhere")
    with pytest.raises(RuntimeError):
        fb.autocast("meta")
    with pytest.raises(ValueError):
        fb.autocast(3)
    assert fb.amp.is_autocast_available("cpu") and not fb.amp.is_autocast_available("meta")
    with pytest.warns(FutureWarning), pytest.warns(UserWarning):
        fb.cuda.amp.autocast()
    assert fb.is_autocast_enabled() is False and fb.get_autocast_dtype("cuda") == fb.float16


def test_custom_functions():
    seen = {}

    class Product(fb.autograd.Function):
        @staticmethod
        @fb.amp.custom_fwd(device_type="cpu", cast_inputs=fb.float32)
        def forward(ctx, a, b):
            seen["forward"] = a.dtype, fb.is_autocast_enabled("cpu")
            ctx.save_for_backward(a, b)
            return a @ b

        @staticmethod
        @fb.amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            seen["backward"] = fb.is_autocast_enabled("cpu")
            a, b = ctx.saved_tensors
            return grad @ b.mT, a.mT @ grad

    class Follows(fb.autograd.Function):
        @staticmethod
        @fb.amp.custom_fwd(device_type="cpu")
        def forward(ctx, a):
            return (a @ a) * 1

        @staticmethod
        @fb.amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            seen["follows"] = (grad.float() @ grad.float()).dtype
            return grad.float()
    x = fb.ones(2, 2, requires_grad=True)
    with fb.autocast("cpu"):
        y = Product.apply(x.to(b16), x)
        z = Follows.apply(x)
    assert y.dtype == fb.float32 and seen["forward"] == (fb.float32, False)
    y.sum().backward()
    z.sum().backward()
    assert seen["backward"] is False and seen["follows"] == b16
    assert Product.apply(x, x).dtype == fb.float32
