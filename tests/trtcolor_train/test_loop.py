"""Training as a user runs it: curves, logs, kills and what goes on from a checkpoint."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from trainings import command, log_of, steps_of, write_narrow_config

from trtcolor.errors import CheckpointError
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.loop import CHECKPOINT_FILE, train

WriteConfig = Callable[..., Path]


@pytest.fixture(params=["joint", "rebalanced classifier on film"])
def killed_config(
    request: pytest.FixtureRequest, write_config: WriteConfig, tmp_path: Path
) -> Path:
    """Two configurations that have every kind of randomness, optimiser state and loader in them."""
    if request.param == "joint":
        return write_config(tmp_path, steps=40, checkpoint_every=3)
    return write_narrow_config(
        tmp_path,
        "olah2022-unet",
        loss={"color": "cross_entropy", "alpha": 0, "rebalance": True},
        augmentation={"film": 0.5, "crop": False},
        optimizer={"name": "adam", "learning_rate": 1e-3, "weight_decay": 1e-3, "clip_norm": 5},
        training={"steps": 40, "checkpoint_every": 3, "loader_processes": 1},
    )


def test_a_killed_and_resumed_training_has_the_unbroken_ones_curve(
    killed_config: Path, shards: Path, tmp_path: Path
) -> None:
    whole = load_checkpoint(train(read_config(killed_config), tmp_path / "whole", data_root=shards))
    broken = tmp_path / "broken"
    process = subprocess.Popen(
        command(killed_config, shards, broken), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    while not (broken / CHECKPOINT_FILE).exists():
        assert time.monotonic() < deadline, "no checkpoint was written"
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed_at = load_checkpoint(broken / CHECKPOINT_FILE).step
    assert killed_at < 40
    again = train(read_config(killed_config), broken, data_root=shards, resume=True)
    assert log_of(broken) == log_of(tmp_path / "whole")
    resumed = load_checkpoint(again)
    assert resumed.step == whole.step == 40
    assert all((resumed.model[name] == value).all() for name, value in whole.model.items())


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_loss_falls_and_is_logged(
    shards: Path, write_config: WriteConfig, tmp_path: Path, precision: str
) -> None:
    config = read_config(write_config(tmp_path, steps=40, precision=precision))
    train(config, tmp_path / "run", data_root=shards)
    steps = steps_of(tmp_path / "run")
    assert [entry["step"] for entry in steps] == list(range(1, 41))
    assert all(
        entry["loss"] == pytest.approx(entry["color"] + entry["classification"] / 300, rel=1e-3)
        for entry in steps
    )
    first, last = (sum(e["loss"] for e in part) / 5 for part in (steps[:5], steps[-5:]))
    assert last < 0.8 * first


def test_validation_pictures_and_figures_reach_tensorboard(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    train(read_config(write_config(tmp_path, steps=6)), tmp_path, data_root=shards)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert "validation/ciede2000" in events.Tags()["scalars"]
    (image,) = events.Images("validation/grey-predicted-original")
    assert (image.width, image.height) == (3 * 32, 6 * 32)


def test_init_takes_the_weights_and_starts_at_step_0(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    config = read_config(write_config(tmp_path, steps=40))
    first = train(config, tmp_path / "first", data_root=shards)
    train(config, tmp_path / "second", data_root=shards, init=first)
    start, again = (
        next(e["loss"] for e in log_of(tmp_path / run) if e["step"] == 1)
        for run in ("first", "second")
    )
    assert again < 0.8 * start


def test_a_run_folder_is_not_trained_over(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    config = read_config(write_config(tmp_path, steps=4))
    train(config, tmp_path / "run", data_root=shards)
    with pytest.raises(CheckpointError, match="already holds a training"):
        train(config, tmp_path / "run", data_root=shards)


def test_a_finished_or_differently_configured_training_is_not_resumed(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    path = write_config(tmp_path, steps=4)
    train(read_config(path), tmp_path / "run", data_root=shards)
    with pytest.raises(CheckpointError, match="at step 4 of 4 already"):
        train(read_config(path), tmp_path / "run", data_root=shards, resume=True)
    path.write_text(path.read_text().replace("batch_size = 4", "batch_size = 5"))
    with pytest.raises(CheckpointError, match="another configuration"):
        train(read_config(path), tmp_path / "run", data_root=shards, resume=True)


def test_the_module_refuses_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "none.toml", tmp_path, tmp_path), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_fewer_pictures_than_a_batch_are_repeated(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    config = read_config(
        write_config(tmp_path, steps=2), ["training.batch_size=40", "training.loader_processes=1"]
    )
    train(config, tmp_path / "run", data_root=shards)
    assert [entry["step"] for entry in steps_of(tmp_path / "run")] == [1, 2]


def test_a_classifier_is_left_out_where_the_configuration_says_no_classes(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    path = write_config(tmp_path, steps=1)
    config = read_config(path, ["network.dimensions.classes=0"])
    checkpoint = load_checkpoint(train(config, tmp_path / "run", data_root=shards))
    assert checkpoint.dimensions["classes"] == 0
    assert "classification" not in steps_of(tmp_path / "run")[0]
