"""Recurrent cells: one step of a recurrent layer."""

from __future__ import annotations

import math

from ... import _C
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["RNNCellBase", "RNNCell", "LSTMCell", "GRUCell"]


class RNNCellBase(Module):
    """The weights of a cell: `num_chunks` gates."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        shapes = {
            "weight_ih": (num_chunks * hidden_size, input_size),
            "weight_hh": (num_chunks * hidden_size, hidden_size),
            "bias_ih": (num_chunks * hidden_size,),
            "bias_hh": (num_chunks * hidden_size,),
        }
        for name, shape in shapes.items():
            exists = bias or name.startswith("weight")
            self.register_parameter(
                name, Parameter(_C.empty(shape, device=device, dtype=dtype)) if exists else None
            )
        self.reset_parameters()

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def reset_parameters(self):
        """Draw all weights from U(−1/√hidden_size, 1/√hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _check(self, input, *states):
        if input.dim() not in (1, 2):
            raise ValueError(f"{self._get_name()}: the input must be a vector of features or a batch of "
                             f"them, it has {input.dim()} dims")
        for place, state in enumerate(states):
            if state is not None and state.dim() not in (1, 2):
                name = f"hx[{place}]" if len(states) > 1 else "hidden"
                raise ValueError(
                    f"{self._get_name()}: {name} must be a vector or a batch of them, it has {state.dim()} "
                    "dims"
                )

    def _batched(self, input, state):
        """(input and state with a batch dimension, whether it was added)."""
        single = input.dim() == 1
        batch = input.unsqueeze(0) if single else input
        if state is None:
            return (
                batch,
                _C.zeros(batch.size(0), self.hidden_size, dtype=input.dtype, device=input.device),
                single,
            )
        return batch, state.unsqueeze(0) if single else state, single


class RNNCell(RNNCellBase):
    """One step of RNN. Shapes: (N, F), (N, H) → (N, H), or all without N."""

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        self._check(input, hx)
        batch, state, single = self._batched(input, hx)
        cells = {"tanh": _C.rnn_tanh_cell, "relu": _C.rnn_relu_cell}
        if self.nonlinearity not in cells:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        result = cells[self.nonlinearity](
            batch, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        return result.squeeze(0) if single else result


class GRUCell(RNNCellBase):
    """One step of GRU. Shapes: (N, F), (N, H) → (N, H), or all without N."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        self._check(input, hx)
        batch, state, single = self._batched(input, hx)
        result = _C.gru_cell(batch, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return result.squeeze(0) if single else result


class LSTMCell(RNNCellBase):
    """One step of LSTM. Shapes: (N, F), ((N, H), (N, H)) → ((N, H), (N, H)), or all without N."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        self._check(input, *(hx if hx is not None else (None, None)))
        batch, h, single = self._batched(input, None if hx is None else hx[0])
        _, c, _ = self._batched(input, None if hx is None else hx[1])
        h, c = _C.lstm_cell(batch, (h, c), self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (h.squeeze(0), c.squeeze(0)) if single else (h, c)
