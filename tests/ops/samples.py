"""Sample inputs of every op: derived from its schema, and one line below where that does not tell enough.

A line is `"op": S(arguments…)`, with T(shape) for a tensor of the dtype under test, L, B, F for int64, bool and
float ones of fixed values. A line of a list of samples tests several.
"""

import flambeau as fb
from sample_values import B, F, Fixed, L, S, Spd, Spread, T
from schemas import Schema

ONE_TRIANGLE = {"grad": "one triangle stands for both: tests/linalg differentiates symmetric inputs"}
FACTORED = {"grad": "its factors serve the backward pass; the op that calls it is checked"}
SWAPS = Fixed([1, 3, 3], fb.int32)

UNSET = {"values": "memory that no one has written"}
DRAWN = {"values": "random numbers", "grad": "random numbers", "strides": "drawn in memory order",
         "half": "other numbers are drawn for other dtypes"}
FACTORS = {"grad": "its inputs belong together: random ones make it no gradient of anything",
           "half": "it is computed from values of other calls"}
NORMALIZED = {"grad": "its gradient is that of probabilities that sum to 1"}
ONCE = {"gradgrad": "has no second derivative"}
CAST = {"half": "its result has the dtype that its arguments name"}
WHOLE_STORAGE = {"strides": "asks for the strides of its input"}

UPDATE = {"values": "the optimizers' tests compare it with its formula", "half": "it moves its inputs"}
UNDERIVED = {"grad": "steps have no derivative"}
OF_COMPLEX = {"grad": "a function of complex numbers"}

POOLS = ("max_pool", "avg_pool", "adaptive_max_pool", "adaptive_avg_pool")
CELLS = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3}


def rnn_weights(gates):
    """Weights and biases of one layer from 4 to 5 features."""
    return [T(5 * gates, 4), T(5 * gates, 5), T(5 * gates), T(5 * gates)]


STEP = [[Fixed(1.0, fb.float32)]]
COMMON = {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-8}
BETAS = {"beta1": 0.9, "beta2": 0.99}
UPDATES = {  # the number of lists of tensors, the steps taken, and numbers
    "fused_sgd_": (3, [], {"lr": 0.1, "momentum": 0.9}),
    "fused_zero_": (1, [], {}),
    "fused_adam_": (5, STEP, COMMON | BETAS),
    "fused_adagrad_": (3, STEP, COMMON | {"lr_decay": 0.1}),
    "fused_rmsprop_": (5, STEP, COMMON | {"alpha": 0.9, "momentum": 0.9}),
    "fused_adadelta_": (4, STEP, COMMON | {"rho": 0.9}),
    "fused_adamax_": (4, STEP, COMMON | BETAS),
    "fused_nadam_": (4, [[Fixed(0.9, fb.float32)], *STEP], COMMON | BETAS | {"momentum_decay": 0.01}),
    "fused_radam_": (4, STEP, COMMON | BETAS),
    "fused_asgd_": (3, [[Fixed(1.0, fb.float32)], [Fixed(0.1, fb.float32)], *STEP],
                    {"lr": 0.1, "weight_decay": 0.1, "lambd": 1e-4, "alpha": 0.75, "t0": 10.0}),
    "fused_rprop_": (4, STEP, {"etaminus": 0.5, "etaplus": 1.2, "step_size_min": 1e-6, "step_size_max": 50.0}),
}

