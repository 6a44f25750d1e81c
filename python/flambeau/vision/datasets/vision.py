"""What all image datasets share: a folder, transforms, a printed form."""

from collections.abc import Callable
from pathlib import Path

from flambeau.utils.data import Dataset

__all__ = ["StandardTransform", "VisionDataset"]


class StandardTransform:
    """A transform of the image and another of the target, called as one."""

    def __init__(self, transform: Callable | None = None, target_transform: Callable | None = None) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, image, target) -> tuple:
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __repr__(self) -> str:
        lines = ["StandardTransform"]
        if self.transform is not None:
            lines += _indented("Transform: ", self.transform)
        if self.target_transform is not None:
            lines += _indented("Target transform: ", self.target_transform)
        return "\n".join(lines)


class VisionDataset(Dataset):
    """Base of the image datasets; a subclass defines `__getitem__` and `__len__`.

    Args:
        root: folder of the files.
        transforms: called with (image, target), gives both; excludes the next two.
        transform: called with an image.
        target_transform: called with a target.
    Errors: ValueError if `transforms` comes with one of the others.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        transforms: Callable | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
    ) -> None:
        self.root = (
            Path(root).expanduser().as_posix() if isinstance(root, str) and root.startswith("~") else root
        )
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError("Only transforms or transform/target_transform can be passed as argument.")
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = StandardTransform(transform, target_transform) if separate else transforms

    def __getitem__(self, index: int):
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__.")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__.")

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body += [repr(self.transforms)]
        return "\n".join([f"Dataset {type(self).__name__}", *("    " + line for line in body)])

    def extra_repr(self) -> str:
        """Further lines of the printed form."""
        return ""


def _indented(title: str, transform) -> list[str]:
    first, *rest = repr(transform).splitlines()
    return [title + first, *(" " * len(title) + line for line in rest)]
