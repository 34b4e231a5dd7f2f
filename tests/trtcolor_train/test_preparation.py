"""What a training is before its next step, and what it refuses before it reads a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from trtcolor.errors import CheckpointError, TrainingError, TrtcolorError
from trtcolor_train import preparation
from trtcolor_train.checkpoint import load_checkpoint
from trtcolor_train.config import read_config
from trtcolor_train.loop import CHECKPOINT_FILE, train
from trtcolor_train.parallel import Processes
from trtcolor_train.preparation import Prepared, prepare

WriteConfig = Callable[..., Path]


@pytest.fixture
def config(write_config: WriteConfig, tmp_path: Path) -> Path:
    return write_config(tmp_path, steps=4)


def prepared(config: Path, run: Path, data: Path, *changes: str, **options: Any) -> Prepared:
    return prepare(
        read_config(config, changes),
        run / CHECKPOINT_FILE,
        data_root=data,
        console=Console(quiet=True),
        processes=Processes(0, 1, torch.device("cpu")),
        **{"resume": False, "init": None} | options,
    )


def test_a_fresh_training_has_done_nothing(config: Path, shards: Path, tmp_path: Path) -> None:
    training = prepared(config, tmp_path / "run", shards)
    assert (training.first, training.seconds, training.begun) == (0, 0.0, "random weights")
    assert training.network.training
    assert not training.optimizer.state
    assert len(list(training.batches)) == 4
    assert not (tmp_path / "run").exists()


def test_a_resumed_training_is_as_its_checkpoint_left_it(
    config: Path, shards: Path, tmp_path: Path
) -> None:
    left = load_checkpoint(train(read_config(config), tmp_path / "run", data_root=shards))
    training = prepared(config, tmp_path / "run", shards, "training.steps=9", resume=True)
    assert (training.first, training.seconds, training.begun) == (4, left.seconds, left.start)
    assert (training.seen, training.classes) == (left.data, left.classes)
    assert training.network.training
    state = training.network.state_dict()
    assert all(torch.equal(state[name], value) for name, value in left.model.items())
    assert len(training.optimizer.state) == len(list(training.network.parameters()))
    assert torch.equal(torch.get_rng_state(), left.random_state)
    assert len(list(training.batches)) == 5


@pytest.mark.parametrize(
    ("changes", "options", "kind", "said"),
    [
        ([], {"init": Path("none")}, CheckpointError, "no checkpoint at none"),
        (["training.batch_size=1"], {}, TrtcolorError, "at least 2 pictures were needed"),
        (["data.only=fourth"], {}, TrtcolorError, "the class 'fourth' was asked for"),
        (["network.dimensions.classes=4"], {}, TrainingError, "says 4 classes, the data have 3"),
        (["loss.color=cross_entropy"], {}, TrtcolorError, "mse, smooth_l1 or huber was needed"),
        (["network.encoder=none.pth"], {}, TrtcolorError, "cannot be read as weights"),
    ],
)
def test_what_can_be_refused_is_before_a_picture_is_read(
    config: Path,
    shards: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: list[str],
    options: dict[str, Any],
    kind: type[TrtcolorError],
    said: str,
) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("pictures were read")

    monkeypatch.setattr(preparation, "drop_colourless", read)
    with pytest.raises(kind, match=said):
        prepared(config, tmp_path / "run", shards, *changes, **options)
    with pytest.raises(AssertionError, match="pictures were read"):
        prepared(config, tmp_path / "run", shards)