SAMPLES = {
    # views and shapes
    "transpose": S(T(3, 4), 0, 1),
    "permute": S(T(3, 4), [1, 0]),
    "select": S(T(3, 4), 1, 2),
    "slice": S(T(3, 4), 1, 0, 4, 2),
    "narrow": S(T(3, 4), 1, 1, 2),
    "expand": S(T(3, 1), [2, 3, 4]),
    "view": S(T(3, 4), [2, 6], without=WHOLE_STORAGE),
    "reshape": S(T(3, 4), [2, 6]),
    "squeeze": S(T(3, 1)),
    "squeeze.dim": S(T(3, 1), [1]),
    "as_strided": S(T(12), [2, 3], [3, 1], 1, without=WHOLE_STORAGE),
    "_embed": S(T(3, 2), 1, 1, 2, 5),
    "_overwrite": None,
    "_as_strided": S(T(12), [2, 3], [3, 1], 1, [1], 0, without=WHOLE_STORAGE),
    "view.dtype": S(T(3, 4), fb.uint8, without={"values": "the bytes of its input", **WHOLE_STORAGE}),
    "view_as_complex": S(T(3, 2), without=WHOLE_STORAGE),
    "as_strided_": S(T(12), [2, 3], [3, 1], 1, without=WHOLE_STORAGE),
    "_strided_add": S(T(2, 3), 12, [3, 1], 1),
    "as_strided_scatter": S(T(12), T(2, 3), [2, 3], [3, 1], 1, without=WHOLE_STORAGE),
    "select_scatter": S(T(3, 4), T(3), 1, 2),
    "diagonal_scatter": S(T(3, 4), T(3)),
    "_embed_diagonal": S(T(3), [3, 4], 0, 0, 1),
    "movedim": S(T(2, 3, 4), [0], [2]),
    "moveaxis": S(T(2, 3, 4), [0], [2]),
    "unflatten": S(T(3, 4), 1, [2, 2]),
    "roll": S(T(3, 4), [1], [0]),
    "split": S(T(3, 4), 2, 1),
    "split.sizes": S(T(3, 4), [1, 3], 1),
    "split.keyword": S(T(3, 4), [1, 3], 1),
    "split_with_sizes": S(T(3, 4), [1, 3], 1),
    "unsafe_split_with_sizes": S(T(3, 4), [1, 3], 1),
    "tensor_split": S(T(3, 4), 2, 1),
    "tensor_split.indices": S(T(3, 4), [1, 2], 1),
    "tensor_split.tensor": S(T(3, 4), L(1, 2), 1),
    "dsplit": S(T(2, 3, 4), 2),
    "dsplit.indices": S(T(2, 3, 4), [1, 3]),
    "meshgrid": S([T(2), T(3)], indexing="ij"),
    "cartesian_prod": S([T(2), T(3)]),
    "combinations": S(T(4)),
    "vander": S(T(4)),
    "repeat_interleave.self_Tensor": S(T(3, 4), L(1, 0, 2), 0),
    "repeat_interleave.Tensor": S(L(1, 0, 2)),
    "pixel_shuffle": S(T(1, 4, 2, 2), 2),
    "pixel_unshuffle": S(T(1, 1, 4, 4), 2),
    "channel_shuffle": S(T(1, 4, 2, 2), 2),
    # products
    "mm": S(T(3, 4), T(4, 2)),
    "bmm": S(T(2, 3, 4), T(2, 4, 2)),
    "_matmul": S(T(3, 4), T(4, 2)),
    "matmul": [S(T(3, 4), T(4, 2)), S(T(4), T(4)), S(T(2, 1, 3, 4), T(5, 4, 2)), S(T(3, 4), T(4))],
    "mv": S(T(3, 4), T(4)),
    "dot": S(T(4), T(4)),
    "vdot": S(T(4), T(4)),
    "bilinear": S(T(3, 2), T(3, 4), T(5, 2, 4), T(5)),
    "addmm": S(T(3, 2), T(3, 4), T(4, 2)),
    "addmv": S(T(3), T(3, 4), T(4)),
    "addr": S(T(3, 4), T(3), T(4)),
    "baddbmm": S(T(2, 3, 2), T(2, 3, 4), T(2, 4, 2)),
    "addbmm": S(T(3, 2), T(2, 3, 4), T(2, 4, 2)),
    "linear": S(T(3, 4), T(2, 4), T(2)),
    # statistics and normalization
    "_fused_rms_norm": S(T(3, 4), [4], T(4), 1e-5),
    "conj_physical": S(T(3, 4), without={"version": "a real tensor is its own conjugate, and nothing is written"}),
    "_variance": S(T(3, 4), [1], 1.0, False, False),
    "_variance_mean": S(T(3, 4), [1], 1.0, False, False),
    "_norm_one": S(T(3, 4), [1], False),
    "_norm_two": S(T(3, 4), [1], False),
    "_norm_largest": S(T(3, 4), [1], False),
    "_norm_smallest": S(T(3, 4), [1], False),
    "native_layer_norm": S(T(3, 4), [4], T(4), T(4), 1e-5),
    "_lstm_steps": S(T(4, 8), T(2, 2), T(2, 2), T(8, 2), False),
    "_lstm_steps_backward": S(T(4, 2), T(4, 2), T(4, 8), T(2, 2), T(2, 2), T(8, 2), T(4, 2), T(4, 2), T(4, 8),
                              False, True),
    "_cdist_backward": S(T(3, 4), T(3, 2), T(4, 2), 3.0, T(3, 4), without=FACTORS),
    "_causal_softmax": S(T(2, 3, 4)),
    "_fused_attention": [S(T(2, 3, 4), T(2, 5, 4), T(2, 5, 2), None, False, 0.5),
                         S(T(2, 3, 4), T(2, 3, 4), T(2, 3, 4), T(3, 3, grad=False), True, 0.3)],
    "_fused_attention_backward": S(T(3, 2), T(3, 4), T(5, 4), T(5, 2), None, T(3, 2), T(3), False, 0.5,
                                   without=FACTORS),
    "_gru_steps": S(T(4, 6), T(2, 2), T(6, 2), T(6), False),
    "_gru_steps_backward": S(T(4, 2), T(4, 8), T(2, 2), T(6, 2), T(4, 2), T(4, 8), False, True),
    "_rnn_steps": S(T(4, 2), T(2, 2), T(2, 2), False, False),
    "_rnn_steps_backward": S(T(4, 2), T(2, 2), T(2, 2), T(4, 2), False, False, True),
    "_layer_norm_backward": S(T(3, 4), T(3, 4), [4], T(3, 1), T(3, 1), T(4), 1e-5, 7, without=FACTORS),
    "_fused_rms_norm_backward": S(T(3, 4), T(3, 4), [4], T(3, 1), T(4), 1e-5, 3, without=FACTORS),
    "native_batch_norm": S(T(3, 4), T(4), T(4), None, None, True, 0.1, 1e-5),
    "_batch_norm_backward": S(T(3, 4), T(3, 4), T(4), T(4), T(4), True, 1e-5, 7, without=FACTORS),
    "batch_norm": S(T(3, 4), T(4), T(4), None, None, True, 0.1, 1e-5, False),
    "instance_norm": S(T(2, 3, 4), T(3), T(3), None, None, True, 0.1, 1e-5, False),
    "_group_norm": S(T(2, 4, 3), 2, T(4), T(4), 1e-5),
    "_group_norm_backward": S(T(2, 4, 3), T(2, 4, 3), 2, T(2, 2), T(2, 2), T(4), 1e-5, 7, without=FACTORS),
    "native_dropout_backward": S(T(2, 2), B([True, False], [False, True]), 2.0),
    "_softmax_backward_data": S(T(3, 4), T(3, 4), 1, fb.float64, without=FACTORS | CAST),
    "_log_softmax_backward_data": S(T(3, 4), T(3, 4), 1, fb.float64, without=FACTORS | CAST),
    "prelu": S(T(3, 4, low=-0.9), T(1)),
    "clamp": [S(T(3, 4), T(3, 4), T(3, 4)), S(T(3, 4), 0.3, 0.6)],
    # numbers from numbers
    "full": S([3, 4], 2.5),
    "arange": S(5),
    "arange.start": S(1, 9, 2),
    "range": S(1, 4),
    "linspace": S(0.0, 1.0, 5),
    "logspace": S(0.0, 1.0, 5),
    "eye": S(3),
    "empty": S([3, 4], without=UNSET),
    "empty_like": S(T(3, 4), without=UNSET),
    "empty_strided": S([3, 4], [4, 1], without=UNSET),
    "new_empty": S(T(3, 4), [2, 2], without=UNSET),
    "new_empty_strided": S(T(3, 4), [2, 2], [2, 1], without=UNSET),
    # copies
    "copy": S(T(3, 4), T(3, 4)),
    "where": S(B([True, False, True, False]), T(3, 4), T(3, 4)),
    "where.condition": S(B(True, False, True)),
    "put": S(T(3, 4), L(0, 5, 2), T(3)),
    "bucketize": S(T(3, 4), F(0.2, 0.5, 0.8)),
    "narrow.Tensor": S(T(3, 4), 1, Fixed(1, fb.int64), 2),
    "fill.Tensor": S(T(3, 4), T()),
    "bincount": S(L(0, 2, 2, 1)),
    "quantile": S(T(3, 4), Fixed(0.4, fb.float64), 1),
    "nanquantile": S(T(3, 4), Fixed(0.4, fb.float64), 1),
    "histogram.bins_tensor": S(T(3, 4, grad=False), Fixed([0.0, 0.3, 1.0, 6.0], fb.float64)),
    "_histogramdd_bin_edges": S(T(4, 2, grad=False), [2, 3]),
    "_histogramdd_from_bin_tensors": S(T(4, 2, grad=False), [Fixed([0.0, 0.5, 1.0], fb.float64)] * 2),
    "gradient.points": S(T(4), spacing=[Fixed([0.0, 1.0, 2.5, 3.0], fb.float64)]),
    "gradient.numbers": S(T(4), spacing=[0.5]),
    "tensordot": S(T(3, 4), T(4, 2), [1], [0]),
    "topk": S(T(3, 4), 2, without={"ties": "which of equal elements comes first is not told"}),
    "outer": S(T(3), T(4)),
    "einsum": S("ij,jk->ik", [T(3, 4), T(4, 2)]),
    "linalg_multi_dot": S([T(3, 4), T(4, 2), T(2, 3)]),
    "chain_matmul": S([T(3, 4), T(4, 2), T(2, 3)]),
    "linalg_matrix_power": S(T(3, 3), 3),
    "linalg_cross": S(T(4, 3), T(4, 3)),
    # losses of pairs
    "poisson_nll_loss": S(T(3, 4), T(3, 4), True, False, 1e-8, "mean"),
    "cosine_embedding_loss": S(T(3, 4), T(3, 4), L(1, -1, 1)),
    "soft_margin_loss": S(T(3, 4), T(3, 4, grad=False)),
    "_bce_logit_terms": S(T(3, 4), T(3, 4), T(3, 4, grad=False)),
    "_bce_logit_slope": S(T(3, 4), T(3, 4), T(3, 4), T(3, 4, grad=False)),
    # convolution and pooling
    "convolution": S(T(1, 2, 5), T(3, 2, 2), T(3), [1], [0], [1], False, [0], 1),
    "conv1d": S(T(1, 2, 5), T(3, 2, 2), T(3)),
    "conv1d.padding": S(T(1, 2, 5), T(3, 2, 3), T(3), 1, "same"),
    "conv2d": S(T(1, 2, 4, 5), T(3, 2, 2, 2), T(3)),
    "conv2d.padding": S(T(1, 2, 4, 5), T(3, 2, 3, 3), T(3), 1, "same"),
    "conv3d": S(T(1, 1, 3, 3, 3), T(2, 1, 2, 2, 2), T(2)),
    "conv3d.padding": S(T(1, 1, 3, 3, 3), T(2, 1, 2, 2, 2), T(2), 1, "valid"),
    "conv_transpose1d": S(T(1, 3, 4), T(3, 2, 2), T(2), 2),
    "conv_transpose2d": S(T(1, 2, 3, 3), T(2, 2, 2, 2), T(2), 2),
    "conv_transpose3d": S(T(1, 1, 2, 2, 2), T(1, 2, 2, 2, 2), T(2)),
    "conv_tbc": S(T(5, 1, 2), T(2, 2, 3), T(3)),
    "_convolution_data": S(T(1, 3, 4), T(3, 2, 2), None, [1, 2, 5], [1], [0], [1], 1),
    "_convolution_weights": S(T(1, 3, 4), T(1, 2, 5), [3, 2, 2], [1], [0], [1], 1),
    "im2col": S(T(1, 2, 3, 4), [2, 2]),
    "col2im": S(T(1, 8, 6), [3, 4], [2, 2]),
    "_window_max": S(T(1, 2, 6), 1, [2], [2], [0], [1], False),
    "_adaptive_max": S(T(1, 2, 6), [3]),
    "_window_mean": S(T(1, 2, 6), 1, [2], [2], [0], False, True, 0),
    "_window_mean_backward": S(T(1, 2, 3), [1, 2, 6], 1, [2], [2], [0], False, True, 0),
    "_adaptive_mean": S(T(1, 2, 6), [3]),
    "_adaptive_mean_backward": S(T(1, 2, 3), [1, 2, 6], [3]),
    **{f"{name}1d": S(T(1, 2, 6), 2) for name in POOLS},
    **{f"{name}2d": S(T(1, 2, 4, 4), [2, 2]) for name in POOLS},
    **{f"{name}3d": S(T(1, 1, 4, 4, 4), [2, 2, 2]) for name in POOLS},
    **{f"max_pool{n}d_with_indices": S(T(1, 1, *[4] * n), [2] * n) for n in (1, 2, 3)},
    "max_unpool2d": S(T(1, 1, 2, 2), L([[[0, 3], [9, 14]]]), [4, 4]),
    "max_unpool3d": S(T(1, 1, 1, 2, 2), L([[[[0, 3], [9, 14]]]]), [1, 4, 4], [1, 2, 2], [0, 0, 0]),
    # resampling and borders
    **{f"{name}1d": S(T(1, 2, 3), [5]) for name in ("upsample_nearest", "_upsample_nearest_exact")},
    **{f"{name}2d": S(T(1, 2, 3, 3), [5, 4]) for name in ("upsample_nearest", "_upsample_nearest_exact")},
    **{f"{name}3d": S(T(1, 1, 2, 2, 2), [3, 3, 4]) for name in ("upsample_nearest", "_upsample_nearest_exact")},
    "upsample_linear1d": S(T(1, 2, 3), [5], False),
    "upsample_bilinear2d": S(T(1, 2, 3, 3), [5, 4], True),
    "upsample_bicubic2d": S(T(1, 2, 3, 3), [5, 4], False),
    "upsample_trilinear3d": S(T(1, 1, 2, 2, 2), [3, 3, 4], False),
    "_resample": S(T(1, 2, 3), [5], 0, [0.0]),
    "_resample_backward": S(T(1, 2, 5), [1, 2, 3], [5], 0, [0.0]),
    "_border_pad": S(T(1, 2, 4), [1, 2], "reflect"),
    "_border_pad_backward": S(T(1, 2, 7), [1, 2, 4], [1, 2], "reflect"),
    # recurrent layers
    **{f"{name}.input": S(T(3, 2, 4), T(1, 2, 5), rnn_weights(gates), True, 1, 0.0, False, False, False)
       for name, gates in CELLS.items()},
    **{f"{name}.data": S(T(5, 4), L(2, 2, 1), T(1, 2, 5), rnn_weights(gates), True, 1, 0.0, False, False)
       for name, gates in CELLS.items()},
    "lstm.input": S(T(3, 2, 4), [T(1, 2, 5), T(1, 2, 5)], rnn_weights(4), True, 1, 0.0, False, False, False),
    "lstm.data": S(T(5, 4), L(2, 2, 1), [T(1, 2, 5), T(1, 2, 5)], rnn_weights(4), True, 1, 0.0, False, False),
    "rnn_tanh_cell": S(T(2, 4), T(2, 5), *rnn_weights(1)),
    "rnn_relu_cell": S(T(2, 4), T(2, 5), *rnn_weights(1)),
    "gru_cell": S(T(2, 4), T(2, 5), *rnn_weights(3)),
    "lstm_cell": S(T(2, 4), [T(2, 5), T(2, 5)], *rnn_weights(4)),
    # updates of parameters
    **{name: S(*[[T(4, grad=False)] for _ in range(lists)], *steps, without=UPDATE, **numbers)
       for name, (lists, steps, numbers) in UPDATES.items()},
    "fused_scale_": S([T(4, grad=False)], Fixed(0.5, fb.float32), without=UPDATE),
    # derivatives that PyTorch has none of either
    "floor_divide": S(T(3, 4), T(3, 4), without=UNDERIVED),
    "heaviside": S(T(3, 4), T(3, 4), without=UNDERIVED),
    "igamma": S(T(3, 4, grad=False), T(3, 4)),
    "igammac": S(T(3, 4, grad=False), T(3, 4)),
    "_standard_gamma_grad": S(T(3, 4, grad=False), T(3, 4, grad=False)),
    "_dirichlet_grad": S(T(3, 4, grad=False), T(3, 4, grad=False), T(3, 4, low=4, high=5, grad=False)),
    "_conj": S(T(3, 4), without=OF_COMPLEX),
    "_conj_physical": S(T(3, 4), without=OF_COMPLEX),
    "view_as_real": S(T(3, 4), without=OF_COMPLEX),
    # domains
    "acosh": S(T(3, 4, low=1.5, high=3.0)),
    "special_zeta": S(T(3, 4, low=1.5, high=3.0, grad=False), T(3, 4)),
    "mvlgamma": S(T(3, 4, low=2.5, high=4.0), 2),
    "polygamma": S(1, T(3, 4)),
    "polygamma.method": S(T(3, 4), 1),
    "_polygamma": S(T(3, 4), 1),
    # indices and masks
    "_index": S(T(4, 3), [L(0, 2)]),
    "_index_backward": S(T(2, 3), [L(0, 2)], [4, 3]),
    "index_put": S(T(4, 3), [L(0, 2)], T(2, 3)),
    "_put_along": S(T(2, 3), L([0, 1, 0], [1, 0, 1]), 0, 4),
    "_take_along": S(T(2, 3), L([0, 1, 0], [1, 0, 1]), 0),
    "masked_fill": S(T(3, 4), B(True, False, True, False), 2),
    "masked_scatter": S(T(3, 4), B(True, False, True, False), T(12)),
    "masked_select": S(T(3, 4), B(True, False, True, False)),
    "index_add": S(T(3, 4), 0, L(0, 2), T(2, 4)),
    "index_copy": S(T(3, 4), 0, L(0, 2), T(2, 4)),
    "index_fill": S(T(3, 4), 0, L(0, 2), 2),
    "index_fill.tensor": S(T(3, 4), 0, L(0, 2), T()),
    "index_reduce": S(T(3, 4), 0, L(0, 2), T(2, 4), "amax"),
    "index_select": S(T(3, 4), 0, L(0, 2)),
    "embedding_dense_backward": S(T(2, 4), L(0, 2), 3, -1, False),
    "scatter": S(T(3, 4), 0, L([0, 1, 2, 0]), T(1, 4)),
    "scatter.reduce": S(T(3, 4), 0, L([0, 1, 2, 0]), T(1, 4), reduce="add"),
    "scatter.value_reduce": S(T(3, 4), 0, L([0, 1, 2, 0]), 2, reduce="add"),
    "scatter_reduce": S(T(3, 4), 0, L([0, 1, 2, 0]), T(1, 4), "sum"),
    # losses
    "nll_loss_nd": S(T(3, 4), L(0, 3, 1)),
    "_nll_loss_backward": S(T(), L(0, 3, 1), None, "mean", -100, [3, 4]),
    "multi_margin_loss": S(T(3, 4), L(0, 3, 1)),
    "multilabel_margin_loss": S(T(2, 3), L([0, 2, -1], [1, -1, 0]), without=ONCE),
    "_multilabel_margin_backward": S(T(), T(2, 3), L([0, 2, -1], [1, -1, 0]), "mean"),
    "_ctc": S(T(4, 2, 3), L([1, 2], [2, 2]), L([4, 3], [2, 1]), 0, False, without=NORMALIZED),
    "_ctc_backward": None,
    "ctc_loss.Tensor": S(T(4, 2, 3), L([1, 2], [2, 2]), L(4, 3), L(2, 1), without=NORMALIZED),
    "ctc_loss.IntList": S(T(4, 2, 3), L([1, 2], [2, 2]), [4, 3], [2, 1], without=NORMALIZED),
    "_bag_sum": S(T(4, 3), L(0, 3, 1), L(0, 0, 1), None, None, 2),
    "_bag_max": S(T(4, 3), L(0, 3, 1), L(0, 0, 1), 2),
    "embedding_bag": S(T(4, 3), L(0, 3, 1), L(0, 2)),
    "_filter_resample": S(T(1, 2, 3, 4), [5, 2], 0, False, []),
    "_filter_resample_backward": S(T(1, 2, 5, 2), [1, 2, 3, 4], [5, 2], 0, False, []),
    "_upsample_bilinear2d_aa": S(T(1, 2, 3, 4), [5, 2], False),
    "_upsample_bicubic2d_aa": S(T(1, 2, 3, 4), [5, 2], False),
    "_upsample_lanczos2d_aa": S(T(1, 2, 3, 4), [5, 2], False),
    "_upsample_bilinear2d_bytes": S(T(1, 2, 3, 4), [5, 2], False),
    "grid_sampler": S(T(1, 2, 3, 4), T(1, 2, 2, 2), 0, 0, False, without=ONCE),
    "grid_sampler_2d": S(T(1, 2, 3, 4), T(1, 2, 2, 2), 0, 0, False, without=ONCE),
    "grid_sampler_3d": S(T(1, 2, 2, 3, 4), T(1, 2, 2, 2, 3), 0, 0, False, without=ONCE),
    "_grid_sampler_backward": S(T(1, 2, 2, 2), T(1, 2, 3, 4), T(1, 2, 2, 2), 0, 0, False, True),
    "affine_grid_generator": S(T(1, 2, 3), [1, 1, 2, 3], False),
    "_fractional_max": S(T(1, 2, 4, 5), [2, 2], [2, 3], T(1, 2, 2)),
    "fractional_max_pool2d": S(T(1, 2, 4, 5), [2, 2], [2, 3], T(1, 2, 2)),
    "fractional_max_pool3d": S(T(1, 2, 3, 4, 5), [1, 2, 2], [2, 2, 3], T(1, 2, 3)),
    "_pack_padded_sequence": S(T(3, 2, 2), L(3, 1), False),
    "_pad_packed_sequence": S(T(4, 2), L(2, 1, 1), False, 0, -1),
    "norm_except_dim": S(T(3, 4), 2, 0),
    "_weight_norm": S(T(3, 4), T(3, 1), 0),
    "_class_coefficients": S(T(3, 4), L(0, 3, 1), None, "mean", -100, 0.0),
    "_cross_entropy_indices": S(T(3, 4), L(0, 3, 1), None, "mean", -100, 0.1),
    "_cross_entropy_backward": S(T(), T(3, 4), L(0, 3, 1), None, "mean", -100, 0.1),
    "smooth_l1_loss_backward": S(T(), T(3, 4), T(3, 4), "mean", 1.0),
    "huber_loss_backward": S(T(), T(3, 4), T(3, 4), "mean", 1.0),
    "soft_margin_loss_backward": S(T(), T(3, 4), T(3, 4), "mean"),
    "_l1_loss": S(T(3, 4), T(3, 4), "mean"),
    "l1_loss_backward": S(T(), T(3, 4), T(3, 4), "mean"),
    "mse_loss_backward": S(T(), T(3, 4), T(3, 4), "mean"),
    # matrices
    "linalg_cholesky_ex": S(Spd(3, 3), without=ONE_TRIANGLE),
    "linalg_cholesky": S(Spd(3, 3), without=ONE_TRIANGLE),
    "cholesky": S(Spd(3, 3), without=ONE_TRIANGLE),
    "_pivots_to_order": S(SWAPS, 3),
    "linalg_lu_factor_ex": [S(Spread(3, 3)), S(T(3, 4)), S(T(4, 3))],
    "linalg_lu_factor": S(T(3, 3)),
    "_lu_with_info": S(T(3, 3)),
    "linalg_lu": [S(T(3, 3)), S(T(2, 4)), S(T(4, 2))],
    "lu_unpack": S(T(3, 3), SWAPS),
    "linalg_ldl_factor_ex": S(Spd(3, 3)),
    "linalg_ldl_factor": S(Spd(3, 3)),
    "linalg_ldl_solve": S(Spread(3, 3), Fixed([1, 2, 3], fb.int32), T(3, 2)),
    "linalg_solve_triangular": [S(Spread(3, 3), T(3, 2), upper=True), S(Spread(2, 2), T(3, 2), upper=False, left=False),
                                S(Spread(3, 3), T(3, 2), upper=False, unitriangular=True)],
    "triangular_solve": S(T(3, 2), Spread(3, 3), True, True),
    "_linalg_solve_ex": S(Spread(3, 3), T(3, 2), without=FACTORED),
    "linalg_solve_ex": S(Spread(3, 3), T(3)),
    "linalg_solve": [S(Spread(3, 3), T(3, 2)), S(Spread(2, 2), T(3, 2), left=False)],
    "linalg_inv_ex": S(Spread(3, 3)),
    "linalg_inv": S(Spread(3, 3)),
    "inverse": S(Spread(3, 3)),
    "linalg_lu_solve": [S(Spread(3, 3), SWAPS, T(3, 2)), S(Spread(3, 3), SWAPS, T(2, 3), left=False, adjoint=True),
                        S(Spread(3, 3), SWAPS, T(3, 2), adjoint=True), S(Spread(3, 3), SWAPS, T(2, 3), left=False)],
    "lu_solve": S(T(3, 2), Spread(3, 3), SWAPS),
    "cholesky_solve": S(T(3, 2), Spread(3, 3), without=ONE_TRIANGLE),
    "cholesky_inverse": S(Spread(3, 3), without=ONE_TRIANGLE),
    "_linalg_det": S(Spread(3, 3), without=FACTORED),
    "linalg_det": S(Spread(3, 3)),
    "det": S(Spread(3, 3)),
    "_linalg_slogdet": S(Spread(3, 3), without=FACTORED),
    "linalg_slogdet": S(Spread(3, 3)),
    "slogdet": S(Spread(3, 3)),
    "logdet": S(Spread(3, 3)),
    "linalg_qr": [S(T(4, 3)), S(T(3, 4)), S(T(3, 3), "complete")],
    "linalg_householder_product": S(T(4, 3), T(3)),
    "orgqr": S(T(4, 3), T(3)),
    "ormqr": [S(T(4, 3), T(3), T(4, 2)), S(T(4, 3), T(3), T(2, 4), False, True)],
    "_linalg_eigh": S(Spd(3, 3), without=ONE_TRIANGLE),
    "linalg_eigh": S(Spd(3, 3), without=ONE_TRIANGLE),
    "linalg_eigvalsh": S(Spd(3, 3), without=ONE_TRIANGLE),
    "linalg_eig": S(Spread(3, 3), without={"grad": "known up to a phase: tests/linalg differentiates what is not"}),
    "linalg_eigvals": S(Spread(3, 3)),
    "_linalg_eigvals": S(Spread(3, 3)),
    "_linalg_svd": [S(T(3, 4)), S(T(4, 3))],
    "linalg_svd": S(T(3, 3)),
    "svd": S(T(3, 4)),
    "_linalg_pinv": [S(T(3, 4), None, None, False), S(T(4, 3), None, None, False)],
    "linalg_pinv.rcond": S(T(3, 4), 1e-3),
    "linalg_matrix_rank.tol": S(T(3, 4), 0.1),
    "_linalg_lstsq": S(T(4, 3), T(4, 2), None, "gelsd", without=FACTORED),
    "linalg_lstsq": [S(T(4, 3), T(4, 2)), S(T(3, 4), T(3)), S(T(4, 3), T(4), driver="gels")],
    "linalg_matrix_norm": [S(T(3, 4), p) for p in (1, -2, 2)],
    "linalg_matrix_norm.str_ord": S(T(3, 4)),
    "linalg_norm.ord_str": S(T(3, 4), "nuc"),
    "nuclear_norm.dim": S(T(3, 4), [0, 1]),
    "linalg_cond": [S(Spread(3, 3)), S(Spread(3, 3), 1)],
    "linalg_cond.p_str": S(Spread(3, 3), "fro"),
    "linalg_matrix_exp": S(T(3, 3)),
    "matrix_exp": S(T(3, 3)),
    "linalg_tensorinv": S(T(2, 2, 4)),
    "linalg_tensorsolve": S(T(2, 2, 4), T(2, 2)),
    "linalg_matmul": S(T(3, 4), T(4, 2)),
    # Fourier transforms
    "_fft_c2c": S(T(3, 4), [0, 1], 0.5, True, without=OF_COMPLEX),
    "_fft_r2c": [S(T(3, 5), 1, 0.5, True, True), S(T(4, 3), 0, 1.0, False, True), S(T(3, 4), 1, 1.0, True, False)],
    "_fft_c2r": S(T(3, 3), 1, 5, 1.0, True, without=OF_COMPLEX),
    **{f"fft_{name}": S(T(3, 4)) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
    **{f"fft_{name}{n}": S(T(3, 4)) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft") for n in "2n"},
    "stft": S(T(20), 8, return_complex=True),
    "istft": S(T(5, 6), 8, without=OF_COMPLEX),
    # random numbers
    "multinomial": S(T(3, 4, grad=False), 2, without=DRAWN),
    "normal.size": S(0.0, 1.0, [3, 4], without=DRAWN),
    "randint": S(9, [3, 4], without=DRAWN),
    "randint.low": S(2, 9, [3, 4], without=DRAWN),
    "randint_like": S(T(3, 4), 9, without=DRAWN),
    "randint_like.low": S(T(3, 4), 2, 9, without=DRAWN),
    "random_.from": S(T(3, 4), 2, 9, without=DRAWN),
    "random_.to": S(T(3, 4), 9, without=DRAWN),
    "randperm": S(5, without=DRAWN),
}

# Ops that need no example: their memory is uninitialised, or another op's words explain them.
UNSHOWN = {"upsample_bicubic2d", "grid_sampler_2d", "grid_sampler_3d", "fractional_max_pool2d", "fractional_max_pool3d",
           "new_empty", "new_empty_strided", "new_zeros", "new_ones", "new_full", "empty", "empty_like",
           "empty_strided", "slice", "alias", "native_layer_norm", "native_batch_norm",
           "rand_like", "randn_like", "randint_like"}

# Ops that public functions and modules wrap, whose words explain them.
BEHIND = {*UPDATES, "fused_scale_", "lstm", "lstm_cell", "gru", "gru_cell", "rnn_tanh", "rnn_tanh_cell", "rnn_relu",
          "rnn_relu_cell", "max_unpool2d", "max_unpool3d", "tensordot", "upsample_nearest1d", "upsample_nearest2d",
          "upsample_nearest3d", "upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d",
          *(f"max_pool{n}d_with_indices" for n in (1, 2, 3))}

RANDOM = {"bernoulli", "binomial", "dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout",
          "native_dropout", "_dropout", "rand",
          "randn", "rand_like", "randn_like", "normal", "poisson", "multinomial", "rrelu"}


def default(schema: Schema, kind: str):
    """Arguments that the schema alone tells, or None."""
    args, kwargs = [], {}
    dims = 0
    for parameter in schema.parameters:
        if not parameter.required:
            if parameter.default is None and not parameter.keyword_only:
                args.append(None)
            continue
        name, type_ = parameter.name, parameter.type
        if type_.startswith("Tensor"):
            value = [T(3, 4), T(3, 4)] if type_.endswith("[]") else T(3, 4)
            if type_ == "Tensor?[]":
                return None
            if name in ("mask", "condition"):
                value = B(True, False, True, False)
            if name == "index" or name.endswith("indices"):
                value = L([0, 1, 0, 2], [2, 1, 0, 1], [0, 0, 1, 1])
        elif type_ == "int" and name.startswith("dim"):
            value, dims = dims, dims + 1
        elif type_ == "int[]":
            value = [0] if name.startswith("dim") else [3, 4]
        elif type_ == "dtype":
            value = fb.float64
        else:
            value = {"Scalar": 2, "int": 1, "float": 0.5, "bool": True}.get(type_)
            if value is None:
                return None
        if parameter.keyword_only:
            kwargs[name] = value
        else:
            args.append(value)
    random_op = schema.named("generator") is not None or schema.name.removesuffix("_") in RANDOM
    sample = S(*args, without=DRAWN if random_op else None, **kwargs)
    sample.derived = True
    return sample


def samples_of(schema: Schema, kind: str) -> list[S] | None:
    """The op's samples; None if it needs a line in SAMPLES, an empty list if its line says None."""
    key = schema.key
    if key in SAMPLES:
        found = SAMPLES[key]
        return [] if found is None else found if isinstance(found, list) else [found]
    found = default(schema, kind)
    return None if found is None else [found]
