"""CIFAR-10 and CIFAR-100: small colour photographs."""

import pickle
from collections.abc import Callable
from pathlib import Path

from .. import _pil
from .utils import check_integrity, download_and_extract_archive
from .vision import VisionDataset

__all__ = ["CIFAR10", "CIFAR100"]


class _ArraysOnly(pickle.Unpickler):
    """Reads the batches, pickles of dicts with NumPy arrays, and refuses to import anything else."""

    def find_class(self, module: str, name: str):
        import numpy

        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(numpy, name)
        # NumPy 2 renamed the module
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return numpy.zeros(0).__reduce__()[0]
        raise pickle.UnpicklingError(
            f"a CIFAR batch should hold arrays only, this one asks for {module}.{name}."
        )


class CIFAR10(VisionDataset):
    """60,000 photographs in 10 classes, 32×32 pixels, RGB; 50,000 to train. Needs NumPy and Pillow.

    Args:
        root: the files are in `root/cifar-10-batches-py`.
        train: the training part, or else the test part.
        transform, target_transform: called with each PIL image, each class.
        download: fetch the archive if files are missing.
    Errors: RuntimeError if files are missing or damaged and not to be downloaded, or cannot be.
    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009);
        https://www.cs.toronto.edu/~kriz/cifar.html
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": "5ff9c542aee3614f3951f8cda6e48888"}

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
        if not self._check_integrity():
            raise RuntimeError(
                f"Dataset not found or corrupted in {self._folder}. You can use download=True to download it."
            )
        import numpy

        batches = [self._unpickle(name) for name, _ in (self.train_list if train else self.test_list)]
        planes = numpy.concatenate([batch["data"] for batch in batches])  # (N, 3·32·32), colour by colour
        self.data = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        label_key = "labels" if "labels" in batches[0] else "fine_labels"
        self.targets = [label for batch in batches for label in batch[label_key]]
        self.classes = self._unpickle(self.meta["filename"])[self.meta["key"]]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    @property
    def _folder(self) -> Path:
        return Path(self.root) / self.base_folder

    def _unpickle(self, name: str) -> dict:
        with open(self._folder / name, "rb") as file:
            return _ArraysOnly(file, encoding="latin1").load()

    def __getitem__(self, index: int) -> tuple:
        image, target = _pil.pillow().fromarray(self.data[index]), self.targets[index]
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __len__(self) -> int:
        return len(self.data)

    def _check_integrity(self) -> bool:
        files = [*self.train_list, *self.test_list, [self.meta["filename"], self.meta["md5"]]]
        return all(check_integrity(self._folder / name, md5) for name, md5 in files)

    def download(self) -> None:
        """Fetch and unpack the archive, unless all files are there."""
        if not self._check_integrity():
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.tgz_md5)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """60,000 photographs in 100 classes; all else as CIFAR10, in `root/cifar-100-python`."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {"filename": "meta", "key": "fine_label_names", "md5": "7973b15100ade9c7d40fb424638fde48"}
