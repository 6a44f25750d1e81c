"""Reads pickles of a restricted grammar: it builds data, and calls only what the allow-list names.

Source of the opcodes: Python's Lib/pickletools.py, which documents each of them.
"""

from __future__ import annotations

import collections
import struct
from collections.abc import Callable, Iterator
from pickle import UnpicklingError
from typing import Any

from flambeau import _C
from flambeau.serialization import _numpy
from flambeau.serialization._names import check_present
from flambeau.serialization._rebuild import set_state
from flambeau.serialization._safe_globals import CALLABLE, find_allowed, program_allowed

_MARK = object()
_MAX_MEMO = 10_000_000
_PIECE = 1 << 20
_WIDTHS = {layout: struct.calcsize(layout) for layout in ("<H", "<I", "<i", "<Q", ">d")}
_MAX_KEY = 100_000


class EmptyStack(UnpicklingError, IndexError):
    """An instruction needs an object that none before it made: most often the file is no pickle at all."""


class PickleReader:
    """Rebuilds one object from a pickle.

    Args:
        stream: source of the bytes; afterwards it stands behind the pickle's last byte.
        find_storage: from the tuple of a persistent id to a storage.
        encoding: how Python 2's byte strings become text; "bytes" keeps them.
    Errors: UnpicklingError for whatever is not allowed or damaged.
    """

    def __init__(self, stream: Any, find_storage: Callable[[tuple], Any], encoding: str = "utf-8") -> None:
        self._read = stream.read
        self._readline = stream.readline
        self._find_storage = find_storage
        self._encoding = encoding
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._dtypes: dict[int, Any] = {}
        self._dtype_places: dict[int, list[int]] = {}

    def load(self) -> Any:
        """The object."""
        read, operations = self._read, _OPERATIONS
        while (code := read(1)) != b".":
            operation = operations.get(code)
            if operation is None:
                if not code:
                    raise EOFError("Ran out of input: the pickle has no end")
                raise UnpicklingError(
                    f"Unsupported operand {code[0]}: not part of the grammar of checkpoints"
                )
            operation(self)
        if len(self._stack) != 1:
            raise UnpicklingError("load: the pickle ends in the middle of an object")
        return self._pop()

    # --- bytes and stack ---

    def _take(self, count: int) -> bytes:
        data = self._read(count) if count <= _PIECE else self._take_in_pieces(count)
        if len(data) != count:
            raise UnpicklingError("load: the pickle is cut off")
        return data

    def _take_in_pieces(self, count: int) -> bytes:
        # Some streams set aside as much memory as they are asked for: a damaged length must not decide that.
        pieces = []
        while count > 0 and (piece := self._read(min(count, _PIECE))):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def _number(self, layout: str) -> Any:
        return struct.unpack(layout, self._take(_WIDTHS[layout]))[0]

    def _line(self) -> str:
        line = self._readline()
        if line[-1:] != b"\n":
            raise UnpicklingError("load: the pickle is cut off")
        return line[:-1].decode()

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise EmptyStack("load: the pickle takes an object that is not there")
        return self._stack.pop()

    def _top(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise EmptyStack("load: the pickle uses an object that is not there")
        return self._stack[-1]

    def _pop_to_mark(self) -> list[Any]:
        items: list[Any] = []
        while self._stack:
            item = self._stack.pop()
            if item is _MARK:
                items.reverse()
                return items
            items.append(item)
        raise EmptyStack("load: the pickle ends a group that it never began")

    # --- memo ---

    def _remember(self, index: int) -> None:
        if index >= _MAX_MEMO:
            raise UnpicklingError(f"load: the pickle remembers object number {index}; the file is damaged")
        value = self._memo[index] = self._top()
        if id(value) in self._dtypes:
            self._dtype_places.setdefault(id(value), []).append(index)

    def _memoize(self) -> None:
        self._remember(len(self._memo))

    def _recall(self, index: int) -> None:
        if index not in self._memo:
            raise UnpicklingError(f"load: the pickle recalls object {index}, which it never made")
        self._push(self._memo[index])

    # --- building ---

    def _append(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) is not list:
            raise UnpicklingError(f"the file appends to {type(target)}, which is no list")
        target.extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._top()
        if type(target) not in (dict, collections.OrderedDict, collections.defaultdict, collections.Counter):
            raise UnpicklingError(f"Can only set items of dicts, but got {type(target)}")
        if len(items) % 2:
            raise UnpicklingError("load: the pickle has a key without a value")
        for key, value in zip(items[::2], items[1::2]):
            target[_hashable(key)] = value

    def _add_items(self) -> None:
        items = self._pop_to_mark()
        if type(self._top()) is not set:
            raise UnpicklingError("Can only add to sets")
        self._top().update(map(_hashable, items))

    def _long(self, count: int) -> None:
        if count < 0:
            raise UnpicklingError("load: a number of negative length")
        self._push(int.from_bytes(self._take(count), "little", signed=True))

    def _python2_text(self, data: bytes) -> None:
        self._push(data if self._encoding == "bytes" else data.decode(self._encoding))

    def _tuple(self, items: list[Any]) -> None:
        self._push(tuple(items))

    # --- names and calls ---

    def _global(self, module: str, name: str) -> None:
        found = find_allowed(module, name)
        if found is None:
            check_present(module, name)
            raise UnpicklingError(
                f"Unsupported global: GLOBAL {module}.{name} is not among the names that may be used. If you "
                f"trust it with any argument, allow it: `torch.serialization.add_safe_globals([{name}])` or "
                "the `safe_globals` block"
            )
        self._push(found)

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise UnpicklingError("load: a name that is no text")
        self._global(module, name)

    def _reduce(self) -> None:
        arguments, function = self._pop(), self._pop()
        self._push(self._call(function, arguments))
        if function is _numpy.numpy_dtype:
            self._dtypes[id(self._top())] = self._top()

    def _call(self, function: Any, arguments: Any) -> Any:
        if type(arguments) is not tuple:
            raise UnpicklingError("load: a call without a tuple of arguments")
        if id(function) not in CALLABLE and not _is_program_allowed(function):
            raise UnpicklingError(f"the file calls {str(function)[:80]}, which is not among the functions "
                                  "that may be called")
        if function is collections.defaultdict and arguments and arguments[0] not in (None, *_FACTORIES):
            raise UnpicklingError("load: a defaultdict with a factory that is not allowed")
        if function in _FROM_ITEMS and arguments and type(arguments[0]) not in _SEQUENCES:
            raise UnpicklingError(f"load: a {function.__name__} made from a {type(arguments[0]).__name__}")
        if function in _SETS:
            arguments = tuple([_hashable(item) for item in items] for items in arguments)
        return function(*arguments)

    def _new_object(self) -> None:
        arguments, kind = self._pop(), self._pop()
        if not isinstance(kind, type) or type(arguments) is not tuple:
            raise UnpicklingError("load: an object of something that is no class")
        if kind in _PLAIN_CLASSES:
            self._push(self._call(kind, arguments))
        elif _is_program_allowed(kind):
            self._push(kind.__new__(kind, *arguments))
        else:
            raise UnpicklingError(f"Trying to create new object for unrecognized class {kind}")

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if _is_numpy(target, "dtype"):
            self._replace_dtype(_numpy.with_dtype_state(target, state))
        elif _is_numpy(target, "ndarray"):
            _numpy.set_array_state(target, state)
        elif type(target) is collections.OrderedDict:
            _update_attributes(target, state)
        elif isinstance(target, _C.Tensor):
            set_state(target, state)
        elif _is_program_allowed(type(target)):
            _set_object_state(target, state)
        else:
            raise UnpicklingError(
                f"the file sets the state of {type(target)}, which only tensors, parameters, OrderedDicts "
                "and allowed types may have"
            )

    def _replace_dtype(self, value: Any) -> None:
        """Put a dtype in another byte order, which is another object, wherever the file means this one."""
        old = self._pop()
        self._dtypes[id(value)] = value
        for index in self._dtype_places.pop(id(old), ()):
            if self._memo[index] is old:
                self._memo[index] = value
                self._dtype_places.setdefault(id(value), []).append(index)
        self._push(value)

    def _persistent(self) -> None:
        reference = self._pop()
        if type(reference) is not tuple or not reference or reference[0] not in ("storage", b"storage"):
            raise UnpicklingError("the file refers to something other than a storage")
        self._push(self._find_storage(reference))

    def _check_protocol(self) -> None:
        protocol = self._take(1)[0]
        if protocol > 5:
            raise UnpicklingError(f"load: unknown pickle protocol {protocol}")

    def _skip_frame(self) -> None:
        self._take(8)


_FACTORIES = (list, dict, set, int, float, str, tuple, bool, collections.OrderedDict)
# A length or a tensor whose elements repeat one number would name more memory than the file has bytes.
_FROM_ITEMS = (bytes, bytearray, set, frozenset, collections.OrderedDict, collections.Counter, _C.Size)
_SEQUENCES = (list, tuple, dict, set, frozenset, str, bytes, bytearray, collections.OrderedDict)
_SETS = (set, frozenset)
_PLAIN_CLASSES = (set, frozenset, collections.OrderedDict, collections.defaultdict, collections.Counter)


def _is_program_allowed(value: Any) -> bool:
    return any(value is allowed for allowed in program_allowed().values())


def _is_numpy(value: Any, kind: str) -> bool:
    import sys

    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, kind))


