"""The scale of losses: growth, backoff, skipped steps, state."""
import pickle

import pytest

import flambeau as fb
from flambeau.amp import GradScaler


def setting(value=1.0):
    p = fb.nn.Parameter(fb.full((2,), value))
    return p, fb.optim.SGD([p], lr=1.0)


def test_a_step_is_that_of_the_unscaled_gradients():
    p, optimizer = setting()
    scaler = GradScaler("cpu", init_scale=8.0)
    loss = (p * fb.tensor([1.0, 3.0])).sum()
    scaled = scaler.scale(loss)
    assert scaled.item() == 8 * loss.item()
    scaled.backward()
    assert p.grad.tolist() == [8.0, 24.0]
    scaler.step(optimizer)
    scaler.update()
    assert p.tolist() == [0.0, -2.0] and p.grad.tolist() == [1.0, 3.0]


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_a_bad_gradient_skips_the_step_and_lowers_the_scale(bad):
    p, optimizer = setting()
    scaler = GradScaler("cpu", init_scale=8.0, backoff_factor=0.25, growth_interval=2)
    scaler.scale(fb.ones(()))
    p.grad = fb.tensor([1.0, bad])
    assert scaler.step(optimizer) is None
    scaler.update()
    assert p.tolist() == [1.0, 1.0] and scaler.get_scale() == 2.0 and scaler._get_growth_tracker() == 0


def test_growth_after_an_interval():
    p, optimizer = setting()
    scaler = GradScaler("cpu", init_scale=2.0, growth_factor=4.0, growth_interval=3)
    scales = []
    for i in range(7):
        scaler.scale(fb.ones(()))
        p.grad = fb.tensor([1.0, float("inf") if i == 4 else 1.0])
        scaler.step(optimizer)
        scaler.update()
        scales.append((scaler.get_scale(), scaler._get_growth_tracker()))
    assert scales == [(2.0, 1), (2.0, 2), (8.0, 0), (8.0, 1), (4.0, 0), (4.0, 1), (4.0, 2)]


def test_the_scale_does_not_grow_to_infinity():
    p, optimizer = setting()
    scaler = GradScaler("cpu", init_scale=2.0 ** 127, growth_interval=1)
    scaler.scale(fb.zeros(()))
    p.grad = fb.zeros(2)
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 2.0 ** 127


def test_unscale_before_clipping_and_several_optimizers():
    (p, first), (q, second) = setting(), setting()
    scaler = GradScaler("cpu", init_scale=4.0)
    scaler.scale((3 * p + 4 * q).sum()).backward()
    scaler.unscale_(first)
    fb.nn.utils.clip_grad_norm_([p], 1.0)
    q.grad[0] = float("inf")
    scaler.step(first)
    scaler.step(second)
    scaler.update()
    fb.testing.assert_close(p.detach(), fb.full((2,), 1 - 0.5 ** 0.5))
    assert q.tolist() == [1.0, 1.0] and scaler.get_scale() == 2.0


def test_order_of_calls():
    p, optimizer = setting()
    scaler = GradScaler("cpu")
    for call in (lambda: scaler.step(optimizer), scaler.update, lambda: scaler.unscale_(optimizer)):
        with pytest.raises(AssertionError, match="before a loss was scaled"):
            call()
    scaler.scale(fb.ones(()))
    with pytest.raises(AssertionError, match="no gradients"):
        scaler.step(optimizer)
    p.grad = fb.ones(2)
    scaler.update(2.0)
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="unscaled already"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="stepped already"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="came first"):
        scaler.unscale_(optimizer)
    with pytest.raises(AssertionError):
        pickle.dumps(scaler)
    with pytest.raises(RuntimeError, match="closure"):
        scaler.step(optimizer, closure=lambda: 0)
    with pytest.raises(ValueError):
        scaler.scale(3)
    with pytest.raises(AssertionError):
        GradScaler("cpu", growth_factor=0.5)
    half, of_half = fb.nn.Parameter(fb.ones(1).half()), None
    of_half = fb.optim.SGD([half], lr=1.0)
    half.grad = fb.ones(1).half()
    with pytest.raises(ValueError, match="float16"):
        scaler.unscale_(of_half)


def test_nested_outputs_keep_their_form():
    scaler = GradScaler("cpu", init_scale=2.0)
    a, (b,) = scaler.scale([fb.ones(1), (fb.ones(1),)])
    assert a.tolist() == b.tolist() == [2.0]


def test_state():
    p, optimizer = setting()
    scaler = GradScaler("cpu", init_scale=4.0, growth_interval=7)
    scaler.scale(fb.ones(()))
    p.grad = fb.ones(2)
    scaler.step(optimizer)
    scaler.update()
    state = scaler.state_dict()
    assert state == {"scale": 4.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 7,
                     "_growth_tracker": 1}
    other = GradScaler("cpu")
    other.load_state_dict(state)
    assert other.state_dict() == state and pickle.loads(pickle.dumps(scaler)).state_dict() == state
    with pytest.raises(RuntimeError, match="empty"):
        other.load_state_dict({})


def test_disabled_passes_through():
    p, optimizer = setting()
    with pytest.warns(UserWarning, match="CUDA"):
        scaler = GradScaler()
    with pytest.warns(FutureWarning), pytest.warns(UserWarning):
        fb.cuda.amp.GradScaler()
    loss = p.sum()
    assert scaler.scale(loss) is loss and not scaler.is_enabled() and scaler.get_scale() == 1.0
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert p.tolist() == [0.0, 0.0] and scaler.state_dict() == {}
    scaler.load_state_dict({})
