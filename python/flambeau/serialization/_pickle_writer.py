"""Writes pickles opcode by opcode: classes carry PyTorch's names, tensors refer to storage records.

Source of the opcodes: Python's Lib/pickletools.py, which documents each of them.
"""

from __future__ import annotations

import collections
import copyreg
import io
import struct
import sys
import types
from collections.abc import Callable
from typing import Any

from flambeau import _C
from flambeau.serialization._names import STORAGE_NAMES, dtype_name, file_module, new_module

_BATCH = 1000


class PickleWriter:
    """Pickles one object.

    Args:
        storage_id: from (untyped storage, dtype or None for bytes) to the tuple that names it in the file.
        protocol: 2 … 5; decides how bytes are written.
    """

    def __init__(self, storage_id: Callable[[Any, Any], tuple], protocol: int = 2) -> None:
        self._out = io.BytesIO()
        self._put = self._out.write
        self._memo: dict[Any, tuple[int, Any]] = {}
        self._storage_id = storage_id
        self._protocol = protocol

    def dump(self, value: Any) -> bytes:
        """The pickle of `value`."""
        self._put(b"\x80" + bytes([self._protocol]))
        self._save(value)
        self._put(b".")
        return self._out.getvalue()

    # --- memo ---

    def _memoize(self, key: Any, value: Any) -> None:
        index = len(self._memo)
        self._memo[key] = (index, value)
        self._put(b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index))

    def _recall(self, key: Any) -> bool:
        entry = self._memo.get(key)
        if entry is None:
            return False
        index = entry[0]
        self._put(b"h" + bytes([index]) if index < 256 else b"j" + struct.pack("<I", index))
        return True

    # --- values ---

    def _save(self, value: Any) -> None:
        write = _WRITERS.get(type(value))
        if write is not None:
            write(self, value)
        elif not self._recall(id(value)):
            self._save_object(value)

    def _save_none(self, value: None) -> None:
        self._put(b"N")

    def _save_bool(self, value: bool) -> None:
        self._put(b"\x88" if value else b"\x89")

    def _save_int(self, value: int) -> None:
        if 0 <= value < 256:
            self._put(b"K" + bytes([value]))
        elif 0 <= value < 65536:
            self._put(b"M" + struct.pack("<H", value))
        elif -(2**31) <= value < 2**31:
            self._put(b"J" + struct.pack("<i", value))
        else:
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            head = b"\x8a" + bytes([len(data)]) if len(data) < 256 else b"\x8b" + struct.pack("<i", len(data))
            self._put(head + data)

    def _save_float(self, value: float) -> None:
        self._put(b"G" + struct.pack(">d", value))

    def _save_str(self, value: str) -> None:
        if not self._recall(value):
            data = value.encode("utf-8", "surrogatepass")
            self._put(b"X" + struct.pack("<I", len(data)) + data)
            self._memoize(value, value)

    def _save_bytes(self, value: bytes) -> None:
        if self._recall(id(value)):
            return
        if self._protocol >= 3:
            if len(value) < 256:
                self._put(b"C" + bytes([len(value)]) + value)
            else:
                self._put(b"B" + struct.pack("<I", len(value)) + value)
        elif value:
            # Protocol 2 has no bytes: they travel as Latin-1 text.
            self._call("_codecs", "encode", (value.decode("latin1"), "latin1"))
        else:
            self._call("__builtin__", "bytes", ())
        self._memoize(id(value), value)

    def _save_tuple(self, value: tuple) -> None:
        if not value:
            self._put(b")")
            return
        if self._recall(id(value)):
            return
        if len(value) > 3:
            self._put(b"(")
        for item in value:
            self._save(item)
        if self._recall_built_inside(value):
            return
        self._put({1: b"\x85", 2: b"\x86", 3: b"\x87"}.get(len(value), b"t"))
        self._memoize(id(value), value)

    def _recall_built_inside(self, value: tuple) -> bool:
        """A tuple that contains itself was finished while its items were written: drop them and recall it."""
        if id(value) not in self._memo:
            return False
        self._put(b"0" * len(value) if len(value) <= 3 else b"1")
        return self._recall(id(value))

    def _save_list(self, value: list) -> None:
        if not self._recall(id(value)):
            self._put(b"]")
            self._memoize(id(value), value)
            self._append_items(value)

    def _append_items(self, items: Any) -> None:
        items = list(items)
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            if len(batch) == 1:
                self._save(batch[0])
                self._put(b"a")
                continue
            self._put(b"(")
            for item in batch:
                self._save(item)
            self._put(b"e")

    def _save_dict(self, value: dict) -> None:
        if not self._recall(id(value)):
            self._put(b"}")
            self._memoize(id(value), value)
            self._set_items(value.items())

    def _set_items(self, items: Any) -> None:
        items = list(items)
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            if len(batch) > 1:
                self._put(b"(")
            for key, item in batch:
                self._save(key)
                self._save(item)
            self._put(b"u" if len(batch) > 1 else b"s")

    def _save_set(self, value: Any) -> None:
        if not self._recall(id(value)):
            self._call("__builtin__", type(value).__name__, (list(value),))
            self._memoize(id(value), value)

    def _save_bytearray(self, value: bytearray) -> None:
        if not self._recall(id(value)):
            self._call("__builtin__", "bytearray", (bytes(value),))
            self._memoize(id(value), value)

    def _save_complex(self, value: complex) -> None:
        self._call("__builtin__", "complex", (value.real, value.imag))

    def _save_ordered_dict(self, value: collections.OrderedDict) -> None:
        if self._recall(id(value)):
            return
        self._call("collections", "OrderedDict", ())
        self._memoize(id(value), value)
        self._set_items(value.items())
        if vars(value):
            self._save(dict(vars(value)))
            self._put(b"b")

    def _save_size(self, value: Any) -> None:
        self._call("torch", "Size", (tuple(value),))

    def _save_dtype(self, value: Any) -> None:
        self._global("torch", dtype_name(value))

    def _save_device(self, value: Any) -> None:
        arguments = (value.type,) if value.index is None else (value.type, value.index)
        self._call("torch", "device", arguments)

    def _save_layout(self, value: Any) -> None:
        self._call("torch.serialization", "_get_layout", (str(value),))

    # --- names and calls ---

    def _global(self, module: str, name: str) -> None:
        if self._protocol >= 3:
            module = new_module(module)
        key = ("global", module, name)
        if not self._recall(key):
            self._put(f"c{module}\n{name}\n".encode())
            self._memoize(key, None)

    def _call(self, module: str, name: str, arguments: tuple) -> None:
        self._global(module, name)
        self._save(arguments)
        self._put(b"R")

    def _save_named(self, value: Any) -> None:
        """A class or function, by its importable name."""
        module = getattr(value, "__module__", None) or "builtins"
        name = getattr(value, "__qualname__", None) or value.__name__
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not value:
            from pickle import PicklingError

            raise PicklingError(f"Can't pickle {value!r}: it is not found as {module}.{name}")
        if "." in name:
            # Protocol 2 knows no nested names: reach them by getattr, as Python's pickler does.
            owner, _, attribute = name.rpartition(".")
            parent: Any = sys.modules[module]
            for part in owner.split("."):
                parent = getattr(parent, part)
            self._global("__builtin__", "getattr")
            self._put(b"(")
            self._save(parent)
            self._save(attribute)
            self._put(b"tR")
            return
        self._global(file_module(module), name)

    # --- tensors and storages ---

    def _save_storage(self, storage: Any, dtype: Any) -> None:
        """A reference to a storage record; `dtype` None stands for bytes."""
        kind, key, location, numel, *rest = self._storage_id(storage, dtype)
        self._put(b"(")
        self._save("storage")
        self._global("torch", kind) if kind != "UntypedStorage" else self._global("torch.storage", kind)
        for item in (key, location, numel, *rest):
            self._save(item)
        self._put(b"tQ")

    def _save_tensor(self, tensor: Any) -> None:
        from flambeau.nn import Parameter

        if type(tensor) is Parameter:
            self._save_parameter(tensor)
            return
        state = dict(getattr(tensor, "__dict__", ()))
        if type(tensor) is _C.Tensor and not state:
            name, write_arguments = self._tensor_call(tensor)
            self._global("torch._utils", name)
            write_arguments()
            self._put(b"R")
            return
        self._global("torch._tensor", "_rebuild_from_type_v2")
        self._put(b"(")
        name, write_arguments = self._tensor_call(tensor)
        self._global("torch._utils", name)
        self._save_class_of(tensor)
        write_arguments()
        self._save(state)
        self._put(b"tR")

    def _save_class_of(self, tensor: Any) -> None:
        if type(tensor) is _C.Tensor:
            self._global("torch", "Tensor")
        else:
            self._save_named(type(tensor))

    def _save_parameter(self, parameter: Any) -> None:
        state = dict(vars(parameter))
        self._global("torch._utils", "_rebuild_parameter_with_state" if state else "_rebuild_parameter")
        self._put(b"(")
        name, write_arguments = self._tensor_call(parameter.detach())
        self._global("torch._utils", name)
        write_arguments()
        self._put(b"R")
        self._save(bool(parameter.requires_grad))
        self._call("collections", "OrderedDict", ())
        if state:
            self._save(state)
        self._put(b"tR")

    def _tensor_call(self, tensor: Any) -> tuple[str, Callable[[], None]]:
        """The function that rebuilds the tensor, and the writer of its argument tuple."""
        if tensor.device.type == "meta":
            arguments = (
                tensor.dtype,
                tuple(tensor.shape),
                tuple(tensor.stride()),
                bool(tensor.requires_grad),
            )
            return "_rebuild_meta_tensor_no_storage", lambda: self._save(arguments)
        layout = str(tensor.layout)
        if layout != "torch.strided":
            return "_rebuild_sparse_tensor", lambda: self._save(_sparse_arguments(tensor, layout))
        typed = dtype_name(tensor.dtype) in STORAGE_NAMES
        name = "_rebuild_tensor_v2" if typed else "_rebuild_tensor_v3"
        return name, lambda: self._save_tensor_arguments(tensor, typed)

    def _save_tensor_arguments(self, tensor: Any, typed: bool) -> None:
        self._put(b"(")
        self._save_storage(tensor.untyped_storage(), tensor.dtype if typed else None)
        self._save(int(tensor.storage_offset()))
        self._save(tuple(tensor.shape))
        self._save(tuple(tensor.stride()))
        self._save(bool(tensor.requires_grad))
        self._call("collections", "OrderedDict", ())
        if not typed:
            self._save(tensor.dtype)
        flags = {
            name: True for name, is_set in (("conj", tensor.is_conj()), ("neg", tensor.is_neg())) if is_set
        }
        if flags:
            self._save(flags)
        self._put(b"t")

    # --- everything else, by the object's own reduction ---

    def _save_object(self, value: Any) -> None:
        from flambeau.storage import TypedStorage

        if isinstance(value, _C.Tensor):
            self._save_tensor(value)
        elif isinstance(value, _C.UntypedStorage):
            self._save_storage(value, None)
        elif isinstance(value, TypedStorage):
            self._save_storage(value.untyped(), value.dtype)
        elif isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)) and not isinstance(
            getattr(value, "__self__", None), type
        ):
            self._save_type_or_function(value)
            return
        else:
            self._save_reduced(value)
            return
        self._memoize(id(value), value)

    def _save_type_or_function(self, value: Any) -> None:
        if value is type(None) or value is type(NotImplemented) or value is type(...):
            self._call(
                "__builtin__", "type", (next(v for v in (None, NotImplemented, ...) if type(v) is value),)
            )
        else:
            self._save_named(value)

    def _save_reduced(self, value: Any) -> None:
        reducer = copyreg.dispatch_table.get(type(value))
        reduced = reducer(value) if reducer is not None else value.__reduce_ex__(2)
        if isinstance(reduced, str):
            self._global(
                file_module(value.__module__ if hasattr(value, "__module__") else "builtins"), reduced
            )
            return
        function, arguments, state, items, pairs, *rest = (*reduced, None, None, None, None)[:6]
        if getattr(function, "__name__", "") == "__newobj__":
            self._save(arguments[0])
            self._save(arguments[1:])
            self._put(b"\x81")
        else:
            self._save(function)
            self._save(arguments)
            self._put(b"R")
        self._memoize(id(value), value)
        if items is not None:
            self._append_items(items)
        if pairs is not None:
            self._set_items(pairs)
        if state is not None:
            self._save(state)
            self._put(b"b")


