import gzip
import hashlib
import pickle
import struct
import tarfile

import flambeau as torch
import pytest
from flambeau.utils.data import DataLoader
from flambeau.vision import datasets, transforms
from flambeau.vision.datasets import cifar
from flambeau.vision.datasets.mnist import read_idx
from flambeau.vision.datasets.utils import check_integrity, download_from_mirrors, download_url


def idx(codes, shape, data):
    return bytes([0, 0, codes, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def write_mnist(folder, prefix_train="train", prefix_test="t10k", zipped=False, sizes=(6, 4)):
    folder.mkdir(parents=True)
    for prefix, count in zip((prefix_train, prefix_test), sizes):
        pixels = bytes((7 * i) % 256 for i in range(count * 28 * 28))
        files = {
            f"{prefix}-images-idx3-ubyte": idx(8, (count, 28, 28), pixels),
            f"{prefix}-labels-idx1-ubyte": idx(8, (count,), bytes(i % 10 for i in range(count))),
        }
        for name, data in files.items():
            path = folder / (f"{name}.gz" if zipped else name)
            path.write_bytes(gzip.compress(data) if zipped else data)


@pytest.mark.parametrize(
    ("code", "packing", "dtype"),
    [(8, "B", "uint8"), (9, "b", "int8"), (11, ">h", "int16"), (12, ">i", "int32"), (13, ">f", "float32"),
     (14, ">d", "float64")],
)  # fmt: skip
def test_idx_types(tmp_path, code, packing, dtype):
    values = [1, 2, 100, 0, 5, 6]
    path = tmp_path / "file"
    path.write_bytes(idx(code, (2, 3), b"".join(struct.pack(packing, value) for value in values)))
    tensor = read_idx(path)
    assert tensor.dtype == getattr(torch, dtype) and tensor.tolist() == [values[:3], values[3:]]


@pytest.mark.parametrize(
    "data", [b"", b"PNG and more", idx(8, (3,), b"12"), idx(8, (3,), b"1234"), idx(8, (3, 4), b"")[:7]]
)
def test_files_that_are_no_idx_files(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="file"):
        read_idx(path)


@pytest.mark.parametrize("zipped", [False, True])
def test_fashion_mnist_from_files(tmp_path, zipped):
    write_mnist(tmp_path / "FashionMNIST" / "raw", zipped=zipped)
    # nothing is fetched, as the files are there
    train = datasets.FashionMNIST(tmp_path, transform=transforms.ToTensor(), download=True)
    test = datasets.FashionMNIST(tmp_path, train=False)
    assert (len(train), len(test)) == (6, 4)
    image, label = train[3]
    assert image.shape == (1, 28, 28) and image.dtype == torch.float32 and label == 3
    assert torch.equal(image[0], train.data[3] / 255)
    assert train.class_to_idx["Ankle boot"] == 9
    assert repr(train).splitlines()[:2] == ["Dataset FashionMNIST", "    Number of datapoints: 6"]


def test_batches_made_at_once_equal_those_by_way_of_images(tmp_path):
    pytest.importorskip("PIL")
    write_mnist(tmp_path / "MNIST" / "raw")
    direct = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1,), (0.3,))])
    # a Lambda in front hides the two from the short way
    through_images = transforms.Compose([transforms.Lambda(lambda image: image), *direct.transforms])
    fast = DataLoader(datasets.MNIST(tmp_path, transform=direct), batch_size=4)
    slow = DataLoader(datasets.MNIST(tmp_path, transform=through_images), batch_size=4)
    for (images, labels), (reference_images, reference_labels) in zip(fast, slow, strict=True):
        assert torch.equal(images, reference_images) and torch.equal(labels, reference_labels)
        assert labels.dtype == reference_labels.dtype


def test_emnist(tmp_path):
    write_mnist(tmp_path / "EMNIST" / "raw", "emnist-letters-train", "emnist-letters-test")
    letters = datasets.EMNIST(tmp_path, "letters", train=False)
    assert len(letters) == 4 and letters.classes[1] == "a" and len(letters.classes) == 27
    assert len(datasets.EMNIST.classes_split_dict["balanced"]) == 47
    with pytest.raises(ValueError, match="letterz"):
        datasets.EMNIST(tmp_path, "letterz")


def test_missing_files(tmp_path):
    with pytest.raises(RuntimeError, match="download=True"):
        datasets.KMNIST(tmp_path)
    with pytest.raises(RuntimeError, match="download=True"):
        datasets.CIFAR10(tmp_path)


