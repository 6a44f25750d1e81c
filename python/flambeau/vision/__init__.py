"""Images: datasets to learn from, transforms, and pictures of what came out. Names are torchvision's."""

from . import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
