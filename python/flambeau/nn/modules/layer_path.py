"""Naming the layer in which an exception was raised, such as `net.2 (Linear 7→2)`.

Nothing is recorded while modules run. When an exception passes through Module.__call__, the
innermost module leaves one note on it, and each module further out puts its child's name in front.
"""

from __future__ import annotations

__all__ = ["note_layer"]

# Attribute pairs that say in a few characters which layer it is.
_SIZES = (
    ("in_features", "out_features"),
    ("in_channels", "out_channels"),
    ("input_size", "hidden_size"),
    ("num_embeddings", "embedding_dim"),
)


def note_layer(module, error):
    """Add or extend the note on `error` that names the layer it comes from."""
    try:
        found = error.__dict__.get("_layer")
        if found is None:
            note = _text("", describe(module), module)
            error.add_note(note)
            error._layer = ("", describe(module), module, note)
            return
        path, layer, inner, note = found
        if inner is module:
            return
        name = _name_in(module, inner)
        if name is None:
            return
        path = f"{name}.{path}" if path else name
        longer = _text(path, layer, module)
        error.__notes__[error.__notes__.index(note)] = longer
        error._layer = (path, layer, module, longer)
    except (AttributeError, TypeError, ValueError):
        return  # an exception that takes no notes is raised as it is


def describe(module):
    """Class name and, where the layer has them, its sizes: `Linear 7→2`."""
    own = module.__dict__
    for first, second in _SIZES:
        if first in own and second in own:
            return f"{type(module).__name__} {own[first]}→{own[second]}"
    return type(module).__name__


def _text(path, layer, root):
    if not path:
        return f"in layer {layer}"
    return f"in layer {path} ({layer}) of {type(root).__name__}"


def _name_in(module, inner):
    for name, child in module.named_modules():
        if child is inner and name:
            return name
    return None
