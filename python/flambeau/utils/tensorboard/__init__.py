"""Logs that TensorBoard shows. Needs the `tensorboard` package, which writes the files."""
try:
    from tensorboard.summary.writer.record_writer import RecordWriter
except ImportError as error:
    raise ImportError("flambeau.utils.tensorboard needs the package 'tensorboard': pip install tensorboard") from error

from flambeau.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]
