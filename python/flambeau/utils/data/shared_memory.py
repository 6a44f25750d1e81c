"""Shared memory in which workers hand tensors and arrays to the main process, without a copy there.

A worker keeps blocks of memory. It writes a tensor into a free one and sends the block's number; the main
process maps the block once and makes a tensor on top of it. When that tensor is gone, the main process
clears the block's first byte, and the worker writes the next tensor there: after a few batches no memory is
allocated, mapped or cleared any more. Blocks have no names in the file system (their file descriptors are
sent through the socket), so nothing is left behind however a process ends.
"""

import io
import math
import mmap
import os
import pickle
import weakref
from multiprocessing.reduction import ForkingPickler, recv_handle, send_handle

import flambeau as torch
from flambeau._C import Tensor
from flambeau.nn import Parameter
from flambeau._shared_memory import memory_file

__all__ = ["Sender", "empty", "forget", "is_sending", "receive"]

# first bytes of a block: one for its state, the rest keeps the data on a cache line of its own
_HEADER = 64
_FREE, _IN_USE = 0, 1
# smaller ones are cheaper to send through the socket than to look up
_SMALLEST = 16 * 1024
# free blocks a worker keeps for later batches
_FREE_BLOCKS_KEPT = 8


class _Block:
    """One mapped piece of shared memory, seen from the worker."""

    def __init__(self, key: tuple[int, int], capacity: int) -> None:
        self.key = key
        self.capacity = capacity
        self.file = memory_file(
            _HEADER + capacity,
            f"a batch of {capacity / 1e6:.1f} MB: fewer workers, a smaller batch or prefetch_factor need less",
        )
        self.mapping = mmap.mmap(self.file, _HEADER + capacity)
        self._view = None

    def is_free(self) -> bool:
        # the worker itself may have kept the tensor it sent
        return self.mapping[0] == _FREE and (self._view is None or self._view() is None)

    def lend(self, nbytes: int) -> memoryview:
        self.mapping[0] = _IN_USE
        view = memoryview(self.mapping)[_HEADER : _HEADER + nbytes]
        self._view = weakref.ref(view)
        return view


