"""Sample inputs of every op: derived from its schema, and one line below where that does not tell enough.

A line is `"op": S(arguments…)`, with T(shape) for a tensor of the dtype under test, L, B, F for int64, bool and
float ones of fixed values. A line of a list of samples tests several.
"""

import random

import flambeau as fb
from schemas import Schema


class T:
    """A tensor of the dtype under test, of values drawn from [low, high]; integers from 1 to 5."""

    def __init__(self, *shape, low=0.1, high=0.9, grad=True, whole=False):
        self.shape, self.low, self.high, self.grad, self.whole = shape, low, high, grad, whole

    def make(self, dtype, rng, shape=None):
        shape = self.shape if shape is None else shape
        count = 1
        for size in shape:
            count *= size
        if dtype == fb.bool:
            values = [rng.random() < 0.5 for _ in range(count)]
        elif self.whole or not (dtype.is_floating_point or dtype.is_complex):
            values = [rng.randint(1, 5) for _ in range(count)]
        elif dtype.is_complex:
            values = [complex(rng.uniform(self.low, self.high), rng.uniform(self.low, self.high))
                      for _ in range(count)]
        else:
            values = [rng.uniform(self.low, self.high) for _ in range(count)]
        return fb.tensor(values, dtype=dtype).reshape(list(shape))


class Spd(T):
    """A symmetric positive definite matrix."""

    def make(self, dtype, rng, shape=None):
        a = super().make(dtype, rng)
        return a @ a.mT + fb.eye(self.shape[-1], dtype=dtype) * 2


class Fixed:
    """A tensor of fixed values and dtype, which no dtype under test changes."""

    def __init__(self, values, dtype):
        self.values, self.dtype = values, dtype

    def make(self, dtype, rng, shape=None):
        return fb.tensor(self.values, dtype=self.dtype)


def L(*values):
    return Fixed(list(values), fb.int64)


def B(*values):
    return Fixed(list(values), fb.bool)


def F(*values):
    return Fixed(list(values), fb.float32)


class S:
    """Arguments of one call. `without`: checks that do not hold for the op, each with its reason."""

    def __init__(self, *args, without=None, ref=None, **kwargs):
        self.args, self.kwargs, self.without, self.ref = args, kwargs, without or {}, ref
        self.derived = False

    def make(self, dtype, seed=0, shape=None, change=None):
        """Positional and keyword arguments; `change` is applied to every tensor of the dtype under test."""
        rng = random.Random(seed)

        def build(value):
            if isinstance(value, (T, Fixed)):
                large = shape if isinstance(value, T) and shape is not None else None
                made = value.make(dtype, rng, large)
                return change(made, value) if change and isinstance(value, T) else made
            if isinstance(value, (list, tuple)):
                return type(value)(build(v) for v in value)
            return value

        return [build(v) for v in self.args], {k: build(v) for k, v in self.kwargs.items()}


UNSET = {"values": "memory that no one has written"}
DRAWN = {"values": "random numbers", "grad": "random numbers", "strides": "drawn in memory order",
         "half": "other numbers are drawn for other dtypes"}
FACTORS = {"grad": "its inputs belong together: random ones make it no gradient of anything",
           "half": "it is computed from values of other calls"}
NORMALIZED = {"grad": "its gradient is that of probabilities that sum to 1"}
ONCE = {"gradgrad": "has no second derivative"}
CAST = {"half": "its result has the dtype that its arguments name"}
WHOLE_STORAGE = {"strides": "asks for the strides of its input"}

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
    "upsample_bicubic2d": S(T(1, 2, 3, 4), [5, 2], False),
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

RANDOM = {"bernoulli", "binomial", "dropout", "alpha_dropout", "feature_dropout", "native_dropout", "_dropout", "rand",
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
