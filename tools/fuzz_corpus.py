"""The files that fuzz_load.py mutates, and what it asks of a value that a mutant gave."""

from __future__ import annotations

import collections
import io
import math
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flambeau as torch


@dataclass
class Example:
    """One intact file; `trusted` ones hold objects that only weights_only=False loads."""

    name: str
    data: bytes
    is_zip: bool
    checksums: bool
    trusted: bool = False
    value: Any = None


def _values() -> dict[str, Any]:
    import numpy

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))
    optimizer = torch.optim.Adam(model.parameters(), amsgrad=True)
    model(torch.randn(5, 4)).sum().backward()
    optimizer.step()
    base = torch.arange(24.0)
    dtypes = (
        torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.bool, torch.complex64, torch.complex128,
    )  # fmt: skip
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    parameters = [torch.nn.Parameter(base[:2]), torch.ones(2, requires_grad=True)]
    return {
        "state": state,
        "views": [base, base.view(4, 6).t(), base[3:9:2], base[:0], torch.tensor(3.0), base.view(2, 3, 4)[1]],
        "dtypes": {str(dtype): torch.tensor([0, 1, 1]).to(dtype) for dtype in dtypes},
        "plain": [
            1, 2**70, -1, 1.5, None, True, "é", b"x\xff", bytearray(b"y"), 1 + 2j, {1, 2}, frozenset([3]),
            (1, (2, 3)), collections.OrderedDict(a=1), collections.Counter("aab"),
            collections.defaultdict(list, a=[1]), torch.Size([1, 2]), torch.float16, torch.device("cpu"),
        ],
        "numpy": [numpy.arange(6.0).reshape(2, 3), numpy.float32(2), numpy.array(["a", "b"]), numpy.int64(3)],
        "parameters": [*parameters, base.storage(), base.untyped_storage()],
    }  # fmt: skip


def examples(folder: str | None = None) -> list[Example]:
    """The corpus: some values in both formats and without checksums, and the files of a folder."""
    result = []
    for name, value in _values().items():
        for is_zip, checksums in ((True, True), (True, False), (False, False)):
            torch.serialization.set_crc32_options(checksums)
            file = io.BytesIO()
            torch.save(value, file, _use_new_zipfile_serialization=is_zip)
            result.append(Example(name, file.getvalue(), is_zip, checksums))
            # a checksum matters most, and so do files that have them
            result.extend([result[-1]] * (2 if checksums else 0))
    torch.serialization.set_crc32_options(True)
    file = io.BytesIO()
    torch.save(torch.nn.Linear(2, 2), file)
    result.append(Example("module", file.getvalue(), True, True, trusted=True))
    for path in sorted(Path(folder).glob("*.pt")) if folder else ():
        data = path.read_bytes()
        is_zip = data[:4] == b"PK\3\4"
        result.append(Example(path.name, data, is_zip, is_zip, _is_trusted(data)))
    return result


def _is_trusted(data: bytes) -> bool:
    try:
        torch.load(io.BytesIO(data))
    except pickle.UnpicklingError:
        return True
    return False


_PLAIN = (
    int, float, complex, bool, str, bytes, bytearray, type(None), torch.Size, torch.dtype, torch.device,
    torch.layout, type, torch.UntypedStorage, torch.TypedStorage,
)  # fmt: skip
_SEQUENCES = (list, tuple, set, frozenset)


def same(a: Any, b: Any) -> bool:
    """Whether two loaded values are equal in every bit, also in what tensors look like in memory."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return _facts(a) == _facts(b) and _bits(a) == _bits(b)
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a.items(), b.items()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a).__module__.partition(".")[0] == "numpy" and hasattr(a, "tobytes"):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, (torch.UntypedStorage, torch.TypedStorage)):
        return bytes(a.untyped()._to_bytes()) == bytes(b.untyped()._to_bytes())
    if isinstance(a, torch.nn.Module):
        return same(a.state_dict(), b.state_dict())
    return a == b or (a != a and b != b)


def _facts(tensor: Any) -> tuple:
    return tensor.dtype, tensor.shape, tensor.stride(), tensor.storage_offset(), tensor.requires_grad


def _bits(tensor: Any) -> bytes:
    return bytes(tensor.detach().contiguous().clone().untyped_storage()._to_bytes())


def inconsistency(value: Any) -> str:
    """What is wrong with a loaded value, or nothing: unknown types, tensors outside their storage."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, torch.Tensor):
            if problem := _tensor_problem(item):
                return problem
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, _SEQUENCES):
            waiting += item
        elif not isinstance(item, _PLAIN) and not _is_harmless(item):
            return f"a {type(item)} came out of the file"
    return ""


def _is_harmless(item: Any) -> bool:
    """NumPy's numbers, and what the allowed names of functions and storage classes stand for."""
    kind = type(item)
    return kind.__module__.partition(".")[0] == "numpy" or kind.__name__ == "StorageKind" or callable(item)


def _tensor_problem(tensor: Any) -> str:
    last = tensor.storage_offset() + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride()))
    room = tensor.untyped_storage().nbytes()
    if tensor.numel() and not 0 <= last * tensor.element_size() <= room - tensor.element_size():
        return f"a tensor reaches to element {last} of a storage of {room} bytes"
    if tensor.numel() != math.prod(tensor.shape):
        return f"a tensor of shape {tuple(tensor.shape)} counts {tensor.numel()} elements"
    if tensor.numel() < 100_000:
        tensor.detach().clone().tolist()
    return ""
