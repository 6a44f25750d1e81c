"""MNIST and its relatives: images in IDX files, the format of Yann LeCun's MNIST page."""

import gzip
import math
import shutil
import string
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import flambeau as torch

from .. import _pil
from ..transforms import Compose, Normalize, ToTensor
from .utils import check_integrity, download_from_mirrors, download_url
from .vision import VisionDataset

__all__ = ["EMNIST", "FashionMNIST", "KMNIST", "MNIST", "read_idx"]

# third byte of an IDX file: type of its numbers, most significant byte first
_IDX_DTYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}


def read_idx(path: str | Path):
    """The tensor in an IDX file.

    Args:
        path: the file, gzipped if its name ends in `.gz`.
    Errors: ValueError if it is no IDX file or is cut short.
    Source: "The IDX file format", on the page of the MNIST database (LeCun, Cortes, Burges).
    """
    try:
        with (gzip.open if str(path).endswith(".gz") else open)(path, "rb") as file:
            data = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged or cut short: {error}.") from None
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_DTYPES:
        raise ValueError(f"{path} is not an IDX file.")
    dims, start = data[3], 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError(f"{path} is cut short: its header wants {start} bytes, there are {len(data)}.")
    shape = struct.unpack(f">{dims}I", data[4:start])
    dtype = getattr(torch, _IDX_DTYPES[data[2]])
    size = math.prod(shape) * dtype.itemsize
    if len(data) - start != size:
        raise ValueError(f"{path}: shape {shape} wants {size} bytes, the file holds {len(data) - start}.")
    if size == 0:
        return torch.empty(shape, dtype=dtype)
    raw = torch.frombuffer(bytearray(data), dtype=torch.uint8, offset=start)
    if dtype != torch.uint8:
        raw = raw.reshape(-1, dtype.itemsize).flip(1).contiguous().view(dtype)
    return raw.reshape(shape)


