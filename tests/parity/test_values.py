"""Values, dtypes and shapes of every op against PyTorch's op of the same name; runs where PyTorch is installed."""

import flambeau as fb
import pytest
import samples
from flambeau import _C
from schemas import parse

torch = pytest.importorskip("torch")
if torch is fb:
    pytest.skip("torch is flambeau here", allow_module_level=True)

CASES = [pytest.param(row, sample, id=parse(row["schema"]).key) for row in _C._op_table()
         for sample in samples.samples_of(parse(row["schema"]), row["kind"]) or []
         if not row["name"].startswith("_") and not row["only_in_place"]]


def theirs(name):
    """PyTorch's public function of an op's flat name."""
    # functions of nn.functional first: the top namespace holds some of them by other signatures
    for prefix, module in (("linalg_", torch.linalg), ("special_", torch.special), ("fft_", torch.fft),
                           ("", torch.nn.functional), ("", torch)):
        if name.startswith(prefix) and callable(found := getattr(module, name.removeprefix(prefix), None)):
            return found
    return getattr(torch.Tensor, name, None)


def converted(value):
    if isinstance(value, fb.Tensor):
        return torch.tensor(value.tolist(), dtype=getattr(torch, str(value.dtype).removeprefix("torch.")))
    if isinstance(value, (list, tuple)):
        return type(value)(converted(v) for v in value)
    return getattr(torch, str(value).removeprefix("torch.")) if isinstance(value, fb.dtype) else value


def flat(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("dtype", [fb.float64, fb.int64], ids=str)
@pytest.mark.parametrize("row, sample", CASES)
def test_same_as_pytorch(row, sample, dtype):
    function = theirs(row["name"])
    if function is None or "values" in sample.without:
        pytest.skip("no counterpart, or no fixed values")
    args, kwargs = sample.make(dtype)
    try:
        wanted = flat(function(*converted(args), **{k: converted(v) for k, v in kwargs.items()}))
    except TypeError:
        pytest.skip("PyTorch's public function takes other arguments")
    except (RuntimeError, ValueError, IndexError, NotImplementedError):
        with pytest.raises((RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)):
            getattr(_C, row["name"])(*args, **kwargs)
        return
    found = flat(getattr(_C, row["name"])(*args, **kwargs))
    assert len(found) == len(wanted)
    for f, w in zip(found, wanted, strict=True):
        assert str(f.dtype) == str(w.dtype) and tuple(f.shape) == tuple(w.shape)
        single = w.dtype == torch.float32  # of integers: two functions that both round there
        torch.testing.assert_close(converted(f), w, rtol=2e-5 if single else 1e-10, atol=2e-6 if single else 1e-12,
                                   equal_nan=True)
