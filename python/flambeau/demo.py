"""A first training program: a network learns to read handwritten digits, in a few seconds.

Run it with `python -m flambeau demo`; copy it to start a program of your own.
"""

import time
from pathlib import Path

import flambeau as torch
import flambeau.nn.functional as F
from flambeau import nn
from flambeau.utils.data import DataLoader, TensorDataset
from flambeau.vision import datasets


class FeedForwardNN(nn.Module):
    """Hidden layers with dropout and ReLU; gives the logarithm of each class's probability."""

    def __init__(self, input_size: int, num_classes: int, num_hidden: int, hidden_dim: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.nonlinearity = nn.ReLU()

        # A ModuleList, not a plain list: so the layers' weights are found by model.parameters().
        self.hidden_layers = nn.ModuleList([nn.Linear(input_size, hidden_dim)])
        for _ in range(num_hidden - 1):
            self.hidden_layers.append(nn.Linear(hidden_dim, hidden_dim))
        self.output_projection = nn.Linear(hidden_dim, num_classes)

    def forward(self, x):  # x: (batch, input_size)
        for hidden_layer in self.hidden_layers:
            x = self.nonlinearity(self.dropout(hidden_layer(x)))
        return F.log_softmax(self.output_projection(x), dim=-1)  # (batch, num_classes)


def load(dataset: str, data: str, download: bool, train: bool) -> tuple[TensorDataset, list[str]]:
    """The images as rows of numbers between 0 and 1 with the class of each, and the names of the classes."""
    if dataset == "Digits":
        source, highest = datasets.Digits(train=train), 16
        classes = [str(digit) for digit in range(10)]
    else:
        source, highest = getattr(datasets, dataset)(data, train=train, download=download), 255
        classes = source.classes
    return TensorDataset(source.data.flatten(1) / highest, source.targets), classes


def train_epoch(model, loader, criterion, optimizer) -> float:
    """Learn from every batch once; the mean loss."""
    model.train()  # dropout on
    total = 0.0
    for images, labels in loader:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


def predict(model, images):
    """The most probable class of each image."""
    model.eval()  # dropout off
    with torch.no_grad():
        return model(images).argmax(dim=1)


def main(
    epochs: int | None = None,
    out: str = "demo-output",
    seed: int = 0,
    picture: bool = True,
    dataset: str = "Digits",
    data: str = "data",
    download: bool = False,
) -> float:
    """Train, report, save; the share of test images that were read right, 0..1.

    Args:
        epochs: passes over the training images, ≥ 1; None is 30 for Digits, 5 for the larger datasets.
        out: folder for the trained weights and the picture, `digits.pt` and `digits.png` for Digits.
        seed: start of the random numbers; the same seed gives the same run.
        picture: draw it, which needs matplotlib.
        dataset: "Digits", which comes along, or "MNIST", "FashionMNIST", "KMNIST".
        data: folder of the files of the larger datasets, `data/MNIST/raw/train-images-idx3-ubyte.gz` and so on.
        download: fetch these files if they are missing.
    Errors: RuntimeError if files are missing or cannot be fetched, ValueError if they are damaged.
    """
    epochs = epochs or (30 if dataset == "Digits" else 5)
    started = time.perf_counter()
    torch.manual_seed(seed)

    train_data, classes = load(dataset, data, download, train=True)
    test_images, test_labels = load(dataset, data, download, train=False)[0].tensors
    loader = DataLoader(train_data, batch_size=32, shuffle=True)
    model = FeedForwardNN(
        input_size=test_images.shape[1], num_classes=len(classes), num_hidden=2, hidden_dim=256, dropout=0.2
    )
    criterion = nn.NLLLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    print(f"{len(train_data)} images to learn from, {len(test_labels)} to test with")

    losses = []
    for epoch in progress(range(1, epochs + 1)):
        losses.append(train_epoch(model, loader, criterion, optimizer))
        accuracy = (predict(model, test_images) == test_labels).float().mean().item()
        report(f"epoch {epoch:3d}   loss {losses[-1]:.4f}   test accuracy {accuracy:.1%}")
    print(f"{accuracy:.1%} of the test images read right after {time.perf_counter() - started:.1f} s")

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{dataset.lower()}.pt"
    torch.save(model.state_dict(), weights)
    print(f"weights: {weights}")
    if picture:
        draw(weights.with_suffix(".png"), losses, test_images, test_labels, predict(model, test_images))
    return accuracy


def draw(path: Path, losses, images, labels, predictions, rows: int = 6, columns: int = 10) -> None:
    """The loss curve beside a grid of test images under what the network read; errors come first, in red."""
    try:
        import matplotlib
    except ImportError:
        print('no picture: matplotlib is missing, pip install "flambeau[demo]" brings it')
        return
    matplotlib.use("Agg")  # draws into files, needs no screen
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(13, 5), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(2, 3))
    curve = left.subplots()
    curve.plot(range(1, len(losses) + 1), losses)
    curve.set(xlabel="epoch", ylabel="training loss", yscale="log")

    wrong_first = (predictions == labels).int().argsort(stable=True).tolist()
    right.suptitle("test images and what was read")
    side = round(images.shape[1] ** 0.5)
    for cell, i in zip(right.subplots(rows, columns).flat, wrong_first):
        cell.imshow(images[i].reshape(side, side).numpy(), cmap="gray_r")
        correct = predictions[i] == labels[i]
        title = f"{predictions[i]}" if correct else f"{predictions[i]}, is {labels[i]}"
        cell.set_title(title, color="black" if correct else "red", fontsize=9)
        cell.axis("off")
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
    print(f"picture: {path}")


try:
    from tqdm import tqdm

    def progress(steps):
        return tqdm(steps, unit="epoch", leave=False)

    report = tqdm.write  # a plain print would break the progress bar
except ImportError:
    progress, report = iter, print


if __name__ == "__main__":
    main()
