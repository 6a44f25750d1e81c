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

LOOSER = {"polygamma": 1e-9}  # PyTorch's own distance from the exact value

# Ops that PyTorch's functions of the same name wrap under other signatures.
OTHER_FORM = {"adaptive_max_pool2d": "gives indices on request only",
              "adaptive_max_pool3d": "gives indices on request only",
              "fractional_max_pool2d": "takes a ratio where the samples are",
              "fractional_max_pool3d": "takes a ratio where the samples are",
              "max_unpool2d": "takes a kernel size", "max_unpool3d": "takes a kernel size",
              "tensordot": "takes one `dims`"}


def pairs(left, right):
    """The matrices that singular vectors or eigenvectors span: unlike their signs or phases, these are unique."""
    count = min(left.shape[-1], right.shape[-1])
    return left.mT[..., :count, :, None] * right.mT.conj()[..., :count, None, :]


# What is unique of factors that are not.
UNIQUE = {"linalg_eigh": lambda values, v: [values, pairs(v, v)], "linalg_svd": lambda u, s, vh: [pairs(u, vh.mH), s],
          "svd": lambda u, s, v: [pairs(u, v), s],
          "linalg_eig": lambda values, v: [values, pairs(v, v)]}


def theirs(schema):
    """PyTorch's public function of an op's flat name."""
    name = schema.name
    places = [torch.Tensor] if schema.parameters[0].name == "self" else [torch.nn.functional]
    if schema.named("reduction"):  # torch holds some losses by other signatures
        places = [torch.nn.functional]
    else:
        places = [torch, *places]
    modules = [("linalg_", torch.linalg), ("special_", torch.special), ("fft_", torch.fft), *[("", p) for p in places]]
    for prefix, module in modules:
        if name.startswith(prefix) and callable(found := getattr(module, name.removeprefix(prefix), None)):
            return found
    return None


def converted(value):
    if isinstance(value, fb.Tensor):
        dtype = getattr(torch, str(value.dtype).removeprefix("torch."))
        return torch.tensor(value.tolist(), dtype=dtype).reshape(tuple(value.shape))
    if isinstance(value, (list, tuple)):
        return type(value)(converted(v) for v in value)
    return getattr(torch, str(value).removeprefix("torch.")) if isinstance(value, fb.dtype) else value


def flat(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("dtype", [fb.float64, fb.int64], ids=str)
@pytest.mark.parametrize("row, sample", CASES)
def test_same_as_pytorch(row, sample, dtype):
    if row["name"] in OTHER_FORM:
        pytest.skip("PyTorch's function " + OTHER_FORM[row["name"]])
    function = theirs(parse(row["schema"]))
    if function is None or "values" in sample.without:
        pytest.skip("no counterpart, or no fixed values")
    if "ties" in sample.without and dtype == fb.int64:
        pytest.skip(sample.without["ties"])
    args, kwargs = sample.make(dtype)
    try:
        wanted = flat(function(*converted(args), **{k: converted(v) for k, v in kwargs.items()}))
    except TypeError:
        pytest.skip("PyTorch's public function takes other arguments")
    except NotImplementedError:
        pytest.skip("PyTorch has no kernel for this dtype")
    except (RuntimeError, ValueError, IndexError):
        with pytest.raises((RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)):
            getattr(_C, row["name"])(*args, **kwargs)
        return
    found = flat(getattr(_C, row["name"])(*args, **kwargs))
    assert [(str(f.dtype), tuple(f.shape)) for f in found] == [(str(w.dtype), tuple(w.shape)) for w in wanted]
    if unique := UNIQUE.get(row["name"]):
        found, wanted = unique(*found), unique(*wanted)
    for f, w in zip(found, wanted, strict=True):
        single = w.dtype in (torch.float32, torch.complex64)      # what integers give: both round there
        rtol, atol = (2e-5, 2e-6) if single else (LOOSER.get(row["name"], 1e-10), 1e-12)
        torch.testing.assert_close(converted(f), w, rtol=rtol, atol=atol, equal_nan=True)
