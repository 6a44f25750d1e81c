"""Sequences of different lengths: packing, padding and back."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable

from ... import _C
from ..._functions import as_tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpad_sequence",
    "pack_sequence",
    "unpack_sequence",
]

Tensor = _C.Tensor
PackedSequence_ = namedtuple("PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])
PackedSequence_.__annotations__ = {
    "data": Tensor,
    "batch_sizes": Tensor,
    "sorted_indices": "Tensor | None",
    "unsorted_indices": "Tensor | None",
}


def invert_permutation(permutation):
    """The permutation that undoes `permutation`."""
    if permutation is None:
        return None
    inverse = _C.empty_like(permutation, memory_format=_C.legacy_contiguous_format)
    inverse.scatter_(0, permutation, _C.arange(0, permutation.numel(), device=permutation.device))
    return inverse


class PackedSequence(PackedSequence_):
    """Sequences of different lengths as one tensor, step by step; made by pack_padded_sequence.

    data: the steps' entries one after another (sum of lengths, *); batch_sizes: entries of each step, on
        the CPU;
    sorted_indices, unsorted_indices: the order by falling length and its inverse, or None.
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is not None:
            if batch_sizes.device.type != "cpu":
                raise ValueError(
                    "PackedSequence: batch_sizes must lie on the CPU; make packed sequences with "
                    "pack_sequence or pack_padded_sequence"
                )
        elif not (isinstance(data, (list, tuple)) and len(data) == 2):
            raise ValueError("PackedSequence needs data and batch_sizes, or one pair of both")
        else:
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args, **kwargs):
        """Convert or move the data, and the order with it."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self

        def move(index):
            return None if index is None else index.to(data.device)

        return type(self)(data, self.batch_sizes, move(self.sorted_indices), move(self.unsorted_indices))

    def pin_memory(self):
        """The same sequence in page-locked memory."""

        def pin(index):
            return None if index is None else index.pin_memory()

        return type(self)(
            self.data.pin_memory(), self.batch_sizes, pin(self.sorted_indices), pin(self.unsorted_indices)
        )

    def cpu(self, *args, **kwargs):
        """The sequence on the CPU."""
        return self.to(*args, device="cpu", **kwargs)

    def cuda(self, *args, **kwargs):
        """The sequence on a CUDA device."""
        return self.to(*args, device="cuda", **kwargs)

    def double(self):
        """The data as float64."""
        return self.to(dtype=_C.float64)

    def float(self):
        """The data as float32."""
        return self.to(dtype=_C.float32)

    def half(self):
        """The data as float16."""
        return self.to(dtype=_C.float16)

    def long(self):
        """The data as int64."""
        return self.to(dtype=_C.int64)

    def int(self):
        """The data as int32."""
        return self.to(dtype=_C.int32)

    def short(self):
        """The data as int16."""
        return self.to(dtype=_C.int16)

    def char(self):
        """The data as int8."""
        return self.to(dtype=_C.int8)

    def byte(self):
        """The data as uint8."""
        return self.to(dtype=_C.uint8)

    @property
    def is_cuda(self):
        """Whether the data lie on a CUDA device."""
        return self.data.is_cuda

    def is_pinned(self):
        """Whether the data lie in page-locked memory."""
        return self.data.is_pinned()


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Drop the padding of (T, N, *) sequences, or (N, T, *) with batch_first.

    Args:
        lengths: length of each sequence, at least 1, on the CPU.
        enforce_sorted: they already fall; else they are sorted here.
    """
    if not isinstance(lengths, Tensor):
        lengths = as_tensor(lengths, dtype=_C.int64, device="cpu")
    order = None
    if not enforce_sorted:
        lengths, order = _C.sort(lengths, descending=True)
        order = order.to(input.device)
        input = input.index_select(0 if batch_first else 1, order)
    data, batch_sizes = _C._pack_padded_sequence(input, lengths, batch_first)
    return PackedSequence(data, batch_sizes, order, None)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """(padded sequences (T, N, *) or (N, T, *), their lengths): the inverse of pack_padded_sequence.

    Args:
        padding_value: what is filled in.
        total_length: T, at least the longest length, which is the default.
    """
    longest = sequence.batch_sizes.size(0)
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                f"pad_packed_sequence: the longest sequence has {longest} steps, more than "
                f"total_length={total_length}"
            )
        longest = total_length
    padded, lengths = _C._pad_packed_sequence(
        sequence.data, sequence.batch_sizes, batch_first, padding_value, longest
    )
    inverse = sequence.unsorted_indices
    if inverse is not None:
        return padded.index_select(0 if batch_first else 1, inverse), lengths[inverse.cpu()]
    return padded, lengths


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Stack sequences (T_i, *) into (T, N, *), or (N, T, *) with batch_first, filling the shorter ones up.

    Args:
        padding_side: "right" or "left".
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: sequences must be an iterable of tensors, not {type(sequences).__name__}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"pad_sequence: padding_side must be 'left' or 'right', not {padding_side!r}")
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("pad_sequence: sequences is empty, there must be one at least")
    for i, sequence in enumerate(sequences):
        if not isinstance(sequence, _C.Tensor):
            raise TypeError(f"pad_sequence: item {i} is {type(sequence).__name__}, it must be a tensor")
    longest = max(sequence.size(0) for sequence in sequences)
    padded = []
    for sequence in sequences:
        missing = longest - sequence.size(0)
        ends = (missing, 0) if padding_side == "left" else (0, missing)
        untouched = (0, 0) * (sequence.dim() - 1)
        padded.append(_C.pad(sequence, (*untouched, *ends), "constant", padding_value))
    return _C.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """The sequences (T_i, *) of a padded batch."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [sequence[: int(length)] for sequence, length in zip(padded_sequences, lengths)]


def pack_sequence(sequences, enforce_sorted=True):
    """Pack a list of sequences (T_i, *)."""
    lengths = as_tensor([sequence.size(0) for sequence in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The list of sequences of a PackedSequence."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
