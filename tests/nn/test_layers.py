"""Layers against formulas written out with elementary operations."""

import math

import flambeau as torch
import flambeau.nn.functional as F
import pytest
from flambeau import nn


def close(actual, expected, atol=1e-6):
    torch.testing.assert_close(actual, expected, atol=atol, rtol=1e-5)


def test_linear_and_its_default_initialisation():
    torch.manual_seed(0)
    layer = nn.Linear(5, 3)
    x = torch.randn(4, 5)
    close(layer(x), x @ layer.weight.T + layer.bias)
    bound = 1 / math.sqrt(5)
    assert layer.weight.abs().max() <= bound and layer.bias.abs().max() <= bound
    torch.manual_seed(0)
    drawn = torch.empty(3, 5).uniform_(-bound, bound)
    close(layer.weight.detach(), drawn)


def test_batch_norm_uses_the_batch_then_the_running_statistics():
    norm = nn.BatchNorm1d(2, momentum=0.5)
    x = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    close(norm(x), torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), atol=1e-4)
    close(norm.running_mean, torch.tensor([1.0, 10.0]))
    close(norm.running_var, torch.tensor([1.5, 100.5]))
    assert norm.num_batches_tracked == 1
    norm.eval()
    close(norm(x), (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt())
    with pytest.raises(ValueError, match="one value per channel"):
        norm.train()(x[:1])


def test_layer_norm_and_rms_norm():
    x = torch.randn(3, 4)
    mean, var = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    close(nn.LayerNorm(4)(x), (x - mean) / (var + 1e-5).sqrt())
    close(nn.RMSNorm(4, eps=1e-6)(x), x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt())


def test_conv2d_is_unfold_and_matmul():
    conv = nn.Conv2d(2, 3, 3, stride=2, padding=1)
    x = torch.randn(1, 2, 5, 6)
    columns = F.unfold(x, 3, padding=1, stride=2)
    expected = conv.weight.view(3, -1) @ columns + conv.bias.view(1, 3, 1)
    close(conv(x), expected.view(1, 3, 3, 3), atol=1e-5)
    assert repr(conv) == "Conv2d(2, 3, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))"


def test_lstm_step_by_step():
    lstm = nn.LSTM(3, 4)
    cell = nn.LSTMCell(3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in lstm.state_dict().items()})
    x = torch.randn(5, 2, 3)
    state = (torch.zeros(2, 4), torch.zeros(2, 4))
    outputs = []
    for step in x:
        state = cell(step, state)
        outputs.append(state[0])
    out, (h, c) = lstm(x)
    close(out, torch.stack(outputs))
    close(h[0], state[0])
    close(c[0], state[1])


def test_packed_sequences_leave_padding_out():
    gru = nn.GRU(1, 3, bidirectional=True)
    sequences = [torch.randn(n, 1) for n in (2, 4, 3)]
    packed = nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)
    out, hidden = gru(packed)
    padded, lengths = nn.utils.rnn.pad_packed_sequence(out)
    assert lengths.tolist() == [2, 4, 3]
    for i, sequence in enumerate(sequences):
        alone, last = gru(sequence)
        close(padded[: len(sequence), i], alone)
        close(hidden[:, i], last)


def test_attention_of_one_head_is_softmax_of_products():
    attention = nn.MultiheadAttention(4, 1, batch_first=True)
    x = torch.randn(2, 3, 4)
    q, k, v = F.linear(x, attention.in_proj_weight, attention.in_proj_bias).chunk(3, -1)
    weights = (q @ k.transpose(1, 2) / 2).softmax(-1)
    out, given = attention(x, x, x)
    close(given, weights)
    close(out, attention.out_proj(weights @ v), atol=1e-5)
    fast, none = attention(x, x, x, need_weights=False)
    close(fast, out, atol=1e-5)
    assert none is None


def test_embedding_padding_row_gets_no_gradient():
    table = nn.Embedding(4, 2, padding_idx=1)
    assert table.weight[1].tolist() == [0, 0]
    table(torch.tensor([[1, 2], [1, 3]])).sum().backward()
    assert table.weight.grad.sum(1).tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_cross_entropy_is_negative_log_probability(reduction):
    x, y = torch.randn(5, 3), torch.tensor([0, 2, 1, 1, 0])
    each = -x.log_softmax(1)[torch.arange(5), y]
    expected = {"none": each, "mean": each.mean(), "sum": each.sum()}[reduction]
    close(nn.CrossEntropyLoss(reduction=reduction)(x, y), expected)


def test_old_flags_of_losses_warn_and_work():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        loss = nn.MSELoss(size_average=False)
    assert loss(torch.ones(3), torch.zeros(3)) == 3


def test_softmax_without_dim_warns_and_chooses():
    with pytest.warns(UserWarning, match="dim"):
        close(F.softmax(torch.zeros(2, 4)), torch.full((2, 4), 0.25))


def test_lazy_layers_become_ordinary_ones():
    layer = nn.LazyLinear(3)
    assert layer(torch.ones(2, 5)).shape == (2, 3)
    assert type(layer) is nn.Linear and layer.in_features == 5 and type(layer.weight) is nn.Parameter


def test_dropout_scales_in_training_only():
    torch.manual_seed(0)
    layer = nn.Dropout(0.25)
    out = layer(torch.ones(10000))
    assert out.unique().tolist() == pytest.approx([0.0, 4 / 3]) and abs(out.mean() - 1) < 0.05
    x = torch.ones(3)
    assert torch.equal(layer.eval()(x), x)
    with pytest.raises(ValueError):
        nn.Dropout(1.5)
