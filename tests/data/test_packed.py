"""PackedList: a list in one piece of memory."""

import pickle

import flambeau as torch
import pytest
from flambeau.utils.data import DataLoader, PackedList

ITEMS = [{"id": i, "text": "x" * i} for i in range(7)]


def test_it_is_a_sequence_of_copies():
    packed = PackedList(ITEMS)
    assert list(packed) == ITEMS and packed[-1] == ITEMS[-1] and packed[2:5] == ITEMS[2:5]
    assert packed[0] is not packed[0]
    assert len(PackedList([])) == 0 and list(PackedList([])) == []
    assert list(pickle.loads(pickle.dumps(packed))) == ITEMS


@pytest.mark.parametrize("index", [7, -8])
def test_index_outside(index):
    with pytest.raises(IndexError, match="7 items"):
        PackedList(ITEMS)[index]


def test_workers_read_it():
    batches = DataLoader(PackedList(range(6)), batch_size=3, num_workers=1)
    assert [batch.tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5]]


def test_tensors_in_it():
    assert PackedList([torch.ones(2)])[0].tolist() == [1, 1]
