"""Indexing against NumPy, by random keys."""

import random

import flambeau as torch
import pytest

numpy = pytest.importorskip("numpy")

SHAPE = (4, 3, 5)


def random_key(rng, advanced):
    """A key for an array of SHAPE: slices, None, ... with ints or, if `advanced`, arrays and masks."""
    key, dim, ellipsis = [], 0, False
    while dim < len(SHAPE) and rng.random() < 0.85:
        size = SHAPE[dim]
        # an int beside arrays is an array to NumPy and a basic index to PyTorch: they order dims differently
        kinds = ["slice", "none"] + (["array", "mask"] if advanced else ["int"]) + ["ellipsis"] * (not ellipsis)
        kind = rng.choice(kinds)
        if kind == "ellipsis":
            key.append(Ellipsis)
            ellipsis = True
            break
        if kind == "none":
            key.append(None)
            continue
        if kind == "int":
            key.append(rng.randrange(-size, size))
        elif kind == "slice":
            bounds = [rng.choice([None, rng.randrange(-size, size + 2)]) for _ in range(2)]
            key.append(slice(*bounds, rng.choice([None, 1, 2, 3])))
        elif kind == "mask":
            first = rng.randrange(size - 1)
            key.append(numpy.array([i in (first, size - 1) for i in range(size)]))
        else:
            key.append(numpy.array([rng.randrange(-size, size) for _ in range(rng.choice([1, 2]))]))
        dim += 1
    return tuple(key)


def as_tensors(key):
    return tuple(torch.from_numpy(k) if isinstance(k, numpy.ndarray) else k for k in key)


@pytest.mark.parametrize("advanced", [False, True], ids=["basic", "advanced"])
@pytest.mark.parametrize("seed", range(60))
def test_read_and_write(seed, advanced):
    rng = random.Random(f"{seed} {advanced}")
    array = numpy.arange(60.0).reshape(SHAPE)
    for _ in range(5):
        key = random_key(rng, advanced)
        try:
            wanted = array[key]
        except IndexError:
            with pytest.raises((IndexError, RuntimeError)):
                torch.from_numpy(array.copy())[as_tensors(key)]
            continue
        tensor = torch.from_numpy(array.copy())
        found = tensor[as_tensors(key)]
        assert tuple(found.shape) == wanted.shape and found.tolist() == wanted.tolist(), key
        changed = array.copy()
        changed[key] = -1.0
        tensor[as_tensors(key)] = -1.0
        assert tensor.tolist() == changed.tolist(), key


def test_basic_keys_give_views_and_advanced_ones_copies():
    x = torch.zeros(3, 4)
    x[1:, ::2].fill_(1)
    assert x.sum().item() == 4
    x[torch.tensor([0, 1])].fill_(9)
    assert x.sum().item() == 4


@pytest.mark.parametrize("key", [5, -4, (0, 9), (0, 0, 0), torch.tensor([7])])
def test_out_of_range(key):
    with pytest.raises(IndexError):
        torch.zeros(3, 4)[key]


def test_negative_steps_are_refused():
    with pytest.raises(ValueError, match="step"):
        torch.zeros(3)[::-1]


def test_repeated_indices():
    x = torch.zeros(3)
    x.index_put_((torch.tensor([0, 0, 2]),), torch.ones(3), accumulate=True)
    assert x.tolist() == [2.0, 0.0, 1.0]


def test_iteration_length_and_membership():
    x = torch.arange(6).reshape(3, 2)
    assert len(x) == 3 and [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    assert 3 in x and 9 not in x
    with pytest.raises(TypeError):
        len(torch.tensor(1))