def test_digits():
    train, test = datasets.Digits(), datasets.Digits(train=False)
    assert (len(train), len(test)) == (1437, 360)
    assert train.data.shape == (1437, 8, 8) and train.data.dtype == torch.uint8
    assert train.data.max().item() == 16 and train.data.min().item() == 0
    assert train.targets.dtype == torch.int64
    counts = torch.bincount(torch.cat([train.targets, test.targets])).tolist()
    # the figures of the collection's own description
    assert counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert test.targets[0].item() == 0 and train.targets[0].item() == 1


def test_image_of_a_digit():
    pytest.importorskip("PIL")
    image, label = datasets.Digits(train=False)[0]
    assert image.mode == "L" and image.size == (8, 8) and label == 0
    assert transforms.PILToTensor()(image).tolist() == datasets.Digits(train=False).data[:1].tolist()


def test_download(tmp_path, capsys):
    source = tmp_path / "there"
    source.mkdir()
    (source / "file.bin").write_bytes(b"x" * 200_000)
    md5 = hashlib.md5(b"x" * 200_000).hexdigest()
    url = source.as_uri() + "/file.bin"
    download_url(url, tmp_path / "here", md5=md5)
    assert check_integrity(tmp_path / "here" / "file.bin", md5)
    assert "100 % of 0.2 MB" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="checksum"):
        download_url(url, tmp_path / "other", md5="0" * 32)
    assert not any((tmp_path / "other").iterdir())
    mirrors = [(tmp_path / "nowhere").as_uri() + "/", source.as_uri() + "/"]
    download_from_mirrors(mirrors, tmp_path / "third", "file.bin", md5)
    with pytest.raises(RuntimeError, match="put the file at"):
        download_from_mirrors(mirrors[:1], tmp_path / "fourth", "file.bin", md5)


def test_cifar(tmp_path, monkeypatch):
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("PIL")
    folder = tmp_path / "made" / "cifar-100-python"
    folder.mkdir(parents=True)
    pixels = numpy.arange(2 * 3072).astype(numpy.uint8).reshape(2, 3072)
    contents = {
        "train": {"data": pixels, "fine_labels": [1, 0]},
        "test": {"data": pixels[:1], "fine_labels": [1]},
        "meta": {"fine_label_names": ["apple", "bee"]},
    }
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content))

    def checksum(name):
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    archive = tmp_path / "archive.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "cifar-100-python")
    monkeypatch.setattr(cifar.CIFAR100, "train_list", [["train", checksum("train")]])
    monkeypatch.setattr(cifar.CIFAR100, "test_list", [["test", checksum("test")]])
    monkeypatch.setattr(cifar.CIFAR100, "meta", {**cifar.CIFAR100.meta, "md5": checksum("meta")})
    monkeypatch.setattr(cifar.CIFAR100, "url", archive.as_uri())
    monkeypatch.setattr(cifar.CIFAR100, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())

    data = datasets.CIFAR100(tmp_path / "fetched", transform=transforms.PILToTensor(), download=True)
    assert len(data) == 2 and data.classes == ["apple", "bee"]
    image, label = data[1]
    assert label == 0 and image.flatten().tolist() == pixels[1].tolist()


def test_cifar_batches_cannot_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("this must not be printed",)

    path = tmp_path / "batch"
    path.write_bytes(pickle.dumps(Evil()))
    with open(path, "rb") as file, pytest.raises(pickle.UnpicklingError, match="print"):
        cifar._ArraysOnly(file).load()


def test_image_folder(tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    for name, colours in (("cat", [(255, 0, 0)]), ("ant", [(0, 255, 0), (0, 0, 255)])):
        (tmp_path / name / "deep").mkdir(parents=True)
        for i, colour in enumerate(colours):
            image_module.new("RGB", (4, 3), colour).save(tmp_path / name / "deep" / f"{i}.PNG")
        (tmp_path / name / "notes.txt").write_text("no image")
    data = datasets.ImageFolder(tmp_path, transform=transforms.ToTensor())
    assert data.classes == ["ant", "cat"] and data.targets == [0, 0, 1]
    image, label = data[2]
    assert label == 1 and image.shape == (3, 3, 4) and image[:, 0, 0].tolist() == [1.0, 0.0, 0.0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        datasets.ImageFolder(tmp_path)
    assert len(datasets.ImageFolder(tmp_path, allow_empty=True).classes) == 3


def test_fake_data():
    pytest.importorskip("PIL")
    data = datasets.FakeData(size=3, image_size=(3, 5, 6), num_classes=4, transform=transforms.ToTensor())
    torch.manual_seed(0)
    first = torch.rand(2)
    torch.manual_seed(0)
    image, label = data[1]
    assert image.shape == (3, 5, 6) and label in range(4) and torch.equal(image, data[1][0])
    assert torch.equal(torch.rand(2), first), "drawing a sample must not move the program's generator"
    with pytest.raises(IndexError):
        data[3]