def _hashable(key: Any) -> Any:
    if type(key) is tuple:
        _check_tuple_key(key)
    try:
        hash(key)
    except TypeError:
        raise UnpicklingError(f"load: a {type(key).__name__} cannot be a key") from None
    return key


def _check_tuple_key(key: tuple) -> None:
    # Tuples that share parts are small in a file, but hashing visits a part as often as it is named.
    waiting, count = [key], 0
    while waiting:
        items = waiting.pop()
        count += len(items)
        if count > _MAX_KEY:
            raise UnpicklingError(f"load: a key of more than {_MAX_KEY} parts")
        waiting.extend(item for item in items if type(item) is tuple)


def _update_attributes(target: Any, state: Any) -> None:
    if not isinstance(state, dict) or any(not isinstance(k, str) or k.startswith("__") for k in state):
        raise UnpicklingError("load: the attributes of an OrderedDict are damaged")
    for name, value in state.items():
        # Read-only on purpose: attributes like `_metadata` may be added, methods may not be hidden.
        if hasattr(collections.OrderedDict, name):
            raise UnpicklingError(f"load: an OrderedDict whose {name!r} is replaced")
        target.__dict__[name] = value


def _set_object_state(target: Any, state: Any) -> None:
    if hasattr(target, "__setstate__"):
        target.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if attributes:
        target.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        setattr(target, name, value)


