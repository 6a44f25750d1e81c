"""The dtypes of results under mixed precision against PyTorch's; runs where PyTorch is installed."""
import flambeau as fb
import pytest

torch = pytest.importorskip("torch")
if torch is fb:
    pytest.skip("torch is flambeau here", allow_module_level=True)

# name: function of the library, its functional module and a maker of tensors of the dtype under test
CASES = {
    "mm": lambda t, F, x: t.mm(x(2, 3), x(3, 2)), "matmul": lambda t, F, x: x(2, 3) @ x(3),
    "mv": lambda t, F, x: t.mv(x(2, 3), x(3)), "dot": lambda t, F, x: t.dot(x(3), x(3)),
    "inner": lambda t, F, x: t.inner(x(3), x(3)), "outer": lambda t, F, x: t.outer(x(2), x(3)),
    "bmm": lambda t, F, x: t.bmm(x(1, 2, 3), x(1, 3, 2)), "addmm": lambda t, F, x: t.addmm(x(2), x(2, 3), x(3, 2)),
    "addmv": lambda t, F, x: t.addmv(x(2), x(2, 3), x(3)), "addr": lambda t, F, x: t.addr(x(2, 3), x(2), x(3)),
    "einsum": lambda t, F, x: t.einsum("ij,jk->ik", x(2, 3), x(3, 2)), "kron": lambda t, F, x: t.kron(x(2), x(3)),
    "tensordot": lambda t, F, x: t.tensordot(x(2, 3), x(3, 2), 1), "linear": lambda t, F, x: F.linear(x(2, 3), x(4, 3)),
    "bilinear": lambda t, F, x: F.bilinear(x(2, 3), x(2, 3), x(4, 3, 3)),
    "conv1d": lambda t, F, x: F.conv1d(x(1, 2, 5), x(3, 2, 2)),
    "conv_transpose1d": lambda t, F, x: F.conv_transpose1d(x(1, 2, 5), x(2, 3, 2)),
    "prelu": lambda t, F, x: F.prelu(x(3), x(1)), "softmax": lambda t, F, x: t.softmax(x(3), 0),
    "layer_norm": lambda t, F, x: F.layer_norm(x(2, 3), (3,)), "cumprod": lambda t, F, x: x(3).cumprod(0),
    "attention": lambda t, F, x: F.scaled_dot_product_attention(x(1, 1, 2, 4), x(1, 1, 2, 4), x(1, 1, 2, 4)),
    "mse": lambda t, F, x: F.mse_loss(x(3), x(3)), "l1": lambda t, F, x: F.l1_loss(x(3), x(3)),
    "huber": lambda t, F, x: F.huber_loss(x(3), x(3)), "smooth_l1": lambda t, F, x: F.smooth_l1_loss(x(3), x(3)),
    "cross_entropy": lambda t, F, x: F.cross_entropy(x(2, 3), t.tensor([0, 1])),
    "nll": lambda t, F, x: F.nll_loss(x(2, 3), t.tensor([0, 1])), "kl_div": lambda t, F, x: F.kl_div(x(3), x(3)),
    "bce": lambda t, F, x: F.binary_cross_entropy_with_logits(x(3), x(3)),
    "cosine_embedding": lambda t, F, x: F.cosine_embedding_loss(x(2, 3), x(2, 3), t.ones(2)),
    "gaussian_nll": lambda t, F, x: F.gaussian_nll_loss(x(3), x(3), x(3)),
    "triplet": lambda t, F, x: F.triplet_margin_loss(x(2, 3), x(2, 3), x(2, 3)),
    "cosine_similarity": lambda t, F, x: F.cosine_similarity(x(2, 3), x(2, 3)),
    "prod": lambda t, F, x: x(3).prod(), "sum": lambda t, F, x: x(3).sum(), "norm": lambda t, F, x: x(3).norm(),
    "cdist": lambda t, F, x: t.cdist(x(2, 3), x(2, 3)), "trace": lambda t, F, x: x(2, 2).trace(),
    "avg_pool2d": lambda t, F, x: F.avg_pool2d(x(1, 1, 2, 2), 2),
    "avg_pool3d": lambda t, F, x: F.avg_pool3d(x(1, 1, 2, 2, 2), 2),
    "adaptive_avg_pool3d": lambda t, F, x: F.adaptive_avg_pool3d(x(1, 1, 2, 2, 2), 1),
    "grid_sample": lambda t, F, x: F.grid_sample(x(1, 1, 3, 3), x(1, 2, 2, 2), align_corners=False),
    "interpolate": lambda t, F, x: F.interpolate(x(1, 1, 3, 3), scale_factor=2, mode="bilinear"),
    "reflect": lambda t, F, x: F.pad(x(1, 1, 4), (1, 1), mode="reflect"),
    "circular": lambda t, F, x: F.pad(x(1, 1, 4), (1, 1), mode="circular"),
    "cat": lambda t, F, x: t.cat([x(2), t.ones(2)]), "stack": lambda t, F, x: t.stack([x(2), x(2)]),
    "index_copy": lambda t, F, x: t.index_copy(t.zeros(3), 0, t.tensor([0]), x(1)),
    "lstm": lambda t, F, x: t.nn.LSTM(3, 4)(t.ones(2, 1, 3))[0],
    "gru": lambda t, F, x: t.nn.GRU(3, 4)(t.ones(2, 1, 3))[0],
    "rnn": lambda t, F, x: t.nn.RNN(3, 4)(t.ones(2, 1, 3))[0],
    "lstm cell": lambda t, F, x: t.nn.LSTMCell(3, 4)(t.ones(2, 3))[0],
    "attention layer": lambda t, F, x: t.nn.MultiheadAttention(4, 2)(*[t.ones(3, 1, 4)] * 3)[0],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("fast", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_dtype(name, fast, given):
    found = []
    for library in (torch, fb):
        def make(*shape, library=library):
            return library.full(shape, 0.5, dtype=getattr(library, given))
        try:
            with library.autocast("cpu", dtype=getattr(library, fast)):
                result = CASES[name](library, library.nn.functional, make)
        except (RuntimeError, NotImplementedError) as error:
            if library is torch:
                pytest.skip(f"PyTorch: {str(error)[:80]}")
            raise
        found.append(str(result.dtype).split(".")[-1])
    assert found[1] == found[0]
