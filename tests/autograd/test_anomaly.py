"""Anomaly mode: switching, and NaN gradients."""

import math

import flambeau as torch
import pytest
from flambeau.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly


def nan_gradient():
    x = torch.tensor([0.0], requires_grad=True)
    return (torch.sqrt(x) * 0).sum().backward() or x.grad


def test_set_detect_anomaly():
    assert not torch.is_anomaly_enabled()
    with set_detect_anomaly(True):
        assert torch.is_anomaly_enabled()
        with pytest.raises(RuntimeError, match="nan"):
            nan_gradient()
        with set_detect_anomaly(True, check_nan=False):
            assert math.isnan(nan_gradient().item())
    assert not torch.is_anomaly_enabled()
    assert math.isnan(nan_gradient().item())


def test_detect_anomaly_warns():
    with pytest.warns(UserWarning, match="Anomaly Detection"), detect_anomaly():
        assert torch.is_anomaly_enabled()
    assert not torch.is_anomaly_enabled()
