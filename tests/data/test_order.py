"""The order of samples for a seed. The expected lists were drawn with PyTorch 2.13."""

import flambeau as torch
import pytest
from flambeau.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    random_split,
)
from flambeau.utils.data.distributed import DistributedSampler


def seven():
    return torch.Generator().manual_seed(7)


def next_draw(generator=None):
    return torch.randint(10**6, (1,), generator=generator).item()


def test_shuffle_consumes_the_default_generator():
    torch.manual_seed(7)
    batches = [batch.tolist() for batch in DataLoader(range(10), batch_size=4, shuffle=True)]
    assert batches == [[3, 2, 7, 8], [6, 1, 5, 9], [0, 4]]
    assert next_draw() == 953283


def test_shuffle_with_a_generator():
    batches = [
        batch.tolist() for batch in DataLoader(range(10), batch_size=4, shuffle=True, generator=seven())
    ]
    assert batches == [[1, 3, 5, 7], [9, 4, 6, 2], [8, 0]]


def test_random_split():
    parts = random_split(range(10), [6, 4], generator=seven())
    assert [list(part.indices) for part in parts] == [[5, 0, 3, 4, 1, 7], [9, 6, 8, 2]]
    parts = random_split(range(11), [0.5, 0.3, 0.2], generator=seven())
    assert [list(part.indices) for part in parts] == [[3, 0, 9, 2, 5, 8], [4, 10, 1], [7, 6]]


FIRST_TEN = [5, 0, 3, 4, 1, 7, 9, 6, 8, 2]
SECOND_TEN = [1, 8, 9, 5, 7, 4, 0, 3, 6, 2]
WITH_REPLACEMENT = [
    5,
    2,
    1,
    6,
    3,
    7,
    7,
    9,
    8,
    1,
    8,
    1,
    8,
    7,
    2,
    0,
    6,
    2,
    3,
    8,
    6,
    0,
    5,
    1,
    8,
    8,
    3,
    7,
    0,
    8,
    1,
    0,
    6,
    3,
    5,
    6,
    6,
    7,
    5,
    0,
]


@pytest.mark.parametrize(
    ("options", "order", "then"),
    [
        ({"replacement": True, "num_samples": 40}, WITH_REPLACEMENT, 337979),
        ({"num_samples": 25}, [*FIRST_TEN, *SECOND_TEN, 3, 7, 6, 2, 9], 227127),
        ({"num_samples": 20}, [*FIRST_TEN, *SECOND_TEN], 227127),
    ],
)
def test_random_sampler(options, order, then):
    generator = seven()
    assert list(RandomSampler(range(10), generator=generator, **options)) == order
    assert next_draw(generator) == then


def test_subset_and_weighted_samplers():
    assert list(SubsetRandomSampler([3, 1, 4, 15, 9, 2], generator=seven())) == [15, 3, 1, 2, 4, 9]
    weights = [0.1, 0.9, 2.0, 0.5]
    assert list(WeightedRandomSampler(weights, 12, generator=seven())) == [1, 1, 3, 2, 3, 2, 2, 2, 2, 2, 1, 1]
    assert list(WeightedRandomSampler(weights, 3, False, generator=seven())) == [1, 2, 3]


def test_distributed_sampler():
    sampler = DistributedSampler(range(10), 3, 1, seed=7)
    assert list(sampler) == [0, 1, 6, 5]
    sampler.set_epoch(2)
    assert list(sampler) == [5, 6, 1, 0]


@pytest.mark.parametrize("count", [1, 5, 12, 13])
@pytest.mark.parametrize("drop_last", [False, True])
def test_distributed_shares_are_equal_and_cover_the_dataset(count, drop_last):
    shares = [list(DistributedSampler(range(count), 4, rank, drop_last=drop_last)) for rank in range(4)]
    assert len({len(share) for share in shares}) == 1
    seen = [index for share in shares for index in share]
    if drop_last:
        assert len(seen) == len(set(seen)) == count // 4 * 4
    else:
        assert set(seen) == set(range(count))


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 7])
def test_batch_sampler(count, drop_last):
    sampler = BatchSampler(SequentialSampler(range(count)), 3, drop_last)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    whole = [list(range(start, min(start + 3, count))) for start in range(0, count, 3)]
    assert batches == [batch for batch in whole if len(batch) == 3 or not drop_last]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: RandomSampler(range(3), num_samples=-2), ValueError),
        (lambda: RandomSampler([]), ValueError),
        (lambda: RandomSampler([1], replacement=3), TypeError),
        (lambda: WeightedRandomSampler([[1, 2]], 2), ValueError),
        (lambda: WeightedRandomSampler([1, 2], 0), ValueError),
        (lambda: BatchSampler([1], 0, False), ValueError),
        (lambda: BatchSampler([1], True, False), ValueError),
        (lambda: BatchSampler([1], 2, 3), ValueError),
        (lambda: random_split(range(5), [2, 2]), ValueError),
        (lambda: random_split(range(5), [1.5, -0.5]), ValueError),
        (lambda: DistributedSampler(range(5), 2, 2), ValueError),
    ],
)
def test_wrong_arguments(make, error):
    with pytest.raises(error):
        make()
