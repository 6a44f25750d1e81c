"""Softmax over very many classes, in clusters of rare ones."""

from __future__ import annotations

from collections import namedtuple

from ... import _C
from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax whose rare classes lie in clusters that share one entry of a small head.

    Args:
        in_features: size of the input vectors.
        n_classes: number of classes, sorted from frequent to rare.
        cutoffs: ends of the clusters, increasing, below n_classes.
        div_value: each cluster's inner size is the last one's divided by this.
        head_bias: whether the head has a bias.
    Shapes: (N, in_features) with target (N), or (in_features) with () → output as the target, loss ().
    Source: Grave et al. 2017.
    """

    def __init__(
        self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None
    ):
        super().__init__()
        cutoffs = list(cutoffs)
        if len(cutoffs) == 0:
            raise ValueError("AdaptiveLogSoftmaxWithLoss: cutoffs is empty, it needs one number at least")
        if (
            cutoffs != sorted(cutoffs)
            or min(cutoffs) <= 0
            or max(cutoffs) > n_classes - 1
            or len(set(cutoffs)) != len(cutoffs)
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "AdaptiveLogSoftmaxWithLoss: cutoffs must be increasing whole numbers from 1 to n_classes - "
                f"1, {n_classes - 1}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        options = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            inner = int(in_features // (div_value ** (i + 1)))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, inner, bias=False, **options),
                    Linear(inner, classes, bias=False, **options),
                )
            )

    def reset_parameters(self):
        """Draw all weights anew."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def _check(self, input, target):
        dim = target.dim()
        if dim == 1:
            if input.size(0) != target.size(0):
                raise RuntimeError(f"AdaptiveLogSoftmaxWithLoss: input holds a batch of {input.size(0)}, "
                                   f"target one of {target.size(0)}")
            if input.dim() != 2:
                raise RuntimeError(
                    f"AdaptiveLogSoftmaxWithLoss: a vector of targets needs a matrix as input, not {input.size()}"
                )
        elif dim == 0:
            if input.dim() != 1:
                raise RuntimeError(
                    f"AdaptiveLogSoftmaxWithLoss: a single target needs a vector as input, not {input.size()}"
                )
        else:
            raise RuntimeError("AdaptiveLogSoftmaxWithLoss: target holds one class per sample and so has at "
                               f"most one dim, not {dim}")

    def forward(self, input, target):
        self._check(input, target)
        batched = target.dim() > 0
        x = input if batched else input.unsqueeze(0)
        y = target if batched else target.unsqueeze(0)
        output = input.new_zeros(x.size(0))
        head_index = y.new_empty(x.size(0))
        used = 0
        for i, (low, high) in enumerate(zip([0, *self.cutoffs], self.cutoffs)):
            rows = ((y >= low) & (y < high)).nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            if i == 0:
                head_index.index_copy_(0, rows, y.index_select(0, rows))
            else:
                scores = self.tail[i - 1](x.index_select(0, rows))
                head_index.index_fill_(0, rows, self.shortlist_size + i - 1)
                inside = y.index_select(0, rows) - low
                local = F.log_softmax(scores, dim=1).gather(1, inside.unsqueeze(1))
                output.index_copy_(0, rows, local.squeeze(1))
            used += rows.numel()
        if used != x.size(0):
            raise RuntimeError(
                f"AdaptiveLogSoftmaxWithLoss: targets are classes, 0 to {self.n_classes - 1}; found "
                f"{y.min().item()} to {y.max().item()}"
            )
        head = F.log_softmax(self.head(x), dim=1)
        output = output + head.gather(1, head_index.unsqueeze(1)).squeeze()
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _full_log_prob(self, input, head):
        """Log-probabilities of all classes, from the head's scores."""
        log_head = F.log_softmax(head, dim=1)
        parts = [log_head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            cluster = log_head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(tail(input), dim=1) + cluster)
        return _C.cat(parts, 1)

    def log_prob(self, input):
        """Log-probabilities of all classes: (N, in_features) → (N, n_classes)."""
        return self._full_log_prob(input, self.head(input))

    def predict(self, input):
        """The most probable class of each row: (N, in_features) → (N)."""
        head = self.head(input)
        best = head.argmax(dim=1)
        in_cluster = best >= self.shortlist_size
        if in_cluster.any():
            # Inside a cluster the head's choice does not settle the class.
            rows = in_cluster.nonzero().squeeze(1)
            full = self._full_log_prob(input.index_select(0, rows), head.index_select(0, rows))
            best = best.index_copy(0, rows, full.argmax(dim=1))
        return best
