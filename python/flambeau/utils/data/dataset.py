"""Datasets: things with a length and an item per index, or things to iterate over."""

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

import flambeau as torch

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Dataset(Generic[_T_co]):
    """A map from an index (or key) to a sample.

    A subclass defines `__getitem__(index)` and, for most samplers, `__len__()`. It may also define
    `__getitems__(indices)`, which returns a list with one sample per index; a `DataLoader` then asks
    for a batch in one call.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 5
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index) -> _T_co:
        raise NotImplementedError(f"{type(self).__name__} is a Dataset and must define __getitem__.")

    # No `__len__` here: with one, `len()` of a dataset without length would raise another error than
    # the TypeError that `list()` and `DataLoader` know how to take.

    def __add__(self, other: "Dataset[_T_co]") -> "ConcatDataset[_T_co]":
        return ConcatDataset([self, other])


class IterableDataset(Dataset[_T_co], Iterable[_T_co]):
    """A stream of samples; a subclass defines `__iter__`.

    With worker processes every worker has a copy of the dataset: ask `get_worker_info()` in `__iter__`
    which share of the stream to give, or each sample comes once per worker.

    >>> class Count(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> list(Count() + Count())
    [0, 1, 2, 0, 1, 2]
    """

    def __add__(self, other: Dataset[_T_co]) -> "ChainDataset":
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple]):
    """Sample i is the tuple of the i-th rows of some tensors.

    Args:
        *tensors: tensors whose first dimensions have the same size.
    Errors: AssertionError if the first dimensions differ.

    >>> import flambeau as torch
    >>> TensorDataset(torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([0, 1]))[1]
    (tensor([3., 4.]), tensor(1))
    """

    def __init__(self, *tensors) -> None:
        sizes = [tensor.size(0) for tensor in tensors]
        if any(size != sizes[0] for size in sizes):
            raise AssertionError(f"Size mismatch between tensors: their first dimensions are {sizes}.")
        self.tensors = tensors

    def __getitem__(self, index) -> tuple:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getitems__(self, indices: Sequence[int]) -> list:
        if type(self).__getitem__ is not TensorDataset.__getitem__ or not _are_plain_ints(indices):
            return [self[index] for index in indices]
        return list(zip(*(rows.unbind(0) for rows in gather_rows(self, indices))))

    def __len__(self) -> int:
        return self.tensors[0].size(0)


class StackDataset(Dataset):
    """Sample i is the tuple (or the dict) of the i-th samples of several datasets.

    Args:
        *args: datasets of one length; samples are tuples.
        **kwargs: instead of `args`, named datasets; samples are dicts.
    Errors: ValueError if both, none, or datasets of different lengths are given.

    >>> StackDataset(range(3), "abc")[1]
    (1, 'b')
    """

    datasets: tuple | dict

    def __init__(self, *args: Dataset, **kwargs: Dataset) -> None:
        if args and kwargs:
            raise ValueError(
                "Give datasets either by position (tuples) or by name (dicts): both types are given."
            )
        if not args and not kwargs:
            raise ValueError("StackDataset: give one dataset at least")
        self.datasets = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if any(length != lengths[0] for length in lengths):
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}.")
        self._length = lengths[0]

    def __getitem__(self, index):
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list) -> list:
        if isinstance(self.datasets, dict):
            columns = [samples_at(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row)) for row in zip(*columns)]
        return list(zip(*(samples_at(dataset, indices) for dataset in self.datasets)))

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[_T_co]):
    """Several datasets one after the other.

    Args:
        datasets: map-style datasets with a length.
    Errors: AssertionError if there is none or one is iterable-style; ValueError for an index below -len.

    >>> ConcatDataset([range(3), "ab"])[-1]
    'b'
    """

    datasets: list[Dataset[_T_co]]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence) -> list[int]:
        return list(itertools.accumulate(len(dataset) for dataset in sequence))

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        super().__init__()
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: datasets is empty")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset; chain these with `+`.")
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index) -> _T_co:
        if index < 0:
            if -index > len(self):
                raise ValueError(f"absolute value of index {index} exceeds the dataset length {len(self)}.")
            index += len(self)
        part = bisect.bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[part - 1] if part else 0
        return self.datasets[part][index - start]

    @property
    def cummulative_sizes(self) -> list[int]:
        warnings.warn("cummulative_sizes is spelled cumulative_sizes.", DeprecationWarning, stacklevel=2)
        return self.cumulative_sizes


class ChainDataset(IterableDataset):
    """Several iterable-style datasets one after the other.

    Args:
        datasets: iterable-style datasets; they are opened one by one, when their turn comes.
    """

    def __init__(self, datasets: Iterable[Dataset]) -> None:
        super().__init__()
        self.datasets = datasets

    def __iter__(self) -> Iterator:
        for dataset in self.datasets:
            self._check(dataset)
            yield from dataset

    def __len__(self) -> int:
        total = 0
        for dataset in self.datasets:
            self._check(dataset)
            total += len(dataset)
        return total

    @staticmethod
    def _check(dataset) -> None:
        if not isinstance(dataset, IterableDataset):
            raise AssertionError(f"ChainDataset only supports IterableDataset, not {type(dataset).__name__}.")


class Subset(Dataset[_T_co]):
    """The samples of a dataset at some indices.

    Args:
        dataset: the whole dataset.
        indices: the chosen indices, in order.

    >>> list(Subset("abcdef", [4, 0]))
    ['e', 'a']
    """

    dataset: Dataset[_T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[_T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index) -> _T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[_T_co]:
        return samples_at(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset[_T], lengths: Sequence[int | float], generator=None) -> list[Subset[_T]]:
    """Split a dataset at random into parts that do not overlap.

    Args:
        dataset: the dataset to split.
        lengths: the size of each part, or its share of the whole (fractions that sum to 1). Samples that
            are left when fractions are rounded down go one each to the parts from the first on.
        generator: source of the permutation; None is the default generator.
    Errors: ValueError if the lengths do not sum to `len(dataset)` or a fraction is outside [0, 1].

    >>> import flambeau as torch
    >>> [len(part) for part in random_split(range(11), [0.5, 0.5])]
    [6, 5]
    """
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _lengths_of_fractions(len(dataset), lengths)
    if sum(lengths) != len(dataset):
        raise ValueError(
            f"random_split: {list(lengths)} add up to {sum(lengths)}, the dataset has {len(dataset)}"
        )
    generator = torch.default_generator if generator is None else generator
    order = torch.randperm(sum(lengths), generator=generator).tolist()
    ends = itertools.accumulate(lengths)
    return [Subset(dataset, order[end - length : end]) for end, length in zip(ends, lengths)]


def _lengths_of_fractions(total: int, fractions: Sequence[float]) -> list[int]:
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"random_split: fraction {i} must lie from 0 to 1, it is {fraction}")
    lengths = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(lengths)):
        lengths[i % len(lengths)] += 1
    for i, length in enumerate(lengths):
        if length == 0:
            warnings.warn(f"random_split: part {i} is empty", stacklevel=3)
    return lengths


def gather_rows(dataset: Dataset, indices: Sequence[int], empty=None) -> list | None:
    """The batch of a TensorDataset, one gather per tensor; None if samples must be asked for one by one.

    Looks through plain Subsets, so that the parts of a `random_split` are as fast as the whole.

    Args:
        dataset: any dataset.
        indices: sample numbers.
        empty: called with (shape, dtype), gives the memory for a result, or None to leave that to the op.
    """
    while type(dataset) is Subset:
        indices = [dataset.indices[i] for i in indices]
        dataset = dataset.dataset
    if not isinstance(dataset, TensorDataset) or type(dataset).__getitem__ is not TensorDataset.__getitem__:
        return None
    if not _are_plain_ints(indices):
        return None
    index = torch.tensor(indices, dtype=torch.int64)
    if empty is None or min(indices) < 0 or any(tensor.requires_grad for tensor in dataset.tensors):
        return [tensor[index] for tensor in dataset.tensors]
    return [
        torch.index_select(tensor, 0, index, out=empty((len(indices), *tensor.shape[1:]), tensor.dtype))
        for tensor in dataset.tensors
    ]


def _are_plain_ints(indices: Sequence) -> bool:
    # bool is an int too, but indexing with one adds a dimension instead of choosing a row
    return set(map(type, indices)) == {int}


def samples_at(dataset: Dataset, indices: list) -> list:
    """The samples at `indices`, asked for in one call where the dataset offers `__getitems__`."""
    ask = getattr(dataset, "__getitems__", None)
    if not callable(ask):
        return [dataset[index] for index in indices]
    items = ask(indices)
    if len(items) != len(indices):
        raise ValueError(
            f"{type(dataset).__name__}.__getitems__ gave {len(items)} samples for {len(indices)} indices."
        )
    return items
