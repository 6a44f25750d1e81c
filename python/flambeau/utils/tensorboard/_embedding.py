"""The files of TensorBoard's projector: vectors, labels and a sheet of thumbnails."""
from __future__ import annotations

import math
import os

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo

from flambeau.utils.tensorboard._arrays import make_grid, make_np, to_bytes


def write_vectors(mat, folder):
    with open(os.path.join(folder, "tensors.tsv"), "w", encoding="utf-8") as file:
        for row in mat.tolist():
            file.write("\t".join(str(x) for x in row) + "\n")


def write_metadata(metadata, header, folder):
    """One line for each vector; with a header, each line has several columns."""
    lines = [str(x) for x in metadata]
    if header:
        if not all(len(header) == len(row) for row in metadata):
            raise AssertionError("add_embedding: each row of metadata needs an entry for each of the "
                                 f"{len(header)} names in metadata_header")
        lines = ["\t".join(str(x) for x in row) for row in [header, *metadata]]
    with open(os.path.join(folder, "metadata.tsv"), "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))


def write_sprite(label_img, folder):
    """Thumbnails (n, channels, h, w), as many to a row as there are rows."""
    from PIL import Image
    images = make_np(label_img)
    side = math.ceil(math.sqrt(len(images)))
    blank = np.zeros((side * side - len(images), *images.shape[1:]), images.dtype)
    sheet = make_grid(np.concatenate([images, blank]), side).transpose(1, 2, 0)
    Image.fromarray(to_bytes(sheet)).save(os.path.join(folder, "sprite.png"))


def embedding_info(metadata, label_img, subfolder, global_step, tag):
    """The projector's entry about one set of vectors."""
    info = EmbeddingInfo(tensor_name=f"{tag}:{global_step}", tensor_path=f"{subfolder}/tensors.tsv")
    if metadata is not None:
        info.metadata_path = f"{subfolder}/metadata.tsv"
    if label_img is not None:
        info.sprite.image_path = f"{subfolder}/sprite.png"
        info.sprite.single_image_dim.extend([label_img.shape[3], label_img.shape[2]])
    return info


def write_config(config, logdir):
    with open(os.path.join(logdir, "projector_config.pbtxt"), "w", encoding="utf-8") as file:
        file.write(text_format.MessageToString(config))
