"""Arrays of NumPy from what users log, and images laid out for display."""
from __future__ import annotations

import math

import numpy as np

import flambeau as fb


def make_np(x):
    """An array of a tensor, an array or a number. Errors: NotImplementedError for anything else."""
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, fb.Tensor):
        x = x.detach()
        return (x.float() if x.dtype == fb.bfloat16 else x).numpy()
    if np.isscalar(x):
        return np.array([x])
    raise NotImplementedError(f"{type(x).__name__} has no numbers to write; give a tensor, an array or a "
                              "number")


def make_grid(images, columns=8):
    """Images side by side, row after row. Shapes: (n, 3 or 1, h, w) → (3, rows · h, columns · w)."""
    if images.shape[1] == 1:
        images = np.repeat(images, 3, 1)
    n, channels, h, w = images.shape
    columns = min(n, columns)
    rows = math.ceil(n / columns)
    canvas = np.zeros((channels, h * rows, w * columns), dtype=images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns * h, i % columns * w
        canvas[:, top:top + h, left:left + w] = image
    return canvas


def to_hwc(array, dataformats):
    """An image or a batch of images as one image (h, w, channels).

    Errors: AssertionError for letters other than NCHW, repeated ones, or another number of them than of dims.
    """
    letters = dataformats.upper()
    if len(set(letters)) != len(letters) or not set(letters) <= set("NCHW"):
        raise AssertionError(f"dataformats names each of N, C, H, W at most once, not {dataformats!r}")
    if len(letters) != array.ndim:
        raise AssertionError(f"the format {dataformats!r} does not name the dims of an array of shape "
                             f"{array.shape}")
    if len(letters) == 4:
        return make_grid(array.transpose([letters.index(c) for c in "NCHW"])).transpose(1, 2, 0)
    if len(letters) == 3:
        image = array.transpose([letters.index(c) for c in "HWC"])
        return np.repeat(image, 3, 2) if image.shape[2] == 1 else image
    plane = array.transpose([letters.index(c) for c in "HW"])
    return np.stack([plane] * 3, 2)


def to_bytes(array):
    """Colours as bytes: those of a uint8 array as they are, others from the range 0 … 1."""
    scale = 1 if array.dtype == np.uint8 else 255
    return (array.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)


def figure_to_image(figures, close=True):
    """Pixels of Matplotlib figures. Shapes: one → (3, h, w), a list → (n, 3, h, w); uint8."""
    from matplotlib.backends import backend_agg

    def render(figure):
        canvas = backend_agg.FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[:, :, :3].transpose(2, 0, 1).copy()
        if close:
            import matplotlib.pyplot as plt
            plt.close(figure)
        return pixels
    return np.stack([render(f) for f in figures]) if isinstance(figures, list) else render(figures)
