"""Samplers: the order in which a DataLoader asks a dataset for samples.

Each consumes the random generator in the same way and order as PyTorch's, so one seed gives one order.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Generic, TypeVar

import flambeau as torch

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

_T_co = TypeVar("_T_co", covariant=True)

# torch.randint is asked for this many indices at a time by RandomSampler(replacement=True)
_DRAWS_AT_ONCE = 32


class Sampler(Generic[_T_co]):
    """An order of samples; a subclass defines `__iter__`, which gives indices (or lists of them).

    `__len__` is wanted by `len(DataLoader)` only.
    """

    def __iter__(self) -> Iterator[_T_co]:
        raise NotImplementedError(f"{type(self).__name__} is a Sampler and must define __iter__.")


class SequentialSampler(Sampler[int]):
    """0, 1, 2 … in order.

    Args:
        data_source: anything with a length.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A random order.

    Args:
        data_source: anything with a length n.
        replacement: draw every index independently of those before.
        num_samples: how many to draw, default n; without replacement several permutations follow each other.
        generator: source of randomness; None seeds a fresh one from the default generator at each pass.
    Errors: TypeError for a `replacement` that is no bool; ValueError for `num_samples` below 1.
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator=None
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement must be a bool, not {replacement!r}")
        _check_count("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        # asked anew each time: a dataset may grow between two passes
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, wanted = len(self.data_source), self.num_samples
        generator = self.generator
        if generator is None:
            generator = torch.Generator()
            generator.manual_seed(int(torch.empty((), dtype=torch.int64).random_().item()))
        if self.replacement:
            for start in range(0, wanted, _DRAWS_AT_ONCE):
                size = (min(_DRAWS_AT_ONCE, wanted - start),)
                yield from torch.randint(high=n, size=size, dtype=torch.int64, generator=generator).tolist()
            # the last, possibly empty, draw consumes nothing when `wanted` is a multiple
            return
        for _ in range(wanted // n):
            yield from torch.randperm(n, generator=generator).tolist()
        yield from torch.randperm(n, generator=generator).tolist()[: wanted % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given indices in a random order, without replacement.

    Args:
        indices: the indices.
        generator: source of randomness; None is the default generator.
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator=None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in torch.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices 0 … n-1 drawn in proportion to their weights.

    Args:
        weights: n weights ≥ 0; they need not sum to 1.
        num_samples: how many to draw, ≥ 1.
        replacement: if False an index comes at most once, so `num_samples` ≤ n.
        generator: source of randomness; None is the default generator.
    Errors: ValueError for weights that are no sequence of numbers or a bad `num_samples`, `replacement`.

    >>> sorted(WeightedRandomSampler([0.0, 1.0, 2.0], 2, replacement=False))
    [1, 2]
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator=None
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"WeightedRandomSampler: num_samples must be a positive int, not {num_samples!r}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(f"WeightedRandomSampler: replacement must be a bool, not {replacement!r}")
        weights = torch.as_tensor(weights, dtype=torch.float64)
        if weights.dim() != 1:
            raise ValueError("WeightedRandomSampler: weights must be a vector, the shape is "
                             f"{tuple(weights.shape)}")
        self.weights = weights
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        draws = torch.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from draws.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices from another sampler.

    Args:
        sampler: gives single indices.
        batch_size: indices per list, ≥ 1.
        drop_last: leave out a last list that is shorter.
    Errors: ValueError for a `batch_size` that is no positive int or a `drop_last` that is no bool.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        _check_count("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last must be a bool, not {drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)


def _check_count(name: str, value) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} must be a positive int, not {value!r}")
