import collections

import flambeau as torch
import pytest
from flambeau.utils.data import DataLoader, default_collate, default_convert
from flambeau.utils.data._utils.collate import collate, default_collate_fn_map

Point = collections.namedtuple("Point", "x y")


def test_numbers():
    assert default_collate([1, 2]).dtype == torch.int64
    assert default_collate([1.5, 2]).dtype == torch.float64
    assert default_collate([True, False]).dtype == torch.bool


def test_containers():
    batch = default_collate([{"a": (1, "x"), "b": Point(1.0, [2])}, {"a": (3, "y"), "b": Point(2.0, [4])}])
    assert batch["a"][0].tolist() == [1, 3] and batch["a"][1] == ("x", "y")
    assert isinstance(batch["a"], list)
    assert isinstance(batch["b"], Point)
    assert batch["b"].x.tolist() == [1.0, 2.0] and batch["b"].y[0].tolist() == [2, 4]


def test_the_type_of_a_mapping_is_kept():
    first = collections.defaultdict(list, a=1)
    batch = default_collate([first, {"a": 2}])
    assert type(batch) is collections.defaultdict and batch.default_factory is list
    assert batch["a"].tolist() == [1, 2] and first["a"] == 1


def test_tensors_and_their_errors():
    batch = default_collate([torch.ones(2, 3), torch.zeros(2, 3)])
    assert batch.shape == (2, 2, 3) and batch.sum().item() == 6
    with pytest.raises(RuntimeError, match="agree in shape"):
        default_collate([torch.ones(2), torch.ones(3)])
    with pytest.raises(RuntimeError, match="different lengths"):
        default_collate([[1, 2], [1]])
    with pytest.raises(TypeError, match="object"):
        default_collate([object()])


def test_numpy():
    numpy = pytest.importorskip("numpy")
    arrays = default_collate([numpy.ones(2, numpy.float32), numpy.zeros(2, numpy.float32)])
    assert arrays.dtype == torch.float32 and arrays.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert default_collate([numpy.float32(1), numpy.float32(2)]).dtype == torch.float32
    assert default_collate([numpy.int16(1), numpy.int16(2)]).dtype == torch.int16
    with pytest.raises(TypeError):
        default_collate([numpy.array(["a"])])
    converted = default_convert((numpy.ones(2), "text", {"n": numpy.int64(3)}))
    assert isinstance(converted[0], torch.Tensor) and converted[1] == "text"
    assert converted[2]["n"].item() == 3


def test_a_table_of_ones_own():
    class Money:
        def __init__(self, cents):
            self.cents = cents

    table = {
        **default_collate_fn_map,
        Money: lambda batch, *, collate_fn_map=None: sum(m.cents for m in batch),
    }
    assert collate([{"price": Money(3)}, {"price": Money(4)}], collate_fn_map=table) == {"price": 7}


def test_without_batches_samples_come_as_they_are():
    assert list(DataLoader(["a", "b"], batch_size=None)) == ["a", "b"]
