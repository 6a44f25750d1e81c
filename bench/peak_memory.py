"""Peak memory of training: `python bench/peak_memory.py [--library NAME] [--steps 20]`.

Each case runs in a process of its own with one thread. Printed are megabytes, all resident memory of the
process: after the import; above that, the peak over building the model and some training steps; and the same
above a tiny model trained before, when libraries that load parts of themselves at first use have done so.
Code that is mapped from a file counts once it is touched, as anything that is resident.
"""

import argparse
import importlib
import os
import subprocess
import sys


def resident(kind):
    """VmRSS (now) or VmHWM (the most so far) of this process, in kilobytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(kind))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


# --- the cases: from the library to (model, inputs, number of classes) -----------------------------------


def tiny(torch):
    return torch.nn.Linear(4, 4), torch.randn(8, 4), 4


def mlp(torch):
    nn = torch.nn
    layers = nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    return nn.Sequential(*layers), torch.randn(128, 784), 10


def cnn(torch):
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, 10),
    )  # fmt: skip
    return model, torch.randn(32, 3, 32, 32), 10


def lstm(torch):
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(64, 128, batch_first=True)
            self.head = torch.nn.Linear(128, 10)

        def forward(self, x):
            return self.head(self.lstm(x)[0][:, -1])

    return Model(), torch.randn(16, 64, 64), 10


def transformer(torch):
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True)
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(64 * 128, 10))
    return model, torch.randn(12, 64, 128), 10


CASES = {"mlp": mlp, "cnn": cnn, "lstm": lstm, "transformer": transformer}


def train(torch, build, steps):
    torch.manual_seed(0)
    model, x, classes = build(torch)
    y = torch.arange(x.shape[0]) % classes
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()


def measure(library, case, steps, warm):
    """Prints the kilobytes after the import and the peak above."""
    torch = importlib.import_module(library)
    for name in ("nn.functional", "optim"):
        importlib.import_module(f"{library}.{name}")
    torch.set_num_threads(1)
    imported = resident("VmRSS")
    if warm:
        train(torch, tiny, 2)
    before = resident("VmRSS")
    forget_peak()
    train(torch, CASES[case], steps)
    print(imported, resident("VmHWM") - before)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--library", default="flambeau")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--measure", nargs=2, metavar=("CASE", "WARM"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        case, warm = options.measure
        measure(options.library, case, options.steps, warm == "1")
        return
    print(f"{options.library:16}{'imported':>10}{'peak above it':>16}{'above a tiny model':>20}   MB")
    for case in CASES:
        rows = []
        for warm in "01":
            command = [sys.executable, __file__, "--library", options.library, "--steps", str(options.steps)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            answer = subprocess.run(
                [*command, "--measure", case, warm],
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
            rows.append([int(number) / 1024 for number in answer.stdout.split()])
        (imported, above), (_, warm_above) = rows
        print(f"{case:16}{imported:10.1f}{above:16.1f}{warm_above:20.1f}")


if __name__ == "__main__":
    main()
