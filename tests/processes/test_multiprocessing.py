"""Tensors between processes, and processes that are watched together."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import flambeau as torch
import flambeau.multiprocessing as mp
import pytest


def add_one(queue, answers):
    tensor = queue.get()
    tensor += 1
    answers.put(type(tensor).__name__)
    queue.get()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_tensor_sent_through_a_queue_is_shared(method):
    context = mp.get_context(method)
    queue, answers = context.Queue(), context.Queue()
    process = context.Process(target=add_one, args=(queue, answers))
    process.start()
    whole = torch.zeros(4)
    view = whole[1:3]
    queue.put(view)
    assert answers.get(timeout=30) == "Tensor"
    assert whole.tolist() == [0, 1, 1, 0] and whole.is_shared()
    queue.put(None)
    process.join(30)
    assert process.exitcode == 0


def give_back(values, answers):
    answers.put([(type(value).__name__, value.tolist()) for value in values])


def test_parameters_storages_and_layouts():
    answers = mp.SimpleQueue()
    base = torch.arange(6.0)
    values = [torch.nn.Parameter(torch.ones(2)), base.view(2, 3).t(), torch.empty(0, 3), base.untyped_storage(),
              torch.tensor([1 + 2j]).conj()]  # fmt: skip
    queue = mp.SimpleQueue()
    process = mp.get_context("fork").Process(target=lambda: give_back(queue.get(), answers))
    process.start()
    queue.put(values)
    expected = [(type(value).__name__, value.tolist()) for value in values]
    assert answers.get() == expected
    process.join(30)


def test_only_leaves_are_sent():
    with pytest.raises(RuntimeError, match="no leaf"):
        mp.SimpleQueue().put(torch.ones(1, requires_grad=True) * 2)


def test_share_memory():
    whole = torch.arange(3.0)
    part = whole[1:]
    assert not whole.is_shared()
    assert part.share_memory_() is part
    assert whole.is_shared() and whole.tolist() == [0, 1, 2]
    whole[2] = 9
    assert part.tolist() == [1, 9]
    process = mp.get_context("fork").Process(target=whole.fill_, args=(5,))
    process.start()
    process.join(30)
    assert part.tolist() == [5, 5]


def test_modules_share_their_parameters():
    model = torch.nn.Linear(2, 1)
    before = model.weight.tolist()
    assert model.share_memory() is model
    assert model.weight.is_shared() and model.weight.tolist() == before


def test_descriptors_are_closed():
    def count():
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    before = count()
    for _ in range(20):
        torch.ones(10).share_memory_()
    assert count() == before


def write_rank(rank, tensor):
    tensor[rank] = rank + 10


def raise_error(rank):
    if rank == 1:
        raise ValueError("rank one is unwell")
    time.sleep(60)


def kill_itself(rank):
    os.kill(os.getpid(), signal.SIGKILL)


def exit_with_three(rank):
    sys.exit(3)


def test_spawn():
    tensor = torch.zeros(2).share_memory_()
    assert mp.spawn(write_rank, args=(tensor,), nprocs=2) is None
    assert tensor.tolist() == [10, 11]


def test_the_first_failure_ends_the_others():
    start, others = time.monotonic(), set(multiprocessing.active_children())
    with pytest.raises(mp.ProcessRaisedException, match="rank one is unwell") as caught:
        mp.start_processes(raise_error, nprocs=2, start_method="fork")
    assert caught.value.error_index == 1 and time.monotonic() - start < 30
    assert others.issuperset(multiprocessing.active_children())


def test_signals_and_exit_codes():
    with pytest.raises(mp.ProcessExitedException, match="signal SIGKILL") as caught:
        mp.start_processes(kill_itself, start_method="fork")
    assert (caught.value.exit_code, caught.value.signal_name) == (-9, "SIGKILL")
    with pytest.raises(mp.ProcessExitedException, match="exit code 3") as caught:
        mp.start_processes(exit_with_three, start_method="fork")
    assert (caught.value.exit_code, caught.value.signal_name) == (3, None)


def test_join_later():
    tensor = torch.zeros(1).share_memory_()
    context = mp.start_processes(write_rank, args=(tensor,), join=False, start_method="fork")
    assert len(context.pids()) == 1
    while not context.join(timeout=30):
        pass
    assert tensor.item() == 10


def test_sharing_strategies():
    assert mp.get_all_sharing_strategies() == {"file_descriptor", "file_system"}
    mp.set_sharing_strategy(mp.get_sharing_strategy())
    with pytest.raises(AssertionError):
        mp.set_sharing_strategy("pigeon")


def test_no_shared_memory_left():
    program = (
        "import resource, flambeau as torch\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "x = torch.ones(100_000)\n"
        "try: x.share_memory_()\n"
        "except RuntimeError as error: print(error, x.sum().item())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "No shared memory for a storage of 0.4 MB (File too large). 100000.0\n", done.stderr
