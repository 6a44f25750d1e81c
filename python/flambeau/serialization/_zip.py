"""The archive around a checkpoint: an uncompressed zip whose records start at multiples of 64 bytes.

Source of the field layouts: PKWARE APPNOTE 6.3.10, §4.3 and §4.5.3 (zip64).
"""

from __future__ import annotations

import mmap
import os
import struct
import zipfile
from typing import Any

from flambeau import _C

ALIGNMENT = 64
_UTF8_NAMES = 0x0800
_LIMIT32 = 0xFFFFFFFF
_MIDNIGHT_1980 = 0x0021
_PADDING_FIELD = 0x4246
# Flag of a header written before the record's length and checksum were known.
_SIZES_FOLLOW = 0x0008


class ArchiveWriter:
    """Writes records one after the other to a stream that need not be seekable."""

    def __init__(self, stream: Any, prefix: str, checksums: bool = True) -> None:
        self._stream = stream
        self._prefix = prefix
        self._checksums = checksums
        self._position = 0
        self._directory: list[bytes] = []

    def write(self, name: str, data: Any) -> None:
        """Add the record `name` with the bytes of `data`, anything with a buffer."""
        view = memoryview(data).cast("B") if memoryview(data).nbytes else memoryview(b"")
        self._begin(name, view.nbytes, _C._crc32(view) if self._checksums else 0)
        self._put(view)

    def write_zeros(self, name: str, nbytes: int) -> None:
        """Add a record of zeros that has no checksum, so that others may fill it in."""
        self._begin(name, nbytes, 0)
        zeros = bytes(min(nbytes, 1 << 20))
        for start in range(0, nbytes, 1 << 20):
            self._put(zeros[: nbytes - start])

    def _begin(self, name: str, nbytes: int, crc: int) -> None:
        encoded = f"{self._prefix}/{name}".encode()
        start = self._position
        wide = nbytes >= _LIMIT32
        sizes = struct.pack("<HHQQ", 1, 16, nbytes, nbytes) if wide else b""
        padding = -(start + 30 + len(encoded) + len(sizes) + 4) % ALIGNMENT
        extra = sizes + struct.pack("<HH", _PADDING_FIELD, padding) + bytes(padding)
        size32 = _LIMIT32 if wide else nbytes
        common = struct.pack(
            "<HHHHLLLH", _UTF8_NAMES, 0, 0, _MIDNIGHT_1980, crc, size32, size32, len(encoded)
        )
        version = struct.pack("<H", 45 if wide else 20)
        self._put(b"PK\3\4" + version + common + struct.pack("<H", len(extra)) + encoded + extra)
        self._directory.append(self._directory_entry(common, encoded, nbytes, start))

    def _put(self, data: Any) -> None:
        self._stream.write(data)
        self._position += memoryview(data).nbytes

    @staticmethod
    def _directory_entry(common: bytes, name: bytes, size: int, start: int) -> bytes:
        wide = [size, size] if size >= _LIMIT32 else []
        if start >= _LIMIT32:
            wide.append(start)
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        version = struct.pack("<HH", 45, 45) if wide else struct.pack("<HH", 20, 20)
        tail = struct.pack("<HHHHLL", len(extra), 0, 0, 0, 0, min(start, _LIMIT32))
        return b"PK\1\2" + version + common + tail + name + extra

    def close(self) -> None:
        """Write the directory that ends the archive."""
        start = self._position
        directory = b"".join(self._directory)
        count = len(self._directory)
        self._put(directory)
        if start >= _LIMIT32 or count >= 0xFFFF:
            end = self._position
            self._put(
                struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), start)
                + struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
            )
        count16 = min(count, 0xFFFF)
        self._put(
            struct.pack(
                "<4sHHHHLLH", b"PK\5\6", 0, 0, count16, count16, len(directory), min(start, _LIMIT32), 0
            )
        )


