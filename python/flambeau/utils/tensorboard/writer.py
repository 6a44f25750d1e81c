"""`SummaryWriter`: what training programs log."""
from __future__ import annotations

import os
import time

from tensorboard.compat.proto import event_pb2
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from flambeau import errors
from flambeau.utils.tensorboard import _embedding, _hparams, summary
from flambeau.utils.tensorboard._arrays import figure_to_image, make_np

__all__ = ["FileWriter", "SummaryWriter"]


class FileWriter:
    """One event file, written by a thread of its own.

    Args: log_dir; max_queue, events that wait before writing blocks; flush_secs, how often the file is flushed.
    """

    def __init__(self, log_dir, max_queue=10, flush_secs=120, filename_suffix=""):
        self.event_writer = EventFileWriter(str(log_dir), max_queue, flush_secs, filename_suffix)

    def get_logdir(self):
        return self.event_writer.get_logdir()

    def add_event(self, event, step=None, walltime=None):
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)                                      # NumPy's integers too
        self.event_writer.add_event(event)

    def add_summary(self, summary, global_step=None, walltime=None):
        self.add_event(event_pb2.Event(summary=summary), global_step, walltime)

    def add_graph(self, graph_profile, walltime=None):
        """A pair of a GraphDef and its RunMetadata."""
        graph, stepstats = graph_profile
        self.add_event(event_pb2.Event(graph_def=graph.SerializeToString()), None, walltime)
        run = event_pb2.TaggedRunMetadata(tag="step1", run_metadata=stepstats.SerializeToString())
        self.add_event(event_pb2.Event(tagged_run_metadata=run), None, walltime)

    def add_onnx_graph(self, graph, walltime=None):
        self.add_event(event_pb2.Event(graph_def=graph.SerializeToString()), None, walltime)

    def flush(self):
        self.event_writer.flush()

    def close(self):
        self.event_writer.close()

    def reopen(self):
        self.event_writer.reopen()


