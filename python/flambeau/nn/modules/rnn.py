"""Recurrent layers over whole sequences."""

from __future__ import annotations

import math
import numbers
import warnings

from ... import _C
from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

__all__ = ["RNNBase", "RNN", "LSTM", "GRU"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def apply_permutation(tensor, permutation, dim=1):
    """`tensor` with its entries along `dim` in the given order."""
    return tensor.index_select(dim, permutation)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: stacked, optionally bidirectional layers and their weights.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size, hidden_size: features of the input and of the state.
        num_layers: layers stacked on each other.
        bias: whether the two biases of each layer exist.
        batch_first: sequences are (N, T, F) instead of (T, N, F).
        dropout: probability between layers, in training.
        bidirectional: also run backwards and join both results.
        proj_size: LSTM only: size of the projected output, 0 for none.
    """

    __constants__ = [
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]
    __jit_unused_properties__ = ["all_weights"]

    def __init__(
        self,
        mode,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        for name, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, bool):
                raise TypeError(f"{mode}: {name} must be a bool, not {type(flag).__name__}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_options(dropout)
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        directions = 2 if bidirectional else 1
        self._all_weights = [
            self._add_layer(layer, direction, directions, {"device": device, "dtype": dtype})
            for layer in range(num_layers)
            for direction in range(directions)
        ]
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self.reset_parameters()

    def _check_options(self, dropout):
        if not isinstance(dropout, numbers.Number) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
            raise ValueError(f"{self.mode}: dropout is a probability, from 0 to 1; got {dropout!r}")
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                f"{self.mode}: dropout={dropout} acts between layers and has no effect with num_layers=1",
                stacklevel=4,
            )
        for name in ("hidden_size", "num_layers"):
            value = getattr(self, name)
            if name == "hidden_size" and not isinstance(value, int):
                raise TypeError(f"{self.mode}: hidden_size must be an int, not {type(value).__name__}")
            if value <= 0:
                raise ValueError(f"{self.mode}: {name} must be positive, got {value}")
        if self.proj_size < 0:
            raise ValueError(f"{self.mode}: proj_size must not be negative, got {self.proj_size}")
        if self.proj_size >= self.hidden_size:
            raise ValueError(f"{self.mode}: proj_size={self.proj_size} must lie below "
                             f"hidden_size={self.hidden_size}")

    def _add_layer(self, layer, direction, directions, options):
        """Create the weights of one layer and direction; return their names."""
        gates = _GATES[self.mode] * self.hidden_size
        state = self.proj_size or self.hidden_size
        inputs = self.input_size if layer == 0 else state * directions
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        shapes = {"weight_ih": (gates, inputs), "weight_hh": (gates, state)}
        if self.bias:
            shapes.update(bias_ih=(gates,), bias_hh=(gates,))
        if self.proj_size > 0:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(_C.empty(shape, **options)))
        return [name + suffix for name in shapes]

    @property
    def _flat_weights(self):
        return [getattr(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self):
        """The weights, one list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self):
        """Nothing to do on the CPU: the weights are used where they are."""

    def reset_parameters(self):
        """Draw all weights from U(−1/√hidden_size, 1/√hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def __getstate__(self):
        # PyTorch expects it in files of whole modules; here it is computed from the parameters.
        return {**super().__getstate__(), "_flat_weights": self._flat_weights}

    def __setstate__(self, state):
        state = dict(state)
        for name in ("_flat_weights", "_flat_weight_refs"):
            state.pop(name, None)
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)

    def check_input(self, input, batch_sizes):
        """RuntimeError or ValueError if the input does not fit the layer."""
        dtype = self._flat_weights[0].dtype
        if input.dtype != dtype and not _C._autocast_enabled():
            raise ValueError(
                f"{self._get_name()}: the input is {input.dtype} and the weights are {dtype}; convert one, "
                f"with input.to({dtype}) or model.to({input.dtype})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"{self._get_name()}: input_size is {self.input_size}, dim -1 of the input has size "
                f"{input.size(-1)}"
            )

    def get_expected_hidden_size(self, input, batch_sizes):
        """(layers·directions, batch, size of the state)."""
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, self.proj_size or self.hidden_size

    def get_expected_cell_size(self, input, batch_sizes):
        """(layers·directions, batch, hidden_size)."""
        layers, batch, _ = self.get_expected_hidden_size(input, batch_sizes)
        return layers, batch, self.hidden_size

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        """RuntimeError if a state has the wrong size."""
        if tuple(hx.size()) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input, hidden, batch_sizes):
        """Errors for an input or a state that does not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx, permutation):
        """The state with its batch in the given order."""
        return hx if permutation is None else apply_permutation(hx, permutation)

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        ):
            value = getattr(self, name)
            if value != default:
                text += f", {name}={value}"
        return text

    def _zero_state(self, input, batch, size):
        layers = self.num_layers * (2 if self.bidirectional else 1)
        return _C.zeros(layers, batch, size, dtype=input.dtype, device=input.device)

    def _unpack(self, input):
        """(data, batch_sizes, sorted_indices, unsorted_indices, whether the batch dimension was added)."""
        if isinstance(input, PackedSequence):
            return *input, False
        if input.dim() not in (2, 3):
            raise ValueError(f"{self._get_name()}: the input needs a dim of steps and one of features, and "
                             f"may have a batch; it has {input.dim()} dims")
        if input.dim() == 2:
            return input.unsqueeze(0 if self.batch_first else 1), None, None, None, True
        return input, None, None, None, False

    def _call(self, op, data, batch_sizes, hx):
        if batch_sizes is None:
            return op(
                data,
                hx,
                self._flat_weights,
                self.bias,
                self.num_layers,
                self.dropout,
                self.training,
                self.bidirectional,
                self.batch_first,
            )
        return op(
            data,
            batch_sizes,
            hx,
            self._flat_weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
        )