def _mark(reader: PickleReader) -> None:
    reader._push(_MARK)


def _discard(reader: PickleReader) -> None:
    if not reader._stack:
        raise UnpicklingError("load: the pickle drops an object that is not there")
    reader._stack.pop()


def _dict_of_pairs(reader: PickleReader) -> None:
    items = reader._pop_to_mark()
    reader._push({})
    reader._set_items(items)


def _list_of_items(reader: PickleReader) -> None:
    items = reader._pop_to_mark()
    reader._push(items)


def _one_pair(reader: PickleReader) -> None:
    value, key = reader._pop(), reader._pop()
    reader._set_items([key, value])


def _last(reader: PickleReader, count: int) -> list[Any]:
    return [reader._pop() for _ in range(count)][::-1]


_OPERATIONS: dict[bytes, Callable[[PickleReader], None]] = {
    code.encode("latin1"): operation
    for code, operation in {
        "\x80": PickleReader._check_protocol,
        "\x95": PickleReader._skip_frame,
        "(": _mark,
        "0": _discard,
        "1": lambda r: r._pop_to_mark() and None,
        "2": lambda r: r._push(r._top()),
        "N": lambda r: r._push(None),
        "\x88": lambda r: r._push(True),
        "\x89": lambda r: r._push(False),
        "K": lambda r: r._push(r._take(1)[0]),
        "M": lambda r: r._push(r._number("<H")),
        "J": lambda r: r._push(r._number("<i")),
        "\x8a": lambda r: r._long(r._take(1)[0]),
        "\x8b": lambda r: r._long(r._number("<i")),
        "G": lambda r: r._push(r._number(">d")),
        "X": lambda r: r._push(r._take(r._number("<I")).decode("utf-8", "surrogatepass")),
        "\x8c": lambda r: r._push(r._take(r._take(1)[0]).decode("utf-8", "surrogatepass")),
        "\x8d": lambda r: r._push(r._take(r._number("<Q")).decode("utf-8", "surrogatepass")),
        "U": lambda r: r._python2_text(r._take(r._take(1)[0])),
        "T": lambda r: r._python2_text(r._take(r._number("<I"))),
        "C": lambda r: r._push(r._take(r._take(1)[0])),
        "B": lambda r: r._push(r._take(r._number("<I"))),
        "\x8e": lambda r: r._push(r._take(r._number("<Q"))),
        "\x96": lambda r: r._push(bytearray(r._take(r._number("<Q")))),
        "]": lambda r: r._push([]),
        "l": _list_of_items,
        "a": lambda r: r._append([r._pop()]),
        "e": lambda r: r._append(r._pop_to_mark()),
        "}": lambda r: r._push({}),
        "d": _dict_of_pairs,
        "s": _one_pair,
        "u": lambda r: r._set_items(r._pop_to_mark()),
        "\x8f": lambda r: r._push(set()),
        "\x90": PickleReader._add_items,
        "\x91": lambda r: r._push(frozenset(map(_hashable, r._pop_to_mark()))),
        ")": lambda r: r._push(()),
        "t": lambda r: r._tuple(r._pop_to_mark()),
        "\x85": lambda r: r._tuple(_last(r, 1)),
        "\x86": lambda r: r._tuple(_last(r, 2)),
        "\x87": lambda r: r._tuple(_last(r, 3)),
        "q": lambda r: r._remember(r._take(1)[0]),
        "r": lambda r: r._remember(r._number("<I")),
        "\x94": PickleReader._memoize,
        "h": lambda r: r._recall(r._take(1)[0]),
        "j": lambda r: r._recall(r._number("<I")),
        "c": lambda r: r._global(r._line(), r._line()),
        "\x93": PickleReader._stack_global,
        "R": PickleReader._reduce,
        "\x81": PickleReader._new_object,
        "b": PickleReader._build,
        "Q": PickleReader._persistent,
    }.items()
}


def read_pickle(stream: Any, find_storage: Callable[[tuple], Any], encoding: str = "utf-8") -> Any:
    """One object from a pickle, with every kind of damage reported as an UnpicklingError."""
    try:
        return PickleReader(stream, find_storage, encoding).load()
    except RecursionError as error:
        raise UnpicklingError("load: the pickle is nested too deeply") from error
    except (UnpicklingError, RuntimeError, EOFError):
        raise
    except Exception as error:
        raise UnpicklingError(f"load: the pickle is damaged: {type(error).__name__}: {error}") from error


def names_in_pickle(data: bytes) -> Iterator[tuple[str, str]]:
    """The (module, name) pairs that a pickle refers to, without building anything."""
    import pickletools

    strings: list[str] = []
    argument: Any
    for operation, argument, _ in pickletools.genops(data):
        if operation.name == "GLOBAL":
            module, _, name = argument.partition(" ")
            yield module, name
        elif operation.name == "STACK_GLOBAL" and len(strings) >= 2:
            yield strings[-2], strings[-1]
        elif isinstance(argument, str):
            strings.append(argument)
