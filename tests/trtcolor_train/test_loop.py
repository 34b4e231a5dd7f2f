"""Training as a user runs it: real processes, real kills, real data errors."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trtcolor.errors import CheckpointError, DataError, TrainingError
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import Optimizer, read_config
from trtcolor_train.loop import CHECKPOINT_FILE, learning_rate, train

WriteConfig = Callable[..., Path]


def command(config: Path, data: Path, run: Path, *options: str) -> list[str]:
    arguments = [str(config), "--data", str(data), "--run", str(run), *options]
    return [sys.executable, "-P", "-m", "trtcolor_train", *arguments]


def log_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_killed_and_resumed_training_has_the_unbroken_ones_curve(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    config = write_config(tmp_path, steps=40, checkpoint_every=3)
    subprocess.run(command(config, shards, tmp_path / "whole"), check=True, capture_output=True)
    broken = tmp_path / "broken"
    process = subprocess.Popen(
        command(config, shards, broken), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (broken / CHECKPOINT_FILE).exists():
        assert time.monotonic() < deadline, "no checkpoint was written"
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed_at = load_checkpoint(broken / CHECKPOINT_FILE).step
    assert killed_at < 40
    subprocess.run(command(config, shards, broken, "--resume"), check=True, capture_output=True)
    assert log_of(broken) == log_of(tmp_path / "whole")
    whole = load_checkpoint(tmp_path / "whole" / CHECKPOINT_FILE)
    resumed = load_checkpoint(broken / CHECKPOINT_FILE)
    assert resumed.step == whole.step == 40
    assert all((resumed.model[name] == value).all() for name, value in whole.model.items())


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_loss_falls_and_is_logged(
    shards: Path, write_config: WriteConfig, tmp_path: Path, precision: str
) -> None:
    config = read_config(write_config(tmp_path, steps=40, precision=precision))
    train(config, tmp_path / "run", data_root=shards)
    steps = [entry for entry in log_of(tmp_path / "run") if "loss" in entry]
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


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(
    shards: Path, write_config: WriteConfig, tmp_path: Path
) -> None:
    path = write_config(tmp_path, steps=60, checkpoint_every=1)
    text = path.read_text().replace("learning_rate = 0.01", "learning_rate = 1e37")
    path.write_text(text.replace("warmup_steps = 2", "warmup_steps = 0"))
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) at step \d+"):
        train(read_config(path), tmp_path / "run", data_root=shards)
    assert load_checkpoint(tmp_path / "run" / CHECKPOINT_FILE).step >= 1


def test_missing_labels_stop_a_training_that_needs_them(
    photos: list[Any], write_config: WriteConfig, tmp_path: Path
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for i, photo in enumerate(photos[:3]):
        Image.fromarray(photo).resize((40, 40)).save(flat / f"{i}.png")
    path = write_config(tmp_path)
    path.write_text(re.sub(r'"(train|val)-\*.tar.gz"', '"flat"', path.read_text()))
    with pytest.raises(TrainingError, match="have no class and alpha"):
        train(read_config(path), tmp_path / "run", data_root=tmp_path)


def test_no_data_is_one_sentence(write_config: WriteConfig, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture in"):
        train(read_config(write_config(tmp_path)), tmp_path / "run", data_root=tmp_path)


def test_the_cosine_schedule_warms_up_and_ends_near_0() -> None:
    settings = Optimizer("adamw", learning_rate=1.0, schedule="cosine", warmup_steps=10)
    rates = [learning_rate(settings, step, 110) for step in range(110)]
    assert rates[:10] == pytest.approx([i / 10 for i in range(1, 11)])
    assert rates[60] == pytest.approx(0.5)
    assert 0 < rates[-1] < 1e-3
    assert rates[9:] == sorted(rates[9:], reverse=True)


def test_what_cannot_end_well_is_refused_before_the_data_are_read(
    write_config: WriteConfig, tmp_path: Path
) -> None:
    config = read_config(write_config(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot hold a training"):
        train(config, tmp_path / "file" / "run", data_root=tmp_path / "none")
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        train(config, tmp_path / "run", data_root=tmp_path / "none", init=tmp_path / "none")


def test_the_module_refuses_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "none.toml", tmp_path, tmp_path), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
