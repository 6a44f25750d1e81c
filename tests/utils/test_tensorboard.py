"""What SummaryWriter writes, read back from the files."""
import glob
import io
import json
import os

import numpy as np
import pytest

import flambeau as fb

pytest.importorskip("tensorboard")
from flambeau.utils.tensorboard import SummaryWriter  # noqa: E402


def events(folder):
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event
    files = sorted(glob.glob(os.path.join(folder, "events*")))
    return [Event.FromString(record) for path in files for record in RawEventFileLoader(path).Load()]


def values(folder):
    return {v.tag: (e.step, v) for e in events(folder) for v in e.summary.value}


def pixels(value):
    from PIL import Image
    return np.asarray(Image.open(io.BytesIO(value.image.encoded_image_string)))


def test_scalars(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", fb.tensor(2.5), 3, walltime=12.0)
        writer.add_scalar("new", 1 / 3, new_style=True, double_precision=True)
        writer.add_scalars("both", {"a": 1, "b": fb.tensor([2.0])}, 5)
        with pytest.raises(AssertionError):
            writer.add_scalar("many", fb.zeros(2))
    found = values(tmp_path)
    assert found["loss"][0] == 3 and found["loss"][1].simple_value == 2.5
    assert events(tmp_path)[1].wall_time == 12.0
    assert list(found["new"][1].tensor.double_val) == [1 / 3]
    assert values(tmp_path / "both_b")["both"][1].simple_value == 2.0


def test_histograms(tmp_path):
    x = fb.tensor([-1.0, 0.5, 0.5, 2.0])
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("x", x, 1)
        writer.add_histogram("even", x, bins=3)
        with pytest.raises(ValueError):
            writer.add_histogram("none", fb.zeros(0))
        with pytest.raises(NotImplementedError):
            writer.add_histogram("list", [1.0])
        with pytest.raises(ValueError):
            writer.add_histogram_raw("raw", 0, 1, 2, 1, 1, [1.0], [1, 1])
    h = values(tmp_path)["x"][1].histo
    assert (h.min, h.max, h.num, h.sum, h.sum_squares) == (-1.0, 2.0, 4.0, 2.0, 5.5)
    assert sum(h.bucket) == 4 and len(h.bucket) == len(h.bucket_limit)
    for limit, count in zip(h.bucket_limit, np.cumsum(h.bucket)):
        assert count == sum(v < limit for v in x.tolist())
    even = values(tmp_path)["even"][1].histo
    assert list(even.bucket) == [0, 1, 2, 1] and list(even.bucket_limit) == [-1, 0, 1, 2]


def test_images(tmp_path):
    image = fb.arange(2 * 3 * 3, dtype=fb.uint8).reshape(3, 2, 3)
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("bytes", image)
        writer.add_image("floats", image / 255.0)
        writer.add_image("plane", fb.tensor([[0.0, 2.0]]), dataformats="HW")
        writer.add_images("grid", fb.stack([image] * 9))
        writer.add_image_with_boxes("box", fb.zeros(3, 20, 20), fb.tensor([[2, 3, 12, 15]]))
        with pytest.raises(AssertionError):
            writer.add_image("wrong", image, dataformats="HW")
    found = values(tmp_path)
    assert (pixels(found["bytes"][1]) == image.permute(1, 2, 0).numpy()).all()
    assert (pixels(found["floats"][1]) == image.permute(1, 2, 0).numpy()).all()
    assert pixels(found["plane"][1]).tolist() == [[[0, 0, 0], [255, 255, 255]]]
    grid = pixels(found["grid"][1])
    assert grid.shape == (4, 24, 3) and (grid[2:, 3:] == 0).all() and (grid[2:, :3] == grid[:2, :3]).all()
    box = pixels(found["box"][1])[..., 0]
    assert box[3, 2] and box[15, 12] and not box[8, 8] and not box[18, 18]


def test_figures_videos_and_sound(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    with SummaryWriter(tmp_path) as writer:
        figure = plt.figure(figsize=(1, 1))
        writer.add_figure("one", figure)
        assert not plt.fignum_exists(figure.number)
        writer.add_figure("two", [plt.figure(figsize=(1, 1)), plt.figure(figsize=(1, 1))])
        writer.add_video("film", fb.rand(3, 4, 3, 8, 8))
        writer.add_audio("sound", fb.linspace(-2, 2, 100)[None], sample_rate=8000)
    found = values(tmp_path)
    assert pixels(found["two"][1]).shape[1] == 2 * pixels(found["one"][1]).shape[1]
    film = found["film"][1].image
    assert (film.height, film.width) == (16, 16) and film.encoded_image_string.startswith(b"GIF")
    import wave
    with wave.open(io.BytesIO(found["sound"][1].audio.encoded_audio_string)) as sound:
        samples = np.frombuffer(sound.readframes(100), "<i2")
    assert samples[0] == -32767 and samples[-1] == 32767 and len(samples) == 100


def test_text_tensors_and_layout(tmp_path):
    from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
    with SummaryWriter(tmp_path) as writer:
        writer.add_text("note", "*hello*", 2)
        writer.add_tensor("half", fb.tensor([1.0, 2.0], dtype=fb.float16))
        writer.add_tensor("complex", fb.tensor([1 + 2j]))
        writer.add_custom_scalars({"A": {"lines": ["Multiline", ["a", "b"]], "band": ["Margin", ["a", "b", "c"]]}})
        with pytest.raises(AssertionError):
            writer.add_custom_scalars_marginchart(["a"])
    found = values(tmp_path)
    assert list(found["note/text_summary"][1].tensor.string_val) == [b"*hello*"]
    assert list(found["half"][1].tensor.half_val) == [0x3C00, 0x4000]
    assert list(found["complex"][1].tensor.scomplex_val) == [1.0, 2.0]
    layout = Layout.FromString(found["custom_scalars__config__"][1].tensor.string_val[0])
    assert [c.title for c in layout.category[0].chart] == ["lines", "band"]


def test_hyperparameters(tmp_path):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 0.1, "name": "sgd", "flag": True}, {"loss": 0.5}, run_name="run",
                           hparam_domain_discrete={"name": ["sgd", "adam"]})
        with pytest.raises(TypeError):
            writer.add_hparams([], {})
        with pytest.raises(ValueError):
            writer.add_hparams({"x": object()}, {})
    found = values(tmp_path / "run")
    assert found["loss"][1].simple_value == 0.5
    content = found["_hparams_/session_start_info"][1].metadata.plugin_data.content
    start = HParamsPluginData.FromString(content).session_start_info.hparams
    assert start["lr"].number_value == 0.1 and start["name"].string_value == "sgd" and start["flag"].bool_value
    content = found["_hparams_/experiment"][1].metadata.plugin_data.content
    infos = HParamsPluginData.FromString(content).experiment.hparam_infos
    assert [v.string_value for v in infos[1].domain_discrete.values] == ["sgd", "adam"]


