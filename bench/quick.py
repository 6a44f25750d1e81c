"""What a user feels first: import, calls on tiny tensors, streaming ops. Prints microseconds, best of several."""

import subprocess
import sys
import time

import flambeau as torch


def best(call, rounds=7, seconds=0.05):
    """Least time of one call, in microseconds."""
    count, least = 1, float("inf")
    while True:
        start = time.perf_counter()
        for _ in range(count):
            call()
        spent = time.perf_counter() - start
        if spent > seconds / 4:
            break
        count *= 4
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            call()
        least = min(least, (time.perf_counter() - start) / count)
    return least * 1e6


def importing():
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import flambeau"], check=True)
    whole = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (whole - (time.perf_counter() - start)) * 1e6


def step():
    x = torch.ones(4, requires_grad=True)
    (x * x).sum().backward()


def main():
    small, large = torch.ones(4), torch.ones(1000, 1000)
    print(f"{'import flambeau':32}{min(importing() for _ in range(5)):12.1f} µs")
    cases = {
        "a + b, 4 floats": lambda: small + small, "exp, 4 floats": lambda: torch.exp(small),
        "forward and backward, 4 floats": step, "a + b, 10^6 floats": lambda: large + large,
        "exp, 10^6 floats": lambda: torch.exp(large), "sum, 10^6 floats": lambda: large.sum(),
        "a @ b, 1000 x 1000": lambda: large @ large,
    }
    for name, call in cases.items():
        print(f"{name:32}{best(call):12.2f} µs")


if __name__ == "__main__":
    main()
