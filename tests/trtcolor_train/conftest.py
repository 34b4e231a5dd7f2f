"""A small network and small real data: crops of photographs as shards with three classes."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from exported_families import CASES, Exported, exported_case
from hypothesis import settings
from PIL import Image

from trtcolor.demo import photographs
from trtcolor.images import read_picture

# Tests run side by side: threads that spin for each other would only take the cores away.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"
# Nor does a busy machine make a property false.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

CLASSES = ("first", "second", "third")
TINY = """
name = "tiny"
[network]
family = "lee2016"
[network.dimensions]
training_size = 32
low = [[8, 2], [8, 1], [16, 2], [16, 1]]
mid = [16, 8]
global_convolutions = [[16, 2], [16, 1]]
global_layers = [16, 12, 8]
fusion = 16
colorization = [8, 8, 0, 8]
classifier = 8
[data]
train = "train-*.tar.gz"
validation = "val-*.tar.gz"
[loss]
color = "smooth_l1"
[optimizer]
name = "adamw"
learning_rate = 0.01
schedule = "cosine"
warmup_steps = 2
[training]
steps = {steps}
batch_size = 4
precision = "{precision}"
checkpoint_every = {checkpoint_every}
validate_every = 6
validation_pictures = 6
"""


def real_photographs() -> list[np.ndarray]:
    """The colour photographs inside scikit-image, uint8 RGB."""
    return [read_picture(file).rgb8 for file in photographs()]


def write_shard(path: Path, pictures: list[tuple[str, np.ndarray, int]]) -> None:
    """A WebDataset shard of (key, uint8 RGB, label)."""
    with tarfile.open(path, "w:gz") as archive:
        for key, pixels, label in pictures:
            encoded = io.BytesIO()
            Image.fromarray(pixels).save(encoded, "PNG")
            for suffix, data in ((".png", encoded.getvalue()), (".cls", str(label).encode())):
                member = tarfile.TarInfo(key + suffix)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one training and one validation shard and their classes.txt."""
    folder = tmp_path_factory.mktemp("shards")
    photos = real_photographs()
    random = np.random.default_rng(0)
    for name, count in (("train-000.tar.gz", 30), ("val-000.tar.gz", 9)):
        pictures = []
        for i in range(count):
            pixels = photos[i % 3]
            y = int(random.integers(0, pixels.shape[0] - 120))
            x = int(random.integers(0, pixels.shape[1] - 120))
            crop = Image.fromarray(pixels[y : y + 120, x : x + 120]).resize((37, 37))
            pictures.append((f"{name[:3]}{i:03d}", np.asarray(crop), i % 3))
        write_shard(folder / name, pictures)
    (folder / "classes.txt").write_text("\n".join(CLASSES))
    return folder


@pytest.fixture(scope="session")
def photos() -> list[np.ndarray]:
    """The colour photographs inside scikit-image, uint8 RGB."""
    return real_photographs()


@pytest.fixture(scope="session")
def write_config() -> Callable[..., Path]:
    """A function that writes the tiny configuration into a folder and returns its path."""

    def write(
        folder: Path, *, steps: int = 12, precision: str = "float32", checkpoint_every: int = 4
    ) -> Path:
        path = folder / "tiny.toml"
        path.write_text(
            TINY.replace("{steps}", str(steps))
            .replace("{precision}", precision)
            .replace("{checkpoint_every}", str(checkpoint_every))
        )
        return path

    return write


@pytest.fixture(scope="module", params=CASES, ids=str)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Each family and variant in turn."""
    return exported_case(request.param, tmp_path_factory)