class SummaryWriter:
    """Writes events for TensorBoard into a folder.

    Args:
        log_dir: the folder; None takes runs/<date and time>_<host name><comment>.
        purge_step: events of this step and later ones from an earlier run are hidden.
        max_queue, flush_secs, filename_suffix: of the event file.
    Every `add_…` takes `global_step` and `walltime`, seconds since 1970 instead of now.
    """

    def __init__(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix=""):
        if not log_dir:
            import socket
            from datetime import datetime
            log_dir = os.path.join("runs", datetime.now().strftime("%b%d_%H-%M-%S_") + socket.gethostname() + comment)
        self.log_dir = log_dir
        self.purge_step = purge_step
        self.max_queue, self.flush_secs, self.filename_suffix = max_queue, flush_secs, filename_suffix
        self.file_writer = self.all_writers = None
        self._get_file_writer()
        self.default_bins = summary.default_bins()

    def _get_file_writer(self):
        """The writer of the main file, opened again after `close`."""
        if self.all_writers is None or self.file_writer is None:
            self.file_writer = self._open(self.log_dir)
            self.all_writers = {self.file_writer.get_logdir(): self.file_writer}
            if self.purge_step is not None:
                self.file_writer.add_event(Event(step=self.purge_step, file_version="brain.Event:2"))
                start = SessionLog(status=SessionLog.START)
                self.file_writer.add_event(Event(step=self.purge_step, session_log=start))
                self.purge_step = None
        return self.file_writer

    def _open(self, folder):
        return FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)

    def get_logdir(self):
        return self.log_dir

    def _add(self, summary, global_step, walltime):
        self._get_file_writer().add_summary(summary, global_step, walltime)

    def add_hparams(self, hparam_dict, metric_dict, hparam_domain_discrete=None, run_name=None, global_step=None):
        """Hyperparameters and the metrics they led to, as a run of their own below the folder."""
        for given in (hparam_dict, metric_dict):
            if type(given) is not dict:
                raise TypeError("add_hparams: hparam_dict and metric_dict must be dicts")
        summaries = _hparams.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(log_dir=folder) as writer:
            for made in summaries:
                writer.file_writer.add_summary(made, global_step)
            for name, value in metric_dict.items():
                writer.add_scalar(name, value, global_step)

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False, double_precision=False):
        """One number; `new_style` writes the format of newer dashboards, in double precision on request."""
        made = summary.scalar(tag, scalar_value, new_style=new_style, double_precision=double_precision)
        self._add(made, global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Several numbers for one chart: each goes into a file of its own, `<main_tag>_<tag>`."""
        walltime = time.time() if walltime is None else walltime
        logdir = self._get_file_writer().get_logdir()
        for tag, value in tag_scalar_dict.items():
            folder = logdir + "/" + main_tag.replace("/", "_") + "_" + tag
            if folder not in self.all_writers:
                self.all_writers[folder] = self._open(folder)
            self.all_writers[folder].add_summary(summary.scalar(main_tag, value), global_step, walltime)

    def add_tensor(self, tag, tensor, global_step=None, walltime=None):
        """A whole tensor with its dtype."""
        self._add(summary.tensor_proto(tag, tensor), global_step, walltime)

    def add_histogram(self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None):
        """How the values are distributed; `bins` as for `numpy.histogram`, or TensorFlow's exponential ones."""
        bins = self.default_bins if isinstance(bins, str) and bins == "tensorflow" else bins
        self._add(summary.histogram(tag, values, bins, max_bins=max_bins), global_step, walltime)

    def add_histogram_raw(self, tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts, global_step=None,
                          walltime=None):
        """A histogram that was computed elsewhere. Errors: ValueError unless there are as many limits as counts."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError(f"add_histogram_raw: each of the {len(bucket_limits)} bucket_limits needs a "
                             f"count, got {len(bucket_counts)}")
        made = summary.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._add(made, global_step, walltime)

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """One image: floating values from 0 to 1 or uint8, dims as `dataformats` names them."""
        self._add(summary.image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """A batch of images as one picture, eight to a row."""
        self._add(summary.image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_image_with_boxes(self, tag, img_tensor, box_tensor, global_step=None, walltime=None, rescale=1,
                             dataformats="CHW", labels=None):
        """An image with boxes (xmin, ymin, xmax, ymax) and a label for each."""
        if labels is not None:
            labels = [labels] if isinstance(labels, str) else labels
            if len(labels) != box_tensor.shape[0]:
                labels = None
        made = summary.image_boxes(tag, img_tensor, box_tensor, rescale=rescale, dataformats=dataformats, labels=labels)
        self._add(made, global_step, walltime)

    def add_figure(self, tag, figure, global_step=None, close=True, walltime=None):
        """A Matplotlib figure, or a list of them, as an image."""
        pixels = figure_to_image(figure, close)
        self.add_image(tag, pixels, global_step, walltime, dataformats="NCHW" if isinstance(figure, list) else "CHW")

    def add_video(self, tag, vid_tensor, global_step=None, fps=4, walltime=None):
        """Videos (n, t, channels, h, w) as one animation."""
        self._add(summary.video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(self, tag, snd_tensor, global_step=None, sample_rate=44100, walltime=None):
        """Sound in the range -1 … 1, shape (1, samples)."""
        self._add(summary.audio(tag, snd_tensor, sample_rate=sample_rate), global_step, walltime)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """Text, shown as Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_onnx_graph(self, prototxt):
        """Not available. Errors: UnsupportedError."""
        raise errors.UnsupportedError("add_onnx_graph: ONNX files cannot be read")

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True):
        """Not available: the graph of a model is not traced. Errors: UnsupportedError."""
        raise errors.UnsupportedError("add_graph: models cannot be traced into a graph; the other add_… methods work")

    @staticmethod
    def _encode(name):
        """A tag as the name of a folder."""
        return "".join(c if c.isalnum() or c in "_-." else f"%{ord(c):02x}" for c in name)

    def add_embedding(self, mat, metadata=None, label_img=None, global_step=None, tag="default", metadata_header=None):
        """Vectors for the projector, with labels and thumbnails.

        Shapes: mat (n, d), metadata n entries, label_img (n, channels, h, h).
        """
        mat = make_np(mat)
        if mat.ndim != 2:
            raise AssertionError("add_embedding: mat must be a matrix with a row for each point, it has "
                                 f"{mat.ndim} dims")
        if metadata is not None and len(metadata) != mat.shape[0]:
            raise AssertionError(f"add_embedding: metadata has {len(metadata)} labels for {mat.shape[0]} "
                                 "points")
        if label_img is not None and (label_img.shape[0] != mat.shape[0] or label_img.shape[2] != label_img.shape[3]):
            raise AssertionError("add_embedding: label_img needs a square image for each of the "
                                 f"{mat.shape[0]} points")
        step = str(0 if global_step is None else global_step).zfill(5)
        subfolder = f"{step}/{self._encode(tag)}"
        logdir = self._get_file_writer().get_logdir()
        folder = os.path.join(logdir, subfolder)
        os.makedirs(folder, exist_ok=True)
        if metadata is not None:
            _embedding.write_metadata(metadata, metadata_header, folder)
        if label_img is not None:
            _embedding.write_sprite(label_img, folder)
        _embedding.write_vectors(mat, folder)
        if not hasattr(self, "_projector_config"):
            self._projector_config = ProjectorConfig()
        info = _embedding.embedding_info(metadata, label_img, subfolder, step, tag)
        self._projector_config.embeddings.extend([info])
        _embedding.write_config(self._projector_config, logdir)

    def add_pr_curve(self, tag, labels, predictions, global_step=None, num_thresholds=127, weights=None, walltime=None):
        """Precision and recall of probabilities against labels of 0 and 1."""
        made = summary.pr_curve(tag, make_np(labels), make_np(predictions), num_thresholds, weights)
        self._add(made, global_step, walltime)

    def add_pr_curve_raw(self, tag, true_positive_counts, false_positive_counts, true_negative_counts,
                         false_negative_counts, precision, recall, global_step=None, num_thresholds=127, weights=None,
                         walltime=None):
        """A curve of precision and recall that was computed elsewhere."""
        made = summary.pr_curve_raw(tag, true_positive_counts, false_positive_counts, true_negative_counts,
                                    false_negative_counts, precision, recall, num_thresholds, weights)
        self._add(made, global_step, walltime)

    def add_custom_scalars_multilinechart(self, tags, category="default", title="untitled"):
        """A chart with a line for each tag."""
        self._add(summary.custom_scalars({category: {title: ["Multiline", tags]}}), None, None)

    def add_custom_scalars_marginchart(self, tags, category="default", title="untitled"):
        """A chart with a line and a margin: three tags, value, lower and upper."""
        if len(tags) != 3:
            raise AssertionError(f"a margin chart takes 3 tags (value, lower, upper), not {len(tags)}")
        self._add(summary.custom_scalars({category: {title: ["Margin", tags]}}), None, None)

    def add_custom_scalars(self, layout):
        """Charts: {category: {chart: ["Multiline" or "Margin", tags]}}."""
        self._add(summary.custom_scalars(layout), None, None)

    def add_mesh(self, tag, vertices, colors=None, faces=None, config_dict=None, global_step=None, walltime=None):
        """Points in space, with colours 0 … 255 and triangles. Shapes: (b, n, 3), (b, n, 3), (b, k, 3)."""
        self._add(summary.mesh(tag, vertices, colors, faces, config_dict), global_step, walltime)

    def flush(self):
        """Write what is waiting."""
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self):
        """Write what is waiting and close the files."""
        for writer in (self.all_writers or {}).values():
            writer.flush()
            writer.close()
        self.file_writer = self.all_writers = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
