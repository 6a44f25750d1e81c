"""What tensors share: storages, NumPy arrays, copies, pickles."""

import copy
import pickle

import flambeau as torch
import pytest


def test_views_share_one_storage():
    x = torch.arange(12).reshape(3, 4)
    views = [x[1], x.T, x.view(2, 6), x[:, ::2], x.detach(), x.unsqueeze(0), x.expand(2, 3, 4)]
    storage = x.untyped_storage()
    assert storage.nbytes() == 96
    for view in views:
        assert view.untyped_storage().data_ptr() == storage.data_ptr()
    assert x[1].storage_offset() == 4 and x[1].data_ptr() == x.data_ptr() + 32


def test_a_view_keeps_its_storage_alive():
    part = torch.arange(1000.0)[990:]
    junk = [torch.zeros(1000) for _ in range(20)]
    assert part.tolist() == [float(i) for i in range(990, 1000)] and len(junk) == 20


def test_numpy_both_ways():
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
    tensor = torch.from_numpy(array)
    tensor[0, 0] = 50
    assert array[0, 0] == 50
    back = tensor.T.numpy()
    back[1, 1] = -1
    assert tensor[1, 1].item() == -1 and back.shape == (3, 2)
    assert numpy.asarray(tensor).tolist() == tensor.tolist()
    assert torch.tensor(array).data_ptr() != tensor.data_ptr()


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool",
                                  "complex64", "complex128"])
def test_numpy_dtypes(name):
    numpy = pytest.importorskip("numpy")
    array = numpy.array([0, 1, 1]).astype(name)
    tensor = torch.from_numpy(array)
    assert tensor.dtype == getattr(torch, name)
    assert tensor.numpy().dtype == array.dtype and tensor.numpy().tolist() == array.tolist()


def test_numpy_of_a_tensor_that_requires_grad():
    pytest.importorskip("numpy")
    with pytest.raises(RuntimeError, match="detach"):
        torch.ones(1, requires_grad=True).numpy()


def test_array_that_outlives_its_tensor():
    pytest.importorskip("numpy")
    array = torch.arange(100).numpy()
    junk = [torch.zeros(100) for _ in range(20)]
    assert array.sum() == 4950 and len(junk) == 20


def test_pickle_keeps_values_and_identity():
    x = torch.arange(4.0, requires_grad=True)
    back, again, part = pickle.loads(pickle.dumps((x, x, x.detach()[2:])))
    assert back.requires_grad and back.tolist() == x.tolist() and again is back
    assert part.tolist() == [2.0, 3.0] and not part.requires_grad


def test_deepcopy_keeps_sharing_and_refuses_results():
    a = torch.arange(4.0)
    both = copy.deepcopy({"whole": a, "part": a[:2]})
    both["part"].fill_(7)
    assert both["whole"].tolist() == [7.0, 7.0, 2.0, 3.0] and a.tolist() == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(RuntimeError):
        copy.deepcopy(torch.ones(1, requires_grad=True) * 2)


def test_python_attributes_and_identity_survive_the_graph():
    p = torch.ones(2, requires_grad=True)
    p.tag = "mine"
    y = p * 2
    (accumulator, _), *_ = y.grad_fn.next_functions
    assert accumulator.variable is p and accumulator.variable.tag == "mine"


def test_large_memory_is_reused():
    torch.zeros(1_000_000)
    hits = torch._C.memory_stats()["cache_hits"]
    torch.zeros(1_000_000)
    assert torch._C.memory_stats()["cache_hits"] > hits


def test_shared_memory_is_seen_by_forked_processes():
    import os

    x = torch.zeros(2, 3).share_memory_()
    assert x.is_shared() and not torch.zeros(2).is_shared()
    child = os.fork()
    if child == 0:
        x[1] = 7
        os._exit(0)
    os.waitpid(child, 0)
    assert x.tolist() == [[0, 0, 0], [7, 7, 7]]
    assert torch.nn.Linear(1, 1).share_memory().weight.is_shared()


def test_to_a_memory_format():
    x = torch.arange(24.0).view(1, 2, 3, 4)
    y = x.to(memory_format=torch.channels_last)
    assert y.stride() == (24, 1, 8, 2) and torch.equal(x, y)
    assert x.to(torch.float64, memory_format=torch.channels_last).stride() == (24, 1, 8, 2)
    assert x.to(memory_format=torch.contiguous_format) is x and x.to(memory_format=torch.preserve_format) is x


def test_new_data_keeps_the_version():
    w = torch.nn.Parameter(torch.ones(2))
    with torch.no_grad():
        w.add_(1)
    w.data = torch.zeros(3)
    assert w._version == 1
    with torch.no_grad():
        w.add_(1)
    assert w._version == 2


@pytest.mark.parametrize("name", ["float", "double", "int", "half", "bool"])
def test_casts_take_a_memory_format(name):
    x = torch.ones(2, 3, 2, 3)
    y = getattr(x, name)(memory_format=torch.channels_last)
    assert y.dtype == getattr(torch, name) and y.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(y.float(), x)
    assert x.float(memory_format=torch.preserve_format) is x and x.float(memory_format=torch.contiguous_format) is x


def test_out_is_written_where_it_is():
    x = torch.arange(100000.0)
    out = torch.empty(2, 100000)[1]
    place, version = out.data_ptr(), out._version
    assert torch.mul(x, 2, out=out) is out
    assert out.data_ptr() == place and out._version == version + 1
    torch.testing.assert_close(out, torch.arange(0.0, 200000, 2))
    narrow = torch.empty(100000, dtype=torch.float16)
    torch.sub(x, x, out=narrow)
    assert narrow.eq(0).all()


def test_out_that_an_input_shares():
    x = torch.arange(100001.0)
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.add(x[:-1], 1, out=x[1:])
    torch.testing.assert_close(x, torch.arange(100001.0))
    pairs = torch.arange(12.0)
    torch.add(pairs[:6], 1, out=pairs[::2])            # reads of what lies between the elements written are defined
    assert pairs.tolist() == [1, 1, 2, 3, 3, 5, 4, 7, 5, 9, 6, 11]
    y = torch.arange(5.0)
    torch.exp(y, out=y)
    torch.testing.assert_close(y, torch.arange(5.0).exp())


def test_out_gives_its_dtype_to_factories_and_reductions():
    whole, flags = torch.empty(0, dtype=torch.int32), torch.empty((), dtype=torch.bool)
    assert torch.linspace(0, 1, 3, out=whole).tolist() == [0, 0, 1]
    assert torch.sum(torch.tensor([0, 3]), 0, out=flags).item() is True
    assert torch.sum(torch.tensor([1, 2]), 0, dtype=torch.int64, out=torch.empty((), dtype=torch.int64)).item() == 3
