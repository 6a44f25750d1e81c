"""NumPy's dtypes in files of `weights_only=False`: NumPy reads their states unchecked, so the reader looks first."""
import io
import pickle

import flambeau as torch
import numpy as np
import pytest

DTYPES = [np.dtype(">i4"), np.dtype("M8[D]"), np.dtype("m8[25s]"), np.dtype(("f4", (2, 2))), np.dtype("U3"),
          np.dtype("V8"), np.dtype([("a", "f4"), ("b", "i8", (2,))]), np.dtype([(("title", "n"), "f4")]),
          np.dtype({"names": ["x"], "formats": ["f8"], "offsets": [8], "itemsize": 16})]


class Pickled:
    """Pickles as a float64 dtype with the given state."""

    def __init__(self, state):
        self.state = state

    def __reduce__(self):
        return np.dtype, ("f8", False, True), self.state


def loaded(value, zipped):
    file = io.BytesIO()
    torch.save([value, torch.ones(1)], file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    return torch.load(file, weights_only=False)[0]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_kind_of_dtype_comes_back(dtype, zipped):
    assert loaded(dtype, zipped) == dtype
    if not dtype.shape and dtype.isnative:  # NumPy itself turns pickled arrays to the native order
        assert loaded(np.zeros(2, dtype), zipped).dtype == dtype


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("state", [
    (3, "<", (None, None, None), -1, -1, 0), (3, "<", None, None, None, "-1", -1, 0), (3, "<"), "<",
    (3, "<", None, ("a",), None, -1, -1, 0), (3, "<", None, ("a",), {"a": 1}, -1, -1, 0),
], ids=str)
def test_damaged_states_are_refused(state, zipped):
    with pytest.raises(pickle.UnpicklingError, match="dtype is damaged"):
        loaded(Pickled(state), zipped)
