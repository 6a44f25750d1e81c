"""Discrete Fourier transforms of all lengths against NumPy's, which computes in double, and against themselves."""

import flambeau as torch
import numpy as np
import pytest
from flambeau import fft

LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 19, 23, 25, 29, 31, 32, 37, 49, 60, 64, 74, 97, 100, 121,
           128, 210, 243, 256, 331, 500, 512, 1000, 1009, 1024, 2003, 4096]
NORMS = ["backward", "ortho", "forward"]
DOUBLE = [torch.float64, torch.complex128]


def signal(*shape, dtype=torch.complex128, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def near(found, wanted, tolerance):
    wanted = np.asarray(wanted)
    assert tuple(found.shape) == wanted.shape
    assert np.abs(found.numpy() - wanted).max(initial=0) <= tolerance * max(1.0, np.abs(wanted).max(initial=0))


@pytest.mark.parametrize("n", LENGTHS)
def test_lengths(n):
    for dtype, eps in ((torch.complex128, 1e-14), (torch.complex64, 4e-7)):
        x = signal(9, n, dtype=dtype)
        near(fft.fft(x), np.fft.fft(x.numpy().astype(complex)), eps)
        near(fft.ifft(x), np.fft.ifft(x.numpy().astype(complex)), eps)
        r = x.real.clone()
        near(fft.rfft(r), np.fft.rfft(r.numpy().astype(float)), eps)
        near(fft.fft(r), np.fft.fft(r.numpy().astype(float)), eps)
        near(fft.irfft(fft.rfft(r), n), r.numpy(), 4 * eps)
        near(fft.ihfft(r), np.fft.ihfft(r.numpy().astype(float)), eps)
        near(fft.hfft(x[:, :n // 2 + 1], n), np.fft.hfft(x[:, :n // 2 + 1].numpy().astype(complex), n), eps)


@pytest.mark.parametrize("n", [1 << 14, 20000, 64 * 9 * 49])
def test_one_long_line(n):
    for dtype, eps in ((torch.complex128, 1e-14), (torch.complex64, 4e-7)):
        x = signal(2, n, dtype=dtype)
        near(fft.fft(x), np.fft.fft(x.numpy().astype(complex)), eps)
        near(fft.ifft(x[0], norm="ortho"), np.fft.ifft(x[0].numpy().astype(complex), norm="ortho"), eps)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize("n", [None, 3, 8, 13])
def test_along_a_dim(name, norm, n):
    x = signal(4, 6, 5, dtype=torch.float64 if name in ("rfft", "ihfft") else torch.complex128)
    for dim in (0, 1, -1):
        for y in (x, x.transpose(0, 2)):
            wanted = getattr(np.fft, name)(y.numpy(), n=n, axis=dim, norm=norm)
            near(getattr(fft, name)(y, n=n, dim=dim, norm=norm), wanted, 1e-13)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"])
def test_along_several_dims(name, norm):
    x = signal(4, 6, 5, dtype=torch.float64 if name.startswith("r") else torch.complex128)
    f, reference = getattr(fft, name), getattr(np.fft, name)
    near(f(x, norm=norm), reference(x.numpy(), norm=norm), 1e-13)
    near(f(x, s=(3, 8), dim=(2, 0), norm=norm), reference(x.numpy(), s=(3, 8), axes=(2, 0), norm=norm), 1e-13)


def test_hermitian_signals():
    x = signal(4, 5, dtype=torch.float64)
    half = fft.ihfftn(x)
    near(fft.hfftn(half, s=(4, 5)), x.numpy(), 1e-13)
    near(fft.hfft2(fft.ihfft2(x), s=(4, 5)), x.numpy(), 1e-13)
    near(half, np.fft.ifftn(x.numpy())[:, :3], 1e-13)


def test_a_real_signal_has_a_symmetric_transform():
    y = fft.fft(signal(3, 11, dtype=torch.float32))
    assert torch.equal(y[:, 1:], y[:, 1:].flip(1).conj())


def test_ends_of_half_a_spectrum_are_real():
    x = signal(5)
    y = x.clone()
    y[0], y[-1] = x[0].real, x[-1].real
    assert torch.equal(fft.irfft(x), fft.irfft(y))


@pytest.mark.parametrize("n", [4, 5, 7])
def test_gradients(n):
    z, x = signal(3, 5).requires_grad_(), signal(3, 5, dtype=torch.float64).requires_grad_()
    checks = [(fft.fft, z), (fft.fft, x), (fft.ifft, z), (fft.rfft, x), (fft.irfft, z), (fft.hfft, z), (fft.ihfft, x)]
    for f, given in checks:
        assert torch.autograd.gradcheck(lambda t, f=f: f(t, n=n), (given,))
        assert torch.autograd.gradgradcheck(lambda t, f=f: f(t, n=n), (given,))
    for f, given in ((fft.fftn, z), (fft.rfftn, x), (fft.irfftn, z), (fft.hfftn, z), (fft.ihfftn, x)):
        assert torch.autograd.gradcheck(f, (given,))


def test_frequencies_and_shifts():
    for n in (1, 4, 5):
        near(fft.fftfreq(n, 0.5, dtype=torch.float64), np.fft.fftfreq(n, 0.5), 0)
        near(fft.rfftfreq(n, 0.5, dtype=torch.float64), np.fft.rfftfreq(n, 0.5), 0)
    x = torch.arange(20).reshape(4, 5)
    near(fft.fftshift(x), np.fft.fftshift(x.numpy()), 0)
    near(fft.ifftshift(x, dim=1), np.fft.ifftshift(x.numpy(), axes=1), 0)


def test_threads_agree():
    x = signal(64, 1000)
    count = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = fft.fft(x)
        torch.set_num_threads(3)
        assert torch.equal(fft.fft(x), alone)
    finally:
        torch.set_num_threads(count)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("onesided", [True, False])
@pytest.mark.parametrize("normalized", [True, False])
def test_short_time_transform_and_back(center, onesided, normalized):
    x = signal(2, 60, dtype=torch.float64)
    window = 0.6 - 0.5 * torch.cos(torch.arange(12, dtype=torch.float64) * (np.pi / 6))
    how = {"hop_length": 4, "win_length": 12, "window": window, "center": center, "normalized": normalized,
           "onesided": onesided}
    s = torch.stft(x, 16, return_complex=True, **how)
    frame = x[1, 8:24] * torch.nn.functional.pad(window, (2, 2))
    wanted = (fft.rfft if onesided else fft.fft)(frame, norm="ortho" if normalized else "backward")
    near(s[1, :, 4 if center else 2], wanted.numpy(), 1e-13)
    if center:
        near(torch.istft(s, 16, **how), x.numpy(), 1e-12)
        assert torch.autograd.gradcheck(lambda t: torch.istft(torch.stft(t, 16, return_complex=True, **how), 16, **how),
                                        (x.requires_grad_(),))


def test_errors():
    x = torch.ones(3, 4)
    with pytest.raises(RuntimeError, match="0 points"):
        fft.fft(x, n=0)
    with pytest.raises(RuntimeError, match="normalization mode"):
        fft.fft(x, norm="x")
    with pytest.raises(RuntimeError, match="ComplexFloat, but must be real"):
        fft.rfft(x.to(torch.complex64))
    with pytest.raises(RuntimeError, match="twice"):
        fft.fftn(x, dim=(0, 0))
    with pytest.raises(RuntimeError, match="Half"):
        fft.fft(x.half())
    with pytest.raises(IndexError):
        fft.fft(torch.tensor(1.0))
    with pytest.raises(RuntimeError, match="return_complex"):
        torch.stft(torch.ones(20), 8)
    with pytest.raises(RuntimeError, match="uncovered"):
        torch.istft(torch.ones(5, 6, dtype=torch.complex64), 8, window=torch.zeros(8))
