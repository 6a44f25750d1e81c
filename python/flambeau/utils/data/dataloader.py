"""The DataLoader: from a dataset and an order to batches."""

import itertools
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import flambeau as torch

from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset
from .fetch import IterableDatasetFetcher, MapDatasetFetcher, random_states_kept
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from .worker import get_worker_info

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

_T_co = TypeVar("_T_co", covariant=True)
_collate_fn_t = Callable[[list], object]
_worker_init_fn_t = Callable[[int], None]


class _DatasetKind:
    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(kind, dataset, auto_collation, collate_fn, drop_last):
        fetcher = MapDatasetFetcher if kind == _DatasetKind.Map else IterableDatasetFetcher
        return fetcher(dataset, auto_collation, collate_fn, drop_last)


class _Forever(Sampler):
    """The order of an iterable-style dataset: only the number of samples asked for matters."""

    def __iter__(self) -> Iterator:
        return itertools.repeat(None)


class DataLoader(Generic[_T_co]):
    """Iterates over a dataset in batches.

    Args:
        dataset: map-style (`__getitem__`) or iterable-style (an `IterableDataset`).
        batch_size: samples per batch, ≥ 1; None gives samples as they are.
        shuffle: a new random order in each epoch. Default: in order.
        sampler: the order, instead of `shuffle`.
        batch_sampler: gives lists of indices, instead of `batch_size`, `shuffle`, `sampler` and `drop_last`.
        num_workers: processes that load; 0 loads in this process.
        collate_fn: from a list of samples to a batch; default `default_collate`.
        pin_memory: accepted; there is no device whose transfers it would speed up.
        drop_last: leave out a last batch that is shorter.
        timeout: seconds to wait for a batch from a worker; 0 waits for ever.
        worker_init_fn: called with the worker's number in each worker, after seeding.
        multiprocessing_context: "fork", "spawn", "forkserver" or a context of `multiprocessing`.
        generator: source of the order and of the workers' seeds; None is the default generator.
        prefetch_factor: batches each worker prepares ahead, ≥ 1; default 2.
        persistent_workers: keep the workers after an epoch.
        pin_memory_device: accepted, see `pin_memory`.
        in_order: give batches in the sampler's order; False gives each as soon as it is ready.
        sample_seeds: set the random state of flambeau, `random` and NumPy anew for each sample, from the
            epoch and the sample's place in it. Random augmentation then is the same for any `num_workers`.
            Only for map-style datasets. (PyTorch has no such option.)
    Errors: ValueError for arguments that exclude each other; RuntimeError when a worker dies or is too slow;
        an exception in a worker is raised here again, with the worker's traceback in its message.

    >>> import flambeau as torch
    >>> for batch in DataLoader(range(5), batch_size=2):
    ...     print(batch)
    tensor([0, 1])
    tensor([2, 3])
    tensor([4])
    """

    dataset: Dataset[_T_co]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Sampler | Iterable
    pin_memory_device: str
    prefetch_factor: int | None
    _iterator: "_BaseDataLoaderIter | None"
    __initialized = False

    def __init__(
        self,
        dataset: Dataset[_T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler[list] | Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: _collate_fn_t | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: _worker_init_fn_t | None = None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
        sample_seeds: bool = False,
    ) -> None:
        _check_worker_options(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.sample_seeds = sample_seeds
        self.persistent_workers = persistent_workers
        self.generator = generator

        self._dataset_kind = (
            _DatasetKind.Iterable if isinstance(dataset, IterableDataset) else _DatasetKind.Map
        )
        if self._dataset_kind == _DatasetKind.Iterable:
            _check_iterable_options(shuffle, sampler, batch_sampler, sample_seeds)
        _check_order_options(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            sampler = self._default_sampler(shuffle)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self._IterableDataset_len_called = None
        self._iterator = None
        self.__initialized = True
        self.check_worker_number_rationality()

    def _default_sampler(self, shuffle) -> Sampler:
        if self._dataset_kind == _DatasetKind.Iterable:
            return _Forever()
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    def __setattr__(self, name: str, value) -> None:
        fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
        if self.__initialized and name in fixed:
            raise ValueError(f"{type(self).__name__}: {name} is fixed once the loader is made")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self):
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError("DataLoader: multiprocessing_context needs workers, and num_workers is 0")
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(f"multiprocessing_context should be one of {methods}, got {context!r}.")
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    f"multiprocessing_context should be a context or the name of one, got {context!r}."
                )
        self._multiprocessing_context = context

    def _get_iterator(self) -> "_BaseDataLoaderIter":
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    def __iter__(self) -> "_BaseDataLoaderIter":
        if not self.persistent_workers:
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if self._dataset_kind != _DatasetKind.Iterable:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn if there are more workers than processors this process may use."""
        if not self.num_workers:
            return
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if available is not None and self.num_workers > available:
            warnings.warn(
                f"DataLoader: {self.num_workers} workers for {available} processors; more workers than that "
                "may slow loading down",
                stacklevel=3,
            )


def _check_worker_options(num_workers, timeout, prefetch_factor, persistent_workers) -> None:
    if num_workers < 0:
        raise ValueError(
            f"DataLoader: num_workers must not be negative, got {num_workers}; 0 loads in this process"
        )
    if timeout < 0:
        raise ValueError(f"DataLoader: timeout must not be negative, got {timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError("prefetch_factor option needs multiprocessing: set num_workers > 0 or leave it out.")
    if prefetch_factor is not None and prefetch_factor < 1:
        raise ValueError(f"prefetch_factor option should be positive, got {prefetch_factor}.")
    if persistent_workers and num_workers == 0:
        raise ValueError("DataLoader: persistent_workers needs num_workers > 0")


def _check_iterable_options(shuffle, sampler, batch_sampler, sample_seeds) -> None:
    # an iterable-style dataset decides its order itself
    if shuffle not in {False, None}:
        raise ValueError(
            f"DataLoader: an IterableDataset decides its order, so shuffle cannot be {shuffle!r}"
        )
    if sampler is not None:
        raise ValueError(
            f"DataLoader: an IterableDataset decides its order, so there can be no sampler, got {sampler!r}"
        )
    if batch_sampler is not None:
        raise ValueError(
            "DataLoader: an IterableDataset decides its order, so there can be no batch_sampler, got "
            f"{batch_sampler!r}"
        )
    if sample_seeds:
        raise ValueError(
            "sample_seeds needs a map-style dataset: an IterableDataset draws its samples by itself."
        )


def _check_order_options(batch_size, shuffle, sampler, batch_sampler, drop_last) -> None:
    if sampler is not None and shuffle:
        raise ValueError("DataLoader: a sampler decides the order, so it excludes shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError(
            "DataLoader: a batch_sampler decides order and batches, so it excludes batch_size, shuffle, "
            "sampler and drop_last"
        )
    if batch_sampler is None and batch_size is None and drop_last:
        raise ValueError("DataLoader: batch_size=None gives single samples, so there is no last batch to "
                         "drop")


class _BaseDataLoaderIter:
    """One pass over a DataLoader; a subclass defines `_next_data`."""

    def __init__(self, loader: DataLoader) -> None:
        # The loader itself is not kept: it keeps its iterator if the workers are persistent, and the two
        # would then live, workers and all, until the garbage collector finds them.
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._index_sampler = loader._index_sampler
        self._auto_collation = loader._auto_collation
        self._generator = loader.generator
        self._sample_seeds = loader.sample_seeds
        if loader.pin_memory:
            warnings.warn("pin_memory=True has no effect: there is no accelerator.", stacklevel=4)
        self._start_epoch(loader)

    def _start_epoch(self, loader: DataLoader) -> None:
        self._base_seed = torch.empty((), dtype=torch.int64).random_(generator=self._generator).item()
        self._restart(loader)

    def _restart(self, loader: DataLoader) -> None:
        self._promised_length = loader._IterableDataset_len_called
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._position = 0

    def _next_task(self) -> tuple:
        """(index, seed, position), the arguments of `fetch`."""
        index = next(self._sampler_iter)
        if not self._sample_seeds:
            return index, None, 0
        position = self._position
        self._position += len(index) if self._auto_collation else 1
        return index, self._base_seed, position

    def __iter__(self) -> "_BaseDataLoaderIter":
        return self

    def __next__(self):
        data = self._next_data()
        self._num_yielded += 1
        if self._promised_length is not None and self._dataset_kind == _DatasetKind.Iterable:
            self._warn_if_longer(self._promised_length)
        return data

    @property
    def next(self):
        from ...legacy.modules import next_of_loader
        return next_of_loader(self)

    def _warn_if_longer(self, promised: int) -> None:
        if self._num_yielded > promised:
            warnings.warn(
                f"DataLoader: {self._dataset} announced {promised} batches, {self._num_yielded} have come. "
                "With workers, does __iter__ split the stream by get_worker_info()?",
                stacklevel=3,
            )

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self):
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled; pickle the DataLoader.")


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        self._fetcher = _DatasetKind.create_fetcher(
            self._dataset_kind, self._dataset, loader._auto_collation, loader.collate_fn, loader.drop_last
        )

    def _next_data(self):
        task = self._next_task()
        if not self._sample_seeds:
            return self._fetcher.fetch(*task)
        with random_states_kept():
            return self._fetcher.fetch(*task)


# after the classes it builds on

from .multiprocess import _MultiProcessingDataLoaderIter  # noqa: E402
