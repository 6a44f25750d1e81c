"""Ways to damage a checkpoint, from flipped bits to pickles rewritten behind a right checksum."""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

_INTERESTING = (
    0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63,
    2**64 - 1, -1, -2, -(2**31), -(2**63),
)  # fmt: skip
_OPCODES = [b"R", b"b", b"Q", b"\x81", b"(", b"t", b"u", b"e", b"0", b"1", b"2", b"N", b"]", b"}", b")", b"\x85",
            b"\x86", b"\x87", b"s", b"a", b"d", b"l", b"\x93", b"\x94", b"h\x00", b"h\x05", b"q\x00", b".",
            b"r\xff\xff\xff\xff", b"j\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"\x8d" + b"\xff" * 8,
            b"\x8e" + b"\xff" * 8, b"\x96" + b"\xff" * 7 + b"\x7f", b"\x8b\xff\xff\xff\x7f",
            b"\x95" + b"\xff" * 8, b"\x82\x01", b"P0\n", b"I10\n", b"i__main__\nx\n", b"o"]  # fmt: skip
_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1", "NEWTRUE", "NEWFALSE")
_HOSTILE = [("os", "system"), ("posix", "system"), ("builtins", "exec"), ("builtins", "eval"),
            ("__builtin__", "getattr"),
            ("subprocess", "Popen"), ("builtins", "open"), ("shutil", "rmtree"), ("torch", "load"),
            ("torch.hub", "load"), ("pickle", "loads"), ("builtins", "__import__"), ("numpy", "load"),
            ("torch.serialization", "load"), ("functools", "partial")]  # fmt: skip
_ALLOWED = [("collections", "OrderedDict"), ("collections", "Counter"), ("collections", "defaultdict"),
            ("builtins", "set"), ("builtins", "bytearray"), ("builtins", "list"), ("builtins", "int"),
            ("_codecs", "encode"), ("torch", "Size"), ("torch", "device"), ("torch", "Tensor"),
            ("torch", "float64"), ("torch", "LongStorage"), ("torch", "ByteStorage"),
            ("torch.storage", "UntypedStorage"), ("torch._utils", "_rebuild_tensor_v2"),
            ("torch._utils", "_rebuild_tensor_v3"), ("torch._utils", "_rebuild_parameter"),
            ("torch._utils", "_rebuild_sparse_tensor"), ("torch._utils", "_rebuild_meta_tensor_no_storage"),
            ("torch._tensor", "_rebuild_from_type_v2"), ("numpy", "dtype"), ("numpy", "ndarray"),
            ("numpy._core.multiarray", "scalar"), ("numpy._core.multiarray", "_reconstruct")]  # fmt: skip


class Mutator:
    """Draws mutants of files; `corpus` are the files that splices take pieces from."""

    def __init__(self, corpus: list[bytes]) -> None:
        self._corpus = corpus

    def mutate(self, data: bytes, is_zip: bool, draw: Random) -> tuple[str, bytes, bool]:
        """(kind of mutation, the mutant, whether the checksums of the archive cover the change)."""
        on_bytes: list[tuple[str, Callable]] = [
            ("flips", flip), ("bytes", overwrite), ("truncation", truncate), ("splice", self._splice),
        ]  # fmt: skip
        on_zip = [("directory", edit_directory), ("header", edit_header)]
        on_pickle: list[tuple[str, Callable]] = [
            ("opcodes", edit_opcodes), ("numbers", edit_numbers), ("keys", edit_keys), ("names", edit_names),
            ("pickle bytes", overwrite),
        ]  # fmt: skip
        if draw.random() < 0.5:
            kind, change = draw.choice(on_bytes + (on_zip if is_zip else []))
            return kind, change(data, draw), True
        if is_zip and draw.random() < 0.15:
            return "records", edit_records(data, draw), False
        kind, change = draw.choice(on_pickle)
        return kind, _in_pickle(data, is_zip, lambda p: change(p, draw)), False

    def _splice(self, data: bytes, draw: Random) -> bytes:
        other = draw.choice(self._corpus)
        start, at = draw.randrange(len(other)), draw.randrange(len(data))
        length = draw.choice([1, 8, 64, 512, len(other)])
        replaced = draw.choice([0, length, len(data)])
        return data[:at] + other[start : start + length] + data[at + replaced :]


