"""From indices to a batch; the same code runs in the main process and in workers."""

import contextlib
import hashlib
import itertools
import random
import sys

import flambeau as torch
from flambeau._C import Tensor

from . import shared_memory
from .collate import collate_tensor_fn, default_collate, default_collate_fn_map
from .dataset import gather_rows, samples_at

__all__ = ["IterableDatasetFetcher", "MapDatasetFetcher"]


class MapDatasetFetcher:
    """Asks a map-style dataset for samples and collates them.

    Args:
        dataset: the dataset.
        auto_collation: whether an index from the sampler is a list, to be made a batch.
        collate_fn: from a list of samples to a batch (without auto_collation: from one sample).
    """

    def __init__(self, dataset, auto_collation: bool, collate_fn, drop_last: bool = False) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last

    def fetch(self, index, seed: int | None = None, position: int = 0):
        """The batch of `index`.

        Args:
            index: what the sampler gave.
            seed: if not None, the random state of the k-th sample is set from `seed` and `position + k`.
            position: how many samples of this epoch came before.
        """
        if not self.auto_collation:
            if seed is not None:
                seed_sample(seed, position)
            return self.collate_fn(self.dataset[index])
        if self.collate_fn is default_collate and default_collate_fn_map[Tensor] is collate_tensor_fn:
            rows = gather_rows(
                self.dataset, index, shared_memory.empty if shared_memory.is_sending() else None
            )
            if rows is not None:
                return rows
        if seed is None:
            return self.collate_fn(samples_at(self.dataset, index))
        return self.collate_fn([self._seeded_item(i, seed, position + k) for k, i in enumerate(index)])

    def _seeded_item(self, index, seed: int, position: int):
        seed_sample(seed, position)
        return self.dataset[index]


class IterableDatasetFetcher:
    """Takes samples from the iterator of a dataset; raises StopIteration at its end.

    Args: as MapDatasetFetcher; `drop_last` leaves out a last batch that is shorter.
    """

    def __init__(self, dataset, auto_collation: bool, collate_fn, drop_last: bool) -> None:
        self.dataset_iter = iter(dataset)
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.ended = False

    def fetch(self, index, seed: int | None = None, position: int = 0):
        """The next `len(index)` samples, collated; `seed` is refused by the DataLoader before."""
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        samples = list(itertools.islice(self.dataset_iter, len(index)))
        self.ended = len(samples) < len(index)
        if not samples or (self.ended and self.drop_last):
            raise StopIteration
        return self.collate_fn(samples)


def seed_sample(seed: int, position: int) -> None:
    """Set the random state of flambeau, `random` and (if imported) NumPy for one sample of an epoch."""
    # neighbouring seeds of a Mersenne Twister give related streams; a digest keeps samples independent
    digest = hashlib.blake2b(f"{seed}/{position}".encode(), digest_size=16).digest()
    torch.manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    random.seed(digest)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(list(digest))


@contextlib.contextmanager
def random_states_kept():
    """Put the random states that `seed_sample` sets back as they were."""
    numpy = sys.modules.get("numpy")
    states = torch.get_rng_state(), random.getstate(), numpy and numpy.random.get_state()
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        if numpy is not None:
            numpy.random.set_state(states[2])
