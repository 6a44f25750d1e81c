"""save and load: round trips, sharing, formats, devices, atomic writing."""

import collections
import io
import math
import os
import pickle
import subprocess
import sys
import zipfile

import flambeau as torch
import pytest
from flambeau import serialization
from flambeau.storage import FloatStorage, LongStorage, TypedStorage


def round_trip(value, load_options=(), **save_options):
    file = io.BytesIO()
    serialization.save(value, file, **save_options)
    file.seek(0)
    return serialization.load(file, **dict(load_options))


def same(a, b):
    if isinstance(a, torch.Tensor):
        layout = (a.shape, a.stride(), a.dtype, a.requires_grad, type(a)) == (
            b.shape, b.stride(), b.dtype, b.requires_grad, type(b),
        )  # fmt: skip
        return layout and bool((a == b).all())
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


VALUES = {
    "numbers": [0, 255, 256, 65535, 65536, -1, 2**31, -(2**63), 2**100, 1.5, -math.inf, True, None, 1 + 2j],
    "text": ["", "é", "a" * 300, b"", b"\xff" * 300, bytearray(b"x")],
    "containers": [(), (1,), (1, 2, 3, 4), {"a": {1: [2]}}, {1, 2}, collections.Counter("aab")],
    "ordered": collections.OrderedDict(b=1, a=2),
    "default": collections.defaultdict(list, a=[1]),
    "many": {i: str(i) for i in range(2500)},
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("options", [{}, {"pickle_protocol": 5}, {"_use_new_zipfile_serialization": False}])
def test_plain_values(name, options):
    assert same(round_trip(VALUES[name], **options), VALUES[name])


@pytest.mark.parametrize(
    "name",
    [
        "float64",
        "float32",
        "float16",
        "bfloat16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
        "bool",
        "complex64",
        "complex128",
        "uint16",
        "uint32",
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_every_dtype(name, zipped):
    t = torch.tensor([0, 1, 1]).to(getattr(torch, name))
    assert same(round_trip(t, _use_new_zipfile_serialization=zipped), t)


def test_layouts_and_flags():
    t = torch.arange(12.0).reshape(3, 4)
    values = [t, t.t(), t[1:, ::2], torch.empty(0, 3), torch.tensor(3.0), torch.ones(2, requires_grad=True)]
    loaded = round_trip(values)
    assert same(loaded, values)
    assert loaded[2].storage_offset() == 4


def test_types_of_the_library():
    values = [torch.Size([2, 3]), torch.float32, torch.device("cpu"), torch.nn.Parameter(torch.ones(2))]
    loaded = round_trip(values)
    assert loaded[:3] == values[:3] and [type(v) for v in loaded] == [type(v) for v in values]


def test_meta():
    loaded = round_trip(torch.empty(2, 3, device="meta"))
    assert loaded.device.type == "meta" and loaded.shape == (2, 3)


@pytest.mark.parametrize("zipped", [True, False])
def test_shared_memory_stays_shared(zipped):
    t = torch.zeros(4)
    whole, part, again = round_trip([t, t[1:], t], _use_new_zipfile_serialization=zipped)
    part[0] = 7
    assert whole.tolist() == [0, 7, 0, 0] and again is whole


def test_identity_and_cycles():
    inner = [1]
    cycle = [inner, inner]
    cycle.append(cycle)
    loaded = round_trip(cycle)
    assert loaded[0] is loaded[1] and loaded[2] is loaded


def test_state_dict_keeps_its_metadata():
    model = torch.nn.Linear(2, 3)
    loaded = round_trip(model.state_dict())
    assert loaded._metadata == model.state_dict()._metadata
    assert same(loaded["weight"], model.state_dict()["weight"])


def test_attributes_of_tensors():
    t = torch.ones(2)
    t.note = "kept"
    assert round_trip(t).note == "kept"


def test_numpy():
    numpy = pytest.importorskip("numpy")
    arrays = [numpy.arange(6).reshape(2, 3), numpy.asfortranarray(numpy.ones((2, 3))), numpy.zeros((0, 2))]
    for array, loaded in zip(arrays, round_trip(arrays)):
        assert numpy.array_equal(array, loaded) and array.dtype == loaded.dtype
    scalar = round_trip(numpy.float32(2.5))
    assert scalar == 2.5 and type(scalar) is numpy.float32


def test_archive(tmp_path):
    path = tmp_path / "model.pt"
    serialization.save({"a": torch.ones(3), "b": torch.zeros(100)}, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert (
            archive.read("model/byteorder") in (b"little", b"big") and archive.read("model/version") == b"3\n"
        )
        assert {"model/data.pkl", "model/data/0", "model/data/1"} <= set(names)
        content = path.read_bytes()
        for info in archive.infolist():
            name_length, extra_length = (
                int.from_bytes(content[info.header_offset + at : info.header_offset + at + 2], "little")
                for at in (26, 28)
            )
            assert (info.header_offset + 30 + name_length + extra_length) % 64 == 0


def test_names_in_files_are_torch_names():
    file = io.BytesIO()
    serialization.save(torch.ones(1), file)
    data = zipfile.ZipFile(file).read("archive/data.pkl")
    assert b"ctorch._utils\n_rebuild_tensor_v2\n" in data and b"ctorch\nFloatStorage\n" in data
    assert b"flambeau" not in data


def test_mmap(tmp_path):
    path = tmp_path / "model.pt"
    t = torch.arange(1000.0)
    serialization.save(t, path)
    mapped = serialization.load(path, mmap=True)
    assert same(mapped, t)
    mapped[0] = 5
    assert same(serialization.load(str(path)), t)
    with pytest.raises(ValueError):
        serialization.load(io.BytesIO(path.read_bytes()), mmap=True)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    serialization.save(1, path)
    with pytest.raises(pickle.PicklingError):
        serialization.save([2, lambda: None], path)
    assert serialization.load(path) == 1 and os.listdir(tmp_path) == ["model.pt"]


@pytest.mark.parametrize(
    "map_location", ["cpu", torch.device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage]
)
def test_map_location(map_location):
    t = torch.arange(3.0)
    assert same(round_trip(t, {"map_location": map_location}), t)


def test_map_location_meta():
    assert round_trip(torch.ones(3), {"map_location": "meta"}).device.type == "meta"


def test_storages():
    typed = round_trip(FloatStorage([0, 1, 2, 3]))
    assert list(typed) == [0, 1, 2, 3] and isinstance(typed, FloatStorage)
    assert round_trip(torch.arange(4.0).untyped_storage()).nbytes() == 16


def test_typed_storage():
    storage = FloatStorage(range(4))
    assert (len(storage), storage.nbytes(), storage.element_size(), storage.dtype) == (
        4,
        16,
        4,
        torch.float32,
    )
    assert storage[2] == 2.0 and storage[-1] == 3.0
    storage[0] = 9
    assert storage.tolist() == [9, 1, 2, 3] and storage.double().type() == "torch.DoubleStorage"
    copied = storage.clone().fill_(0)
    assert copied.tolist() == [0] * 4 and storage[0] == 9
    assert isinstance(storage, TypedStorage) and not isinstance(storage, LongStorage)
    with pytest.raises(IndexError):
        storage[4]


def test_whole_modules_need_the_full_machine():
    model = torch.nn.Linear(2, 2)
    file = io.BytesIO()
    serialization.save(model, file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        serialization.load(file)
    file.seek(0)
    assert same(serialization.load(file, weights_only=False).weight, model.weight)


def test_two_dtypes_on_one_storage_are_refused():
    t = torch.ones(2)
    with pytest.raises(RuntimeError, match="share memory as"):
        serialization.save([t, t.view(torch.int32)], io.BytesIO())


def test_bad_targets(tmp_path):
    with pytest.raises(AttributeError):
        serialization.save(1, 3)
    with pytest.raises(RuntimeError, match="Parent directory"):
        serialization.save(1, tmp_path / "missing" / "a.pt")
    with pytest.raises(FileNotFoundError):
        serialization.load(tmp_path / "missing.pt")
    with pytest.raises(AttributeError, match="io.BytesIO"):
        serialization.load(3)
    with pytest.raises(RuntimeError):
        serialization.load(io.BytesIO(b"x"), weights_only=True, pickle_module=pickle)
    with pytest.raises(ValueError):
        serialization.save(1, io.BytesIO(), pickle_protocol=99)


def test_storages_inside_containers_of_trusted_files():
    t = torch.arange(3.0)
    loaded = round_trip({"s": t.untyped_storage(), "t": t.storage()}, {"weights_only": False}.items())
    assert loaded["s"].nbytes() == 12 and loaded["t"].tolist() == [0, 1, 2]
    assert loaded["s"].data_ptr() == loaded["t"].data_ptr()


def test_loaded_tensors_can_be_resized():
    loaded = round_trip(torch.ones(2))
    assert loaded.resize_(4)[:2].tolist() == [1, 1]


def test_the_other_byte_order_swaps_the_parts_of_complex_numbers():
    t = torch.tensor([1 + 2j])
    file = io.BytesIO()
    serialization.save(t, file, _disable_byteorder_record=True)
    file.seek(0)
    serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
    try:
        loaded = serialization.load(file)
    finally:
        serialization.set_default_load_endianness(None)
    assert loaded.numpy().byteswap().tolist() == [1 + 2j]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """The limit of a file's size stands for a full disk: writing fails in the middle."""
    program = (
        "import resource, sys, flambeau as torch\n"
        "torch.save(torch.ones(2), sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: torch.save(torch.zeros(100_000), sys.argv[1])\n"
        "except OSError as error: print('refused', error.errno)\n"
    )
    path = tmp_path / ("n" * 250 + ".pt")
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert done.stdout.startswith("refused"), done.stderr
    assert serialization.load(path).tolist() == [1, 1]
    assert list(tmp_path.iterdir()) == [path]


def test_skip_data(tmp_path):
    value, path = {"a": torch.ones(5), "b": torch.zeros(0)}, tmp_path / "x.pt"
    with serialization.skip_data():
        serialization.save(value, path)
        with pytest.raises(RuntimeError, match="skip_data"):
            serialization.save(value, path, _use_new_zipfile_serialization=False)
    assert serialization.load(path)["a"].tolist() == [0] * 5
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("x/data/0").file_size == 20
    with serialization.skip_data():
        assert serialization.load(path)["a"].shape == (5,)


def test_helpers():
    version = type("Module", (), {"__version__": "2.10.1rc1"})
    assert serialization.check_module_version_greater_or_equal(version, (2, 9))
    assert not serialization.check_module_version_greater_or_equal(version, (2, 10, 2))
    version.__version__ = "x.y"
    with pytest.raises(RuntimeError, match="cannot be read"):
        serialization.check_module_version_greater_or_equal(version, (1,))
    with pytest.raises(RuntimeError, match="CUDA"):
        serialization.validate_cuda_device("cuda:0")
    assert serialization.normalize_storage_type(FloatStorage) is FloatStorage
    with serialization.mkdtemp() as folder:
        assert os.path.isdir(folder)
    assert not os.path.exists(folder)
