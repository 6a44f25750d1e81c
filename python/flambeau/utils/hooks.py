"""Handles that remove hooks."""
from flambeau.nn.modules.hooks import BackwardHook, RemovableHandle

__all__ = ["RemovableHandle", "BackwardHook"]
