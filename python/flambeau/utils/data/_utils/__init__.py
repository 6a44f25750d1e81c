"""The module paths under which PyTorch programs look for collate and worker functions."""

from . import collate, fetch, worker
