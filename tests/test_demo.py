"""The demo and the command line, run as a user runs them."""

import gzip
import struct
import subprocess
import sys

import flambeau as torch
import pytest


def run(*arguments, cwd):
    command = [sys.executable, "-m", "flambeau", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


def test_demo_learns_to_read(tmp_path):
    done = run("demo", "--no-picture", "--out", "out", "--seed", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    epochs = [line for line in done.stdout.splitlines() if line.startswith("epoch")]
    assert len(epochs) == 30
    accuracy = float(epochs[-1].rsplit(maxsplit=1)[1].rstrip("%"))
    assert accuracy >= 96.5
    weights = torch.load(tmp_path / "out" / "digits.pt")
    assert weights["hidden_layers.0.weight"].shape == (256, 64)
    assert not (tmp_path / "out" / "digits.png").exists()


def test_demo_draws(tmp_path):
    pytest.importorskip("matplotlib")
    done = run("demo", "--epochs", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo-output" / "digits.png").read_bytes().startswith(b"\x89PNG")


def write_idx(path, dims, values):
    data = struct.pack(f">HBB{len(dims)}I", 0, 8, len(dims), *dims) + bytes(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wb") as file:
        file.write(data)


def write_dataset(folder, suffix):
    """Images whose brightness tells their class."""
    for part, n in (("train", 200), ("t10k", 20)):
        labels = [i % 10 for i in range(n)]
        pixels = [value for label in labels for value in [25 * label] * 16]
        write_idx(folder / "FashionMNIST" / "raw" / f"{part}-images-idx3-ubyte{suffix}", (n, 4, 4), pixels)
        write_idx(folder / "FashionMNIST" / "raw" / f"{part}-labels-idx1-ubyte{suffix}", (n,), labels)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_demo_of_another_dataset(tmp_path, suffix):
    write_dataset(tmp_path, suffix)
    done = run("demo", "--dataset", "FashionMNIST", "--data", ".", "--no-picture", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "200 images to learn from, 20 to test with" in done.stdout
    assert (tmp_path / "demo-output" / "fashionmnist.pt").exists()


def test_demo_tells_what_is_wrong_with_the_files(tmp_path):
    arguments = "demo", "--dataset", "FashionMNIST", "--data", "."
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("error: Dataset not found in FashionMNIST/raw")
    write_dataset(tmp_path, ".gz")
    damaged = tmp_path / "FashionMNIST" / "raw" / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:60])
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1 and "damaged or cut short" in done.stderr and "Traceback" not in done.stderr


def test_the_same_seed_gives_the_same_run(tmp_path):
    runs = [
        run("demo", "--epochs", "2", "--no-picture", "--seed", "3", cwd=tmp_path).stdout for _ in range(2)
    ]
    lines = [[line for line in text.splitlines() if line.startswith("epoch")] for text in runs]
    assert lines[0] == lines[1] and len(lines[0]) == 2


def test_info_and_doctor(tmp_path):
    done = run("info", cwd=tmp_path)
    assert done.returncode == 0 and "python:" in done.stdout
    done = run("doctor", cwd=tmp_path)
    assert done.returncode == 0 and "FAIL" not in done.stdout and "all is well" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("dance",), ("demo", "--epochs", "0"), ("run",)])
def test_wrong_use(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and "usage" in done.stderr
