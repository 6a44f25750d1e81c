"""The records of TensorBoard's formats, made from numbers, arrays and images."""
from __future__ import annotations

import io
import json
import wave

import numpy as np
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

import flambeau as fb
from flambeau.utils.tensorboard._arrays import make_np, to_bytes, to_hwc


def _shape(*sizes):
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=s) for s in sizes])


def _metadata(plugin, content=b""):
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))


def _one(**fields):
    return Summary(value=[Summary.Value(**fields)])


def scalar(name, tensor, collections=None, new_style=False, double_precision=False):
    """One number: `simple_value`, or a tensor that the newer dashboards read."""
    array = make_np(tensor).squeeze()
    if array.ndim:
        raise AssertionError(f"scalar: a single number is needed, not an array of {array.size} with "
                             f"{array.ndim} dims")
    number = float(array)
    if not new_style:
        return _one(tag=name, simple_value=number)
    tensor = TensorProto(double_val=[number], dtype="DT_DOUBLE") if double_precision else TensorProto(
        float_val=[number], dtype="DT_FLOAT")
    return _one(tag=name, tensor=tensor, metadata=_metadata("scalars"))


# dtype → name in the format, field that holds the elements, how they are stored
_TENSOR_FIELDS = {
    fb.float16: ("DT_HALF", "half_val", lambda t: t.view(fb.int16).to(fb.int32) & 0xFFFF),
    fb.bfloat16: ("DT_BFLOAT16", "half_val", lambda t: t.view(fb.int16).to(fb.int32) & 0xFFFF),
    fb.float32: ("DT_FLOAT", "float_val", None), fb.float64: ("DT_DOUBLE", "double_val", None),
    fb.int8: ("DT_INT8", "int_val", None), fb.uint8: ("DT_UINT8", "uint32_val", None),
    fb.int16: ("DT_INT16", "int_val", None), fb.int32: ("DT_INT32", "int_val", None),
    fb.int64: ("DT_INT64", "int64_val", None), fb.bool: ("DT_BOOL", "bool_val", None),
    fb.complex64: ("DT_COMPLEX64", "scomplex_val", fb.view_as_real),
    fb.complex128: ("DT_COMPLEX128", "dcomplex_val", fb.view_as_real),
}


def tensor_proto(tag, tensor):
    """A tensor with its dtype and shape. Errors: ValueError for a dtype that the format does not have."""
    if tensor.dtype not in _TENSOR_FIELDS:
        raise ValueError(f"Unsupported tensor dtype: {tensor.dtype}")
    name, field, stored = _TENSOR_FIELDS[tensor.dtype]
    tensor = tensor.detach()
    elements = (tensor if stored is None else stored(tensor.contiguous())).flatten().tolist()
    proto = TensorProto(dtype=name, tensor_shape=_shape(*tensor.shape), **{field: elements})
    return _one(tag=tag, tensor=proto, metadata=_metadata("tensor"))


def default_bins():
    """Limits that grow by a tenth from 1e-12 to 1e20, and the same below zero."""
    positive, limit = [], 1e-12
    while limit < 1e20:
        positive.append(limit)
        limit *= 1.1
    return [-v for v in reversed(positive)] + [0] + positive


def make_histogram(values, bins, max_bins=None):
    """Counts of values between limits, without the empty buckets at both ends; the first bucket is empty.

    Errors: ValueError for no values.
    """
    if values.size == 0:
        raise ValueError("histogram: there are no values to count")
    values = values.reshape(-1)
    counts, limits = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        step = len(counts) // max_bins
        counts = np.pad(counts, (0, -len(counts) % step)).reshape(-1, step).sum(-1)
        limits = np.append(limits[:-1:step], limits[-1])
    filled = np.flatnonzero(counts)
    if filled.size == 0:
        raise ValueError("histogram: there are no values to count")
    first, last = filled[0], filled[-1] + 1
    before = counts[first - 1:last] if first > 0 else np.concatenate([[0], counts[:last]])
    return HistogramProto(min=values.min(), max=values.max(), num=len(values), sum=values.sum(),
                          sum_squares=values.dot(values), bucket_limit=limits[first:last + 1].tolist(),
                          bucket=before.tolist())


