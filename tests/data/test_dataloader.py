import random
import warnings

import flambeau as torch
import pytest
from flambeau.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset, default_collate


class Stream(IterableDataset):
    def __init__(self, n, promised=None):
        self.n, self.promised = n, promised

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n if self.promised is None else self.promised


class Noise(Dataset):
    """Samples of random numbers from three sources."""

    def __len__(self):
        return 11

    def __getitem__(self, index):
        return index, torch.rand(()).item(), random.random()


def one_by_one(samples):
    # another function than default_collate, so that samples are asked for one by one
    return default_collate(samples)


@pytest.mark.parametrize("drop_last", [False, True])
def test_tensor_batches_equal_collated_samples(drop_last):
    dataset = TensorDataset(torch.randn(23, 3, 2), torch.arange(23), torch.randn(23).to(torch.bfloat16))
    for whole in (
        dataset,
        Subset(dataset, list(range(20, 2, -1))),
        Subset(Subset(dataset, range(9)), [3, -1, 5]),
    ):
        options = {"batch_size": 4, "shuffle": True, "drop_last": drop_last}
        fast = DataLoader(whole, generator=torch.Generator().manual_seed(1), **options)
        slow = DataLoader(whole, generator=torch.Generator().manual_seed(1), collate_fn=one_by_one, **options)
        assert len(fast) == len(slow)
        pairs = list(zip(fast, slow, strict=True))
        assert len(pairs) == len(fast)
        for batch, reference in pairs:
            assert type(batch) is type(reference) is list
            assert all(
                a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(batch, reference, strict=True)
            )


def test_a_batch_is_no_view_of_the_dataset():
    data = torch.zeros(4)
    for (batch,) in DataLoader(TensorDataset(data), batch_size=2):
        batch += 1
    assert data.sum().item() == 0


def test_tensor_dataset_subclasses_are_asked():
    class Negative(TensorDataset):
        def __getitem__(self, index):
            return -super().__getitem__(index)[0]

    assert next(iter(DataLoader(Negative(torch.arange(3)), batch_size=3))).tolist() == [0, -1, -2]


def test_index_out_of_range():
    with pytest.raises(IndexError):
        list(DataLoader(TensorDataset(torch.arange(3)), sampler=[5]))


def test_gradients_flow_to_the_tensors():
    weights = torch.ones(4, requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(weights), batch_size=2):
        batch.sum().backward()
    assert weights.grad.tolist() == [1.0] * 4


def test_iterable_dataset():
    assert [b.tolist() for b in DataLoader(Stream(5), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in DataLoader(Stream(5), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(3), batch_size=None)) == [0, 1, 2]
    assert len(DataLoader(Stream(5), batch_size=2)) == 3
    assert len(DataLoader(Stream(5), batch_size=2, drop_last=True)) == 2


def test_iterable_dataset_longer_than_promised():
    loader = DataLoader(Stream(10, promised=4))
    len(loader)
    with pytest.warns(UserWarning, match="announced 4 batches"):
        assert len(list(loader)) == 10


def test_batch_sampler_and_sampler():
    loader = DataLoader(range(9), batch_sampler=[[8, 1], [4]])
    assert [b.tolist() for b in loader] == [[8, 1], [4]] and len(loader) == 2 and loader.batch_size is None
    assert [b.tolist() for b in DataLoader(range(9), sampler=[7, 7, 2], batch_size=2)] == [[7, 7], [2]]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"batch_size": -1}, ValueError),
        ({"num_workers": -1}, ValueError),
        ({"timeout": -1}, ValueError),
        ({"prefetch_factor": 2}, ValueError),
        ({"prefetch_factor": 0, "num_workers": 1}, ValueError),
        ({"persistent_workers": True}, ValueError),
        ({"batch_size": None, "drop_last": True}, ValueError),
        ({"batch_sampler": [[0]], "batch_size": 2}, ValueError),
        ({"batch_sampler": [[0]], "shuffle": True}, ValueError),
        ({"shuffle": True, "sampler": [0]}, ValueError),
        ({"multiprocessing_context": "fork"}, ValueError),
        ({"multiprocessing_context": "knife", "num_workers": 1}, ValueError),
        ({"multiprocessing_context": 3, "num_workers": 1}, TypeError),
    ],
)
def test_options_that_exclude_each_other(options, error):
    with pytest.raises(error):
        DataLoader([1], **options)


@pytest.mark.parametrize(
    "options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}, {"sample_seeds": True}]
)
def test_iterable_datasets_have_an_order_of_their_own(options):
    with pytest.raises(ValueError, match="IterableDataset"):
        DataLoader(Stream(3), **options)


def test_attributes_are_fixed():
    loader = DataLoader([1])
    with pytest.raises(ValueError, match="batch_size"):
        loader.batch_size = 3
    loader.timeout = 3


def test_sample_seeds_do_not_depend_on_the_batches_or_disturb_the_program():
    def numbers(batch_size):
        torch.manual_seed(3)
        random.seed(3)
        loader = DataLoader(Noise(), batch_size=batch_size, shuffle=True, sample_seeds=True)
        columns = [torch.cat([batch[k] for batch in loader]).tolist() for k in range(3)]
        return columns, random.random()

    first, after = numbers(2)
    assert (first, after) == numbers(5)
    random.seed(3)
    assert after == random.random()
    assert len(set(first[1])) == len(set(first[2])) == 11


def test_sample_seeds_differ_between_epochs():
    loader = DataLoader(Noise(), batch_size=11, sample_seeds=True)
    assert next(iter(loader))[1].tolist() != next(iter(loader))[1].tolist()


def test_no_warning_without_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(DataLoader(range(4), batch_size=2, shuffle=True))