def _sparse_arguments(tensor: Any, layout: str) -> tuple:
    size = tensor.shape
    if layout == "torch.sparse_coo":
        return tensor.layout, (tensor._indices(), tensor._values(), size, tensor.is_coalesced())
    rows_compressed = layout in ("torch.sparse_csr", "torch.sparse_bsr")
    compressed = tensor.crow_indices() if rows_compressed else tensor.ccol_indices()
    plain = tensor.col_indices() if rows_compressed else tensor.row_indices()
    return tensor.layout, (compressed, plain, tensor.values(), size)


_WRITERS: dict[type, Callable[[PickleWriter, Any], None]] = {
    type(None): PickleWriter._save_none,
    bool: PickleWriter._save_bool,
    int: PickleWriter._save_int,
    float: PickleWriter._save_float,
    complex: PickleWriter._save_complex,
    str: PickleWriter._save_str,
    bytes: PickleWriter._save_bytes,
    bytearray: PickleWriter._save_bytearray,
    tuple: PickleWriter._save_tuple,
    list: PickleWriter._save_list,
    dict: PickleWriter._save_dict,
    set: PickleWriter._save_set,
    frozenset: PickleWriter._save_set,
    collections.OrderedDict: PickleWriter._save_ordered_dict,
    _C.Size: PickleWriter._save_size,
    _C.dtype: PickleWriter._save_dtype,
    _C.device: PickleWriter._save_device,
    _C.layout: PickleWriter._save_layout,
}
