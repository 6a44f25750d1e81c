"""Windows against their formulas."""

import math

import flambeau as torch
import pytest

FORMULAS = {
    "hann_window": lambda n, last: 0.5 - 0.5 * math.cos(2 * math.pi * n / last),
    "hamming_window": lambda n, last: 0.54 - 0.46 * math.cos(2 * math.pi * n / last),
    "blackman_window": lambda n, last: (0.42 - 0.5 * math.cos(2 * math.pi * n / last)
                                        + 0.08 * math.cos(4 * math.pi * n / last)),
    "bartlett_window": lambda n, last: 1 - abs(2 * n / last - 1),
    "kaiser_window": lambda n, last: i0(12 * math.sqrt(1 - (2 * n / last - 1) ** 2)) / i0(12),
}


def i0(x):
    return sum((x / 2) ** (2 * k) / math.factorial(k) ** 2 for k in range(60))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("length", [2, 3, 8, 51])
@pytest.mark.parametrize("periodic", [True, False])
def test_values(name, length, periodic):
    window = getattr(torch, name)(length, periodic, dtype=torch.float64)
    last = length if periodic else length - 1
    assert window.tolist() == pytest.approx([FORMULAS[name](n, last) for n in range(length)], abs=1e-14)


@pytest.mark.parametrize("name", FORMULAS)
def test_options(name):
    make = getattr(torch, name)
    assert make(0).shape == (0,) and make(1).tolist() == [1.0]
    assert make(5, dtype=torch.bfloat16).dtype == torch.bfloat16
    assert make(5, requires_grad=True).is_leaf and make(5, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="-1"):
        make(-1)
    with pytest.raises(RuntimeError, match="int64"):
        make(5, dtype=torch.int64)
    with pytest.raises(TypeError, match="window_length"):
        make("5")


def test_half_types_multiply_rounded_numbers():
    assert torch.bartlett_window(400, dtype=torch.float16)[1].item() == 0.005001068115234375


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett", "kaiser"])
def test_symmetric_windows_of_signal_are_the_same(name):
    windows = torch.signal.windows
    for sym in (True, False):
        ours = getattr(windows, name)(9, sym=sym, dtype=torch.float64)
        assert torch.allclose(ours, getattr(torch, name + "_window")(9, not sym, dtype=torch.float64))


def test_other_windows_of_signal():
    windows = torch.signal.windows
    assert windows.gaussian(3, std=2.0)[0].item() == pytest.approx(math.exp(-1 / 8))
    assert windows.exponential(4, center=0.0, tau=2.0, sym=False).tolist() == pytest.approx(
        [math.exp(-n / 2) for n in range(4)])
    assert windows.cosine(3).tolist() == pytest.approx([0.5, 1.0, 0.5])
    assert windows.kaiser(128, beta=41.7)[0].item() > 0
    assert windows.nuttall(5)[2].item() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="float16"):
        windows.hann(4, dtype=torch.float16)
    with pytest.raises(ValueError, match="-1"):
        windows.gaussian(4, std=-1)
