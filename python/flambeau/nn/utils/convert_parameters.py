"""Parameters as one vector and back."""

from __future__ import annotations

from ... import _C

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def _check_devices(parameters):
    devices = {p.device for p in parameters}
    if len(devices) > 1:
        raise TypeError(f"the parameters lie on several devices, {devices}; move the model to one")


def parameters_to_vector(parameters):
    """All parameters, flattened and joined."""
    parameters = list(parameters)
    _check_devices(parameters)
    return _C.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec, parameters):
    """Give the parameters the consecutive pieces of `vec` as their data."""
    if not isinstance(vec, _C.Tensor):
        raise TypeError(f"vector_to_parameters: vec must be a tensor, not {type(vec).__name__}")
    parameters = list(parameters)
    _check_devices(parameters)
    offset = 0
    for param in parameters:
        count = param.numel()
        param.data = vec[offset : offset + count].view_as(param).data
        offset += count
