"""Saving and loading in PyTorch's file format.

Files are written opcode by opcode and read by an interpreter of the same small grammar, so that loading a
file
does not run code that the file brings along. Only `weights_only=False` uses Python's pickle machine.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from flambeau import _C
from flambeau.serialization import _zip
from flambeau.serialization._helpers import (
    check_module_version_greater_or_equal,
    mkdtemp,
    normalize_storage_type,
    skip_data,
    storage_to_tensor_type,
    validate_cuda_device,
    validate_hpu_device,
)
from flambeau.serialization._legacy import (
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    buffered,
    read_legacy,
    write_legacy,
)
from flambeau.serialization._locations import (
    default_restore_location,
    location_tag,
    register_package,
    restorer,
)
from flambeau.serialization._names import byte_order
from flambeau.serialization._pickle_reader import names_in_pickle, read_pickle
from flambeau.serialization._pickle_writer import PickleWriter
from flambeau.serialization._records import StorageSource, StorageTable, is_foreign, swap_bytes
from flambeau.serialization._safe_globals import (
    add_safe_globals,
    clear_safe_globals,
    find_allowed,
    get_safe_globals,
    safe_globals,
)
from flambeau.serialization._settings import (
    LoadEndianness,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
    skipping,
)
from flambeau.serialization._unpickler import full_unpickle

__all__ = [
    "MAGIC_NUMBER",
    "PROTOCOL_VERSION",
    "LoadEndianness",
    "SourceChangeWarning",
    "add_safe_globals",
    "check_module_version_greater_or_equal",
    "clear_safe_globals",
    "default_restore_location",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "mkdtemp",
    "normalize_storage_type",
    "register_package",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
    "skip_data",
    "storage_to_tensor_type",
    "validate_cuda_device",
    "validate_hpu_device",
]

DEFAULT_PROTOCOL = 2


class SourceChangeWarning(Warning):
    """The source of a saved class differs from the one at hand."""


# --- saving ----------------------------------------------------------------------------------------------


def save(
    obj: object,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object to a file that this package and PyTorch read.

    A path appears complete or not at all: the bytes go to a file beside it, which is then renamed.

    Args:
        obj: tensors, storages, numbers, text and containers of them; other objects by their own reduction.
        f: path, or object with a `write` method that takes bytes.
        pickle_module: only the standard `pickle` can be chosen.
        pickle_protocol: 2 … 5.
        _use_new_zipfile_serialization: False writes the format of PyTorch before 1.6.
        _disable_byteorder_record: leave out the record that names the byte order.
    Errors: RuntimeError if the directory does not exist or two dtypes view one storage, ValueError for a
    protocol
        or pickle module that cannot be used, PicklingError for objects that cannot be named.

    >>> import io, flambeau as torch
    >>> file = io.BytesIO()
    >>> torch.save({"w": torch.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    {'w': tensor([1., 1.])}
    """
    if getattr(pickle_module, "__name__", None) not in ("pickle", "_pickle"):
        raise ValueError(f"save: pickle_module must be the standard pickle, not {pickle_module!r}")
    if not isinstance(pickle_protocol, int) or not -1 <= pickle_protocol <= pickle.HIGHEST_PROTOCOL:
        raise ValueError(f"pickle protocol must be <= {pickle.HIGHEST_PROTOCOL}, but got {pickle_protocol}")
    # The opcodes of protocol 2 serve for 0 and 1 too: every reader of the file format knows them.
    protocol = pickle.HIGHEST_PROTOCOL if pickle_protocol < 0 else max(2, pickle_protocol)
    with _open_to_write(f) as (stream, prefix):
        if _use_new_zipfile_serialization:
            _write_archive(obj, stream, prefix, protocol, with_order=not _disable_byteorder_record)
        elif skipping.data:
            raise RuntimeError("skip_data needs _use_new_zipfile_serialization=True")
        else:
            write_legacy(obj, stream, protocol)


