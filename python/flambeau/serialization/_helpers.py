"""Public functions of `torch.serialization` beside saving and loading."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from flambeau import _C
from flambeau.serialization._settings import skipping


class skip_data:
    """In its block `save` writes zeros for the bytes of storages, and `load` leaves storages as they come.

    For files whose numbers are written or read by other means.

    Args:
        materialize_fake_tensors: accepted; there are no fake tensors here.
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self) -> None:
        self._before, skipping.data = skipping.data, True

    def __exit__(self, *error: Any) -> None:
        skipping.data = self._before


def check_module_version_greater_or_equal(
    module: Any, req_version_tuple: tuple, error_if_malformed: bool = True
) -> bool:
    """Whether a module's `__version__` is at least the given numbers.

    Errors: RuntimeError for a version that does not begin with numbers, unless `error_if_malformed` is False;
        then True.
    """
    parts = str(module.__version__).split(".")[: len(req_version_tuple)]
    numbers = [re.match(r"\d+", part) for part in parts]
    if all(numbers):
        return tuple(int(number.group()) for number in numbers if number) >= tuple(req_version_tuple)
    if error_if_malformed:
        raise RuntimeError(
            f"{module.__name__}: its version {module.__version__!r} cannot be read, so not compared with "
            f"{req_version_tuple}"
        )
    return True


def validate_cuda_device(location: str) -> int:
    """Errors: RuntimeError, as there is no GPU."""
    raise RuntimeError(
        f"the file holds an object on a CUDA device ({location}), and torch.cuda.is_available() is False; pass "
        "map_location='cpu' to torch.load"
    )


def validate_hpu_device(location: str) -> int:
    """Errors: RuntimeError, as there is no such device."""
    raise RuntimeError(
        f"the file holds an object on an HPU ({location}), and there is none; pass map_location='cpu' to "
        "torch.load"
    )


def normalize_storage_type(storage_type: type) -> type:
    """The class of storages with the name of `storage_type`."""
    from flambeau import storage

    return getattr(storage, storage_type.__name__)


def storage_to_tensor_type(storage: Any) -> type:
    """The class of the tensors that view a storage."""
    return _C.Tensor


@contextlib.contextmanager
def mkdtemp() -> Iterator[str]:
    """A temporary folder for the time of the block."""
    folder = tempfile.mkdtemp()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
