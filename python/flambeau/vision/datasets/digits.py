"""Handwritten digits that come with the package, so that a first program needs no download."""

from collections.abc import Callable
from pathlib import Path

from .mnist import MNIST

__all__ = ["Digits"]


class Digits(MNIST):
    """1,797 handwritten digits, 8×8 pixels with values 0..16; every fifth one tests, the others train.

    In the original order, which goes writer by writer, images 0, 5, 10 … are the 360 of the test part; so
    both parts hold digits of the same writers.
    Samples are (image, class) as in MNIST. Note that ToTensor divides by 255, not by 16.

    Args:
        root: accepted for the sake of the other datasets' signature; the files are in the package.
        train: the training part, or else the test part.
        transform, target_transform: called with each image, each class.
        download: accepted; there is nothing to download.
    Source: Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository
        (1998), https://doi.org/10.24432/C50P49, licence CC BY 4.0; the test part of that collection.

    >>> len(Digits()), len(Digits(train=False)), tuple(Digits().data.shape)
    (1437, 360, (1437, 8, 8))
    """

    def __init__(
        self,
        root: str | Path | None = None,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, train, transform, target_transform)

    @property
    def raw_folder(self) -> str:
        return str(Path(__file__).with_name("digits"))

    def download(self) -> None:
        """Nothing to do: the files come with the package."""