def _write_archive(obj: object, stream: Any, prefix: str, protocol: int, with_order: bool) -> None:
    table = StorageTable(lambda count, storage: str(count))
    data = PickleWriter(table.refer, protocol).dump(obj)
    archive = _zip.ArchiveWriter(stream, prefix, checksums=get_crc32_options())
    archive.write("data.pkl", data)
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", str(_zip.ALIGNMENT).encode())
    if with_order:
        archive.write("byteorder", byte_order().encode())
    for key, (storage, _) in table.storages.items():
        if skipping.data:
            archive.write_zeros(f"data/{key}", storage.nbytes())
        else:
            archive.write(f"data/{key}", storage._to_bytes())
    archive.write("version", b"3\n")
    # PyTorch tells files apart by this number; the pickle's digest makes equal objects give equal files.
    digest = int.from_bytes(hashlib.sha256(data).digest()[:16], "big")
    archive.write(".data/serialization_id", f"{digest:040d}".encode())
    archive.close()


@contextlib.contextmanager
def _open_to_write(f: Any) -> Iterator[tuple[Any, str]]:
    if not isinstance(f, (str, os.PathLike)):
        if not hasattr(f, "write"):
            raise AttributeError(
                f"save: f must be a path or a file with a write method, not {type(f).__name__}"
            )
        yield f, "archive"
        if hasattr(f, "flush"):
            f.flush()
        return
    path = os.path.realpath(os.fspath(f))
    directory, name = os.path.split(path)
    if not os.path.isdir(directory):
        raise RuntimeError(f"Parent directory {directory} does not exist.")
    prefix = os.path.splitext(name)[0] or "archive"
    if os.path.exists(path) and not (os.path.isfile(path) and os.access(directory, os.W_OK)):
        # A pipe, a device, or a file in a folder that takes no new ones: nothing to put in its place.
        with open(path, "wb") as stream:
            yield stream, prefix
        return
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    # Not named after the file, whose name may be as long as names can be.
    part = os.path.join(directory, f".{os.getpid()}-{os.urandom(6).hex()}.part")
    try:
        with open(part, "xb") as stream:
            yield stream, prefix
        if os.path.exists(path):
            shutil.copymode(path, part)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


