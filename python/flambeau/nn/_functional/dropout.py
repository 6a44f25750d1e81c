"""Dropout functions."""

from __future__ import annotations

import warnings

from ... import _C


def check_probability(p):
    """ValueError unless 0 ≤ p ≤ 1."""
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout: p is a probability, from 0 to 1; got {p}")


def dropout(input, p=0.5, training=True, inplace=False):
    """Zero each element with probability `p` and scale the rest by 1/(1−p) (Srivastava et al. 2014)."""
    check_probability(p)
    return (_C.dropout_ if inplace else _C.dropout)(input, p, training)


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean and variance of SELU activations (Klambauer et al. 2017)."""
    check_probability(p)
    return (_C.alpha_dropout_ if inplace else _C.alpha_dropout)(input, p, training)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Alpha dropout of whole channels."""
    check_probability(p)
    return (_C.feature_alpha_dropout_ if inplace else _C.feature_alpha_dropout)(input, p, training)


def _feature_dropout(input, p, training, inplace):
    return (_C.feature_dropout_ if inplace else _C.feature_dropout)(input, p, training)


def _unbatched_feature_dropout(input, p, training, inplace):
    """Dropout of the channels of an input without batch dimension."""
    batch = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _feature_dropout(batch, p, training, inplace)
    return result.squeeze_(0) if inplace else result.squeeze(0)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Zero whole channels of an input (N, C, L) or (C, L)."""
    check_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: the input must be (N, C, L) or (C, L), it has {input.dim()} dims; see dropout2d, "
            "dropout3d"
        )
    if input.dim() == 2:
        return _unbatched_feature_dropout(input, p, training, inplace)
    return _feature_dropout(input, p, training, inplace)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Zero whole channels of an input (N, C, H, W)."""
    check_probability(p)
    if input.dim() not in (3, 4):
        warnings.warn(
            f"dropout2d: an input of {input.dim()} dims is taken as (N, C, …); give it (N, C, H, W)",
            stacklevel=2,
        )
    elif input.dim() == 3:
        warnings.warn(
            "dropout2d: an input of 3 dims is taken as (N, C, L); use dropout1d for such inputs",
            stacklevel=2,
        )
    return _feature_dropout(input, p, training, inplace)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Zero whole channels of an input (N, C, D, H, W) or (C, D, H, W)."""
    check_probability(p)
    if input.dim() not in (4, 5):
        warnings.warn(
            f"dropout3d: an input of {input.dim()} dims is taken as (N, C, …); give it (N, C, D, H, W)",
            stacklevel=2,
        )
    if input.dim() == 4:
        return _unbatched_feature_dropout(input, p, training, inplace)
    return _feature_dropout(input, p, training, inplace)
