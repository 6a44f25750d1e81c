"""Damaged and hostile files raise, and never run code."""

import collections
import io
import os
import pickle
import random
import struct
import zipfile

import flambeau as torch
import pytest
from flambeau import serialization


def checkpoint(value, **options):
    file = io.BytesIO()
    serialization.save(value, file, **options)
    return file.getvalue()


def with_pickle(data, change):
    """The checkpoint `data` with its pickle changed and checksums made right again."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            record = source.read(name)
            archive.writestr(name, change(record) if name.endswith("data.pkl") else record)
    return target.getvalue()


def load(data):
    return serialization.load(io.BytesIO(data))


class RunsCode:
    ran = False

    def __reduce__(self):
        return (setattr, (RunsCode, "ran", True))


def test_code_does_not_run():
    data = pickle.dumps(RunsCode(), 2)
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        load(with_pickle(checkpoint(1), lambda _: data))
    assert RunsCode.ran is False


@pytest.mark.parametrize(
    "name", ["os system", "builtins eval", "__builtin__ getattr", "torch load", "torch._utils x"]
)
def test_names_outside_the_list(name):
    module, _, attribute = name.partition(" ")
    data = b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"X\x01\x00\x00\x00a\x85R."
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        load(with_pickle(checkpoint(1), lambda _: data))


class Point:
    def __init__(self, x):
        self.x = x


def test_safe_globals():
    data = checkpoint(Point(3))
    assert serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(data)) == [f"{__name__}.Point"]
    with pytest.raises(pickle.UnpicklingError):
        load(data)
    with serialization.safe_globals([Point]):
        assert serialization.get_safe_globals() == [Point]
        assert load(data).x == 3
    with pytest.raises(pickle.UnpicklingError):
        load(data)


def test_tensor_outside_its_storage():
    data = checkpoint(torch.zeros(2, 3))
    size = b"K\x02K\x03\x86"
    for wrong in (b"K\x02K\x04\x86", b"K\x02J\xff\xff\xff\xff\x86", b"K\x02J\xff\xff\xff\x7f\x86"):
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            load(with_pickle(data, lambda p, wrong=wrong: p.replace(size, wrong)))


def test_storage_longer_than_its_record():
    data = checkpoint(torch.zeros(6))
    with pytest.raises(RuntimeError):
        load(with_pickle(data, lambda p: p.replace(b"K\x06tQ", b"K\xfftQ", 1)))


def test_checksum():
    data = bytearray(checkpoint(torch.full((64,), 1.0)))
    at = data.index(struct.pack("<f", 1.0) * 8)
    data[at] ^= 1
    with pytest.raises(RuntimeError, match="checksum"):
        load(bytes(data))


@pytest.mark.parametrize(
    "data, error", [(b"", EOFError), (b"PK\3\4", RuntimeError), (b"junk", pickle.UnpicklingError)]
)
def test_no_checkpoint(data, error):
    with pytest.raises(error):
        load(data)


def test_every_truncation_raises():
    for zipped in (True, False):
        data = checkpoint({"a": torch.ones(3)}, _use_new_zipfile_serialization=zipped)
        for length in range(0, len(data), 7):
            with pytest.raises((RuntimeError, EOFError, pickle.UnpicklingError)):
                load(data[:length])


def mutate(data, draw):
    data = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 6])):
        at = draw.randrange(len(data))
        kind = draw.randrange(5)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del data[at : at + draw.choice([1, 4])]
        elif kind == 2:
            data[at:at] = bytes(draw.randrange(256) for _ in range(3))
        elif kind == 3:
            data[at : at + 1] = draw.choice(
                [b"R", b"b", b"Q", b"cos\nsystem\n", b"\x81", b"(", b"t", b"u", b"e", b"0"]
            )
        else:
            data[at] = draw.choice([0, 127, 128, 255])
    return bytes(data)


def test_mutated_files_load_or_raise():
    draw = random.Random(1337)
    value = {
        "t": torch.arange(6.0).reshape(2, 3), "p": torch.nn.Parameter(torch.ones(2)),
        "n": [1, 2**70, None, "é", b"x"],
        "o": collections.OrderedDict(a=1), "s": torch.Size([1]), "d": torch.float16, "set": {1},
    }  # fmt: skip
    whole = checkpoint(value)
    old = checkpoint(value, _use_new_zipfile_serialization=False)
    before = os.listdir(".")
    loaded = raised = 0
    for number in range(1500):
        if number % 3:
            data = with_pickle(whole, lambda p: mutate(p, draw))
        else:
            data = mutate(draw.choice([whole, old]), draw)
        try:
            load(data)
            loaded += 1
        except (pickle.UnpicklingError, RuntimeError, EOFError):
            raised += 1
    assert raised > 800 and loaded > 10
    assert os.listdir(".") == before


def test_small_files_that_would_take_for_ever():
    part = (1, 2)
    for _ in range(60):
        part = (part, part)
    # 2**60 parts when counted one by one, 60 objects in the file
    assert load(checkpoint(part))[0][1][0] is not None
    dict_of_it = b"\x80\x02}K\x01K\x02\x86" + b"2\x86" * 60 + b"K\x01s."
    with pytest.raises(pickle.UnpicklingError, match="key of more than"):
        load(with_pickle(checkpoint(1), lambda _: dict_of_it))


def test_overlapping_records():
    """Records that lie in each other would add up to more bytes than the file has."""
    data = checkpoint([torch.zeros(64), torch.ones(64)])
    archive = zipfile.ZipFile(io.BytesIO(data))
    first, second = (archive.getinfo(f"archive/data/{key}") for key in "01")
    size = second.header_offset + 512 - first.header_offset
    at = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    while first.filename.encode() not in data[at : at + 46 + len(first.filename)]:
        at = data.index(b"PK\1\2", at + 1)
    wide = data[: at + 20] + struct.pack("<LL", size, size) + data[at + 28 :]
    with pytest.raises(RuntimeError):
        load(wide)


def test_storages_longer_together_than_the_file():
    old = checkpoint([torch.zeros(9) for _ in range(9)], _use_new_zipfile_serialization=False)
    numbers = old.replace(b"K\x09", b"K\x58")
    with pytest.raises(pickle.UnpicklingError, match="do not fit"):
        load(numbers)


@pytest.mark.parametrize("name", ["int", "str", "float"])
def test_factories_cannot_be_called(name):
    data = b"\x80\x02c__builtin__\n" + name.encode() + b"\nK\x05\x85R."
    with pytest.raises(pickle.UnpicklingError):
        load(with_pickle(checkpoint(1), lambda _: data))


def test_sets_are_not_made_from_tensors():
    huge = checkpoint(torch.zeros(1).expand(2**40))
    call = b"c__builtin__\nset\n"
    with pytest.raises(pickle.UnpicklingError, match="set made from a Tensor"):
        load(with_pickle(huge, lambda p: p[:2] + call + p[2:-1] + b"\x85R."))


def test_checksums_of_header_and_directory_agree():
    data = bytearray(checkpoint(torch.full((64,), 1.0)))
    at = data.rindex(b"archive/data/0") - 46
    data[at + 16 : at + 20] = bytes(4)
    with pytest.raises(RuntimeError, match="two checksums"):
        load(bytes(data))
