"""Worker processes: order, seeds, failures, shared memory, and that nothing is left behind."""

import errno
import gc
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import flambeau as torch
import pytest
from flambeau.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    TensorDataset,
    get_worker_info,
    shared_memory,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
METHODS = ["fork", "spawn", "forkserver"]


class Squares(Dataset):
    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return torch.full((50, 100), float(index)), index**2, f"sample {index}"


class Noise(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        import numpy

        return torch.randint(10**6, (1,)).item(), random.randrange(10**6), int(numpy.random.randint(10**6))


class Failing(Squares):
    def __getitem__(self, index):
        if index == 3:
            raise KeyError("no sample\nnumber three")
        return index


class Killed(Squares):
    def __getitem__(self, index):
        if index == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


class Slow(Squares):
    def __getitem__(self, index):
        time.sleep(60)


class Share(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        info = get_worker_info()
        return iter(range(info.id, self.n, info.num_workers))


def as_is(samples):
    return samples


def refuse_to_start(worker_id):
    raise ValueError(f"worker {worker_id} does not like to work")


class UnpicklableError(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


class FailingOddly(Squares):
    def __getitem__(self, index):
        raise UnpicklableError(1, 2)


@pytest.mark.parametrize("method", METHODS)
def test_batches_equal_those_of_one_process(method):
    expected = list(DataLoader(Squares(), batch_size=3))
    found = list(DataLoader(Squares(), batch_size=3, num_workers=2, multiprocessing_context=method))
    assert len(found) == len(expected) == 4
    for batch, reference in zip(found, expected):
        assert torch.equal(batch[0], reference[0]) and torch.equal(batch[1], reference[1])
        assert batch[2] == reference[2]


def test_seeds_of_workers():
    """The expected numbers were drawn with PyTorch 2.13."""
    pytest.importorskip("numpy")
    torch.manual_seed(7)
    batches = [
        [column.tolist() for column in batch] for batch in DataLoader(Noise(), batch_size=2, num_workers=2)
    ]
    assert batches == [
        [[592293, 10235], [974193, 975364], [64316, 910492]],
        [[264610, 676403], [584496, 615837], [506421, 623575]],
        [[742177, 797091], [107413, 428760], [395292, 735302]],
    ]


def test_sample_seeds_do_not_depend_on_the_number_of_workers():
    pytest.importorskip("numpy")
    import numpy  # noqa: F401  else only workers would have it

    def numbers(**options):
        torch.manual_seed(3)
        loader = DataLoader(Noise(), batch_size=2, shuffle=True, sample_seeds=True, **options)
        return [[column.tolist() for column in batch] for _ in range(2) for batch in loader]

    alone = numbers()
    assert (
        alone
        == numbers(num_workers=1)
        == numbers(num_workers=2)
        == numbers(num_workers=2, persistent_workers=True)
    )


@pytest.mark.parametrize("persistent", [False, True])
def test_iterable_dataset_is_shared_out(persistent):
    loader = DataLoader(Share(7), batch_size=2, num_workers=2, persistent_workers=persistent)
    for _ in range(2):
        assert [batch.tolist() for batch in loader] == [[0, 2], [1, 3], [4, 6], [5]]


@pytest.mark.parametrize("method", METHODS)
def test_an_exception_comes_back_with_its_traceback(method):
    loader = DataLoader(Failing(), batch_size=2, num_workers=2, multiprocessing_context=method)
    with pytest.raises(KeyError) as caught:
        list(loader)
    text = str(caught.value)
    assert "Caught KeyError in DataLoader worker process 1" in text
    assert "in __getitem__" in text and "test_workers.py" in text and "\n" in text


def test_loading_goes_on_after_an_exception():
    iterator = iter(DataLoader(Failing(), batch_size=2, num_workers=1))
    assert next(iterator).tolist() == [0, 1]
    with pytest.raises(KeyError):
        next(iterator)
    assert next(iterator).tolist() == [4, 5]


def test_workers_end_after_an_exception():
    gc.disable()  # the iterator must be gone because nothing refers to it, not because it was collected
    try:
        before = set(multiprocessing.active_children())
        with pytest.raises(KeyError):
            for _ in DataLoader(Failing(), num_workers=2, multiprocessing_context="fork"):
                pass
        assert set(multiprocessing.active_children()) <= before
    finally:
        gc.enable()


def test_parameters_arrive():
    parameters = [torch.nn.Parameter(torch.ones(3), requires_grad=False)]
    (batch,) = DataLoader(parameters, batch_size=None, num_workers=1)
    assert type(batch) is torch.nn.Parameter and not batch.requires_grad and batch.tolist() == [1, 1, 1]


def test_an_exception_that_wants_more_than_a_text():
    with pytest.raises(RuntimeError, match="Caught UnpicklableError"):
        list(DataLoader(FailingOddly(), num_workers=1))


def test_worker_init_fn():
    with pytest.raises(ValueError, match="worker 0 does not like to work"):
        list(DataLoader(Squares(), num_workers=1, worker_init_fn=refuse_to_start))


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_worker_is_noticed(method):
    started = time.monotonic()
    with pytest.raises(RuntimeError, match=r"worker \(pid \d+\) exited unexpectedly.*SIGKILL"):
        list(DataLoader(Killed(), batch_size=2, num_workers=2, multiprocessing_context=method))
    assert time.monotonic() - started < 30


def test_timeout():
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="timed out.* 0.3 seconds"):
        list(DataLoader(Slow(), num_workers=1, timeout=0.3))
    assert time.monotonic() - started < 5


def test_out_of_order_gives_every_batch_once():
    loader = DataLoader(range(20), batch_size=3, num_workers=2, in_order=False)
    assert sorted(index for batch in loader for index in batch.tolist()) == list(range(20))


def test_long_lists_of_indices_and_long_answers_do_not_block_each_other():
    indices = list(range(100_000))
    loader = DataLoader(
        indices, batch_sampler=[indices] * 5, num_workers=1, prefetch_factor=4, collate_fn=as_is
    )
    assert [len(batch) for batch in loader] == [100_000] * 5


def test_leaving_an_epoch_early():
    loader = DataLoader(Squares(), batch_size=2, num_workers=2, persistent_workers=True)
    for _ in range(3):
        for batch in loader:
            assert batch[1].tolist() == [0, 1]
            break
    assert [batch[1][0].item() for batch in loader] == [0, 4, 16, 36, 64]


def test_kept_batches_stay_as_they_are_and_memory_is_used_again():
    gc.collect()
    rows = torch.arange(64 * 3000.0).reshape(64, 3000)
    dataset = TensorDataset(rows, torch.arange(64))
    loader = DataLoader(dataset, batch_size=8, num_workers=2, persistent_workers=True)
    kept = [batch for _ in range(2) for batch in loader]
    for _ in range(6):
        for x, y in loader:
            assert torch.equal(x, rows[y])
    assert all(torch.equal(x, rows[y]) for x, y in kept)
    with_kept = len(shared_memory._mapped)
    del kept, x, y
    for _ in range(6):
        for _ in loader:
            pass
    assert len(shared_memory._mapped) <= with_kept
    iterator = loader._iterator
    processes = [worker.process.pid for worker in iterator._workers]
    del loader, iterator
    assert not any(is_running(pid) for pid in processes)
    assert not any(key[0] in processes for key in shared_memory._mapped)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.empty(0, 3),
        torch.ones(()),
        torch.arange(30000).reshape(100, 300).t(),
        torch.ones(1).expand(9000),
        torch.ones(100, 100, dtype=torch.bfloat16),
        torch.ones(200, 200, dtype=torch.bool),
        torch.ones(70, 70, dtype=torch.complex64)[::2],
        torch.ones(90, 90).requires_grad_(),
    ],
    ids=lambda t: f"{tuple(t.shape)} {t.dtype}",
)
def test_tensors_arrive_as_they_were(tensor):
    (found,) = DataLoader([tensor], batch_size=None, num_workers=1)
    assert torch.equal(found, tensor) and found.dtype == tensor.dtype
    assert found.requires_grad == tensor.requires_grad
    if tensor.is_contiguous() or tensor.t().is_contiguous():
        assert found.stride() == tensor.stride()
    with torch.no_grad():
        found.add_(1) if found.dtype != torch.bool else found.logical_not_()


