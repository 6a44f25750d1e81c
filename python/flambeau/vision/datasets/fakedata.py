"""Images of noise, to try a program before the data is there."""

from collections.abc import Callable

import flambeau as torch

from ..transforms import functional
from .vision import VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Random images with random classes; sample i is the same at every reading.

    Args:
        size: number of samples.
        image_size: (channels, height, width).
        num_classes: classes are 0 … num_classes - 1.
        transform, target_transform: called with each PIL image, each class.
        random_offset: sample i is drawn with the seed `i + random_offset`.
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple:
        if not 0 <= index < self.size:
            raise IndexError(f"{type(self).__name__}: index {index} lies out of range, there are {self.size} "
                             "images")
        state = torch.get_rng_state()
        torch.manual_seed(index + self.random_offset)
        image = torch.randn(*self.image_size)
        target = torch.randint(0, self.num_classes, size=(1,), dtype=torch.long)[0]
        torch.set_rng_state(state)
        image = functional.to_pil_image(image)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, int(target) if self.target_transform is None else target

    def __len__(self) -> int:
        return self.size