class MNIST(VisionDataset):
    """70,000 handwritten digits, 28×28 pixels, 0..255; 60,000 to train.

    Samples are (image, class): a PIL image in mode "L", unless `transform` makes something else of it.

    Args:
        root: the files are in `root/MNIST/raw`, gzipped or not.
        train: the training part, or else the test part.
        transform, target_transform: called with each image, each class.
        download: fetch the files that are missing.
    Errors: RuntimeError if files are missing and not to be downloaded, or cannot be.
    Source: http://yann.lecun.com/exdb/mnist
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_exists():
            raise RuntimeError(
                f"Dataset not found in {self.raw_folder}. You can use download=True to download it."
            )
        self.data, self.targets = self._load_data()

    def _load_data(self) -> tuple:
        images = read_idx(self._find(self.images_file))
        targets = read_idx(self._find(self.labels_file)).to(torch.int64)
        if images.dtype != torch.uint8 or images.dim() != 3 or targets.dim() != 1:
            raise ValueError(
                f"{self.raw_folder}: expected images as bytes (N, H, W) and labels (N), got "
                f"{images.dtype} {tuple(images.shape)} and {tuple(targets.shape)}."
            )
        if len(images) != len(targets):
            raise ValueError(f"{self.raw_folder} holds {len(images)} images but {len(targets)} labels.")
        return images, targets

    def __getitem__(self, index: int) -> tuple:
        if self.target_transform is None and (transform := self._tensor_transform()):
            # equal to the way through a PIL image, and does without Pillow
            return transform(self.data[index].unsqueeze(0)), int(self.targets[index])
        image, target = _pil.from_gray(self.data[index]), int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __getitems__(self, indices: list) -> list:
        transform = self._tensor_transform()
        if (
            type(self).__getitem__ is not MNIST.__getitem__
            or self.target_transform is not None
            or not transform
        ):
            return [self[index] for index in indices]
        index = torch.as_tensor(indices, dtype=torch.int64)
        images = transform(self.data[index].unsqueeze(1))
        return list(zip(images.unbind(0), self.targets[index].tolist()))

    def _tensor_transform(self) -> Callable | None:
        """The transform for uint8 images (…, 1, H, W), if it is ToTensor or that and Normalize."""
        steps = self.transform.transforms if type(self.transform) is Compose else [self.transform]
        if [type(step) for step in steps] not in ([ToTensor], [ToTensor, Normalize]):
            return None
        rest = steps[1:]

        def transform(images):
            images = images.to(torch.get_default_dtype()).div(255)
            return rest[0](images) if rest else images

        return transform

    def __len__(self) -> int:
        return len(self.data)

    @property
    def raw_folder(self) -> str:
        return str(Path(self.root) / type(self).__name__ / "raw")

    @property
    def processed_folder(self) -> str:
        return str(Path(self.root) / type(self).__name__ / "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    @property
    def images_file(self) -> str:
        return f"{'train' if self.train else 't10k'}-images-idx3-ubyte"

    @property
    def labels_file(self) -> str:
        return f"{'train' if self.train else 't10k'}-labels-idx1-ubyte"

    def _find(self, name: str) -> Path | None:
        """The file, plain or gzipped; the plain one first, it reads faster."""
        folder = Path(self.raw_folder)
        return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)

    def _check_exists(self) -> bool:
        return all(self._find(name) for name in (self.images_file, self.labels_file))

    def download(self) -> None:
        """Fetch the files of both parts that are not there yet."""
        for name, md5 in self.resources:
            if self._find(name.removesuffix(".gz")) is None:
                download_from_mirrors(self.mirrors, self.raw_folder, name, md5)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """70,000 pictures of clothes, 28×28 pixels, in the format of MNIST; arguments as there.

    Source: Xiao, Rasul, Vollgraf, arXiv:1708.07747; https://github.com/zalandoresearch/fashion-mnist
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """70,000 cursive Japanese characters, 28×28 pixels, in the format of MNIST; arguments as there.

    Source: Clanuwat et al., arXiv:1812.01718; http://codh.rois.ac.jp/kmnist
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class EMNIST(MNIST):
    """Handwritten letters and digits, 28×28 pixels; each image is the transpose of how it reads.

    Args:
        root: the files are in `root/EMNIST/raw`.
        split: one of `EMNIST.splits`.
        **kwargs: `train`, `transform`, `target_transform`, `download` of MNIST.
    Source: Cohen et al., arXiv:1702.05373; https://www.nist.gov/itl/products-and-services/emnist-dataset
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    _all_classes = string.digits + string.ascii_uppercase + string.ascii_lowercase
    # letters whose two cases look alike are one class
    _merged_classes = set("cijklmopsuvwxyz")
    classes_split_dict = {
        "byclass": sorted(_all_classes),
        "bymerge": sorted(set(_all_classes) - _merged_classes),
        "balanced": sorted(set(_all_classes) - _merged_classes),
        # labels of letters start at 1
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: str | Path, split: str, **kwargs) -> None:
        if split not in self.splits:
            raise ValueError(f"Unknown value {split!r} for argument split. Valid values are {self.splits}.")
        self.split = split
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[split]

    @property
    def images_file(self) -> str:
        return f"emnist-{self.split}-{'train' if self.train else 'test'}-images-idx3-ubyte"

    @property
    def labels_file(self) -> str:
        return f"emnist-{self.split}-{'train' if self.train else 'test'}-labels-idx1-ubyte"

    def download(self) -> None:
        """Fetch the archive of all splits, unless this split is there."""
        if self._check_exists():
            return
        folder = Path(self.raw_folder)
        archive = folder / "gzip.zip"
        if not check_integrity(archive, self.md5):
            download_url(self.url, folder, archive.name, self.md5)
        with zipfile.ZipFile(archive) as zipped, tempfile.TemporaryDirectory(dir=folder) as unpacked:
            for name in zipped.namelist():
                if name.endswith(".gz"):
                    shutil.move(zipped.extract(name, unpacked), folder / Path(name).name)
        archive.unlink()