class ArchiveReader:
    """Finds and reads the records of a checkpoint; every damage is a RuntimeError."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        try:
            self._zip = zipfile.ZipFile(stream)
        except (
            zipfile.BadZipFile,
            ValueError,
            OSError,
            struct.error,
            EOFError,
            NotImplementedError,
        ) as error:
            raise RuntimeError(
                f"load: failed reading zip archive: {error}; the file is damaged or cut off"
            ) from None
        names = [name for name in self._zip.namelist() if name.endswith("/data.pkl")]
        roots = {name.partition("/")[0] for name in names}
        if len(roots) != 1:
            raise RuntimeError(
                "load: the zip archive is no checkpoint: it needs exactly one record 'data.pkl'"
            )
        self._root = roots.pop()
        self._size = stream.seek(0, os.SEEK_END)
        self._handed_out = 0

    def __contains__(self, name: str) -> bool:
        return f"{self._root}/{name}" in self._zip.NameToInfo

    def size(self, name: str) -> int:
        """Length of a record in bytes."""
        return self._info(name).file_size

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            info = self._zip.getinfo(f"{self._root}/{name}")
        except KeyError:
            raise RuntimeError(f"load: the archive has no record {name!r}; the file is damaged") from None
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise RuntimeError(f"load: the record {name!r} is compressed or encrypted; checkpoints never are")
        return info

    def span(self, name: str) -> tuple[int, int]:
        """Where the bytes of a record begin and end in the file."""
        info = self._info(name)
        if info.header_offset < 0:
            raise RuntimeError("load: the directory of the archive is damaged, or the file is cut off")
        self._stream.seek(info.header_offset)
        header = self._stream.read(30)
        if len(header) != 30 or header[:4] != b"PK\3\4":
            raise RuntimeError(f"load: the header of record {name!r} is damaged")
        flags, crc = struct.unpack("<6xH6xL", header[:18])
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        if self._stream.read(name_length) != info.orig_filename.encode():
            raise RuntimeError(
                f"load: the header of record {name!r} names another record; the file is damaged"
            )
        if not flags & _SIZES_FOLLOW and crc != info.CRC:
            raise RuntimeError(f"load: two checksums of record {name!r} differ; the file is damaged")
        begin = info.header_offset + 30 + name_length + extra_length
        end = begin + info.file_size
        if info.file_size != info.compress_size or end > self._size:
            raise RuntimeError(
                f"load: the record {name!r} ends after the end of the file; the file is cut off"
            )
        return begin, end

    def read(self, name: str) -> bytearray:
        """A record's bytes, their checksum verified."""
        begin, end = self._span_once(name)
        data = bytearray(end - begin)
        self._fill(name, begin, data)
        return data

    def read_into_storage(self, name: str) -> Any:
        """A record's bytes as a new storage, their checksum verified."""
        begin, end = self._span_once(name)
        storage = _C.UntypedStorage(end - begin)
        self._fill(name, begin, storage._to_bytes())
        return storage

    def _span_once(self, name: str) -> tuple[int, int]:
        # Records that lie in each other would give more bytes than the file has.
        begin, end = self.span(name)
        self._handed_out += end - begin
        if self._handed_out > self._size:
            raise RuntimeError(f"load: the record {name!r} overlaps another one; the file is damaged")
        return begin, end

    def _fill(self, name: str, begin: int, data: Any) -> None:
        self._stream.seek(begin)
        read_exactly(self._stream, data)
        crc = self._info(name).CRC
        # Archives written without checksums carry zero.
        if crc and _C._crc32(data) != crc:
            raise RuntimeError(f"load: the checksum of record {name!r} does not match; the file is damaged")


def read_exactly(stream: Any, data: Any) -> None:
    """Fill `data` from a stream. Errors: RuntimeError if the stream ends before."""
    view = memoryview(data)
    done = 0
    readinto = getattr(stream, "readinto", None)
    while done < len(view):
        if readinto is not None:
            count = readinto(view[done:])
        else:
            piece = stream.read(len(view) - done)
            count = len(piece)
            view[done : done + count] = piece
        if not count:
            raise RuntimeError(f"load: the file ends {len(view) - done} bytes too early")
        done += count


def map_file(path: Any, flags: int | None) -> memoryview:
    """A file as memory, read when touched; unless `flags` share it, writes stay in this process."""
    shared = flags is not None and flags == getattr(mmap, "MAP_SHARED", None)
    with open(path, "r+b" if shared else "rb") as file:
        return memoryview(
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
        )
