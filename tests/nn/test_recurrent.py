"""Recurrent layers against their cells, step by step."""

import flambeau as torch
import pytest
from flambeau import nn

CELLS = {"RNN": nn.RNNCell, "GRU": nn.GRUCell, "LSTM": nn.LSTMCell}


def close(actual, expected, **tolerance):
    torch.testing.assert_close(actual, expected, **tolerance)


def by_steps(layer, x, state, name):
    """The outputs and last states of a layer, (T, N, F) → …, from cells that share its weights."""
    outputs, lasts = x, []
    for k in range(layer.num_layers):
        made = []
        for d in range(2 if layer.bidirectional else 1):
            suffix = f"_l{k}" + ("_reverse" if d else "")
            more = {"nonlinearity": layer.nonlinearity} if name == "RNN" else {}
            cell = CELLS[name](outputs.shape[-1], layer.hidden_size, bias=layer.bias, dtype=x.dtype, **more)
            for p, _ in list(cell.named_parameters()):
                setattr(cell, p, getattr(layer, p + suffix))
            i = len(lasts)
            s = (state[0][i], state[1][i]) if name == "LSTM" else state[i]
            rows = []
            for row in reversed(list(outputs)) if d else outputs:
                s = cell(row, s)
                rows.append(s[0] if name == "LSTM" else s)
            made.append(torch.stack(rows[::-1] if d else rows))
            lasts.append(s)
        outputs = torch.cat(made, -1)
    if name == "LSTM":
        return outputs, (torch.stack([h for h, _ in lasts]), torch.stack([c for _, c in lasts]))
    return outputs, torch.stack(lasts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sizes", [(3, 2, 4, 5), (6, 8, 70, 80)], ids=["small", "packed weights"])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"num_layers": 2}, {"bias": False}], ids=str)
@pytest.mark.parametrize("name,more", [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("GRU", {}), ("LSTM", {})])
def test_layer_and_its_gradients_equal_the_steps(name, more, options, sizes, dtype):
    time, batch, inputs, hidden = sizes
    torch.manual_seed(0)
    layer = getattr(nn, name)(inputs, hidden, dtype=dtype, **more, **options)
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    x = torch.randn(time, batch, inputs, dtype=dtype, requires_grad=True)
    h = torch.randn(count, batch, hidden, dtype=dtype, requires_grad=True)
    state = (h, torch.randn(count, batch, hidden, dtype=dtype)) if name == "LSTM" else h
    wanted = [x, h, *layer.parameters()]
    seed = torch.randn(time, batch, hidden * (2 if layer.bidirectional else 1), dtype=dtype)

    def run(function):
        y, last = function()
        last = last[0] + last[1] if name == "LSTM" else last
        return [y, last, *torch.autograd.grad((y * seed).sum() + last.square().sum(), wanted)]

    tolerance = {"atol": 2e-4, "rtol": 1e-4} if dtype == torch.float32 else {}
    for found, expected in zip(run(lambda: layer(x, state)), run(lambda: by_steps(layer, x, state, name))):
        close(found, expected, **tolerance)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_batch_first_and_packed_sequences_give_the_same_rows(name):
    torch.manual_seed(1)
    layer = getattr(nn, name)(3, 4, num_layers=2, bidirectional=True, batch_first=True, dtype=torch.float64)
    x = torch.randn(3, 5, 3, dtype=torch.float64)
    lengths = [5, 3, 2]
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    padded, _ = nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)
    for row, n in enumerate(lengths):
        close(padded[row, :n], layer(x[row : row + 1, :n])[0][0])
        assert padded[row, n:].eq(0).all()


@pytest.mark.parametrize("name", ["RNN", "GRU"])
def test_second_derivatives(name):
    torch.manual_seed(2)
    layer = getattr(nn, name)(2, 3, dtype=torch.float64)
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda v: layer(v)[0], (x,))