def histogram(name, values, bins, max_bins=None):
    return _one(tag=name, histo=make_histogram(make_np(values).astype(float), bins, max_bins))


def histogram_raw(name, min, max, num, sum, sum_squares, bucket_limits, bucket_counts):
    """A histogram that was computed elsewhere."""
    return _one(tag=name, histo=HistogramProto(min=min, max=max, num=num, sum=sum, sum_squares=sum_squares,
                                               bucket_limit=bucket_limits, bucket=bucket_counts))


def make_image(array, rescale=1, boxes=None, labels=None):
    """A PNG of bytes (h, w, channels), with boxes drawn on it."""
    from PIL import Image
    height, width, channels = array.shape
    image = Image.fromarray(array)
    if boxes is not None:
        image = draw_boxes(image, boxes, labels)
    image = image.resize((int(width * rescale), int(height * rescale)), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    image.save(encoded, format="PNG")
    return Summary.Image(height=image.height, width=image.width, colorspace=channels,
                         encoded_image_string=encoded.getvalue())


def image(tag, tensor, rescale=1, dataformats="NCHW"):
    array = to_bytes(to_hwc(make_np(tensor), dataformats))
    return _one(tag=tag, image=make_image(array, rescale))


def image_boxes(tag, tensor_image, tensor_boxes, rescale=1, dataformats="CHW", labels=None):
    """An image with boxes (xmin, ymin, xmax, ymax)."""
    array = to_bytes(to_hwc(make_np(tensor_image), dataformats))
    return _one(tag=tag, image=make_image(array, rescale, make_np(tensor_boxes), labels))


def draw_boxes(image, boxes, labels=None):
    from PIL import ImageDraw, ImageFont
    draw = ImageDraw.Draw(image)
    for i, (left, top, right, bottom) in enumerate(boxes):
        corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
        draw.line(corners, width=2, fill="Red")
        if labels is None:
            continue
        font = ImageFont.load_default()
        x0, y0, x1, y1 = font.getbbox(labels[i])
        width, height = x1 - x0, y1 - y0
        margin = np.ceil(0.05 * height)
        draw.rectangle([(left, bottom - height - 2 * margin), (left + width, bottom)], fill="Red")
        draw.text((left + margin, bottom - height - margin), labels[i], fill="black", font=font)
    return image


def _video_grid(videos):
    """Videos side by side, padded to a power of two. Shapes: (n, t, c, h, w) → (t, rows · h, columns · w, c)."""
    n, t, c, h, w = videos.shape
    padded = 1 << (n - 1).bit_length()
    videos = np.concatenate([videos, np.zeros((padded - n, t, c, h, w), videos.dtype)])
    rows = 2 ** ((padded.bit_length() - 1) // 2)
    grid = videos.reshape(rows, padded // rows, t, c, h, w).transpose(2, 0, 4, 1, 5, 3)
    return grid.reshape(t, rows * h, padded // rows * w, c)


def video(tag, tensor, fps=4):
    """Videos (n, t, channels, h, w) as one animated GIF."""
    from PIL import Image
    frames = to_bytes(_video_grid(make_np(tensor)))
    t, height, width, channels = frames.shape
    if channels == 1:
        frames = np.repeat(frames, 3, 3)
    first, *rest = (Image.fromarray(frame) for frame in frames)
    encoded = io.BytesIO()
    first.save(encoded, format="GIF", save_all=True, append_images=rest, duration=1000 / fps, loop=0)
    return _one(tag=tag, image=Summary.Image(height=height, width=width, colorspace=channels,
                                             encoded_image_string=encoded.getvalue()))


def audio(tag, tensor, sample_rate=44100):
    """Sound in the range -1 … 1 as a WAV of 16 bits. Shapes: (samples,) or (1, samples)."""
    array = make_np(tensor).squeeze()
    if array.ndim != 1:
        raise AssertionError("pr_curve: labels and predictions must be vectors")
    encoded = io.BytesIO()
    with wave.open(encoded, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((array.clip(-1, 1) * np.iinfo(np.int16).max).astype("<i2").tobytes())
    return _one(tag=tag, audio=Summary.Audio(sample_rate=sample_rate, num_channels=1, length_frames=array.shape[-1],
                                             encoded_audio_string=encoded.getvalue(), content_type="audio/wav"))


def text(tag, text):
    tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode("utf-8")], tensor_shape=_shape(1))
    return _one(tag=f"{tag}/text_summary", metadata=_metadata("text"), tensor=tensor)


def custom_scalars(layout):
    """The layout of charts: {category: {chart: ["Multiline" or "Margin", tags]}}."""
    from tensorboard.plugins.custom_scalar import layout_pb2

    def chart(title, kind, tags):
        if kind == "Margin":
            if len(tags) != 3:
                raise AssertionError(f"a margin chart takes 3 tags (value, lower, upper), not {len(tags)}")
            series = layout_pb2.MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
            return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))
        return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))
    categories = [layout_pb2.Category(title=category, chart=[chart(title, *what) for title, what in charts.items()])
                  for category, charts in layout.items()]
    content = layout_pb2.Layout(category=categories).SerializeToString()
    tensor = TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=TensorShapeProto())
    return _one(tag="custom_scalars__config__", tensor=tensor, metadata=_metadata("custom_scalars"))


