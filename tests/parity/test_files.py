"""Files written by PyTorch load here and the other way round; runs where PyTorch is installed."""

import io

import flambeau as fb
import pytest

torch = pytest.importorskip("torch")
if torch is fb:
    pytest.skip("torch is flambeau here", allow_module_level=True)

FORMATS = [{}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}]


def send(value, source, target, options, **load_options):
    file = io.BytesIO()
    source.save(value, file, **options)
    file.seek(0)
    return target.load(file, **load_options)


def tensors(lib):
    base = lib.arange(12.0)
    return [base, base.view(3, 4).t(), base[3:9:2], lib.tensor(2), lib.zeros(0, 3), lib.ones(1, 2).expand(3, 2),
            base.bool(), base.to(lib.bfloat16), lib.tensor([1 + 2j]), lib.tensor([1 + 2j]).conj(),
            lib.tensor([1 + 2j]).conj().imag, lib.ones(2, requires_grad=True)]  # fmt: skip


@pytest.mark.parametrize("options", FORMATS)
@pytest.mark.parametrize("source, target", [(torch, fb), (fb, torch)], ids=["from PyTorch", "to PyTorch"])
def test_tensors(source, target, options):
    loaded, expected = send(tensors(source), source, target, options), tensors(target)
    for a, b in zip(loaded, expected, strict=True):
        assert (a.shape, a.dtype, a.requires_grad) == (b.shape, b.dtype, b.requires_grad)
        assert a.tolist() == b.tolist()
    loaded[0][0] = 9
    assert loaded[1][0, 0] == 9


def layers(lib):
    nn = lib.nn
    return nn.ModuleList([
        nn.Linear(2, 3), nn.LSTM(2, 2), nn.MultiheadAttention(4, 2), nn.TransformerEncoderLayer(4, 2, 8),
        nn.GRUCell(2, 2), nn.ParameterList([nn.Parameter(lib.ones(1))]), nn.Sequential(nn.Conv2d(1, 1, 2), nn.GELU()),
    ])  # fmt: skip


@pytest.mark.parametrize("options", FORMATS)
@pytest.mark.parametrize("source, target", [(torch, fb), (fb, torch)], ids=["from PyTorch", "to PyTorch"])
def test_whole_modules(source, target, options):
    model = layers(source)
    loaded = send(model, source, target, options, weights_only=False)
    assert repr(loaded) == repr(layers(target))
    for (name, a), (_, b) in zip(loaded.state_dict().items(), model.state_dict().items(), strict=True):
        assert a.tolist() == b.tolist(), name
    x = [[[1.0, 2.0]]]
    found, expected = loaded[1](target.tensor(x))[0].flatten(), model[1](source.tensor(x))[0].flatten()
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.parametrize("name", ["uint16", "float8_e4m3fn"])
@pytest.mark.parametrize("weights_only", [True, False])
def test_kinds_of_tensors_that_are_missing_here(name, weights_only):
    if isinstance(getattr(fb, name, None), fb.dtype):
        pytest.skip(f"{name} is there")
    value = torch.ones(2).to(getattr(torch, name))
    with pytest.raises(NotImplementedError, match=name):
        send(value, torch, fb, {}, weights_only=weights_only)