class _OneState(RNNBase):
    """RNN and GRU: the state is one tensor."""

    def forward(self, input, hx=None):
        data, batch_sizes, order, inverse, unbatched = self._unpack(input)
        if batch_sizes is None and hx is not None:
            expected = 2 if unbatched else 3
            if hx.dim() != expected:
                kind = "unbatched 2-D" if unbatched else "batched 3-D"
                raise RuntimeError(
                    f"{self._get_name()}: with {kind} input, hx needs {expected} dims; it has {hx.dim()}"
                )
            if unbatched:
                hx = hx.unsqueeze(1)
        if hx is None:
            _, batch, size = self.get_expected_hidden_size(data, batch_sizes)
            hx = self._zero_state(data, batch, size)
        else:
            hx = self.permute_hidden(hx, order)
        self.check_forward_args(data, hx, batch_sizes)
        output, hidden = self._call(self._op(), data, batch_sizes, hx)
        if batch_sizes is not None:
            return PackedSequence(output, batch_sizes, order, inverse), self.permute_hidden(hidden, inverse)
        if unbatched:
            return output.squeeze(0 if self.batch_first else 1), hidden.squeeze(1)
        return output, hidden


class RNN(_OneState):
    """Elman network h_t = tanh(W_ih x_t + b_ih + W_hh h_(t−1) + b_hh), or with relu.

    Args: as of RNNBase without mode; nonlinearity: "tanh" or "relu".
    Shapes: input (T, N, F), (T, F) or a PackedSequence, state (layers·directions, N, H) →
    output (T, N, directions·H) and the last state.
    """

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("RNN: proj_size is for LSTM only")
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: unknown nonlinearity={self.nonlinearity!r}, choose 'tanh' or 'relu'")
        super().__init__("RNN_TANH" if self.nonlinearity == "tanh" else "RNN_RELU", *args, **kwargs)

    def _op(self):
        return _C.rnn_tanh if self.mode == "RNN_TANH" else _C.rnn_relu


class GRU(_OneState):
    """Gated recurrent unit.

    r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz),
    n = tanh(W_in x + b_in + r·(W_hn h + b_hn)), h ← (1 − z)·n + z·h;
    the rows of the weights stand in the order r, z, n.
    Args: as of RNNBase without mode.
    Shapes: as of RNN.
    Source: Cho et al. 2014.
    """

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("GRU: proj_size is for LSTM only")
        super().__init__("GRU", *args, **kwargs)

    def _op(self):
        return _C.gru


class LSTM(RNNBase):
    """Long short-term memory.

    i, f, o = σ(W x + b + W' h + b'), g = tanh(…), c ← f·c + i·g, h ← o·tanh(c); rows of the weights in the
    order i, f, g, o.
    Args: as of RNNBase without mode.
    Shapes: input (T, N, F), (T, F) or a PackedSequence, states h, c (layers·directions, N, H) →
    output (T, N, directions·H) and the last (h, c).
    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000 for the forget gate.
    """

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def check_forward_args(self, input, hidden, batch_sizes):
        """Errors for an input or states that do not fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(
            hidden[0], self.get_expected_hidden_size(input, batch_sizes), "Expected hidden[0] size {}, got {}"
        )
        self.check_hidden_size(
            hidden[1], self.get_expected_cell_size(input, batch_sizes), "Expected hidden[1] size {}, got {}"
        )

    def permute_hidden(self, hx, permutation):
        """Both states with their batch in the given order."""
        if permutation is None:
            return hx
        return apply_permutation(hx[0], permutation), apply_permutation(hx[1], permutation)

    def forward(self, input, hx=None):
        data, batch_sizes, order, inverse, unbatched = self._unpack(input)
        if batch_sizes is None and hx is not None:
            expected = 2 if unbatched else 3
            if hx[0].dim() != expected or hx[1].dim() != expected:
                kind = "unbatched 2-D" if unbatched else "batched 3-D"
                raise RuntimeError(
                    f"LSTM: with {kind} input, hx and cx need {expected} dims; they have {hx[0].dim()} and "
                    f"{hx[1].dim()}"
                )
            if unbatched:
                hx = (hx[0].unsqueeze(1), hx[1].unsqueeze(1))
        if hx is None:
            _, batch, size = self.get_expected_hidden_size(data, batch_sizes)
            hx = (self._zero_state(data, batch, size), self._zero_state(data, batch, self.hidden_size))
        else:
            hx = self.permute_hidden(hx, order)
        self.check_forward_args(data, hx, batch_sizes)
        output, h, c = self._call(_C.lstm, data, batch_sizes, hx)
        if batch_sizes is not None:
            return PackedSequence(output, batch_sizes, order, inverse), self.permute_hidden((h, c), inverse)
        if unbatched:
            return output.squeeze(0 if self.batch_first else 1), (h.squeeze(1), c.squeeze(1))
        return output, (h, c)
