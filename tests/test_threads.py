"""Several Python threads at once: graphs, modes and shared parameters."""

import threading

import flambeau as torch
import pytest


def in_threads(work, count=4):
    """Runs work(i) in `count` threads, started together; raises what one of them raised."""
    failures = []
    barrier = threading.Barrier(count)

    def body(i):
        barrier.wait()
        try:
            work(i)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    if failures:
        raise failures[0]


def test_separate_graphs():
    def work(i):
        for _ in range(20):
            x = torch.full((50, 50), float(i + 1), requires_grad=True)
            (x * x).sum().backward()
            assert x.grad[0, 0].item() == 2.0 * (i + 1)

    in_threads(work)


def test_one_leaf_of_several_graphs():
    w = torch.ones(100, requires_grad=True)

    def work(i):
        for _ in range(25):
            (w * 2).sum().backward()

    in_threads(work)
    assert w.grad.tolist() == [200.0] * 100


def test_one_graph_run_by_several():
    x = torch.ones(10, requires_grad=True)
    y = (x.exp() * 2).sum()
    found = [None] * 4

    def work(i):
        (found[i],) = torch.autograd.grad(y, x, retain_graph=True)

    in_threads(work)
    assert all(torch.equal(g, found[0]) for g in found)


def test_modes_belong_to_a_thread():
    seen = {}
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.update(grad=torch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not torch.is_grad_enabled()
    assert seen == {"grad": True}


def test_kernels_in_parallel():
    a = torch.ones(400, 400)

    def work(i):
        for _ in range(5):
            assert (a + i).sum().item() == 160000 * (1 + i)

    in_threads(work)


@pytest.mark.parametrize("count", [0, -1])
def test_thread_count_is_positive(count):
    with pytest.raises(RuntimeError):
        torch.set_num_threads(count)
