"""Where storages go: devices in files, `map_location`, and packages that bring devices of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau import _C

_packages: list[tuple[int, Callable, Callable]] = []


def register_package(priority: int, tagger: Callable, deserializer: Callable) -> None:
    """Teach `save` and `load` about a kind of device.

    Args:
        priority: packages with smaller numbers are asked first.
        tagger: from a storage to the text that names its device in files, or None if it is not of this kind.
        deserializer: from a storage and such a text to the storage on that device, or None.
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def location_tag(storage: Any) -> str:
    """The text that names a storage's device in files."""
    for _, tagger, _ in _packages:
        tag = tagger(storage)
        if tag:
            return tag
    raise RuntimeError(f"save: no location tag is known for {type(storage).__name__}")


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage on the device that `location` names.

    Errors: RuntimeError if this build has no such device.
    """
    for _, _, deserializer in _packages:
        result = deserializer(storage, location)
        if result is not None:
            return result
    family = location.partition(":")[0]
    if family in ("cuda", "xpu", "mps", "mtia"):
        raise RuntimeError(
            f"the file holds an object on a {family.upper()} device, and torch.{family}.is_available() is "
            "False; pass map_location='cpu' to torch.load"
        )
    raise RuntimeError(f"load: the location tag {location!r} of a {type(storage).__name__} is unknown")


register_package(
    10, lambda storage: "cpu" if storage.device.type == "cpu" else None,
    lambda storage, location: storage if location == "cpu" else None,
)  # fmt: skip
register_package(
    22, lambda storage: "meta" if storage.device.type == "meta" else None,
    lambda storage, location: _C.UntypedStorage(storage.nbytes(), device="meta") if location == "meta" else
    None,
)  # fmt: skip


def restorer(map_location: Any) -> Callable[[Any, str], Any]:
    """The function from (storage, location in the file) to the storage where `map_location` wants it."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(
            storage, map_location.get(location, location)
        )
    if isinstance(map_location, (str, bytes)):
        target = map_location.decode() if isinstance(map_location, bytes) else map_location
        return lambda storage, location: default_restore_location(storage, target)
    if isinstance(map_location, _C.device):
        return lambda storage, location: default_restore_location(storage, str(map_location))
    if not callable(map_location):
        raise TypeError(
            f"load: map_location must be a device, str, dict or function, not {type(map_location)}"
        )

    def restore(storage: Any, location: str) -> Any:
        result = map_location(storage, location)
        return default_restore_location(storage, location) if result is None else result

    return restore
