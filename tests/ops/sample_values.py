"""What a line of samples.py is made of: tensors of the dtype under test, of fixed values, and a call's arguments."""

import random

import flambeau as fb


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


class Spread(T):
    """A square matrix with large, distinct numbers on its diagonal: real eigenvalues, a positive determinant."""

    def make(self, dtype, rng, shape=None):
        a = super().make(dtype, rng)
        return a + fb.diag(fb.arange(1, self.shape[-1] + 1)).to(dtype) * 3


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