def _in_pickle(data: bytes, is_zip: bool, change: Callable[[bytes], bytes]) -> bytes:
    """The file with its pickle changed; checksums and lengths are made right again."""
    if not is_zip:
        start, end = _body_of_legacy(data)
        return data[:start] + change(data[start:end]) + data[end:]
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            record = data_of(data, info)
            archive.writestr(info.filename, change(record) if info.filename.endswith("data.pkl") else record)
    return target.getvalue()


def data_of(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """A record's bytes, whatever its checksum says."""
    name, extra = struct.unpack("<HH", data[info.header_offset + 26 : info.header_offset + 30])
    begin = info.header_offset + 30 + name + extra
    return data[begin : begin + info.file_size]


def _body_of_legacy(data: bytes) -> tuple[int, int]:
    stream = io.BytesIO(data)
    ends = []
    for _ in range(4):
        for _ in pickletools.genops(stream):
            pass
        ends.append(stream.tell())
    return ends[2], ends[3]


# --- on bytes --------------------------------------------------------------------------------------------


def flip(data: bytes, draw: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 8])):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def overwrite(data: bytes, draw: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 6])):
        if not changed:
            break
        at, kind = draw.randrange(len(changed)), draw.randrange(4)
        if kind == 0:
            changed[at] = draw.choice([0, 1, 127, 128, 255, draw.randrange(256)])
        elif kind == 1:
            del changed[at : at + draw.choice([1, 4, 30])]
        elif kind == 2:
            changed[at:at] = draw.randbytes(draw.choice([1, 4, 9]))
        else:
            changed[at : at + 4] = struct.pack("<Q", draw.choice(_INTERESTING) % 2**64)[:4]
    return bytes(changed)


def truncate(data: bytes, draw: Random) -> bytes:
    return data[: draw.randrange(len(data))] if draw.random() < 0.8 else data[draw.randrange(len(data)) :]


# --- on the archive --------------------------------------------------------------------------------------


def _edit_field(data: bytes, at: int, layout: list[int], draw: Random) -> bytes:
    """One of the fields that begin at `at`, of the given widths, set to a telling value."""
    which = draw.randrange(len(layout))
    begin, width = at + sum(layout[:which]), layout[which]
    old = int.from_bytes(data[begin : begin + width], "little")
    value = draw.choice([*_INTERESTING, old + 1, old - 1, old * 2, len(data), draw.randrange(len(data))])
    return data[:begin] + (value % 256**width).to_bytes(width, "little") + data[begin + width :]


def edit_directory(data: bytes, draw: Random) -> bytes:
    end = data.rindex(b"PK\5\6")
    if draw.random() < 0.3:
        return _edit_field(data, end, [4, 2, 2, 2, 2, 4, 4, 2], draw)
    entries = _places(data, b"PK\1\2", data.index(b"PK\1\2"))
    return _edit_field(
        data, draw.choice(entries), [4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4, 8, 8], draw
    )


def edit_header(data: bytes, draw: Random) -> bytes:
    return _edit_field(
        data, draw.choice(_places(data, b"PK\3\4", 0)), [4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 8, 8], draw
    )


def _places(data: bytes, mark: bytes, start: int) -> list[int]:
    found = []
    while (start := data.find(mark, start)) >= 0:
        found.append(start)
        start += 1
    return found


