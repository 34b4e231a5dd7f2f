"""Training as a user runs it: curves, logs, kills and what goes on from a checkpoint."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from trainings import command, log_of, steps_of, write_narrow_config

from trtcolor.dataset import drop_colourless, open_pictures
from trtcolor.errors import CheckpointError, ConfigError
from trtcolor_train import loop
from trtcolor_train.build import build_network
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import Optimizer, read_config
from trtcolor_train.log import Log
from trtcolor_train.loop import CHECKPOINT_FILE, train
from trtcolor_train.optimizer import learning_rate
from trtcolor_train.validation import validate

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


def test_events_of_a_training_that_died_before_its_first_checkpoint_are_left_out(
    tmp_path: Path,
) -> None:
    for last in (20, 10):
        time.sleep(1)  # within a second, files of one process are not read in their order
        with Log(tmp_path, 0) as log:
            for step in range(1, last + 1):
                log.step(step, 1.0, 1.0, None, 1.0)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [10]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_validation_is_the_same_in_batches_of_any_size(
    shards: Path, write_config: WriteConfig, tmp_path: Path, reduction: str
) -> None:
    config = read_config(write_config(tmp_path), [f"loss.reduction={reduction}"])
    pictures = open_pictures(shards / config.data.validation)
    network = build_network(config, 3, shards)
    losses = [
        validate(network, pictures, config, torch.device("cpu"), size)[0].loss for size in (4, 6)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


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


def test_what_leaves_the_curve_alone_may_change_on_resuming(shards: Path, tmp_path: Path) -> None:
    loss = {"alpha": 0}
    path = write_narrow_config(tmp_path, "olah2022-regression", loss=loss, training={"steps": 6})
    run, whole = tmp_path / "run", tmp_path / "whole"
    train(read_config(path), whole, data_root=shards)
    train(read_config(path, ["training.steps=3"]), run, data_root=shards)
    changes = {
        "loader_threads": 1,
        "loader_processes": 1,
        "checkpoint_every": 3,
        "validate_every": 5,
        "validation_pictures": 2,
    }
    changed = read_config(path, [f"training.{name}={value}" for name, value in changes.items()])
    train(changed, run, data_root=shards, resume=True)
    assert steps_of(run) == steps_of(whole)


def test_minutes_end_a_training_with_its_rate_run_down_and_it_can_go_on(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []

    def noted(settings: Optimizer, step: int, steps: int) -> float:
        rates.append(learning_rate(settings, step, steps))
        return rates[-1]

    monkeypatch.setattr(loop, "learning_rate", noted)
    never = 10**6
    path = write_narrow_config(
        tmp_path,
        "olah2022-regression",
        loss={"alpha": 0},
        optimizer={"name": "adamw", "learning_rate": 0.01, "schedule": "cosine"},
        training={"steps": never, "checkpoint_every": never, "validate_every": never},
    )
    run = tmp_path / "run"
    half = load_checkpoint(
        train(read_config(path, ["training.minutes=0.05"]), run, data_root=shards)
    )
    assert 1 < half.step < never
    assert half.seconds is not None
    assert half.seconds > 2.9
    assert rates[0] == 0.01
    assert rates[-1] < 1e-4
    assert "validation" in log_of(run)[-1]
    longer = read_config(path, ["training.minutes=0.02"])
    whole = load_checkpoint(train(longer, run, data_root=shards, resume=True))
    assert whole.seconds is not None
    assert whole.seconds > half.seconds + 1.1
    assert [entry["step"] for entry in steps_of(run)] == list(range(1, whole.step + 1))
    assert len(rates) == whole.step > half.step
    assert max(rates[half.step :]) < 0.005  # 3 of 4.2 seconds down the cosine, and not anew
    assert rates[-1] < 1e-4


def test_a_checkpoint_says_how_long_it_was_trained_on_what_and_from_where(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    path = write_config(tmp_path, steps=6)
    kept, _ = drop_colourless(open_pictures(shards / "train-*.tar.gz"), side=37)
    half = train(read_config(path, ["training.steps=3"]), tmp_path / "run", data_root=shards)
    before = load_checkpoint(half)
    assert before.seconds is not None
    whole = load_checkpoint(train(read_config(path), half.parent, data_root=shards, resume=True))
    assert whole.seconds is not None
    assert whole.seconds > before.seconds > 0
    assert whole.start == before.start == "random weights"
    assert whole.data == before.data
    assert whole.data["source"] == f"{shards.name}/train-*.tar.gz"
    assert kept.mean_chroma is not None
    assert whole.data["mean_chroma"] == pytest.approx(kept.mean_chroma, abs=1e-4)
    train(read_config(path), tmp_path / "next", data_root=shards, init=half)
    after = load_checkpoint(tmp_path / "next" / CHECKPOINT_FILE)
    assert after.start == "tiny after 6 steps, itself from random weights"


def test_a_training_goes_on_without_the_files_that_its_network_began_with(
    shards: Path, tmp_path: Path
) -> None:
    path = write_narrow_config(
        tmp_path,
        "olah2022-cnn",
        loss={"color": "cross_entropy", "alpha": 0, "rebalance": True},
        training={"steps": 8},
    )
    run, whole, bins = tmp_path / "run", tmp_path / "whole", tmp_path / "bins.npy"
    np.save(bins, np.random.default_rng(0).integers(-100, 100, (20, 2)))
    train(read_config(path, [f"network.bins={bins}"]), whole, data_root=shards)
    train(read_config(path, [f"network.bins={bins}", "training.steps=4"]), run, data_root=shards)
    bins.unlink()
    moved = read_config(path, ["network.bins=elsewhere.npy"])
    train(moved, run, data_root=shards, resume=True)
    assert steps_of(run) == steps_of(whole)


def test_init_does_not_silently_undo_what_the_configuration_asks_for(
    shards: Path, tmp_path: Path
) -> None:
    loss = {"color": "cross_entropy", "alpha": 0}
    path = write_narrow_config(tmp_path, "olah2022-cnn", loss=loss, training={"steps": 1})
    for name in ("a", "b"):
        random = np.random.default_rng(ord(name))
        np.save(tmp_path / f"{name}.npy", random.permutation(200).reshape(-1, 2) - 100)
    first, other = (
        read_config(path, [f"network.bins={tmp_path / name}.npy"]) for name in ("a", "b")
    )
    init = train(first, tmp_path / "first", data_root=shards)
    with pytest.raises(CheckpointError, match="has other bin centres than the configuration"):
        train(other, tmp_path / "other", data_root=shards, init=init)
    train(first, tmp_path / "same", data_root=shards, init=init)


def test_init_and_weights_of_an_encoder_are_one_too_many(shards: Path, tmp_path: Path) -> None:
    loss = {"alpha": 0}
    path = write_narrow_config(tmp_path, "olah2022-regression", loss=loss, training={"steps": 1})
    init = train(read_config(path), tmp_path / "first", data_root=shards)
    both = read_config(path, ["network.encoder=w.pth"])
    with pytest.raises(ConfigError, match="weights for the encoder from one of them were needed"):
        train(both, tmp_path / "second", data_root=shards, init=init)


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
