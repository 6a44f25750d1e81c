"""A sampler that gives each process of a distributed job its share of a dataset."""

import math
from collections.abc import Iterator

import flambeau as torch

from .dataset import Dataset
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """Every `num_replicas`-th index, from `rank` on, of an order all processes share.

    Call `set_epoch` before each epoch, or every epoch has the same order.

    Args:
        dataset: a dataset with a length.
        num_replicas: number of processes; None asks the default process group.
        rank: number of this process, 0 ≤ rank < num_replicas; None asks the default process group.
        shuffle: permute the indices, seeded with `seed + epoch`.
        seed: the same number in every process.
        drop_last: cut the order to a multiple of `num_replicas` instead of repeating its beginning.
    Errors: ValueError for a rank outside the range.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Dataset,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            from flambeau import distributed

            if not distributed.is_available():
                raise RuntimeError(
                    "DistributedSampler needs num_replicas and rank: there is no process group."
                )
            num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
            rank = distributed.get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ValueError(f"DistributedSampler: rank must lie from 0 to {num_replicas - 1}, got {rank}")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        if drop_last:
            self.num_samples = len(dataset) // num_replicas
        else:
            self.num_samples = math.ceil(len(dataset) / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator:
        n = len(self.dataset)
        if self.shuffle:
            generator = torch.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = torch.randperm(n, generator=generator).tolist()
        else:
            order = list(range(n))
        if not self.drop_last and n:
            order *= math.ceil(self.total_size / n)
        order = order[: self.total_size]
        if len(order) != self.total_size:
            raise AssertionError(f"number of indices {len(order)} is not the total size {self.total_size}.")
        return iter(order[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Number of the coming epoch; with `shuffle` it chooses the order."""
        self.epoch = epoch