def compute_curve(labels, predictions, num_thresholds=None, weights=None):
    """True and false positives and negatives, precision and recall at evenly spaced thresholds. Shapes: → (6, n)."""
    least = 1e-7                                                        # instead of dividing by zero
    weights = 1.0 if weights is None else weights
    bucket = np.int32(np.floor(predictions * (num_thresholds - 1)))
    labels = labels.astype(float)

    def at_least(weighted):
        """How much weight lies at or above each threshold."""
        counts, _ = np.histogram(bucket, bins=num_thresholds, range=(0, num_thresholds - 1), weights=weighted)
        return np.cumsum(counts[::-1])[::-1]
    tp, fp = at_least(labels * weights), at_least((1.0 - labels) * weights)
    tn, fn = fp[0] - fp, tp[0] - tp
    return np.stack((tp, fp, tn, fn, tp / np.maximum(least, tp + fp), tp / np.maximum(least, tp + fn)))


def pr_curve(tag, labels, predictions, num_thresholds=127, weights=None):
    num_thresholds = min(num_thresholds, 127)                           # more would be 128 MB in the browser
    return _pr_curve(tag, compute_curve(labels, predictions, num_thresholds=num_thresholds, weights=weights),
                     num_thresholds)


def pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds=127, weights=None):
    return _pr_curve(tag, np.stack((tp, fp, tn, fn, precision, recall)), min(num_thresholds, 127))


def _pr_curve(tag, data, num_thresholds):
    from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
    content = PrCurvePluginData(version=0, num_thresholds=num_thresholds).SerializeToString()
    tensor = TensorProto(dtype="DT_FLOAT", float_val=data.reshape(-1).tolist(), tensor_shape=_shape(*data.shape))
    return _one(tag=tag, metadata=_metadata("pr_curves", content), tensor=tensor)


def mesh(tag, vertices, colors, faces, config_dict, display_name=None, description=None):
    """Points in space with colours and triangles. Shapes: vertices, colors (b, n, 3); faces (b, k, 3)."""
    from tensorboard.plugins.mesh import metadata
    from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
    parts = [(tensor, kind) for tensor, kind in ((vertices, MeshPluginData.VERTEX), (faces, MeshPluginData.FACE),
                                                 (colors, MeshPluginData.COLOR)) if tensor is not None]
    components = metadata.get_components_bitmask([kind for _, kind in parts])
    config = json.dumps(config_dict, sort_keys=True) if config_dict is not None else "{}"
    values = []
    for tensor, kind in parts:
        array = make_np(tensor)
        described = metadata.create_summary_metadata(tag, display_name, kind, components, array.shape, description,
                                                     json_config=config)
        proto = TensorProto(dtype="DT_FLOAT", float_val=array.reshape(-1).tolist(), tensor_shape=_shape(*array.shape))
        values.append(Summary.Value(tag=metadata.get_instance_name(tag, kind), tensor=proto, metadata=described))
    return Summary(value=values)
