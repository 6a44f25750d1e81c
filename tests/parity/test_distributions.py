"""Draws, densities and divergences against PyTorch's; runs where PyTorch is installed."""
import flambeau as fb
import numpy as np
import pytest
from instances import CONTINUOUS, DISCRETE, VECTORS

torch = pytest.importorskip("torch")
if torch is fb:
    pytest.skip("torch is flambeau here", allow_module_level=True)

MAKE = {name: case[0] for name, case in {**CONTINUOUS, **DISCRETE}.items()} | VECTORS


def converted(value, library):
    """A distribution of flambeau, built again from its parameters by another library."""
    if isinstance(value, fb.Tensor):
        return library.from_numpy(value.detach().contiguous().numpy().copy())
    if isinstance(value, fb.distributions.MixtureSameFamily):
        return library.distributions.MixtureSameFamily(converted(value.mixture_distribution, library),
                                                       converted(value.component_distribution, library))
    if not isinstance(value, fb.distributions.Distribution):
        return value
    names = [n for n in value.arg_constraints if n not in ("probs", "logits") and hasattr(value, n)]
    names += [n for n in ("probs", "temperature", "total_count") if hasattr(value, n) and n not in names]
    return getattr(library.distributions, type(value).__name__)(
        **{n: converted(getattr(value, n), library) for n in names})


@pytest.mark.parametrize("name", sorted(MAKE))
def test_a_seed_draws_the_same_numbers(name):
    dist = MAKE[name]()
    theirs = converted(dist, torch)
    draws = []
    for library, made in ((fb, dist), (torch, theirs)):
        library.manual_seed(1234)
        first = made.sample((5,))
        second = (made.rsample if made.has_rsample else made.sample)((3,))
        draws.append((first.numpy(), second.numpy(), library.rand(1).numpy()))
    for ours, expected in zip(*draws):
        assert ours.dtype == expected.dtype and ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-13)
    assert draws[0][2] == draws[1][2]                                   # as many draws


@pytest.mark.parametrize("name", sorted(MAKE))
def test_densities_and_properties(name):
    dist = MAKE[name]()
    theirs = converted(dist, torch)
    if name == "GeneralizedPareto":
        pytest.skip("PyTorch's log_prob takes float32 only")
    fb.manual_seed(1)
    value = dist.sample((4,))
    expected = theirs.log_prob(converted(value, torch))
    # PyTorch's Bessel functions of the von Mises distribution have seven digits
    np.testing.assert_allclose(dist.log_prob(value).numpy(), expected.numpy(), rtol=1e-6, atol=1e-6)
    assert repr(dist.support).split("(")[0] == repr(theirs.support).split("(")[0]
    assert tuple(dist.batch_shape) == tuple(theirs.batch_shape) and tuple(dist.event_shape) == tuple(theirs.event_shape)
    assert dist.has_rsample == theirs.has_rsample and dist.has_enumerate_support == theirs.has_enumerate_support