def test_arrays_arrive_writable():
    numpy = pytest.importorskip("numpy")
    ((found,),) = DataLoader([numpy.arange(90000)], num_workers=1, collate_fn=as_is)
    found += 1
    assert found[0] == 1 and found[-1] == 90000


def test_no_memory_left_is_an_error_and_not_a_crash(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RuntimeError, match="No shared memory for a batch"):
        list(DataLoader(Squares(), batch_size=5, num_workers=1, multiprocessing_context="fork"))


def test_more_workers_than_processors_warns():
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with pytest.warns(UserWarning, match="3 workers for 2 processors"):
        DataLoader([1], num_workers=count + 1)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_the_program(end, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
        from flambeau.utils.data import DataLoader
        iterator = iter(DataLoader(range(10**6), num_workers=2))
        next(iterator)
        print(*(worker.process.pid for worker in iterator._workers), flush=True)
        for _ in iterator:
            pass
    """)
    )
    process = subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = [int(pid) for pid in process.stdout.readline().split()]
    assert len(workers) == 2 and all(map(is_running, workers))
    # a terminal sends Ctrl-C to the whole group, a kill is for the main process only
    os.killpg(process.pid, end) if end == signal.SIGINT else os.kill(process.pid, end)
    errors = process.communicate(timeout=30)[1]
    deadline = time.monotonic() + 10
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, workers))
    if end == signal.SIGINT:
        assert errors.count("KeyboardInterrupt") == 1


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc")
def test_memory_does_not_grow_with_a_large_list():
    def memory():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    loader = DataLoader([float(i) for i in range(300_000)], batch_size=5000, num_workers=2)
    sizes = []
    for _ in range(6):
        for _ in loader:
            pass
        sizes.append(memory())
    assert sizes[-1] - sizes[1] < 4e6