def test_precision_and_recall(tmp_path):
    labels, predictions = fb.tensor([0, 1, 1, 0]), fb.tensor([0.1, 0.9, 0.4, 0.6])
    with SummaryWriter(tmp_path) as writer:
        writer.add_pr_curve("pr", labels, predictions, num_thresholds=5)
    tensor = values(tmp_path)["pr"][1].tensor
    tp, fp, tn, fn, precision, recall = np.array(tensor.float_val).reshape(6, 5)
    for i, threshold in enumerate([0, 0.25, 0.5, 0.75, 1]):
        above = predictions >= threshold
        assert tp[i] == (above & (labels == 1)).sum() and fp[i] == (above & (labels == 0)).sum()
    assert ((tp + fn) == 2).all() and ((fp + tn) == 2).all()
    assert precision[1] == 2 / 3 or abs(precision[1] - 2 / 3) < 1e-6
    assert recall[3] == 0.5


def test_embedding_and_mesh(tmp_path):
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(fb.tensor([[1.0, 2.0], [3.0, 4.0]]), metadata=["a", "b"], label_img=fb.rand(2, 3, 4, 4),
                             global_step=7, tag="t")
        writer.add_embedding(fb.zeros(1, 2), metadata=[["x", "y"]], metadata_header=["p", "q"])
        writer.add_mesh("m", fb.zeros(1, 4, 3), colors=fb.zeros(1, 4, 3), config_dict={"a": 1})
        with pytest.raises(AssertionError):
            writer.add_embedding(fb.zeros(2, 2), metadata=["a"])
    folder = tmp_path / "00007" / "t"
    assert (folder / "tensors.tsv").read_text() == "1.0\t2.0\n3.0\t4.0\n"
    assert (folder / "metadata.tsv").read_text() == "a\nb\n" and (folder / "sprite.png").exists()
    assert (tmp_path / "00000" / "default" / "metadata.tsv").read_text() == "p\tq\nx\ty\n"
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert [e.tensor_name for e in config.embeddings] == ["t:00007", "default:00000"]
    from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
    content = values(tmp_path)["m_COLOR"][1].metadata.plugin_data.content
    assert json.loads(MeshPluginData.FromString(content).json_config) == {"a": 1}


def test_close_flush_and_purge(tmp_path):
    writer = SummaryWriter(tmp_path, purge_step=4)
    writer.add_scalar("a", 1, 5)
    writer.flush()
    assert [e.step for e in events(tmp_path)] == [0, 4, 4, 5]
    assert writer.get_logdir() == tmp_path
    writer.close()
    writer.close()
    writer.add_scalar("b", 1)                                           # opens a new file
    writer.close()
    assert len(glob.glob(str(tmp_path / "events*"))) in (1, 2) and "b" in values(tmp_path)


def test_graphs_are_refused(tmp_path):
    with SummaryWriter(tmp_path) as writer, pytest.raises(NotImplementedError, match="add_graph"):
        writer.add_graph(fb.nn.Linear(1, 1), fb.zeros(1))
