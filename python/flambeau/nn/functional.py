"""Functions of neural networks: torch.nn.functional's names, collected from one file a family."""
from __future__ import annotations

from .. import _C
from ._functional.activation import *  # noqa: F403
from ._functional.dropout import (alpha_dropout, dropout, dropout1d, dropout2d, dropout3d,  # noqa: F401
                                  feature_alpha_dropout)
from ._functional.loss import (binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss,  # noqa: F401
                               cross_entropy, ctc_loss, gaussian_nll_loss, hinge_embedding_loss, huber_loss, kl_div,
                               l1_loss, margin_ranking_loss, mse_loss, multi_margin_loss, multilabel_margin_loss,
                               multilabel_soft_margin_loss, nll_loss, poisson_nll_loss, smooth_l1_loss,
                               soft_margin_loss, triplet_margin_loss, triplet_margin_with_distance_loss)

linear = _C.linear
bilinear = _C.bilinear
cosine_similarity = _C.cosine_similarity
pairwise_distance = _C.pairwise_distance
pdist = _C.pdist
one_hot = _C.one_hot
