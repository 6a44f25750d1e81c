"""From a list of samples to one batch: tensors are stacked, containers are taken apart and rebuilt."""

import collections.abc
import copy
import sys

import flambeau as torch
from flambeau._C import Tensor

from . import shared_memory

__all__ = [
    "collate",
    "collate_float_fn",
    "collate_int_fn",
    "collate_numpy_array_fn",
    "collate_numpy_scalar_fn",
    "collate_str_fn",
    "collate_tensor_fn",
    "default_collate",
    "default_collate_fn_map",
    "default_convert",
]


def default_convert(data):
    """Turn NumPy arrays and scalars inside `data` into tensors; leave everything else as it is.

    The `collate_fn` of a DataLoader with `batch_size=None`.

    >>> default_convert({"a": [1, 2]})
    {'a': [1, 2]}
    """
    if isinstance(data, Tensor):
        return data
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(data, (numpy.ndarray, numpy.generic)):
        # text and objects have no tensor
        if isinstance(data, numpy.ndarray) and data.dtype.kind in "SUO":
            return data
        return torch.as_tensor(data)
    if isinstance(data, collections.abc.Mapping):
        return _rebuild_mapping(data, {key: default_convert(data[key]) for key in data})
    if _is_namedtuple(data):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, collections.abc.Sequence) and not isinstance(data, (str, bytes)):
        return _rebuild_sequence(data, [default_convert(value) for value in data])
    return data


def default_collate(batch):
    """Make one batch of a list of samples: the leading dimension counts the samples.

    Tensors and arrays are stacked, numbers become a tensor (a float becomes float64), text stays a list;
    mappings, named tuples, tuples and lists are collated entry by entry (a tuple becomes a list).

    Args:
        batch: a non-empty list of samples of one kind.
    Errors: TypeError for a sample of another kind; RuntimeError for lists of different lengths.

    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch, *, collate_fn_map: dict | None = None):
    """`default_collate` with a table of functions for types of one's own.

    Args:
        batch: a non-empty list of samples.
        collate_fn_map: from a type, or a tuple of types, to `function(batch, *, collate_fn_map)`. The type of
            the first sample decides: an exact match first, then the first entry it is an instance of.
    """
    elem = batch[0]
    if collate_fn_map is not None:
        function = _find_function(type(elem), collate_fn_map)
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(elem, collections.abc.Mapping):
        columns = {key: collate([d[key] for d in batch], collate_fn_map=collate_fn_map) for key in elem}
        return _rebuild_mapping(elem, columns)
    if _is_namedtuple(elem):
        return type(elem)(*(collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)))
    if isinstance(elem, collections.abc.Sequence):
        lengths = {len(sample) for sample in batch}
        if len(lengths) > 1:
            raise RuntimeError(
                f"default_collate: the samples are lists of different lengths, {sorted(lengths)}"
            )
        columns = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        return columns if isinstance(elem, tuple) else _rebuild_sequence(elem, columns)
    raise TypeError(
        f"default_collate: {type(elem)} has no rule, there are some for tensors, arrays, numbers, strings, "
        "dicts and lists; give the DataLoader a collate_fn"
    )


def collate_tensor_fn(batch, *, collate_fn_map: dict | None = None):
    elem = batch[0]
    out = None
    if shared_memory.is_sending() and all(_can_be_stacked_into_shared_memory(t, elem) for t in batch):
        out = shared_memory.empty((len(batch), *elem.shape), elem.dtype)
    return torch.stack(batch, 0) if out is None else torch.stack(batch, 0, out=out)


def collate_numpy_array_fn(batch, *, collate_fn_map: dict | None = None):
    if batch[0].dtype.kind in "SUO":
        raise TypeError(
            f"default_collate: an array of {batch[0].dtype} cannot become a tensor; give the DataLoader a "
            "collate_fn"
        )
    return collate([torch.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch, *, collate_fn_map: dict | None = None):
    return torch.as_tensor(batch)


def collate_float_fn(batch, *, collate_fn_map: dict | None = None):
    return torch.tensor(batch, dtype=torch.float64)


def collate_int_fn(batch, *, collate_fn_map: dict | None = None):
    return torch.tensor(batch)


def collate_str_fn(batch, *, collate_fn_map: dict | None = None):
    return batch


default_collate_fn_map: dict = {
    Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def _find_function(kind: type, functions: dict):
    if functions is default_collate_fn_map:
        _add_numpy_types()
    if kind in functions:
        return functions[kind]
    return next((function for types, function in functions.items() if issubclass(kind, types)), None)


def _add_numpy_types() -> None:
    # a sample can only be NumPy's once NumPy is there, and importing flambeau must not import it
    numpy = sys.modules.get("numpy")
    if numpy is not None and getattr(numpy, "ndarray", None) not in (None, *default_collate_fn_map):
        default_collate_fn_map[numpy.ndarray] = collate_numpy_array_fn
        default_collate_fn_map[numpy.bool_, numpy.number, numpy.object_] = collate_numpy_scalar_fn


def _can_be_stacked_into_shared_memory(tensor, first) -> bool:
    return type(tensor) is Tensor and tensor.dtype == first.dtype and not tensor.requires_grad


def _is_namedtuple(value) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _rebuild_mapping(like, entries: dict):
    """A mapping of the type of `like`; a dict if that type cannot be rebuilt."""
    try:
        if isinstance(like, collections.abc.MutableMapping):
            # a copy keeps what the type holds beside its entries, such as default_factory
            clone = copy.copy(like)
            clone.update(entries)
            return clone
        return type(like)(entries)
    except TypeError:
        return entries


def _rebuild_sequence(like, entries: list):
    """A sequence of the type of `like`; a list if that type cannot be rebuilt."""
    try:
        if isinstance(like, collections.abc.MutableSequence):
            clone = copy.copy(like)
            for i, value in enumerate(entries):
                clone[i] = value
            return clone
        return type(like)(entries)
    except TypeError:
        return entries