class Sender:
    """The worker's end: owns the blocks and writes messages.

    Args:
        connection: a duplex connection of `multiprocessing`, over a Unix socket.
    """

    def __init__(self, connection) -> None:
        self._connection = connection
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._made = 0
        self._new: list[_Block] = []
        self._dropped: list[tuple[int, int]] = []
        # blocks of the batch in the making, by the address of the tensor in them
        self._at_address: dict[int, _Block] = {}

    def empty(self, shape: tuple[int, ...], dtype):
        """A tensor to write into, which `send` will not have to copy; None if it would be small."""
        nbytes = math.prod(shape) * dtype.itemsize
        if nbytes < _SMALLEST:
            return None
        block, view = self._take(nbytes)
        tensor = torch.frombuffer(view, dtype=dtype).reshape(shape)
        self._at_address[tensor.data_ptr()] = block
        return tensor

    def send(self, header: tuple, data) -> None:
        """Send `header`, a small tuple, and `data`, anything that can be pickled."""
        buffers = []

        def place(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes < _SMALLEST:
                return True
            block, view = self._take(raw.nbytes)
            view[:] = raw
            buffers.append((block.key, raw.nbytes))
            return False

        try:
            stream = io.BytesIO()
            _BatchPickler(self, stream, place).dump(data)
            self._drop_surplus()
            new = [(block.key, block.capacity) for block in self._new]
            self._connection.send_bytes(pickle.dumps((header, new, self._dropped, buffers)))
            for block in self._new:
                send_handle(self._connection, block.file, None)
                os.close(block.file)
            self._new, self._dropped = [], []
            self._connection.send_bytes(stream.getbuffer())
        finally:
            self._at_address = {}

    def abandon(self) -> None:
        """Give back the blocks of a batch that could not be made."""
        for block in self._at_address.values():
            block.mapping[0] = _FREE
        self._at_address = {}

    def reduce(self, tensor: Tensor) -> tuple:
        """How `tensor` is pickled: a block's number, or the bytes themselves."""
        if tensor.requires_grad and not tensor.is_leaf:
            raise RuntimeError(
                "A worker cannot send a tensor that requires grad and is no leaf. Call detach() on it first."
            )
        plain = tensor.detach()
        shape, strides = tuple(plain.shape), plain.stride()
        block = self._at_address.get(plain.data_ptr()) if plain.is_contiguous() else None
        if block is not None:
            source = block.key
        else:
            if not _is_dense(shape, strides):
                strides = _contiguous_strides(shape)
            nbytes = plain.numel() * plain.dtype.itemsize
            if nbytes < _SMALLEST:
                source = view = bytearray(nbytes)
            else:
                block, view = self._take(nbytes)
                source = block.key
            if nbytes:
                torch.frombuffer(view, dtype=plain.dtype).as_strided(shape, strides).copy_(plain)
        return _rebuild_tensor, (source, plain.dtype, shape, strides, tensor.requires_grad)

    def _take(self, nbytes: int) -> tuple[_Block, memoryview]:
        fitting = [b for b in self._blocks.values() if nbytes <= b.capacity <= 2 * nbytes and b.is_free()]
        block = min(fitting, key=lambda b: b.capacity, default=None)
        if block is None:
            self._made += 1
            block = _Block((os.getpid(), self._made), nbytes)
            self._blocks[block.key] = block
            self._new.append(block)
        return block, block.lend(nbytes)

    def _drop_surplus(self) -> None:
        free = [block for block in self._blocks.values() if block.is_free() and block not in self._new]
        for block in free[: max(0, len(free) - _FREE_BLOCKS_KEPT)]:
            del self._blocks[block.key]
            self._dropped.append(block.key)


class _BatchPickler(ForkingPickler):
    def __init__(self, sender: Sender, stream: io.BytesIO, place) -> None:
        # positions: protocol, fix_imports, buffer_callback
        super().__init__(stream, pickle.HIGHEST_PROTOCOL, False, place)
        self._sender = sender

    def reducer_override(self, obj):
        if type(obj) is Tensor and obj.layout == torch.strided and obj.device.type == "cpu":
            return self._sender.reduce(obj)
        if type(obj) is Parameter:
            return Parameter, (obj.detach(), obj.requires_grad)
        return NotImplemented


_sender: Sender | None = None


def start_sending(connection) -> Sender:
    """Make this process a worker, whose batches go through `connection`."""
    global _sender
    _sender = Sender(connection)
    return _sender


def is_sending() -> bool:
    """Whether this process is a worker."""
    return _sender is not None


def empty(shape: tuple[int, ...], dtype):
    """In a worker, a tensor in shared memory; None if it would be small."""
    return _sender.empty(shape, dtype)


# blocks this process has mapped, of all workers
_mapped: dict[tuple[int, int], mmap.mmap] = {}
# weak references, by their id: they call back only as long as somebody keeps them, and cannot be hashed here
_watched: dict[int, weakref.ref] = {}


def receive(connection) -> tuple:
    """(header, data) of the next message; data that cannot be unpickled is given as the exception.

    Errors: EOFError or OSError if the worker is gone.
    """
    header, new, dropped, buffers = pickle.loads(connection.recv_bytes())
    for key in dropped:
        _mapped.pop(key, None)
    for key, capacity in new:
        file = recv_handle(connection)
        _mapped[key] = mmap.mmap(file, _HEADER + capacity)
        os.close(file)
    payload = connection.recv_bytes()
    return header, pickle.loads(payload, buffers=[_borrow(key, nbytes) for key, nbytes in buffers])


def forget(worker_pid: int) -> None:
    """Let go of the blocks of a worker that has ended; tensors on them stay valid."""
    for key in [key for key in _mapped if key[0] == worker_pid]:
        del _mapped[key]


def _borrow(key: tuple[int, int], nbytes: int) -> memoryview:
    """The memory of a block; the block is free again when the last user of the view is gone."""
    mapping = _mapped[key]

    # the defaults keep the names alive while the interpreter shuts down
    def give_back(reference, mapping=mapping, watched=_watched, free=_FREE) -> None:
        mapping[0] = free
        del watched[id(reference)]

    view = memoryview(mapping)[_HEADER : _HEADER + nbytes]
    reference = weakref.ref(view, give_back)
    _watched[id(reference)] = reference
    return view


def _rebuild_tensor(source, dtype, shape: tuple, strides: tuple, requires_grad: bool):
    if 0 in shape:
        return torch.empty(shape, dtype=dtype).requires_grad_(requires_grad)
    nbytes = math.prod(shape) * dtype.itemsize
    memory = source if isinstance(source, bytearray) else _borrow(source, nbytes)
    tensor = torch.frombuffer(memory, dtype=dtype).as_strided(shape, strides)
    return tensor.requires_grad_() if requires_grad else tensor


def _is_dense(shape: tuple, strides: tuple) -> bool:
    """Whether the elements fill their memory, in any order of the dimensions, each at a place of its own."""
    expected = 1
    for stride, size in sorted((stride, size) for stride, size in zip(strides, shape) if size != 1):
        if stride != expected:
            return False
        expected *= size
    return True


def _contiguous_strides(shape: tuple) -> tuple[int, ...]:
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
