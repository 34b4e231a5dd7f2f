"""What a training refuses or survives: one sentence and exit status 1, by the command line."""

from __future__ import annotations

import math
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_files import encoded
from PIL import Image
from trainings import refusal, settings, steps_of, trained, write_narrow_config

from trtcolor.errors import CheckpointError, TrainingError
from trtcolor_train import loop
from trtcolor_train.checkpoint import load_checkpoint, save_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.loop import CHECKPOINT_FILE, train

WriteConfig = Callable[..., Path]
COLOURS_ALONE = settings("loss.alpha=0")
FOLDERS = settings("data.train=train", "data.validation=val")


def flat_folder(folder: Path, photos: list[np.ndarray], count: int = 6) -> Path:
    """Pictures without classes, as DATA/train and DATA/val."""
    for part in ("train", "val"):
        (folder / part).mkdir(parents=True)
        for i in range(count):
            crop = Image.fromarray(photos[i % 3][i * 5 : i * 5 + 100, i * 7 : i * 7 + 100])
            crop.resize((40, 40)).save(folder / part / f"{i}.png")
    return folder


@pytest.fixture
def config(write_config: WriteConfig, tmp_path: Path) -> Path:
    """The joint network's."""
    return write_config(tmp_path)


@pytest.fixture
def regression(tmp_path: Path) -> Path:
    """A small one, for what any network does."""
    return write_narrow_config(tmp_path, "olah2022-regression", loss={"alpha": 0})


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file grows beyond ``size`` bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


# Data.