def edit_records(data: bytes, draw: Random) -> bytes:
    """Records dropped, renamed, doubled, emptied, lengthened or compressed."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    infos = source.infolist()
    victim, kind = draw.choice(infos), draw.randrange(6)
    with zipfile.ZipFile(target, "w") as archive:
        for info in infos:
            record, name = data_of(data, info), info.filename
            if info is not victim or kind == 2:
                archive.writestr(name, record)
            if info is not victim or kind == 0:
                continue
            other = draw.choice(infos).filename
            name = draw.choice([other, "../x", "/etc/x", name + "x", "x" + name]) if kind in (1, 2) else name
            record = (
                draw.choice([b"", record[:-1], record + b"x", draw.randbytes(8)]) if kind == 3 else record
            )
            compress = zipfile.ZIP_DEFLATED if kind == 4 else zipfile.ZIP_STORED
            record = b"\0" * 100_000 if kind == 4 else record
            if name not in archive.namelist():
                archive.writestr(name, record, compress)
    return target.getvalue()


# --- on the pickle ---------------------------------------------------------------------------------------


def _operations(data: bytes) -> list[tuple[str, Any, int, int]]:
    """(name, argument, begin, end) of each opcode."""
    found = list(pickletools.genops(data))
    ends = [at for _, _, at in found[1:]] + [len(data)]
    return [(op.name, argument, begin or 0, end or 0) for (op, argument, begin), end in zip(found, ends)]


def edit_opcodes(data: bytes, draw: Random) -> bytes:
    for _ in range(draw.choice([1, 1, 2, 4])):
        try:
            _, _, begin, end = draw.choice(_operations(data))
        except (ValueError, pickle.UnpicklingError, IndexError, UnicodeError):
            break
        new = draw.choice(_OPCODES)
        kind = draw.randrange(4)
        if kind == 0:
            data = data[:begin] + new + data[end:]
        elif kind == 1:
            data = data[:begin] + new + data[begin:]
        elif kind == 2:
            data = data[:begin] + data[end:]
        else:
            data = data[:end] + data[begin:end] * draw.choice([1, 2, 1000]) + data[end:]
    return data


def edit_numbers(data: bytes, draw: Random) -> bytes:
    """Sizes, strides, offsets, lengths and flags, which all are numbers in the pickle."""
    for _ in range(draw.choice([1, 1, 2, 3])):
        numbers = [o for o in _operations(data) if o[0] in _NUMBERS]
        if not numbers:
            break
        _, old, begin, end = draw.choice(numbers)
        value = draw.choice([*_INTERESTING, int(old or 0) + 1, int(old or 1) - 1, draw.randrange(100)])
        new = (
            pickle.dumps(value, 2)[2:-1]
            if draw.random() < 0.9
            else draw.choice([b"N", b"\x88", b"G" + b"\x7f" * 8])
        )
        data = data[:begin] + new + data[end:]
    return data


def edit_keys(data: bytes, draw: Random) -> bytes:
    """Texts, among them the keys of storages and their locations."""
    texts = [o for o in _operations(data) if o[0] == "BINUNICODE"]
    if not texts:
        return data
    _, _, begin, end = draw.choice(texts)
    new = draw.choice(["0", "1", "2", "99", "", "../0", "/data.pkl", "cpu", "cuda:0", "meta", "storage", "x" * 5000,
                       "\0", "data", "_metadata", "__class__", draw.choice(texts)[1]])  # fmt: skip
    encoded = str(new).encode("utf-8", "surrogatepass")
    return data[:begin] + b"X" + struct.pack("<I", len(encoded)) + encoded + data[end:]


def edit_names(data: bytes, draw: Random) -> bytes:
    """A name replaced by a hostile or another allowed one."""
    module, name = draw.choice(_HOSTILE if draw.random() < 0.5 else _ALLOWED)
    new = f"c{module}\n{name}\n".encode()
    names = [o for o in _operations(data) if o[0] == "GLOBAL"]
    if names and draw.random() < 0.8:
        _, _, begin, end = draw.choice(names)
        return data[:begin] + new + data[end:]
    _, _, begin, _ = draw.choice(_operations(data)[1:])
    call = draw.choice([b"X\x04\x00\x00\x00true\x85R", b")R", b")\x81", b"}b", b"N\x85R", b"K\x05\x85R"])
    return data[:begin] + new + call + data[begin:]
