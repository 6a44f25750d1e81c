"""Small modules beside the layers: gradients of convolutions, attention kernels, scripts, futures, hub."""
import hashlib
import threading

import pytest

import flambeau as fb
from flambeau import futures, hub, jit

F = fb.nn.functional


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_gradients_of_convolutions(dims):
    from flambeau.nn import grad
    x = fb.randn(2, 4, *[5] * dims, dtype=fb.float64, requires_grad=True)
    w = fb.randn(6, 2, *[3] * dims, dtype=fb.float64, requires_grad=True)
    y = getattr(F, f"conv{dims}d")(x, w, None, 2, 1, 1, 2)
    g = fb.randn_like(y)
    expected = fb.autograd.grad(y, (x, w), g)
    found = (getattr(grad, f"conv{dims}d_input")(x.shape, w, g, 2, 1, 1, 2),
             getattr(grad, f"conv{dims}d_weight")(x, w.shape, g, 2, 1, 1, 2))
    fb.testing.assert_close(found, expected)


def test_attention_kernels():
    from flambeau.nn.attention import SDPBackend, sdpa_kernel
    q = fb.randn(1, 2, 4)
    with sdpa_kernel([SDPBackend.MATH, SDPBackend.EFFICIENT_ATTENTION]):
        y = F.scaled_dot_product_attention(q, q, q)
    fb.testing.assert_close(y, F.scaled_dot_product_attention(q, q, q))
    with pytest.raises(RuntimeError, match="kernel"), sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        pass
    with pytest.raises(AssertionError), sdpa_kernel(["MATH"]):
        pass


def test_scripts_run_as_python():
    @jit.script
    def double(x):
        return 2 * x

    class Net(fb.nn.Module):
        @jit.ignore
        def a(self):
            return 1

        @jit.ignore(drop=True)
        def b(self):
            return 2

        @jit.unused
        def c(self):
            return 3

        @jit.export
        def d(self):
            return 4
    net = jit.script(Net())
    assert (double(3), net.a(), net.b(), net.c(), net.d()) == (6, 1, 2, 3, 4)
    assert not jit.is_scripting() and not fb.compiler.is_compiling()
    assert jit.isinstance([1, 2], list[int]) and not jit.isinstance([1, "a"], list[int])
    assert jit.isinstance({"a": 1.0}, dict[str, float]) and not jit.isinstance((1,), tuple[int, int])
    assert fb.compiler.disable(double)(1) == 2 and fb.compiler.disable(recursive=False)(double)(1) == 2
    for refused in (jit.trace, jit.load, jit.save):
        with pytest.raises(NotImplementedError):
            refused(double, None)
    with pytest.raises(RuntimeError):
        jit.freeze(fb.nn.Linear(1, 1))


def test_futures():
    first, second = futures.Future(), futures.Future()
    following = first.then(lambda f: f.value() + 1)
    called = []
    first.add_done_callback(lambda f: called.append(f.value()))
    with pytest.raises(RuntimeError):
        first.value()
    thread = threading.Thread(target=lambda: (first.set_result(1), second.set_result(2)))
    thread.start()
    assert futures.wait_all([first, second]) == [1, 2] and following.wait() == 2
    thread.join()
    assert called == [1] and futures.collect_all([]).wait() == []
    with pytest.raises(RuntimeError):
        first.set_result(3)
    failed = futures.Future()
    failed.set_exception(ZeroDivisionError())
    for wait in (failed.wait, failed.then(lambda f: f.value()).wait, lambda: futures.wait_all([first, failed])):
        with pytest.raises(ZeroDivisionError):
            wait()
    assert jit.wait(jit.fork(lambda a: a + 1, 2)) == 3


def test_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_folder", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    assert hub.get_dir() == str(tmp_path / "home" / "hub")
    hub.set_dir(tmp_path / "hub")
    fb.save({"w": fb.ones(2)}, tmp_path / "weights.pt")
    digest = hashlib.sha256((tmp_path / "weights.pt").read_bytes()).hexdigest()
    source = tmp_path / f"net-{digest[:8]}.pth"
    (tmp_path / "weights.pt").rename(source)
    for _ in range(2):                                                  # downloaded, then found
        state = hub.load_state_dict_from_url(source.as_uri(), progress=False, check_hash=True)
        assert state["w"].tolist() == [1.0, 1.0]
        if source.exists():
            kept = source.read_bytes()
    assert (tmp_path / "hub" / "checkpoints" / source.name).read_bytes() == kept
    with pytest.raises(RuntimeError, match="hash"):
        hub.download_url_to_file(source.as_uri(), str(tmp_path / "copy"), "0000", progress=False)
    assert not (tmp_path / "copy").exists() and not list(tmp_path.glob("*.partial"))
    (tmp_path / "hubconf.py").write_text(
        "dependencies = ['math']\n\ndef tiny(size, bias=True):\n    'A layer.'\n"
        "    import flambeau\n    return flambeau.nn.Linear(size, 1, bias)\n")
    assert hub.load(str(tmp_path), "tiny", 3, source="local", bias=False).bias is None
    with pytest.raises(RuntimeError, match="nothing"):
        hub.load(str(tmp_path), "nothing", source="local")
    with pytest.raises(ValueError):
        hub.load("a/b", "c", source="elsewhere")
    with pytest.raises(RuntimeError, match="trust"):
        hub.load("nobody/nothing", "c")
    with pytest.raises(ValueError):
        hub.load("not a repository", "c", trust_repo=True)


def test_functions_of_the_top_namespace():
    i = fb.tensor([[0, 5], [3, 1]])
    rows, columns = fb.unravel_index(i, (2, 3))
    assert fb.equal(rows * 3 + columns, i) and fb.unravel_index(fb.tensor(3), 5)[0] == 3
    with pytest.raises(TypeError):
        fb.unravel_index(fb.ones(1), 3)
    with pytest.raises(ValueError):
        fb.unravel_index(fb.tensor(1), (-1, 2))
    assert fb.empty_permuted((2, 3, 4), (1, 2, 0)).stride() == (1, 8, 2)
    with pytest.raises(RuntimeError):
        fb.empty_permuted((2, 3), (0, 0))
    assert issubclass(fb.OutOfMemoryError, RuntimeError)
    with pytest.raises(TypeError):
        fb.nn.factory_kwargs({"dtype": 1, "factory_kwargs": {"dtype": 1}})
    with pytest.raises(TypeError):
        fb.nn.factory_kwargs({"other": 1})
    shared = fb.utils.dlpack.from_dlpack(fb.ones(2))
    assert shared.tolist() == [1.0, 1.0]