def test_a_folder_without_pictures_is_refused(config: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    assert "no picture in" in refusal(config, tmp_path, tmp_path / "run", *FOLDERS)
    assert "no picture in" in refusal(config, tmp_path, tmp_path / "run")
    assert "no data at" in refusal(config, tmp_path / "none", tmp_path / "run", *FOLDERS)


def test_unreadable_pictures_are_counted_and_left_out(
    config: Path, photos: list[np.ndarray], tmp_path: Path
) -> None:
    data = flat_folder(tmp_path / "data", photos)
    (data / "train" / "a.png").write_bytes(b"no picture")
    (data / "train" / "b.jpg").write_bytes(encoded(photos[0][:50, :50], "JPEG")[:300])
    (data / "train" / "c.png").write_bytes(b"")
    result = trained(config, data, tmp_path / "run", *FOLDERS, *COLOURS_ALONE)
    assert result.exit_code == 0, result.output
    said = " ".join(result.stderr.split())
    assert "training: 6 pictures kept, 0 grey or low-variance dropped, 3 unreadable" in said
    assert "unreadable: a.png, b.jpg, c.png" in said
    assert len(steps_of(tmp_path / "run")) == 12
    counts = load_checkpoint(tmp_path / "run" / CHECKPOINT_FILE).data["train"]
    assert counts == {"kept": 6, "colourless": 0, "unreadable": 3}


def test_a_shard_cut_short_gives_what_came_before_the_cut(
    config: Path, shards: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(shards, data)
    whole = (shards / "train-000.tar.gz").read_bytes()
    (data / "train-000.tar.gz").write_bytes(whole[: len(whole) // 2])
    result = trained(config, data, tmp_path / "run")
    assert result.exit_code == 0, result.output
    kept = load_checkpoint(tmp_path / "run" / CHECKPOINT_FILE).data["train"]
    assert 0 < kept["kept"] < 20
    assert kept["unreadable"] == 1


def test_missing_labels_are_refused_where_alpha_needs_them(
    config: Path, photos: list[np.ndarray], tmp_path: Path
) -> None:
    data = flat_folder(tmp_path / "data", photos)
    said = refusal(config, data, tmp_path / "run", *FOLDERS)
    assert said.startswith("6 of 6 training pictures have no class and alpha is 0.0033")


def test_missing_labels_of_the_validation_are_refused_too(
    config: Path, shards: Path, photos: list[np.ndarray], tmp_path: Path
) -> None:
    data = flat_folder(tmp_path / "data", photos)
    said = refusal(config, shards, tmp_path / "run", *settings(f"data.validation={data / 'val'}"))
    assert said.startswith("6 of 6 validation pictures have no class and alpha is 0.0033")


def test_other_classes_in_the_validation_are_refused(
    config: Path, shards: Path, tmp_path: Path
) -> None:
    for part, names in (("train", "first\nsecond\nthird"), ("val", "first\nsecond\nlast")):
        (tmp_path / part).mkdir()
        shutil.copy(shards / f"{part}-000.tar.gz", tmp_path / part)
        (tmp_path / part / "classes.txt").write_text(names)
    said = refusal(config, tmp_path, tmp_path / "run", *FOLDERS)
    assert "3 classes and validation data 3, first 'third' where the other has 'last'" in said
    said = refusal(config, shards, tmp_path / "run", *settings("network.dimensions.classes=4"))
    assert "the configuration says 4 classes, the data have 3" in said


@pytest.mark.parametrize("processes", [0, 1])
def test_a_picture_that_vanishes_ends_the_training_with_its_last_checkpoint(
    config: Path,
    photos: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    processes: int,
) -> None:
    data = flat_folder(tmp_path / "data", photos)
    changes = ("checkpoint_every=1", "steps=100", f"loader_processes={processes}")
    options = [*FOLDERS, *COLOURS_ALONE, *settings(*(f"training.{change}" for change in changes))]
    save = loop.save_checkpoint

    def save_and_lose(*saved: Any) -> None:
        save(*saved)
        shutil.rmtree(data / "train", ignore_errors=True)

    monkeypatch.setattr(loop, "save_checkpoint", save_and_lose)
    assert "could not be decoded" in refusal(config, data, tmp_path / "run", *options)
    assert load_checkpoint(tmp_path / "run" / CHECKPOINT_FILE).step >= 1


def test_other_pictures_are_not_resumed_on(
    config: Path, photos: list[np.ndarray], tmp_path: Path
) -> None:
    data, run = flat_folder(tmp_path / "data", photos), tmp_path / "run"
    assert trained(config, data, run, *FOLDERS, *COLOURS_ALONE).exit_code == 0
    (data / "train" / "0.png").unlink()
    more = [*FOLDERS, *COLOURS_ALONE, *settings("training.steps=20"), "--resume"]
    assert "was trained on other pictures" in refusal(config, data, run, *more)


# Numbers.


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(
    config: Path, shards: Path, tmp_path: Path
) -> None:
    changes = ("optimizer.learning_rate=1e37", "optimizer.warmup_steps=0")
    run = tmp_path / "run"
    said = refusal(config, shards, run, *settings(*changes, "training.checkpoint_every=1"))
    assert "the loss is nan at step 2; a finite loss was needed" in said
    assert f"with --init {run / CHECKPOINT_FILE} and another --run" in said
    assert load_checkpoint(run / CHECKPOINT_FILE).step == 1
    said = refusal(config, shards, tmp_path / "other", *settings(*changes))
    assert said.endswith("lower optimizer.learning_rate and start again")


def test_weights_that_are_not_finite_are_not_begun_with(
    regression: Path, shards: Path, tmp_path: Path
) -> None:
    one = settings("training.steps=1")
    assert trained(regression, shards, tmp_path / "first", *one).exit_code == 0
    checkpoint = load_checkpoint(tmp_path / "first" / CHECKPOINT_FILE)
    next(iter(checkpoint.model.values())).view(-1)[0] = math.nan
    save_checkpoint(tmp_path / "broken.safetensors", checkpoint)
    init = ["--init", str(tmp_path / "broken.safetensors")]
    said = refusal(regression, shards, tmp_path / "second", *one, *init)
    assert f"is not finite in {tmp_path / 'broken.safetensors'}; finite weights" in said


def test_a_batch_beyond_the_devices_memory_is_one_sentence(
    regression: Path, shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has")

    monkeypatch.setattr(loop, "_loss", full)
    said = refusal(regression, shards, tmp_path / "run")
    assert "4 pictures at a time are too many for the memory of cpu (CUDA out of memory)" in said
    assert "lower training.batch_size" in said


@pytest.mark.parametrize("due", ["checkpoint_every=1", "validate_every=1"])
def test_weights_that_overflow_in_an_update_are_not_kept(
    regression: Path, shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, due: str
) -> None:
    """The loss of that step is still finite."""
    run, options = tmp_path / "run", settings("training.steps=4", f"training.{due}")
    first = settings("training.steps=1")
    assert trained(regression, shards, run, *options, *first).exit_code == 0
    before = (run / CHECKPOINT_FILE).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "learning_rate", lambda *_: math.inf)
        said = refusal(regression, shards, run, *options, "--resume")
    assert "is not finite after step 2; finite weights were needed" in said
    assert (run / CHECKPOINT_FILE).read_bytes() == before
    assert trained(regression, shards, run, *options, "--resume").exit_code == 0
    assert [entry["step"] for entry in steps_of(run)] == [1, 2, 3, 4]


def test_a_batch_of_one_is_refused_where_batch_norm_would_see_one_value(
    config: Path, regression: Path, shards: Path, tmp_path: Path
) -> None:
    one = settings("training.batch_size=1")
    said = refusal(config, shards, tmp_path / "run", *one)
    assert "training.batch_size is 1 where a layer with batch norm" in said
    tiny = settings("network.dimensions.training_size=8")  # its deepest map is 1 x 1
    said = refusal(regression, shards, tmp_path / "run", *one, *tiny)
    assert "training.batch_size is 1 where a layer with batch norm" in said
    assert trained(regression, shards, tmp_path / "run", *one).exit_code == 0


# Disks.


def test_a_full_disk_keeps_the_last_checkpoint_and_the_training_goes_on_from_it(
    regression: Path, shards: Path, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    config = read_config(regression, ["training.steps=8", "training.validate_every=100"])
    train(config, whole, data_root=shards)
    start = read_config(regression, ["training.steps=4", "training.validate_every=100"])
    path = train(start, broken, data_root=shards)
    before = path.read_bytes()
    with files_up_to(len(before) - 100), pytest.raises(CheckpointError, match="previous check"):
        train(config, broken, data_root=shards, resume=True)
    assert path.read_bytes() == before
    train(config, broken, data_root=shards, resume=True)
    assert steps_of(broken) == steps_of(whole)
    assert not list(broken.glob("*.tmp")) + list(broken.glob(".*.tmp"))


@pytest.mark.parametrize(
    ("size", "changes"),
    [
        pytest.param(250, {"checkpoint_every": 4}, id="log.jsonl"),
        pytest.param(3000, {"validate_every": 2}, id="the sheet for TensorBoard"),
        pytest.param(40, {}, id="everything"),
    ],
)
def test_a_log_that_cannot_be_written_is_one_sentence(
    regression: Path, shards: Path, tmp_path: Path, size: int, changes: dict[str, int]
) -> None:
    options = settings(*(f"training.{name}={value}" for name, value in changes.items()))
    with files_up_to(size):
        said = refusal(regression, shards, tmp_path / "run", *options)
    assert "the events beside it could not be written" in said
    assert not (tmp_path / "run" / CHECKPOINT_FILE).exists()


def test_what_cannot_end_well_is_refused_before_the_data_are_read(
    config: Path, tmp_path: Path
) -> None:
    none = tmp_path / "none"
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot hold a training"):
        train(read_config(config), tmp_path / "file" / "run", data_root=none)
    assert "no checkpoint at" in refusal(config, none, tmp_path / "run", "--init", str(none))
    assert "no checkpoint at" in refusal(config, none, tmp_path / "run", "--resume")
    assert "one of them was needed" in refusal(
        config, none, tmp_path / "run", "--resume", "--init", str(none)
    )
