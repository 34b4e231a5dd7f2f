"""Checkpoints: round trip, refusal of what is none, and the old one kept when writing fails."""

from __future__ import annotations

import json
import resource
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from trtcolor.errors import CheckpointError, ConfigError
from trtcolor_train.checkpoint import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from trtcolor_train.config import Data, Network, Training, TrainingConfig
from trtcolor_train.models import family

CONFIG = TrainingConfig(
    "small",
    Network("lee2016", {"classes": 3, "low": [[8, 2], [8, 1], [8, 2], [8, 1]]}),
    Data("train-*.tar", "val-*.tar"),
    Training(steps=5),
)


def trained(optimizer_class: type[torch.optim.Optimizer]) -> Checkpoint:
    """After one real step, so that the optimiser has a state."""
    network = family("lee2016").build(CONFIG.network.dimensions)
    optimizer = optimizer_class(network.parameters(), lr=0.1)
    network(torch.rand(2, 1, 128, 128) * 100).output.mean().backward()
    optimizer.step()
    return Checkpoint(
        CONFIG,
        asdict(network.dimensions),
        1,
        network.state_dict(),
        optimizer.state_dict(),
        ("a", "b", "c"),
        torch.get_rng_state(),
        {"train": {"kept": 3}},
    )


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adadelta])
def test_a_checkpoint_comes_back_whole(tmp_path: Path, kind: type[torch.optim.Optimizer]) -> None:
    saved = trained(kind)
    save_checkpoint(tmp_path / "c.safetensors", saved)
    loaded = load_checkpoint(tmp_path / "c.safetensors")
    assert json.dumps(loaded.dimensions) == json.dumps(saved.dimensions)
    assert (loaded.config, loaded.step, loaded.classes, loaded.data) == (
        saved.config,
        saved.step,
        saved.classes,
        saved.data,
    )
    assert all(torch.equal(loaded.model[name], value) for name, value in saved.model.items())
    assert torch.equal(loaded.random_state, saved.random_state)
    network = family("lee2016").build(CONFIG.network.dimensions)
    load_weights(network, loaded, source="c")
    optimizer = kind(network.parameters(), lr=0.5)
    optimizer.load_state_dict(loaded.optimizer)
    again = optimizer.state_dict()
    # JSON knows no tuples: the betas come back as a list of the same numbers.
    assert json.dumps(again["param_groups"]) == json.dumps(saved.optimizer["param_groups"])
    for index, state in saved.optimizer["state"].items():
        for name, value in state.items():
            assert torch.equal(torch.as_tensor(again["state"][index][name]), torch.as_tensor(value))


def test_a_failed_write_leaves_the_previous_one_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    saved = trained(torch.optim.AdamW)
    save_checkpoint(path, saved)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))  # as on a full disk
    try:
        with pytest.raises(CheckpointError, match="could not be written"):
            save_checkpoint(path, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="no whole trtcolor checkpoint"):
        load_checkpoint(path)


def test_a_cut_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, trained(torch.optim.AdamW))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="no whole trtcolor checkpoint"):
        load_checkpoint(path)


def test_a_missing_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "none")


def test_weights_of_another_family_are_refused_by_name() -> None:
    network = family("iizuka2016-baseline").build()
    with pytest.raises(CheckpointError, match="'lee2016' that do not fit"):
        load_weights(network, trained(torch.optim.AdamW), source="c")


@pytest.mark.parametrize(
    "change",
    [
        {"classes": 5},
        {"step": None},
        {"optimizer_scalars": []},
        {"config": None},
        {"dimensions": 3},
    ],
)
def test_a_header_of_another_shape_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, trained(torch.optim.AdamW))
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    metadata["header"] = json.dumps(json.loads(metadata["header"]) | change)
    save_file(load_file(path), path, metadata=metadata)
    with pytest.raises((CheckpointError, ConfigError)):
        load_checkpoint(path)