# --- loading ---------------------------------------------------------------------------------------------


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read an object from a file written by `save` or by PyTorch.

    Args:
        f: path, or seekable object with `read`.
        map_location: where storages go: a device, its name, a dict from names in the file to names here, or a
            function from (storage, name) to a storage or None; None puts them where they were.
        pickle_module: module whose `Unpickler` reads the pickle when `weights_only` is False.
        weights_only: True (the default) builds data only; False runs whatever code the file asks for.
        mmap: True maps the file (a path) instead of reading it; pages are read when touched. Checksums of
            tensors are then not verified, which would read them all; without it they are.
        pickle_load_args: for the unpickler; `encoding` says how Python 2's byte strings become text.
    Errors: UnpicklingError if the pickle is damaged or names what is not allowed, RuntimeError if the
    archive is
        damaged or a device is missing, EOFError if the file is empty.
    """
    full = _is_full_pickle_wanted(weights_only, pickle_module)
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a string filename in order to use mmap argument")
    restore = restorer(map_location)
    with _open_to_read(f) as stream, contextlib.nullcontext() if full else _advice():
        start = stream.tell()
        head = stream.read(4)
        stream.seek(start)
        unpickle = _full_unpickler(pickle_module or pickle, pickle_load_args) if full else None
        encoding = pickle_load_args.get("encoding", "utf-8")
        if head == b"PK\3\4":
            return _read_archive(stream, f if mmap else None, restore, encoding, unpickle)
        if mmap:
            raise RuntimeError("load: mmap needs a file in the zip format, which save writes by default")
        return read_legacy(buffered(stream), restore, encoding, unpickle)


@contextlib.contextmanager
def _advice() -> Iterator[None]:
    """Adds to a refusal what the user may do about it."""
    try:
        yield
    except pickle.UnpicklingError as error:
        if isinstance(error, IndexError):
            raise
        raise pickle.UnpicklingError(
            f"Weights only load failed: {error}\nTwo ways on, for a file that you trust: (1) "
            "weights_only=False, which runs whatever code the file asks for; (2) keep weights_only=True and "
            "allow the names that it needs."
        ) from None


def _is_full_pickle_wanted(weights_only: bool | None, pickle_module: Any) -> bool:
    def is_set(name: str) -> bool:
        return os.environ.get(name, "0") in ("1", "y", "yes", "true")

    if is_set("TORCH_FORCE_WEIGHTS_ONLY_LOAD"):
        weights_only = True
    elif weights_only is None:
        weights_only = pickle_module is None and not is_set("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    if weights_only and pickle_module is not None:
        raise RuntimeError("load: weights_only=True reads the file itself and does not use pickle_module; "
                           "pass one of them")
    return not weights_only


def _full_unpickler(module: Any, options: dict[str, Any]) -> Callable[[Any, Callable], Any]:
    return lambda stream, find_storage: full_unpickle(stream, find_storage, module, options)


@contextlib.contextmanager
def _open_to_read(f: Any) -> Iterator[Any]:
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as stream:
            yield stream
        return
    missing = [name for name in ("read", "seek", "tell") if not hasattr(f, name)]
    if missing:
        raise AttributeError(
            f"load: the file ({type(f).__name__}) has no {missing[0]!r}; read it into an io.BytesIO first"
        )
    yield f


def _file_order(archive: _zip.ArchiveReader) -> str | None:
    if "byteorder" in archive:
        order = archive.read("byteorder").decode("latin1")
        if order not in ("little", "big"):
            raise RuntimeError(f"load: unknown byte order {order[:20]!r}; the file is damaged")
        return order
    assumed = get_default_load_endianness()
    return {LoadEndianness.LITTLE: "little", LoadEndianness.BIG: "big"}.get(assumed)  # type: ignore[arg-type]


def _read_archive(stream: Any, path: Any, restore: Callable, encoding: str, unpickle: Callable | None) -> Any:
    archive = _zip.ArchiveReader(stream)
    if "constants.pkl" in archive:
        raise RuntimeError(
            "load: this is a TorchScript archive, which holds a compiled program, not an object"
        )
    foreign = is_foreign(_file_order(archive))
    mapped = _zip.map_file(path, get_default_mmap_options()) if path is not None else None

    def read(key: str, nbytes: int, dtype: Any) -> Any:
        record = f"data/{key}"
        if archive.size(record) != nbytes:
            raise RuntimeError(
                f"load: storage {key!r} has {archive.size(record)} bytes, not {nbytes}; damaged file"
            )
        if mapped is not None and not foreign:
            begin, end = archive.span(record)
            view = mapped[begin:end]
            is_aligned = dtype is None or begin % dtype.itemsize == 0
            return _C._storage_from_buffer(view if is_aligned else bytearray(view))
        if skipping.data:
            return _C.UntypedStorage(nbytes)
        if foreign:
            return _C._storage_from_buffer(swap_bytes(archive.read(record), dtype))
        return archive.read_into_storage(record)

    source = StorageSource(restore, read)
    pickled = io.BytesIO(archive.read("data.pkl"))
    if unpickle is not None:
        return unpickle(pickled, source.find)
    return read_pickle(pickled, source.find, encoding)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The dotted names in a file that `load(weights_only=True)` would refuse.

    Args:
        f: path or seekable object, in the zip format.
    """
    with _open_to_read(f) as stream:
        data = bytes(_zip.ArchiveReader(stream).read("data.pkl"))
    names = dict.fromkeys(names_in_pickle(data))
    return [f"{module}.{name}" for module, name in names if find_allowed(module, name) is None]
