import flambeau as torch
import pytest
from flambeau.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Count(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


def test_tensor_dataset():
    x, y = torch.arange(12.0).reshape(4, 3), torch.arange(4)
    dataset = TensorDataset(x, y)
    assert len(dataset) == 4
    assert dataset[2][0].tolist() == [6.0, 7.0, 8.0] and dataset[2][1].item() == 2
    batch = dataset.__getitems__([3, -4])
    assert [(row.tolist(), label.item()) for row, label in batch] == [
        ([9.0, 10.0, 11.0], 3),
        ([0.0, 1.0, 2.0], 0),
    ]
    with pytest.raises(AssertionError, match="Size mismatch"):
        TensorDataset(x, torch.arange(3))


def test_getitems_respects_an_overridden_getitem():
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            return super().__getitem__(index)[0] * 2

    items = Doubled(torch.arange(3)).__getitems__([2, 1])
    assert [item.item() for item in items] == [4, 2]


def test_concat():
    joined = ConcatDataset([range(3), [], "ab"])
    assert len(joined) == 5 and joined.cumulative_sizes == [3, 3, 5]
    assert [joined[i] for i in range(5)] == [0, 1, 2, "a", "b"]
    assert joined[-1] == "b" and joined[-5] == 0
    with pytest.raises(ValueError, match="exceed"):
        joined[-6]
    with pytest.raises(AssertionError):
        ConcatDataset([])
    with pytest.raises(AssertionError):
        ConcatDataset([Count(2)])
    parts = Subset(range(4), [1]) + Subset(range(4), [3])
    assert list(parts[i] for i in range(2)) == [1, 3]


def test_chain():
    chained = Count(2) + Count(3)
    assert isinstance(chained, ChainDataset)
    assert list(chained) == [0, 1, 0, 1, 2] and len(chained) == 5
    with pytest.raises(AssertionError):
        list(ChainDataset([range(3)]))


def test_stack():
    assert StackDataset(range(3), "abc")[1] == (1, "b")
    named = StackDataset(number=range(3), letter="abc")
    assert named[2] == {"number": 2, "letter": "c"}
    assert named.__getitems__([0, 2]) == [{"number": 0, "letter": "a"}, {"number": 2, "letter": "c"}]
    for make in (lambda: StackDataset(), lambda: StackDataset([1], [1, 2]), lambda: StackDataset([1], a=[1])):
        with pytest.raises(ValueError):
            make()


def test_stack_checks_the_number_of_items():
    class Liar(Dataset):
        def __len__(self):
            return 3

        def __getitems__(self, indices):
            return [0]

    with pytest.raises(ValueError, match="1 samples for 2"):
        StackDataset(Liar()).__getitems__([0, 1])


def test_subset_of_subset():
    outer = Subset(Subset("abcdef", [5, 3, 1]), [2, 0])
    assert list(outer) == ["b", "f"] and outer.__getitems__([1]) == ["f"]


@pytest.mark.parametrize("fractions", [[0.5, 0.5], [0.1, 0.2, 0.7], [1.0]])
def test_split_covers_everything_once(fractions):
    parts = random_split(range(23), fractions)
    assert sorted(index for part in parts for index in part.indices) == list(range(23))


def test_split_warns_of_an_empty_part():
    with pytest.warns(UserWarning, match="part 1 is empty"):
        random_split(range(3), [0.01, 0.01, 0.98])


def test_dataset_without_getitem_or_len():
    with pytest.raises(NotImplementedError):
        Dataset()[0]
    with pytest.raises(TypeError):
        len(Dataset())
