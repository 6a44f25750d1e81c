"""no_grad, enable_grad, set_grad_enabled, inference_mode: as blocks, functions and decorators."""

import threading

import flambeau as torch
import pytest


@pytest.fixture(autouse=True)
def recording():
    torch.set_grad_enabled(True)
    yield
    torch.set_grad_enabled(True)


def recorded():
    return torch.is_grad_enabled() and (torch.ones(1, requires_grad=True) * 2).requires_grad


def test_blocks_nest():
    assert recorded()
    with torch.no_grad():
        assert not recorded()
        with torch.enable_grad():
            assert recorded()
        assert not recorded()
        with torch.set_grad_enabled(True):
            assert recorded()
        assert not recorded()
    assert recorded()


def test_one_object_may_be_entered_twice():
    block = torch.no_grad()
    with block:
        with block:
            assert not recorded()
        assert not recorded()
    assert recorded()


def test_error_restores():
    with pytest.raises(ValueError), torch.no_grad():
        raise ValueError
    assert recorded()


def test_set_grad_enabled_is_a_function_too():
    torch.set_grad_enabled(False)
    assert not recorded()
    torch.set_grad_enabled(mode=True)
    assert recorded()
    with pytest.raises(TypeError):
        torch.set_grad_enabled(1)


@pytest.mark.parametrize(
    "decorator", [torch.no_grad, torch.no_grad(), torch.inference_mode, torch.inference_mode()]
)
def test_decorators(decorator):
    @decorator
    def f(x, *, y):
        """The doc."""
        return x + y, recorded()

    assert f(1, y=2) == (3, False)
    assert recorded() and f.__name__ == "f" and f.__doc__ == "The doc."


def test_decorating_with_set_grad_enabled_changes_nothing_outside():
    @torch.set_grad_enabled(False)
    def f():
        return recorded()

    assert recorded() and not f() and recorded()


def test_methods():
    class Thing:
        @torch.no_grad()
        def run(self):
            return self, recorded()

    thing = Thing()
    assert thing.run() == (thing, False)


def test_generator_runs_in_mode_and_its_consumer_does_not():
    seen = []

    @torch.no_grad()
    def count():
        try:
            sent = yield recorded()
            seen.append((sent, recorded()))
            try:
                yield recorded()
            except KeyError:
                seen.append(("thrown", recorded()))
            yield recorded()
        finally:
            seen.append(("closed", recorded()))

    steps = count()
    assert next(steps) is False and recorded()
    assert steps.send("hello") is False and recorded()
    assert steps.throw(KeyError()) is False and recorded()
    steps.close()
    assert recorded()
    assert seen == [("hello", False), ("thrown", False), ("closed", False)]


def test_generator_returns_its_value():
    @torch.no_grad()
    def give():
        yield 1
        return 5

    steps = give()
    next(steps)
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value == 5


def test_generator_that_raises():
    @torch.no_grad()
    def fail():
        yield 1
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        list(fail())
    assert recorded()


def test_class_warns_and_runs_init_in_mode():
    class Thing:
        def __init__(self):
            self.recorded = recorded()

    with pytest.warns(FutureWarning, match="Decorating classes"):
        decorated = torch.no_grad()(Thing)
    assert decorated().recorded is False


def test_inference_tensors():
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled()
        x = torch.ones(2)
        with torch.inference_mode(False):
            assert not torch.is_inference_mode_enabled()
    assert x.is_inference() and not x.requires_grad
    with torch.inference_mode(mode=False):
        assert recorded()


def test_threads_start_recording():
    found = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: found.append(recorded()))
        thread.start()
        thread.join()
    assert found == [True]


def test_repr_and_clone():
    assert repr(torch.set_grad_enabled(True)).endswith("set_grad_enabled(mode=True)")
    assert isinstance(torch.no_grad().clone(), torch.no_grad)
