"""A forked child of a process that has computed in parallel computes too: OpenMP's own threads are gone there."""

import multiprocessing
import os
import signal

import flambeau as torch
import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def compute():
    """Work that is spread over threads: elementwise, a reduction, a product and a gradient."""
    x = torch.full((300, 300), 0.1, requires_grad=True)  # exp of larger products overflows
    loss = (x @ x).exp().log().sum() + (x * 2).sum()
    loss.backward()
    return loss.item(), x.grad.sum().item()


def in_child(work, seconds=30):
    """Exit status of a forked child that runs `work`; -14 if it hangs."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(seconds)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_child_computes():
    here = compute()

    def work():
        assert torch.get_num_threads() == 1
        there = compute()
        assert all(abs(a - b) <= 1e-4 * abs(a) for a, b in zip(here, there, strict=True))

    assert in_child(work) == 0
    compute()


def test_grandchild_computes():
    compute()
    assert in_child(lambda: os._exit(in_child(compute))) == 0


def test_pool_of_forked_workers():
    compute()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.starmap_async(compute, [()] * 4).get(timeout=60)
    assert len(results) == 4 and all(abs(r[0] - results[0][0]) <= 1e-4 * abs(r[0]) for r in results)


def test_parent_keeps_its_threads():
    before = torch.get_num_threads()
    assert in_child(compute) == 0
    assert torch.get_num_threads() == before
